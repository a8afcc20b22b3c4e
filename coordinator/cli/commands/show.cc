// frontier show: a job as the file it was submitted as, or all about one trial.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/job_file/job_file.h"
#include "coordinator/cli/render/trial_view.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

struct ShowFlags {
  int64_t job_id = 0;
  int64_t trial = 0;
};

absl::StatusOr<ExitCode> ShowJob(Session* session, int64_t job_id) {
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  ASSIGN_OR_RETURN(const v1::GetJobResponse response, session->client()->GetJob(request));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
    return ExitCode::kOk;
  }
  const v1::Job& job = response.job();
  session->out() << "# job " << job.id() << ", " << EnumWord(job.state())
                 << "; as a file that can be submitted again\n"
                 << WriteJobFile(job.spec());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Show(Session* session, const ShowFlags& flags) {
  if (flags.trial == 0) return ShowJob(session, flags.job_id);
  v1::GetTrialRequest request;
  request.set_job_id(flags.job_id);
  request.set_trial(flags.trial);
  ASSIGN_OR_RETURN(const v1::GetTrialResponse response, session->client()->GetTrial(request));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << RenderTrial(session->look(), response.trial());
  }
  return ExitCode::kOk;
}

}  // namespace

void AddShowCommand(CLI::App* app, Session* session) {
  CLI::App* command =
      app->add_subcommand("show", "Show a job as a job file, or all there is about a trial");
  auto flags = std::make_shared<ShowFlags>();
  AddNumber(command, "JOB", &flags->job_id, "Number of a job")->required();
  AddNumber(command, "TRIAL", &flags->trial, "Number of one of its trials");
  command->footer(
      "Examples:\n"
      "  frontier show 3 > again.yaml     the job, ready to be submitted again\n"
      "  frontier show 3 17               its trial 17: measurements, epochs, attempts, layers\n"
      "  frontier show 3 17 --json");
  command->callback(
      [session, flags] { session->action = [session, flags] { return Show(session, *flags); }; });
}

}  // namespace frontier::cli
