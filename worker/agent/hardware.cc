#include "worker/agent/hardware.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

// Features that decide which kernels an engine can run, as the kernel spells them.
const absl::flat_hash_set<absl::string_view>& KernelFeatures() {
  static const auto* const features = new absl::flat_hash_set<absl::string_view>{
      // x86-64
      "sse4_1", "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw",
      "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16",
      "amx_int8", "amx_fp16",
      // arm64
      "asimd", "asimdhp", "asimddp", "asimdfhm", "bf16", "i8mm", "sve", "sve2", "svebf16",
      "svei8mm"};
  return *features;
}

// Names of arm64 cores: the kernel gives implementer and part only.
absl::string_view ArmCoreName(absl::string_view implementer, absl::string_view part) {
  static constexpr std::pair<absl::string_view, absl::string_view> kArmParts[] = {
      {"0xd03", "Cortex-A53"},  {"0xd04", "Cortex-A35"}, {"0xd05", "Cortex-A55"},
      {"0xd07", "Cortex-A57"},  {"0xd08", "Cortex-A72"}, {"0xd09", "Cortex-A73"},
      {"0xd0a", "Cortex-A75"},  {"0xd0b", "Cortex-A76"}, {"0xd0c", "Neoverse-N1"},
      {"0xd40", "Neoverse-V1"}, {"0xd41", "Cortex-A78"}, {"0xd49", "Neoverse-N2"},
      {"0xd4f", "Neoverse-V2"}};
  if (implementer != "0x41") return "";
  for (const auto& [number, name] : kArmParts) {
    if (part == number) return name;
  }
  return "";
}

// "key   : value" of one line.
std::pair<absl::string_view, absl::string_view> KeyValue(absl::string_view line) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(':', 1));
  return {absl::StripAsciiWhitespace(parts.first), absl::StripAsciiWhitespace(parts.second)};
}

struct Processor {
  std::string model;
  std::vector<std::string> features;  // sorted
};

Processor ParseCpuInfo(absl::string_view text) {
  std::set<std::string> models;
  std::set<std::string> features;
  absl::string_view implementer;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const auto [key, value] = KeyValue(line);
    if (key == "model name" && !value.empty()) {
      models.emplace(value);
    } else if (key == "CPU implementer") {
      implementer = value;
    } else if (key == "CPU part") {
      const absl::string_view name = ArmCoreName(implementer, value);
      models.insert(name.empty() ? absl::StrCat("arm64 implementer ", implementer, " part ", value)
                                 : absl::StrCat("ARM ", name));
    } else if (key == "flags" || key == "Features") {
      for (const absl::string_view flag : absl::StrSplit(value, ' ', absl::SkipEmpty())) {
        if (KernelFeatures().contains(flag)) features.emplace(flag);
      }
    }
  }
  return {absl::StrJoin(models, " + "), {features.begin(), features.end()}};
}

// Runs of letters and digits joined by dashes, without trademark signs, at most 40 characters.
std::string Slug(absl::string_view model) {
  std::string slug;
  for (const absl::string_view raw : absl::StrSplit(model, absl::ByAnyChar(" ()@+,/:"))) {
    std::string word;
    for (const char c : raw) {
      if (absl::ascii_isalnum(c) || c == '.' || c == '-') word.push_back(absl::ascii_tolower(c));
    }
    if (word.empty() || word == "r" || word == "tm" || word == "cpu" || word == "processor") {
      continue;
    }
    absl::StrAppend(&slug, slug.empty() ? "" : "-", word);
  }
  slug = slug.substr(0, 40);
  while (!slug.empty() && (slug.back() == '-' || slug.back() == '.')) slug.pop_back();
  return slug.empty() ? "unknown" : slug;
}

std::string HardwareClass(const Processor& processor) {
  const std::string identity =
      absl::StrCat(processor.model, "\n", absl::StrJoin(processor.features, " "));
  return absl::StrCat(Slug(processor.model), "-", Sha256Hex(identity).substr(0, 8));
}

std::string ReadOrEmpty(const std::string& path) {
  absl::StatusOr<std::string> content = ReadFile(path);
  return content.ok() ? *std::move(content) : "";
}

// The number a control-group file holds, or -1 for "max", none, or no such file.
int64_t ReadLimit(const std::string& path) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(ReadOrEmpty(path)), &value)) return -1;
  return value;
}

// What the control groups of this process leave it.
struct GroupLimits {
  double cores = 0;  // 0 = no limit
  int64_t memory_bytes = 0;

  void LimitCores(double value) {
    if (value > 0 && (cores == 0 || value < cores)) cores = value;
  }
  void LimitMemory(int64_t value) {
    if (value > 0 && (memory_bytes == 0 || value < memory_bytes)) memory_bytes = value;
  }
};

// `visit` is called for `mount` joined with `group` and each of its ancestors, `mount` included.
template <typename Visit>
void ForEachAncestor(const std::string& mount, absl::string_view group, Visit visit) {
  std::string path(group);
  while (true) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    visit(absl::StrCat(mount, path));
    if (path.empty()) return;
    path.resize(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
  }
}

void ReadUnifiedGroup(const std::string& mount, absl::string_view group, GroupLimits* limits) {
  ForEachAncestor(mount, group, [limits](const std::string& folder) {
    const std::string text = ReadOrEmpty(folder + "/cpu.max");
    const std::vector<absl::string_view> words =
        absl::StrSplit(absl::StripAsciiWhitespace(text), ' ');
    double quota = 0, period = 0;
    if (words.size() == 2 && absl::SimpleAtod(words[0], &quota) &&
        absl::SimpleAtod(words[1], &period) && period > 0) {
      limits->LimitCores(quota / period);
    }
    limits->LimitMemory(ReadLimit(folder + "/memory.max"));
  });
}

