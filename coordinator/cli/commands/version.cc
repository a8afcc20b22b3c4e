// frontier version: of this program and of the coordinator.
#include "common/base/version.h"

#include <string>

#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/format.h"

namespace frontier::cli {
namespace {

absl::StatusOr<ExitCode> ShowVersion(Session* session) {
  if (!session->json) session->out() << VersionLine("frontier") << "\n" << std::flush;
  ASSIGN_OR_RETURN(const v1::GetServerInfoResponse response, session->client()->GetServerInfo());
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << "frontier-coordinator " << Printable(response.version()) << " (protocol "
                   << response.protocol_version() << ") at " << session->coordinator << ", started "
                   << FormatTime(response.started_unix_us(), session->look().zone) << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddVersionCommand(CLI::App* app, Session* session) {
  CLI::App* command =
      app->add_subcommand("version", "Print the versions of this program and of the coordinator");
  command->footer(
      "frontier --version prints this program's alone and needs no coordinator.\n\n"
      "Examples:\n"
      "  frontier version");
  command->callback([session] { session->action = [session] { return ShowVersion(session); }; });
}

}  // namespace frontier::cli
