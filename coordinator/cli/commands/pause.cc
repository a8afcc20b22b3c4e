// frontier pause.
#include <memory>
#include <utility>

#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

absl::StatusOr<ExitCode> Pause(Session* session, int64_t job_id) {
  v1::PauseJobRequest request;
  request.set_job_id(job_id);
  ASSIGN_OR_RETURN(const v1::PauseJobResponse response,
                   session->client()->PauseJob(std::move(request)));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << "job " << job_id << " is " << EnumWord(response.job().state()) << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddPauseCommand(CLI::App* app, Session* session) {
  CLI::App* command =
      app->add_subcommand("pause", "Lease no new trials of a job; running ones go on");
  auto job_id = std::make_shared<int64_t>(0);
  AddNumber(command, "JOB", job_id.get(), "Number of a job")->required();
  command->footer(
      "Time while paused does not count against the budget.\n\n"
      "Examples:\n"
      "  frontier pause 3");
  command->callback([session, job_id] {
    session->action = [session, job_id] { return Pause(session, *job_id); };
  });
}

}  // namespace frontier::cli
