// frontier front: what a job found, and what it cost.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/job_view.h"
#include "coordinator/cli/render/trial_view.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

// Dots beyond this would not tell more in a plot of some 1,500 cells.
constexpr int kMostDots = 5000;

struct FrontFlags {
  int64_t job_id = 0;
  bool no_plot = false;
};

absl::StatusOr<Trials> SucceededTrials(Session* session, int64_t job_id) {
  Trials trials;
  v1::ListTrialsRequest request;
  request.set_job_id(job_id);
  request.set_page_size(kPageSize);
  request.set_state(v1::TRIAL_STATE_SUCCEEDED);
  do {
    ASSIGN_OR_RETURN(v1::ListTrialsResponse page, session->client()->ListTrials(request));
    trials.MergeFrom(page.trials());
    request.set_page_token(page.next_page_token());
    if (page.trials().empty()) break;
  } while (!request.page_token().empty() && trials.size() < kMostDots);
  return trials;
}

absl::StatusOr<ExitCode> ShowFront(Session* session, const FrontFlags& flags) {
  ASSIGN_OR_RETURN(const int64_t job_id, session->ResolveJob(flags.job_id));
  v1::GetFrontRequest request;
  request.set_job_id(job_id);
  ASSIGN_OR_RETURN(const v1::GetFrontResponse response, session->client()->GetFront(request));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
    return ExitCode::kOk;
  }
  const Look look = session->look();
  const v1::Job& job = response.job();
  session->out() << Paint(look, Tone::kBold,
                          absl::StrCat("Front of job ", job_id, "  ", Printable(job.spec().name())))
                 << "  " << Paint(look, ToneOf(job.state()), EnumWord(job.state())) << ", "
                 << job.trials_succeeded() << " trials succeeded, " << job.trials_failed()
                 << " failed\n\n"
                 << RenderFront(look, job, response.trials());
  if (!flags.no_plot) {
    ASSIGN_OR_RETURN(const Trials others, SucceededTrials(session, job_id));
    const std::string plot = RenderFrontPlot(look, job, response.trials(), others);
    if (!plot.empty()) session->out() << "\n" << plot;
  }
  session->out() << "\n"
                 << Paint(look, Tone::kBold, "Cost of the search") << "\n"
                 << RenderCost(look, job.usage());
  return ExitCode::kOk;
}

}  // namespace

void AddFrontCommand(CLI::App* app, Session* session) {
  CLI::App* command =
      app->add_subcommand("front", "Show the front of a job as a table and a plot, and its cost");
  auto flags = std::make_shared<FrontFlags>();
  AddNumber(command, "JOB", &flags->job_id, "Number of a job; left out, the newest");
  command->add_flag("--no_plot", flags->no_plot, "The table only");
  command->footer(
      "The front holds the trials that no other trial beats in every objective. The plot is by "
      "the\n"
      "first two objectives.\n\n"
      "Examples:\n"
      "  frontier front 3\n"
      "  frontier front 3 --json | jq '.trials[] | [.number, .summary]'");
  command->callback([session, flags] {
    session->action = [session, flags] { return ShowFront(session, *flags); };
  });
}

}  // namespace frontier::cli
