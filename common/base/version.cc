#include "common/base/version.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier {

absl::string_view ProductVersion() { return FRONTIER_VERSION; }

absl::Status CheckProtocolVersion(int32_t server, int32_t client, absl::string_view peer) {
  if (client == server || (client == server - 1 && client > 0)) return absl::OkStatus();
  v1::ErrorDetail detail;
  detail.set_reason(v1::ERROR_REASON_PROTOCOL_VERSION);
  detail.set_client_protocol_version(client);
  detail.set_server_protocol_version(server);
  return ErrorWithDetail(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat(peer, " speaks protocol ", client, ", coordinator speaks protocol ", server,
                   " and serves ", server > 1 ? absl::StrCat(server - 1, " and ", server) : "1",
                   " only; upgrade the ", client < server ? peer : "coordinator"),
      detail);
}

std::string VersionLine(absl::string_view binary) {
  return absl::StrCat(binary, " ", ProductVersion(), " (protocol ", kProtocolVersion, ")");
}

}  // namespace frontier
