// What the coordinator does when too much is asked of it at once.
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "frontier/v1/job_service.grpc.pb.h"
#include "frontier/v1/worker_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "tests/integration/service/gateway_fixture.h"

namespace frontier::coordinator {
namespace {

class GatewayLimitsTest : public GatewayFixture {
 protected:
  // Serves anew, with a client that does not try again.
  void ServeWithin(const ServiceLimits& limits) {
    limits_ = limits;
    gateway_.reset();  // it would take the dispatcher's listener along later
    Serve("127.0.0.1:0");
    JobClientOptions options;
    options.address = gateway_->address();
    options.retry_for = absl::ZeroDuration();
    jobs_ = NewJobClient(options);
    stub_ = v1::JobService::NewStub(NewChannel(gateway_->address()));
  }

  // A watch of which nothing is read.
  struct OpenWatch {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::WatchJobResponse>> reader;
  };
  std::unique_ptr<OpenWatch> Watch() {
    auto watch = std::make_unique<OpenWatch>();
    v1::WatchJobRequest request;
    request.set_job_id(1);
    request.set_after_event(1);
    watch->reader = stub_->WatchJob(&watch->context, request);
    return watch;
  }

  std::unique_ptr<v1::JobService::Stub> stub_;
};

void ExpectOverloaded(const absl::Status& status) {
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_OVERLOADED) << status;
  EXPECT_GT(GetErrorDetail(status)->retry_after_ms(), 0);
}

TEST_F(GatewayLimitsTest, WhileTheStoreIsBehindCallsComeBackLaterAndHeartbeatsAreHeard) {
  ServiceLimits limits;
  limits.backlog = 10;
  ServeWithin(limits);
  dispatcher_.SetBacklog(11);
  ExpectOverloaded(jobs_->SubmitJob({}).status());
  ExpectOverloaded(jobs_->ListJobs({}).status());
  ExpectOverloaded(workers_->Lease(MakeLeaseRequest("w", 0)).status());
  ExpectOverloaded(workers_->Register(MakeRegisterRequest()).status());
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_worker_id("w");
  heartbeat.set_incarnation("i");
  EXPECT_OK(workers_->Heartbeat(heartbeat));
  EXPECT_OK(jobs_->GetServerInfo());
  dispatcher_.SetBacklog(10);
  EXPECT_OK(jobs_->SubmitJob({}));
}

TEST_F(GatewayLimitsTest, HeartbeatsAreHeardWhileLongCallsRun) {
  ServiceLimits limits;
  limits.waiting_long_calls = 100;
  ServeWithin(limits);
  std::promise<void> go_on;
  std::shared_future<void> gone_on(go_on.get_future());
  std::atomic<int> begun = 0;
  dispatcher_.SetOnReplay([&begun, gone_on] {
    ++begun;
    gone_on.wait();
  });
  // More than gRPC has threads.
  std::vector<std::future<absl::Status>> replays;
  for (int i = 0; i < 40; ++i) {
    replays.push_back(std::async(std::launch::async, [this] {
      v1::ReplayJobRequest request;
      request.set_job_id(1);
      return jobs_->ReplayJob(request).status();
    }));
  }
  EXPECT_TRUE(Eventually([&] { return begun == limits.long_calls; }));
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_worker_id("w");
  heartbeat.set_incarnation("i");
  for (int i = 0; i < 20; ++i) EXPECT_OK(workers_->Heartbeat(heartbeat));
  EXPECT_OK(jobs_->ListJobs({}));
  EXPECT_EQ(begun, limits.long_calls);
  go_on.set_value();
  for (std::future<absl::Status>& replay : replays) EXPECT_OK(replay.get());
  EXPECT_EQ(begun, 40);
}

TEST_F(GatewayLimitsTest, AClientComesBackByItself) {
  ServiceLimits limits;
  limits.backlog = 10;
  ServeWithin(limits);
  dispatcher_.SetBacklog(11);
  JobClientOptions options;
  options.address = gateway_->address();
  options.retry_for = absl::Seconds(30);
  const std::unique_ptr<JobClient> patient = NewJobClient(options);
  std::future<absl::Status> submitted =
      std::async(std::launch::async, [&] { return patient->SubmitJob({}).status(); });
  ASSERT_TRUE(Eventually([&] { return dispatcher_.BacklogAsked() > 0; }));
  EXPECT_TRUE(dispatcher_.Submitted().empty());
  dispatcher_.SetBacklog(0);
  EXPECT_OK(submitted.get());
}

TEST_F(GatewayLimitsTest, OnlySoManyWatchesAndSlowOnesMakeRoom) {
  ServiceLimits limits;
  limits.watches = 1;
  limits.slow_watch = absl::Milliseconds(100);
  ServeWithin(limits);
  dispatcher_.SetEventBytes(10'000);
  const std::unique_ptr<OpenWatch> slow = Watch();
  v1::WatchJobResponse first;
  ASSERT_TRUE(slow->reader->Read(&first));
  const std::unique_ptr<OpenWatch> second = Watch();
  v1::WatchJobResponse response;
  EXPECT_FALSE(second->reader->Read(&response));
  ExpectOverloaded(FromGrpcStatus(second->reader->Finish()));
  // More than is on its way without anybody who reads.
  dispatcher_.AddEvents(2000);
  EXPECT_TRUE(Eventually([&] {
    const std::unique_ptr<OpenWatch> third = Watch();
    return third->reader->Read(&response);
  }));
  while (slow->reader->Read(&response)) {
  }
  EXPECT_FALSE(slow->reader->Finish().ok());
}

TEST_F(GatewayLimitsTest, OnlySoManyModelsAreOnTheirWay) {
  ServiceLimits limits;
  limits.transfers = 1;
  ServeWithin(limits);
  const std::string model(64 << 20, 'm');
  const std::string digest = Sha256Hex(model);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobWriter> writer,
                       blobs_->NewWriter(digest, static_cast<int64_t>(model.size())));
  ASSERT_OK(writer->Append(model));
  ASSERT_OK(writer->Finish());
  dispatcher_.SetWeights(digest);
  v1::GetWeightsRequest request;
  request.set_job_id(1);
  request.set_trial(1);
  grpc::ClientContext context;
  const auto reader = stub_->GetWeights(&context, request);
  v1::GetWeightsResponse chunk;
  ASSERT_TRUE(reader->Read(&chunk));
  ExpectOverloaded(jobs_->GetWeights(request).status());
  while (reader->Read(&chunk)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  // The place is free once the stream is gone at the server, too.
  EXPECT_TRUE(Eventually([&] {
    const absl::StatusOr<std::string> whole = jobs_->GetWeights(request);
    return whole.ok() && *whole == model;
  }));
}

}  // namespace
}  // namespace frontier::coordinator