void ReadControllerGroup(const std::string& cgroup_root, absl::string_view controllers,
                         absl::string_view group, GroupLimits* limits) {
  std::vector<std::string> names = absl::StrSplit(controllers, ',');
  const bool cpu = std::count(names.begin(), names.end(), "cpu") > 0;
  const bool memory = std::count(names.begin(), names.end(), "memory") > 0;
  if (!cpu && !memory) return;
  names.emplace_back(controllers);
  for (const std::string& name : names) {
    ForEachAncestor(absl::StrCat(cgroup_root, "/", name), group, [&](const std::string& folder) {
      if (cpu) {
        const int64_t quota = ReadLimit(folder + "/cpu.cfs_quota_us");
        const int64_t period = ReadLimit(folder + "/cpu.cfs_period_us");
        if (quota > 0 && period > 0) {
          limits->LimitCores(static_cast<double>(quota) / period);
        }
      }
      if (memory) limits->LimitMemory(ReadLimit(folder + "/memory.limit_in_bytes"));
    });
  }
}

GroupLimits ReadGroupLimits(const HardwarePaths& paths) {
  GroupLimits limits;
  const std::string root = paths.sysfs_root + "/fs/cgroup";
  for (const absl::string_view line :
       absl::StrSplit(ReadOrEmpty(paths.proc_root + "/self/cgroup"), '\n', absl::SkipEmpty())) {
    // hierarchy:controllers:path
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    if (fields[1].empty()) {
      ReadUnifiedGroup(root, fields[2], &limits);
      ReadUnifiedGroup(root + "/unified", fields[2], &limits);
    } else {
      ReadControllerGroup(root, fields[1], fields[2], &limits);
    }
  }
  return limits;
}

std::string DescribeSystem(const HardwarePaths& paths) {
  std::string name;
  for (const absl::string_view line :
       absl::StrSplit(ReadOrEmpty(paths.os_release), '\n', absl::SkipEmpty())) {
    if (!absl::StartsWith(line, "PRETTY_NAME=")) continue;
    name = std::string(absl::StripPrefix(line, "PRETTY_NAME="));
    name.erase(std::remove(name.begin(), name.end(), '"'), name.end());
  }
  const std::string kernel_text = ReadOrEmpty(paths.proc_root + "/sys/kernel/osrelease");
  const absl::string_view kernel = absl::StripAsciiWhitespace(kernel_text);
  return absl::StrCat(name.empty() ? "unknown system" : name,
                      kernel.empty() ? "" : absl::StrCat(", Linux ", kernel));
}

absl::StatusOr<int64_t> ReadMemoryBytes(const HardwarePaths& paths) {
  const std::string path = paths.proc_root + "/meminfo";
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const auto [key, value] = KeyValue(line);
    int64_t kilobytes = 0;
    if (key == "MemTotal" && absl::SimpleAtoi(absl::StripSuffix(value, " kB"), &kilobytes) &&
        kilobytes > 0) {
      return kilobytes * 1024;
    }
  }
  return absl::DataLossError(absl::StrCat("'", path, "' has no MemTotal"));
}

}  // namespace

int CountCpuList(absl::string_view list) {
  int count = 0;
  for (const absl::string_view item :
       absl::StrSplit(absl::StripAsciiWhitespace(list), ',', absl::SkipEmpty())) {
    const std::vector<absl::string_view> ends = absl::StrSplit(item, '-');
    int first = 0, last = 0;
    if (ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &first) ||
        !absl::SimpleAtoi(ends.back(), &last) || first < 0 || last < first) {
      return 0;
    }
    count += last - first + 1;
  }
  return count;
}

int OnlineCores(const HardwarePaths& paths) {
  return std::max(1, CountCpuList(ReadOrEmpty(paths.sysfs_root + "/devices/system/cpu/online")));
}

absl::StatusOr<v1::Hardware> DetectHardware(const HardwarePaths& paths) {
  ASSIGN_OR_RETURN(const std::string cpu_info, ReadFile(paths.proc_root + "/cpuinfo"));
  ASSIGN_OR_RETURN(int64_t memory_bytes, ReadMemoryBytes(paths));
  Processor processor = ParseCpuInfo(cpu_info);
  if (processor.model.empty()) processor.model = "unknown processor";

  int cores = OnlineCores(paths);
  const std::string status = ReadOrEmpty(paths.proc_root + "/self/status");
  for (const absl::string_view line : absl::StrSplit(status, '\n')) {
    const auto [key, value] = KeyValue(line);
    if (key == "Cpus_allowed_list" && CountCpuList(value) > 0) cores = CountCpuList(value);
  }
  const GroupLimits limits = ReadGroupLimits(paths);
  if (limits.cores > 0) cores = std::max(1, std::min(cores, static_cast<int>(limits.cores)));
  if (limits.memory_bytes > 0) memory_bytes = std::min(memory_bytes, limits.memory_bytes);

  v1::Hardware hardware;
  hardware.set_cpu_model(processor.model);
  for (const std::string& feature : processor.features) hardware.add_isa_features(feature);
  hardware.set_cores(cores);
  hardware.set_memory_bytes(memory_bytes);
  hardware.set_os(DescribeSystem(paths));
  hardware.set_hardware_class(HardwareClass(processor));
  return hardware;
}

}  // namespace frontier::worker
