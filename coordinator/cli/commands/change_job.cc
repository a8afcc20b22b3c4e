// frontier cancel, pause, resume: the commands that change one job and show its new state.
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

template <typename Request, typename Response>
using Call = absl::StatusOr<Response> (JobClient::*)(Request);

template <typename Request, typename Response>
absl::StatusOr<ExitCode> ChangeJob(Session* session, int64_t job_id, Call<Request, Response> call) {
  Request request;
  request.set_job_id(job_id);
  ASSIGN_OR_RETURN(const Response response, (session->client()->*call)(request));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << "job " << job_id << " is " << EnumWord(response.job().state()) << "\n";
  }
  return ExitCode::kOk;
}

template <typename Request, typename Response>
void AddChange(CLI::App* app, Session* session, const std::string& name,
               const std::string& description, const std::string& notes,
               Call<Request, Response> call) {
  CLI::App* command = app->add_subcommand(name, description);
  auto job_id = std::make_shared<int64_t>(0);
  AddNumber(command, "JOB", job_id.get(), "Number of a job")->required();
  command->footer(
      absl::StrCat(notes, notes.empty() ? "" : "\n\n", "Examples:\n  frontier ", name, " 3"));
  command->callback([session, job_id, call] {
    session->action = [session, job_id, call] { return ChangeJob(session, *job_id, call); };
  });
}

}  // namespace

void AddCancelCommand(CLI::App* app, Session* session) {
  AddChange(app, session, "cancel", "End a job; what its trials found is kept",
            "Running trials are stopped at their worker's next heartbeat. A job that has ended "
            "cannot be\ncancelled (exit code 6).",
            &JobClient::CancelJob);
}

void AddPauseCommand(CLI::App* app, Session* session) {
  AddChange(app, session, "pause", "Lease no new trials of a job; running ones go on",
            "Time while paused does not count against the budget.", &JobClient::PauseJob);
}

void AddResumeCommand(CLI::App* app, Session* session) {
  AddChange(app, session, "resume", "Go on with a paused job", "", &JobClient::ResumeJob);
}

}  // namespace frontier::cli
