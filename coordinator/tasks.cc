#include "coordinator/tasks.h"

#include <iostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "coordinator/maintenance/data_folder.h"

namespace frontier::coordinator {
namespace {

constexpr double kMebibyte = 1 << 20;

ExitCode Fail(const absl::Status& status) {
  std::cerr << "frontier-coordinator: " << status.message() << std::endl;
  return absl::IsAlreadyExists(status) ? kUsage : kDatabase;
}

ExitCode Say(const char* what, const std::string& where, const absl::StatusOr<Backup>& done) {
  if (!done.ok()) return Fail(done.status());
  std::cout << absl::StrFormat("%s '%s': the database and %d blobs, %.1f MiB\n", what, where,
                               done->blobs, static_cast<double>(done->bytes) / kMebibyte);
  return kOk;
}

ExitCode RunCheck(const std::string& data_dir) {
  const absl::StatusOr<std::vector<std::string>> problems = Check(data_dir);
  if (!problems.ok()) return Fail(problems.status());
  for (const std::string& problem : *problems) std::cout << problem << "\n";
  if (!problems->empty()) return kDatabase;
  std::cout << "'" << data_dir << "' is in good order\n";
  return kOk;
}

ExitCode RunCompact(const std::string& data_dir) {
  const absl::StatusOr<Compaction> done = Compact(data_dir);
  if (!done.ok()) return Fail(done.status());
  std::cout << absl::StrFormat("the database had %.1f MiB and has %.1f\n",
                               static_cast<double>(done->bytes_before) / kMebibyte,
                               static_cast<double>(done->bytes_after) / kMebibyte);
  return kOk;
}

}  // namespace

ExitCode RunTask(const Flags& flags) {
  const std::string& data_dir = flags.server.data_dir;
  switch (flags.task) {
    case Task::kBackUp:
      return Say("backed up to", flags.folder, BackUp(data_dir, flags.folder));
    case Task::kRestore:
      return Say("restored to", data_dir, Restore(flags.folder, data_dir, SystemClock().Now()));
    case Task::kCheck:
      return RunCheck(data_dir);
    case Task::kCompact:
      return RunCompact(data_dir);
    case Task::kServe:
      break;
  }
  return kInternal;
}

}  // namespace frontier::coordinator
