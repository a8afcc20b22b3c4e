// frontier trials: the trials of a job, page by page.
#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/trial_view.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

struct TrialsFlags {
  int64_t job_id = 0;
  std::string state;
  int32_t limit = 50;
  bool all = false;
};

absl::StatusOr<ExitCode> ListTrials(Session* session, const TrialsFlags& flags) {
  ASSIGN_OR_RETURN(const int64_t job_id, session->ResolveJob(flags.job_id));
  v1::ListTrialsRequest request;
  request.set_job_id(job_id);
  if (!flags.state.empty()) {
    const auto* value = FindEnumValue(*v1::TrialState_descriptor(), flags.state);
    request.set_state(static_cast<v1::TrialState>(value->number()));
  }
  const Look look = session->look();
  v1::ListTrialsResponse answer;  // of all pages with --json, else of the last
  int64_t shown = 0;
  do {
    request.set_page_size(
        flags.all ? kPageSize
                  : static_cast<int32_t>(std::min<int64_t>(flags.limit - shown, kPageSize)));
    ASSIGN_OR_RETURN(v1::ListTrialsResponse page, session->client()->ListTrials(request));
    request.set_page_token(page.next_page_token());
    shown += page.trials_size();
    if (session->json) {
      answer.mutable_trials()->MergeFrom(page.trials());
      answer.set_next_page_token(page.next_page_token());
    } else if (!page.trials().empty() || shown == 0) {
      session->out() << RenderTrialList(look, page.trials()) << std::flush;
    }
    if (page.trials().empty()) break;
  } while (!request.page_token().empty() && (flags.all || shown < flags.limit));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(answer));
  } else if (!request.page_token().empty()) {
    session->out() << "There are more; --limit N or --all lists them.\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddTrialsCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand("trials", "List the trials of a job");
  auto flags = std::make_shared<TrialsFlags>();
  AddNumber(command, "JOB", &flags->job_id, "Number of a job; left out, the newest");
  command->add_option("--state", flags->state, "Only those in this state")
      ->type_name("STATE")
      ->check(OneOf(EnumWords(*v1::TrialState_descriptor())));
  command->add_option("--limit", flags->limit, "Most trials to list (default 50)")
      ->type_name("N")
      ->check(NumberUpTo(1'000'000'000));
  command->add_flag("--all", flags->all, "List every trial");
  command->footer(
      "Examples:\n"
      "  frontier trials 3\n"
      "  frontier trials 3 --state failed --all\n"
      "  frontier trials 3 --all --json | jq '.trials[].summary'");
  command->callback([session, flags] {
    session->action = [session, flags] { return ListTrials(session, *flags); };
  });
}

}  // namespace frontier::cli
