// frontier resume.
#include <memory>
#include <utility>

#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

absl::StatusOr<ExitCode> Resume(Session* session, int64_t job_id) {
  v1::ResumeJobRequest request;
  request.set_job_id(job_id);
  ASSIGN_OR_RETURN(const v1::ResumeJobResponse response,
                   session->client()->ResumeJob(std::move(request)));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << "job " << job_id << " is " << EnumWord(response.job().state()) << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddResumeCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand("resume", "Go on with a paused job");
  auto job_id = std::make_shared<int64_t>(0);
  AddNumber(command, "JOB", job_id.get(), "Number of a job")->required();
  command->footer(

      "Examples:\n"
      "  frontier resume 3");
  command->callback([session, job_id] {
    session->action = [session, job_id] { return Resume(session, *job_id); };
  });
}

}  // namespace frontier::cli
