// A coordinator with some content, and calls to it by the name of their method.
#ifndef FRONTIER_TESTS_FUZZ_SERVICE_WORLD_H_
#define FRONTIER_TESTS_FUZZ_SERVICE_WORLD_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/rpc/client/job_client.h"
#include "common/rpc/client/worker_client.h"
#include "coordinator/service/coordinator_server.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {

// The methods of both services.
std::vector<const google::protobuf::MethodDescriptor*> AllMethods();

// Real in every part. Job 1 has ended: its trial 1, of token 1, is on the front with a model of 6
// bytes. Job 2 runs; its trial 1 is leased to worker "w1" of incarnation "i1" under token 2. Job 3
// is paused.
class World {
 public:
  World();

  // Sends the messages and takes what comes back; a stream that goes on is left after some answers.
  absl::Status Call(const google::protobuf::MethodDescriptor& method,
                    const std::vector<std::unique_ptr<google::protobuf::Message>>& messages);
  // The same of bytes that need be no message.
  absl::Status CallBytes(const google::protobuf::MethodDescriptor& method,
                         const std::vector<std::string>& messages);

  // Changes with each commit to the database.
  int64_t DataVersion();
  JobClient& jobs() { return *jobs_; }
  // The result of job 1, serialized; empty if the job was deleted.
  std::string KeptResult();

 private:
  SystemClock clock_;
  frontier::testing::TempFolder folder_;
  CoordinatorServerOptions options_;
  std::unique_ptr<CoordinatorServer> server_;
  std::unique_ptr<JobClient> jobs_;
  std::unique_ptr<WorkerClient> workers_;
  std::unique_ptr<grpc::GenericStub> stub_;
  struct Reader;
  std::shared_ptr<Reader> reader_;  // of the database
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_TESTS_FUZZ_SERVICE_WORLD_H_
