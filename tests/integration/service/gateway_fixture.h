// A gateway over a fake dispatcher and real blobs, with real clients over loopback.
#ifndef FRONTIER_TESTS_INTEGRATION_SERVICE_GATEWAY_FIXTURE_H_
#define FRONTIER_TESTS_INTEGRATION_SERVICE_GATEWAY_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/version.h"
#include "common/rpc/client/job_client.h"
#include "common/rpc/client/worker_client.h"
#include "coordinator/service/gateway.h"
#include "gtest/gtest.h"
#include "tests/support/fake_dispatcher.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {

class GatewayFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    FileBlobStoreOptions options;
    options.folder = folder_.File("blobs");
    ASSERT_OK_AND_ASSIGN(blobs_, OpenFileBlobStore(options));
    Serve("127.0.0.1:0");
  }

  void Serve(const std::string& listen) {
    GatewayOptions options;
    options.listen = listen;
    options.stop_grace = absl::Milliseconds(200);
    options.limits = limits_;
    ASSERT_OK_AND_ASSIGN(gateway_, Gateway::Start(options, &dispatcher_, blobs_.get(), &clock_));
    JobClientOptions client;
    client.address = gateway_->address();
    jobs_ = NewJobClient(client);
    workers_ = NewWorkerClient(gateway_->address());
  }

  // Waits for what another thread brings about; false if it did not come within the time a loaded
  // machine may need.
  bool Eventually(const std::function<bool()>& condition) {
    const absl::Duration deadline = clock_.Elapsed() + absl::Seconds(20);
    while (!condition()) {
      if (clock_.Elapsed() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  static v1::LeaseRequest MakeLeaseRequest(const std::string& worker, int64_t wait_ms) {
    v1::LeaseRequest request;
    request.set_request_id("request-1");
    request.set_worker_id(worker);
    request.set_incarnation("incarnation-1");
    request.set_wait_ms(wait_ms);
    return request;
  }

  static v1::RegisterRequest MakeRegisterRequest() {
    v1::RegisterRequest request;
    request.set_request_id("request-1");
    request.set_protocol_version(kProtocolVersion);
    request.set_worker_id("worker-1");
    request.set_incarnation("incarnation-1");
    request.set_slots(1);
    return request;
  }

  ServiceLimits limits_;
  SystemClock clock_;
  frontier::testing::TempFolder folder_;
  frontier::testing::FakeDispatcher dispatcher_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<JobClient> jobs_;
  std::unique_ptr<WorkerClient> workers_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_TESTS_INTEGRATION_SERVICE_GATEWAY_FIXTURE_H_
