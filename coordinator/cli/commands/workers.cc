// frontier workers, drain, admit: the machines.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/text.h"
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

template <typename Request, typename Response>
using Call = absl::StatusOr<Response> (JobClient::*)(Request);

template <typename Request, typename Response>
void AddChange(CLI::App* app, Session* session, const std::string& name,
               const std::string& description, const std::string& footer, const std::string& done,
               Call<Request, Response> call) {
  CLI::App* command = app->add_subcommand(name, description);
  auto worker_id = std::make_shared<std::string>();
  command->add_option("WORKER", *worker_id, "Name of a worker, as frontier workers has it")
      ->required();
  command->footer(absl::StrCat(footer, "\n\nExamples:\n  frontier ", name, " node-7"));
  command->callback([session, worker_id, done, call] {
    session->action = [session, worker_id, done, call]() -> absl::StatusOr<ExitCode> {
      Request request;
      request.set_worker_id(*worker_id);
      ASSIGN_OR_RETURN(const Response response, (session->client()->*call)(request));
      if (session->json) {
        RETURN_IF_ERROR(session->PrintJson(response));
      } else {
        session->out() << "worker " << Printable(response.worker().id()) << " " << done << "; "
                       << response.worker().running_size() << " of its trials run\n";
      }
      return ExitCode::kOk;
    };
  });
}

}  // namespace

void AddDrainCommand(CLI::App* app, Session* session) {
  AddChange(app, session, "drain", "Give a worker no more trials; those it runs go on",
            "Holds until frontier admit, over restarts of the worker and of the coordinator.",
            "gets no more trials", &JobClient::DrainWorker);
}

void AddAdmitCommand(CLI::App* app, Session* session) {
  AddChange(
      app, session, "admit", "Give a drained or quarantined worker trials again",
      "A worker on which trial after trial fails, while no other has failed with them, is in\n"
      "quarantine for a while; frontier workers says why.",
      "gets trials", &JobClient::AdmitWorker);
}

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
