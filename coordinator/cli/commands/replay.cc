// frontier replay: whether a job's proposals follow from its log.
#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/text.h"

namespace frontier::cli {
namespace {

// The most of a call, which ends sooner where proposals take long.
constexpr int kPage = 1000;
constexpr int kMostShown = 20;

absl::StatusOr<ExitCode> Replay(Session* session, int64_t job_id) {
  v1::ReplayJobRequest request;
  request.set_job_id(job_id);
  request.set_limit(kPage);
  v1::ReplayJobResponse all;
  do {
    ASSIGN_OR_RETURN(const v1::ReplayJobResponse page, session->client()->ReplayJob(request));
    all.set_compared(all.compared() + page.compared());
    all.mutable_differences()->MergeFrom(page.differences());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());

  const ExitCode code = all.differences().empty() ? ExitCode::kOk : ExitCode::kDiffers;
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(all));
    return code;
  }
  session->out() << "job " << job_id << ": " << FormatCount(all.compared())
                 << (all.compared() == 1 ? " proposal" : " proposals") << " rebuilt from the log, ";
  if (code == ExitCode::kOk) {
    session->out() << "identical\n";
    return code;
  }
  session->out() << FormatCount(all.differences_size())
                 << (all.differences_size() == 1 ? " differs" : " differ") << "\n";
  for (int i = 0; i < all.differences_size() && i < kMostShown; ++i) {
    const v1::ReplayDifference& difference = all.differences(i);
    session->out() << "  trial " << difference.trial() << "\n    proposed "
                   << Printable(difference.proposed()) << "\n    rebuilt  "
                   << Printable(difference.rebuilt()) << "\n";
  }
  if (all.differences_size() > kMostShown) session->out() << "  and others; --json has all\n";
  return code;
}

}  // namespace

void AddReplayCommand(CLI::App* app, Session* session) {
  CLI::App* command =
      app->add_subcommand("replay", "Rebuild a job's proposals from its log, and compare them");
  auto job_id = std::make_shared<int64_t>(0);
  AddNumber(command, "JOB", job_id.get(), "Number of a job")->required();
  command->footer(
      "What a strategy proposes depends on the job's seed and on what its log has: proposals, ends "
      "of\ntrials, changes of the space. Exit code 8 if a proposal comes out differently: the log "
      "was "
      "altered,\nor another release proposed it.\n\n"
      "Examples:\n"
      "  frontier replay 3");
  command->callback([session, job_id] {
    session->action = [session, job_id] { return Replay(session, *job_id); };
  });
}

}  // namespace frontier::cli
