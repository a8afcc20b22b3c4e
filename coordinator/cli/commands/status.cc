// frontier status: jobs in a list, or one in detail.
#include "common/base/status.h"

#include <memory>
#include <string>

#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/job_view.h"

namespace frontier::cli {
namespace {

struct StatusFlags {
  int64_t job_id = 0;
  int32_t limit = 50;
  bool all = false;
};

absl::StatusOr<ExitCode> ListJobs(Session* session, const StatusFlags& flags) {
  v1::ListJobsResponse all;
  v1::ListJobsRequest request;
  do {
    const int left = flags.limit - all.jobs_size();
    request.set_page_size(flags.all ? 500 : std::min(left, 500));
    request.set_page_token(all.next_page_token());
    ASSIGN_OR_RETURN(v1::ListJobsResponse page, session->client()->ListJobs(request));
    all.mutable_jobs()->MergeFrom(page.jobs());
    all.set_next_page_token(page.next_page_token());
    if (page.jobs().empty()) break;
  } while (!all.next_page_token().empty() && (flags.all || all.jobs_size() < flags.limit));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(all));
    return ExitCode::kOk;
  }
  session->out() << RenderJobList(session->look(), all.jobs());
  if (!all.next_page_token().empty()) session->out() << "There are more; --all lists every job.\n";
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ShowStatus(Session* session, const StatusFlags& flags) {
  if (flags.job_id == 0) return ListJobs(session, flags);
  v1::GetJobRequest request;
  request.set_job_id(flags.job_id);
  ASSIGN_OR_RETURN(const v1::GetJobResponse response, session->client()->GetJob(request));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << RenderJob(session->look(), response.job());
  }
  return ExitCode::kOk;
}

}  // namespace

void AddStatusCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand("status", "List the jobs, or tell how one is doing");
  auto flags = std::make_shared<StatusFlags>();
  AddNumber(command, "JOB", &flags->job_id, "Number of a job; left out, all are listed");
  command->add_option("--limit", flags->limit, "Most jobs to list (default 50)")
      ->type_name("N")
      ->check(NumberUpTo(1'000'000));
  command->add_flag("--all", flags->all, "List every job");
  command->footer(
      "Examples:\n"
      "  frontier status\n"
      "  frontier status 3\n"
      "  frontier status 3 --json");
  command->callback([session, flags] {
    session->action = [session, flags] { return ShowStatus(session, *flags); };
  });
}

}  // namespace frontier::cli
