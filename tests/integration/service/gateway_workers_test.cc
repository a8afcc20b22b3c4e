#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "frontier/v1/worker_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "tests/integration/service/gateway_fixture.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;

class GatewayWorkersTest : public GatewayFixture {
 protected:
  std::future<absl::StatusOr<v1::LeaseResponse>> LeaseInBackground(const std::string& worker,
                                                                   int64_t wait_ms) {
    return std::async(std::launch::async, [this, worker, wait_ms] {
      return workers_->Lease(MakeLeaseRequest(worker, wait_ms));
    });
  }

  // A file of `size` pseudo-random bytes.
  std::string WriteWeights(size_t size, v1::UploadWeightsHeader* header) {
    Rng rng(size);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.NextUint64());
    const std::string path = folder_.File("weights");
    std::ofstream(path, std::ios::binary) << bytes;
    header->set_worker_id("worker-1");
    header->mutable_key()->set_job_id(1);
    header->mutable_key()->set_trial(1);
    header->mutable_key()->set_attempt(1);
    header->set_token(1);
    header->set_sha256(Sha256Hex(bytes));
    header->set_size(static_cast<int64_t>(size));
    return path;
  }
};

TEST_F(GatewayWorkersTest, ALongPollWakesWhenWorkComes) {
  std::future<absl::StatusOr<v1::LeaseResponse>> lease = LeaseInBackground("worker-1", 60'000);
  ASSERT_TRUE(Eventually([&] { return dispatcher_.TryLeases() > 0; }));
  dispatcher_.AddWork(1);
  const absl::StatusOr<v1::LeaseResponse> response = lease.get();
  ASSERT_OK(response);
  EXPECT_EQ(response->lease().token(), 1);
}

TEST_F(GatewayWorkersTest, ALongPollWithoutWorkEndsInTime) {
  const absl::Duration began = clock_.Elapsed();
  const absl::StatusOr<v1::LeaseResponse> response = workers_->Lease(MakeLeaseRequest("w", 150));
  ASSERT_OK(response);
  EXPECT_FALSE(response->has_lease());
  EXPECT_GE(clock_.Elapsed() - began, absl::Milliseconds(150));
}

TEST_F(GatewayWorkersTest, ManyWaitWithoutAThreadEachAndEachGetsItsWork) {
  constexpr int kWorkers = 200;
  const std::unique_ptr<v1::WorkerService::Stub> stub =
      v1::WorkerService::NewStub(NewChannel(gateway_->address()));
  struct Call {
    grpc::ClientContext context;
    v1::LeaseRequest request;
    v1::LeaseResponse response;
    std::promise<grpc::Status> done;
  };
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < kWorkers; ++i) {
    calls.push_back(std::make_unique<Call>());
    Call* call = calls.back().get();
    call->request = MakeLeaseRequest(absl::StrCat("worker-", i), 60'000);
    stub->async()->Lease(&call->context, &call->request, &call->response,
                         [call](grpc::Status status) { call->done.set_value(std::move(status)); });
  }
  ASSERT_TRUE(Eventually([&] { return dispatcher_.TryLeases() >= kWorkers; }));
  dispatcher_.AddWork(kWorkers);
  for (const std::unique_ptr<Call>& call : calls) {
    EXPECT_TRUE(call->done.get_future().get().ok());
    EXPECT_TRUE(call->response.has_lease());
  }
  EXPECT_EQ(dispatcher_.Takers().size(), static_cast<size_t>(kWorkers));
}

TEST_F(GatewayWorkersTest, ACancelledPollTakesNoWork) {
  std::future<absl::StatusOr<v1::LeaseResponse>> lease = LeaseInBackground("gone", 60'000);
  ASSERT_TRUE(Eventually([&] { return dispatcher_.TryLeases() > 0; }));
  workers_->Cancel();
  EXPECT_THAT(lease.get(), StatusIs(absl::StatusCode::kCancelled, ::testing::_));
  EXPECT_THAT(workers_->Lease(MakeLeaseRequest("gone", 0)),
              StatusIs(absl::StatusCode::kCancelled, ::testing::_));
  // The coordinator has noticed once it no longer tries for the one that is gone.
  ASSERT_TRUE(Eventually([&] {
    const int ticks = dispatcher_.Ticks();
    const int tries = dispatcher_.TryLeases();
    Eventually([&] { return dispatcher_.Ticks() >= ticks + 2; });
    return dispatcher_.TryLeases() == tries;
  }));
  dispatcher_.AddWork(1);
  const std::unique_ptr<WorkerClient> other = NewWorkerClient(gateway_->address());
  ASSERT_OK(other->Lease(MakeLeaseRequest("other", 60'000)));
  EXPECT_THAT(dispatcher_.Takers(), ::testing::ElementsAre("other"));
}

TEST_F(GatewayWorkersTest, StoppingAnswersThoseWhoWait) {
  std::future<absl::StatusOr<v1::LeaseResponse>> lease = LeaseInBackground("worker-1", 60'000);
  ASSERT_TRUE(Eventually([&] { return dispatcher_.TryLeases() > 0; }));
  gateway_->Stop();
  EXPECT_THAT(lease.get(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(gateway_->address())));
}

TEST_F(GatewayWorkersTest, TheDispatchersClockGoesOn) {
  EXPECT_TRUE(Eventually([&] { return dispatcher_.Ticks() >= 3; }));
}

TEST_F(GatewayWorkersTest, AnotherProtocolVersionIsATypedError) {
  v1::RegisterRequest request = MakeRegisterRequest();
  EXPECT_OK(workers_->Register(request));
  request.set_protocol_version(kProtocolVersion + 7);
  const absl::Status status = workers_->Register(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr(absl::StrCat(kProtocolVersion + 7)),
                                     HasSubstr(absl::StrCat("protocol ", kProtocolVersion)))));
  ASSERT_TRUE(GetErrorDetail(status).has_value());
  EXPECT_EQ(GetErrorDetail(status)->reason(), v1::ERROR_REASON_PROTOCOL_VERSION);
  EXPECT_EQ(GetErrorDetail(status)->client_protocol_version(), kProtocolVersion + 7);
  EXPECT_EQ(GetErrorDetail(status)->server_protocol_version(), kProtocolVersion);
}

TEST_F(GatewayWorkersTest, UploadsWeightsInChunks) {
  v1::UploadWeightsHeader header;
  const std::string path = WriteWeights(5'000'000, &header);
  ASSERT_OK(workers_->UploadWeights(header, path));
  EXPECT_EQ(blobs_->Size(header.sha256()).value(), 5'000'000);
  // Once more is fine.
  EXPECT_OK(workers_->UploadWeights(header, path));

  dispatcher_.SetWeights(header.sha256());
  v1::GetWeightsRequest request;
  request.set_job_id(1);
  request.set_trial(1);
  ASSERT_OK_AND_ASSIGN(const std::string bytes, jobs_->GetWeights(request));
  EXPECT_EQ(Sha256Hex(bytes), header.sha256());
  // A worker gets those that its lease inherits, in chunks as well.
  v1::GetParentWeightsRequest inherited;
  inherited.set_worker_id("w1");
  EXPECT_THAT(workers_->GetParentWeights(inherited),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key.job_id")));
  *inherited.mutable_key() = header.key();
  ASSERT_OK_AND_ASSIGN(const std::string same, workers_->GetParentWeights(inherited));
  EXPECT_EQ(Sha256Hex(same), header.sha256());
  // And the checkpoint that its trial goes on from.
  v1::GetCheckpointRequest checkpoint;
  checkpoint.set_worker_id("w1");
  *checkpoint.mutable_key() = header.key();
  ASSERT_OK_AND_ASSIGN(const std::string state, workers_->GetCheckpoint(checkpoint));
  EXPECT_EQ(Sha256Hex(state), header.sha256());
  dispatcher_.SetWeights("");
  EXPECT_THAT(workers_->GetParentWeights(inherited), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(workers_->GetCheckpoint(checkpoint), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_F(GatewayWorkersTest, RefusesUploadsThatAreNotAsAnnounced) {
  v1::UploadWeightsHeader header;
  const std::string path = WriteWeights(2'000'000, &header);
  v1::UploadWeightsHeader other = header;
  other.set_sha256(Sha256Hex("something else"));
  EXPECT_THAT(workers_->UploadWeights(other, path),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(header.sha256())));
  other = header;
  other.set_size(1'999'999);
  EXPECT_THAT(workers_->UploadWeights(other, path),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("1999999")));
  other.set_size(2'000'001);
  EXPECT_THAT(workers_->UploadWeights(other, path),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("2000001")));
  other.set_size(int64_t{1} << 40);
  EXPECT_THAT(workers_->UploadWeights(other, path),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("header.size")));
  EXPECT_FALSE(blobs_->Has(header.sha256()));
}

TEST_F(GatewayWorkersTest, RefusesUploadsWithoutALease) {
  dispatcher_.SetVerdict(ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                                         v1::ERROR_REASON_STALE_LEASE, "now attempt 2"));
  v1::UploadWeightsHeader header;
  const std::string path = WriteWeights(3'000'000, &header);
  const absl::Status status = workers_->UploadWeights(header, path);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, "now attempt 2"));
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_STALE_LEASE);
  EXPECT_FALSE(blobs_->Has(header.sha256()));
  EXPECT_THAT(workers_->UploadWeights(header, folder_.File("none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST_F(GatewayWorkersTest, RefusesChunksOutOfOrder) {
  const std::unique_ptr<v1::WorkerService::Stub> stub =
      v1::WorkerService::NewStub(NewChannel(gateway_->address()));
  v1::UploadWeightsRequest chunk;
  chunk.set_chunk("bytes");
  v1::UploadWeightsRequest header;
  WriteWeights(5, header.mutable_header());
  v1::UploadWeightsRequest large;
  large.set_chunk(std::string(2 << 20, 'x'));
  const std::pair<std::vector<v1::UploadWeightsRequest>, const char*> cases[] = {
      {{}, "header"},
      {{chunk}, "header"},
      {{header, header}, "header"},
      {{header, v1::UploadWeightsRequest()}, "part"},
      {{header, large}, "chunk"}};
  for (const auto& [messages, field] : cases) {
    grpc::ClientContext context;
    v1::UploadWeightsResponse response;
    const std::unique_ptr<grpc::ClientWriter<v1::UploadWeightsRequest>> writer =
        stub->UploadWeights(&context, &response);
    for (const v1::UploadWeightsRequest& message : messages) {
      if (!writer->Write(message)) break;
    }
    writer->WritesDone();
    const absl::Status status = FromGrpcStatus(writer->Finish());
    ASSERT_TRUE(GetErrorDetail(status).has_value()) << status;
    EXPECT_EQ(GetErrorDetail(status)->field(), field);
  }
}

TEST_F(GatewayWorkersTest, AnUploadBrokenOffLeavesNothing) {
  const std::unique_ptr<v1::WorkerService::Stub> stub =
      v1::WorkerService::NewStub(NewChannel(gateway_->address()));
  v1::UploadWeightsRequest header;
  WriteWeights(5'000'000, header.mutable_header());
  {
    grpc::ClientContext context;
    v1::UploadWeightsResponse response;
    const std::unique_ptr<grpc::ClientWriter<v1::UploadWeightsRequest>> writer =
        stub->UploadWeights(&context, &response);
    ASSERT_TRUE(writer->Write(header));
    ASSERT_TRUE(
        Eventually([&] { return !std::filesystem::is_empty(folder_.File("blobs/incoming")); }));
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  gateway_->Stop();  // waits for what is in flight
  const std::filesystem::directory_iterator incoming(folder_.File("blobs/incoming"));
  EXPECT_EQ(std::distance(begin(incoming), end(incoming)), 0);
  EXPECT_FALSE(blobs_->Has(header.header().sha256()));
}

}  // namespace
}  // namespace frontier::coordinator
