#include "worker/trial/memory_use.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"

namespace frontier::worker {
namespace {

// Of TrainingBatches: one in use and two made ahead.
constexpr int64_t kBatchesAhead = 3;

constexpr int64_t MiB(int64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; }

}  // namespace

MemoryUse ReadMemoryUse() {
  MemoryUse use;
  const absl::StatusOr<std::string> status = ReadFile("/proc/self/status");
  if (!status.ok()) return use;
  const struct {
    absl::string_view name;
    int64_t* value;
  } fields[] = {{"VmRSS:", &use.resident},
                {"VmHWM:", &use.peak_resident},
                {"RssAnon:", &use.resident_private},
                {"VmData:", &use.reserved_private}};
  for (absl::string_view line : absl::StrSplit(*status, '\n')) {
    for (const auto& field : fields) {
      int64_t kilobytes = 0;
      if (absl::ConsumePrefix(&line, field.name) &&
          absl::SimpleAtoi(absl::StripSuffix(line, " kB"), &kilobytes)) {
        *field.value = kilobytes * 1024;
      }
    }
  }
  return use;
}

void ReturnFreedMemory() {
#if defined(__GLIBC__)
  // Given a value, neither grows any more with what is freed (mallopt(3)).
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}

int64_t WeightBytes(int64_t parameters) {
  constexpr int64_t kBytesEach = 4 * static_cast<int64_t>(sizeof(float));
  return std::min(parameters, (int64_t{1} << 60) / kBytesEach) * kBytesEach;
}

int64_t RunBytes(const v1::Model& model, const v1::TrainingRecipe& recipe, int evaluation_batch,
                 bool checkpoints) {
  const v1::Shape& input = model.architecture().input();
  const int64_t sample = int64_t{input.channels()} * input.height() * input.width() *
                         static_cast<int64_t>(sizeof(float));
  const int64_t weights = static_cast<int64_t>(model.ByteSizeLong());
  // A checkpoint holds weights and velocity, and what else is kept; it exists as message and as
  // bytes, first those for the digest and then those for the file. Evaluation unpacks one model.
  const int64_t kept = 2 + (recipe.optimizer() == v1::OPTIMIZER_ADAMW ? 1 : 0) +
                       (recipe.average_decay() > 0 ? 1 : 0);
  const int64_t passing = checkpoints ? 2 * kept : 1;
  return kBatchesAhead * recipe.batch_size() * sample + evaluation_batch * sample +
         passing * weights;
}

absl::Status CheckMemory(const MemoryUse& now, int64_t more, int64_t limit) {
  if (limit <= 0) return absl::OkStatus();
  int64_t used = now.resident_private;
  rlimit reserved = {};
  if (getrlimit(RLIMIT_DATA, &reserved) == 0 && reserved.rlim_cur != RLIM_INFINITY) {
    used = std::max(used, now.reserved_private);
  }
  if (used + more <= limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "training needs ", MiB(used + more), " MiB of private memory (", MiB(used),
      " MiB are in use, ", MiB(more), " MiB would be added), the limit is ", limit >> 20, " MiB"));
}

}  // namespace frontier::worker
