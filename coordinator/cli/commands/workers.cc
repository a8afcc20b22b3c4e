// frontier workers: the machines.
#include <string>

#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/worker_view.h"

namespace frontier::cli {
namespace {

absl::StatusOr<ExitCode> ListWorkers(Session* session) {
  v1::ListWorkersResponse all;
  v1::ListWorkersRequest request;
  request.set_page_size(kPageSize);
  do {
    ASSIGN_OR_RETURN(v1::ListWorkersResponse page, session->client()->ListWorkers(request));
    all.mutable_workers()->MergeFrom(page.workers());
    request.set_page_token(page.next_page_token());
    if (page.workers().empty()) break;
  } while (!request.page_token().empty());
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(all));
  } else {
    session->out() << RenderWorkers(session->look(), all, session->Now());
  }
  return ExitCode::kOk;
}

}  // namespace

void AddWorkersCommand(CLI::App* app, Session* session) {
  CLI::App* command =
      app->add_subcommand("workers", "List the workers, what they are and what they run");
  command->footer(
      "A worker is gone when it has not been heard of for the time of a lease.\n\n"
      "Examples:\n"
      "  frontier workers\n"
      "  frontier workers --json | jq '.workers[] | select(.alive) | .id'");
  command->callback([session] { session->action = [session] { return ListWorkers(session); }; });
}

}  // namespace frontier::cli
