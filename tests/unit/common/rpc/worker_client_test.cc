#include "common/rpc/client/worker_client.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <set>
#include <string>
#include <thread>

#include "common/base/mutex.h"
#include "common/rpc/server_runner.h"
#include "frontier/v1/worker_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::_;
using ::testing::SizeIs;

// Notes from which connections heartbeats come; requests for work wait until they are cancelled.
class NotingService final : public v1::WorkerService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext* context,
                                      const v1::HeartbeatRequest*,
                                      v1::HeartbeatResponse*) override {
    {
      MutexLock lock(&mutex_);
      peers_.insert(context->peer());
    }
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* Lease(grpc::CallbackServerContext*, const v1::LeaseRequest*,
                                  v1::LeaseResponse*) override {
    MutexLock lock(&mutex_);
    leasing_ = true;
    changed_.SignalAll();
    return new Waiting;
  }

  void WaitForLease() {
    MutexLock lock(&mutex_);
    while (!leasing_) changed_.Wait(&mutex_);
  }
  // Addresses with ports.
  std::set<std::string> peers() {
    MutexLock lock(&mutex_);
    return peers_;
  }

 private:
  class Waiting final : public grpc::ServerUnaryReactor {
   public:
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };

  Mutex mutex_;
  CondVar changed_;
  bool leasing_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<std::string> peers_ ABSL_GUARDED_BY(mutex_);
};

class WorkerClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        server_, ServerRunner::Start("127.0.0.1:0", {{"frontier.v1.WorkerService", &service_}}));
  }

  NotingService service_;
  std::unique_ptr<ServerRunner> server_;
};

TEST_F(WorkerClientTest, TwoMayShareAConnection) {
  const auto clients = NewWorkerClients(server_->address());
  for (int i = 0; i < 3; ++i) {
    EXPECT_OK(clients.first->Heartbeat({}));
    EXPECT_OK(clients.second->Heartbeat({}));
  }
  EXPECT_THAT(service_.peers(), SizeIs(1));
  EXPECT_OK(NewWorkerClient(server_->address())->Heartbeat({}));
  EXPECT_THAT(service_.peers(), SizeIs(2));
}

TEST_F(WorkerClientTest, CancellingOneLeavesTheOtherOfItsConnectionAlone) {
  const auto clients = NewWorkerClients(server_->address());
  std::thread waiting([&clients] {
    v1::LeaseRequest request;
    request.set_wait_ms(60'000);
    EXPECT_THAT(clients.second->Lease(request), StatusIs(absl::StatusCode::kCancelled, _));
  });
  service_.WaitForLease();
  clients.second->Cancel();
  waiting.join();
  EXPECT_OK(clients.first->Heartbeat({}));
  EXPECT_THAT(clients.second->Heartbeat({}), StatusIs(absl::StatusCode::kCancelled, _));
}

}  // namespace
}  // namespace frontier
