// A gRPC server with what all of ours have: health checking, limits, an orderly end.
#ifndef FRONTIER_COMMON_RPC_SERVER_RUNNER_H_
#define FRONTIER_COMMON_RPC_SERVER_RUNNER_H_

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace frontier {

struct ServedService {
  std::string name;  // "frontier.v1.JobService", for health checks of this service alone
  grpc::Service* service = nullptr;
};

// Thread-safe.
class ServerRunner {
 public:
  // Listens and serves when it returns. `address` is host:port; port 0 takes a free one. The
  // services outlive the runner. Reflection is served on loopback addresses only. Errors:
  // INVALID_ARGUMENT for what is no address of this machine, ALREADY_EXISTS if it is in use,
  // PERMISSION_DENIED.
  static absl::StatusOr<std::unique_ptr<ServerRunner>> Start(
      const std::string& address, const std::vector<ServedService>& services);
  ~ServerRunner();  // stops without grace
  ServerRunner(const ServerRunner&) = delete;
  ServerRunner& operator=(const ServerRunner&) = delete;

  // Where it listens: host as given, the port taken.
  const std::string& address() const { return address_; }

  // Takes no new calls, waits up to `grace` for those in flight, then cancels them. Returns when
  // all have ended.
  void Stop(absl::Duration grace);

 private:
  ServerRunner(std::string address, std::unique_ptr<grpc::Server> server);

  const std::string address_;
  const std::unique_ptr<grpc::Server> server_;
};

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_SERVER_RUNNER_H_
