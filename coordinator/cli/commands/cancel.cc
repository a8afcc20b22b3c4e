// frontier cancel.
#include <memory>
#include <utility>

#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

absl::StatusOr<ExitCode> Cancel(Session* session, int64_t job_id) {
  v1::CancelJobRequest request;
  request.set_job_id(job_id);
  ASSIGN_OR_RETURN(const v1::CancelJobResponse response,
                   session->client()->CancelJob(std::move(request)));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << "job " << job_id << " is " << EnumWord(response.job().state()) << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddCancelCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand("cancel", "End a job; what its trials found is kept");
  auto job_id = std::make_shared<int64_t>(0);
  AddNumber(command, "JOB", job_id.get(), "Number of a job")->required();
  command->footer(
      "Running trials are stopped at their worker's next heartbeat. A job that has ended cannot "
      "be\n"
      "cancelled (exit code 6).\n\n"
      "Examples:\n"
      "  frontier cancel 3");
  command->callback([session, job_id] {
    session->action = [session, job_id] { return Cancel(session, *job_id); };
  });
}

}  // namespace frontier::cli
