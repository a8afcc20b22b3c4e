// frontier version: of this program and of the coordinator.
#include "common/base/version.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/format.h"
#include "google/protobuf/struct.pb.h"

namespace frontier::cli {
namespace {

google::protobuf::Struct VersionJson(const std::string& version, int protocol_version) {
  google::protobuf::Struct json;
  (*json.mutable_fields())["version"].set_string_value(version);
  (*json.mutable_fields())["protocol_version"].set_number_value(protocol_version);
  return json;
}

// Of this program, and of the coordinator if it answers.
absl::Status PrintVersions(Session* session,
                           const absl::StatusOr<v1::GetServerInfoResponse>& response) {
  google::protobuf::Struct answer;
  auto& sides = *answer.mutable_fields();
  *sides["client"].mutable_struct_value() =
      VersionJson(std::string(ProductVersion()), kProtocolVersion);
  if (response.ok()) {
    google::protobuf::Struct& coordinator = *sides["coordinator"].mutable_struct_value();
    coordinator = VersionJson(response->version(), response->protocol_version());
    auto& fields = *coordinator.mutable_fields();
    fields["address"].set_string_value(session->coordinator);
    // As the protocol's JSON has numbers of 64 bits.
    fields["started_unix_us"].set_string_value(absl::StrCat(response->started_unix_us()));
  }
  return session->PrintJson(answer);
}

absl::StatusOr<ExitCode> ShowVersion(Session* session) {
  if (!session->json) session->out() << VersionLine("frontier") << "\n" << std::flush;
  const absl::StatusOr<v1::GetServerInfoResponse> asked = session->client()->GetServerInfo();
  if (session->json) RETURN_IF_ERROR(PrintVersions(session, asked));
  ASSIGN_OR_RETURN(const v1::GetServerInfoResponse response, asked);
  if (!session->json) {
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
