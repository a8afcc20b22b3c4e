// frontier delete: removes jobs that have ended.
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "google/protobuf/struct.pb.h"

namespace frontier::cli {
namespace {

absl::StatusOr<ExitCode> DeleteJobs(Session* session, const std::vector<int64_t>& jobs) {
  for (const int64_t job_id : jobs) {
    v1::DeleteJobRequest request;
    request.set_job_id(job_id);
    RETURN_IF_ERROR(session->client()->DeleteJob(request).status());
    if (session->json) {
      google::protobuf::Struct answer;
      (*answer.mutable_fields())["job_id"].set_string_value(absl::StrCat(job_id));
      (*answer.mutable_fields())["deleted"].set_bool_value(true);
      RETURN_IF_ERROR(session->PrintJsonLine(answer));
    } else {
      session->out() << "job " << job_id << " is deleted\n";
    }
  }
  return ExitCode::kOk;
}

}  // namespace

void AddDeleteCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand(
      "delete", "Remove jobs that have ended, with their trials, logs and models");
  auto jobs = std::make_shared<std::vector<int64_t>>();
  command->add_option("JOB", *jobs, "Numbers of jobs")
      ->type_name("JOB")
      ->required()
      ->check(CLI::Range(int64_t{1}, std::numeric_limits<int64_t>::max()));
  command->footer(
      "There is no way back but a backup. Jobs that were given results or weights of a deleted one "
      "keep\nthem. A job that has not ended must be cancelled first (exit code 6).\n\n"
      "Examples:\n"
      "  frontier delete 3\n"
      "  frontier delete 4 5 6");
  command->callback([session, jobs] {
    session->action = [session, jobs] { return DeleteJobs(session, *jobs); };
  });
}

}  // namespace frontier::cli
