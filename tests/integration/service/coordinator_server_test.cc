// The whole coordinator, real in every part, with real clients over loopback.
#include "coordinator/service/coordinator_server.h"

#include <fstream>
#include <future>
#include <string>

#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/rpc/client/job_client.h"
#include "common/rpc/client/worker_client.h"
#include "common/rpc/request_id.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::MakeRegistration;
using frontier::testing::MakeReport;
using frontier::testing::MakeResult;
using frontier::testing::SmallJob;
using frontier::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

class CoordinatorServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.data_dir = folder_.File("data");
    options_.gateway.listen = "127.0.0.1:0";
    options_.gateway.stop_grace = absl::Milliseconds(200);
    Start();
  }

  // Starts, or ends and starts again at the same address.
  void Start() {
    if (server_ != nullptr) options_.gateway.listen = server_->address();
    server_.reset();
    ASSERT_OK_AND_ASSIGN(server_, CoordinatorServer::Create(options_, &clock_));
    ASSERT_OK(server_->Serve());
    JobClientOptions client;
    client.address = server_->address();
    jobs_ = NewJobClient(client);
    workers_ = NewWorkerClient(server_->address());
  }

  absl::StatusOr<v1::Job> Submit(const v1::JobSpec& spec) {
    v1::SubmitJobRequest request;
    *request.mutable_spec() = spec;
    absl::StatusOr<v1::SubmitJobResponse> response = jobs_->SubmitJob(request);
    if (!response.ok()) return response.status();
    return response->job();
  }

  absl::Status Register() {
    v1::RegisterRequest request = MakeRegistration("w1", "i1", 1);
    request.set_request_id(NewRequestId());
    return workers_->Register(request).status();
  }

  static v1::LeaseRequest MakeLeaseRequest() {
    v1::LeaseRequest request;
    request.set_request_id(NewRequestId());
    request.set_worker_id("w1");
    request.set_incarnation("i1");
    request.set_wait_ms(30'000);
    return request;
  }

  absl::Status Upload(const v1::AttemptLease& lease, const std::string& bytes) {
    const std::string path = folder_.File("weights");
    std::ofstream(path, std::ios::binary) << bytes;
    v1::UploadWeightsHeader header;
    header.set_worker_id("w1");
    *header.mutable_key() = lease.task().key();
    header.set_token(lease.token());
    header.set_sha256(Sha256Hex(bytes));
    header.set_size(static_cast<int64_t>(bytes.size()));
    return workers_->UploadWeights(header, path);
  }

  SystemClock clock_;
  frontier::testing::TempFolder folder_;
  CoordinatorServerOptions options_;
  std::unique_ptr<CoordinatorServer> server_;
  std::unique_ptr<JobClient> jobs_;
  std::unique_ptr<WorkerClient> workers_;
};

TEST_F(CoordinatorServerTest, AJobRunsToItsEndOverARestart) {
  ASSERT_OK(Register());
  // The worker waits before there is anything to do.
  std::future<absl::StatusOr<v1::LeaseResponse>> waiting =
      std::async(std::launch::async, [this] { return workers_->Lease(MakeLeaseRequest()); });
  ASSERT_OK_AND_ASSIGN(const v1::Job job, Submit(SmallJob(3)));
  absl::StatusOr<v1::LeaseResponse> leased = waiting.get();
  const std::string weights(3'000'000, 'w');
  for (int trial = 1; trial <= 3; ++trial) {
    ASSERT_OK(leased);
    ASSERT_TRUE(leased->has_lease());
    const v1::AttemptLease lease = leased->lease();
    EXPECT_EQ(lease.task().key().trial(), trial);
    if (trial == 2) Start();  // with the attempt under way
    v1::TrialResult result = MakeResult(0.8 + 0.01 * trial, 1.0 + trial);
    if (trial == 3) {
      ASSERT_OK(Upload(lease, weights));
      result.set_weights_sha256(Sha256Hex(weights));
    }
    ASSERT_OK(workers_->Report(MakeReport(NewRequestId(), "w1", lease, result)));
    if (trial < 3) leased = workers_->Lease(MakeLeaseRequest());
  }
  v1::WatchJobRequest watch;
  watch.set_job_id(job.id());
  watch.set_after_event(1);
  v1::Job last;
  int succeeded = 0;
  ASSERT_OK(jobs_->WatchJob(watch, [&](const v1::WatchJobResponse& response) {
    last = response.job();
    for (const v1::Event& event : response.events()) {
      if (event.kind() == v1::EVENT_KIND_TRIAL_SUCCEEDED) ++succeeded;
    }
    return true;
  }));
  EXPECT_EQ(last.state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(last.trials_succeeded(), 3);
  EXPECT_EQ(succeeded, 3);
  v1::GetWeightsRequest get;
  get.set_job_id(job.id());
  get.set_trial(3);
  ASSERT_OK_AND_ASSIGN(const std::string bytes, jobs_->GetWeights(get));
  EXPECT_EQ(bytes, weights);
}

TEST_F(CoordinatorServerTest, AStaleLeaseMayNotUpload) {
  ASSERT_OK(Register());
  ASSERT_OK(Submit(SmallJob(1)));
  ASSERT_OK_AND_ASSIGN(const v1::LeaseResponse leased, workers_->Lease(MakeLeaseRequest()));
  v1::AttemptLease forged = leased.lease();
  forged.set_token(forged.token() + 1);
  const absl::Status status = Upload(forged, "bytes");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("trial 1")));
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_STALE_LEASE);
}

TEST_F(CoordinatorServerTest, ASecondOneOnTheSameDataIsRefused) {
  CoordinatorServerOptions second = options_;
  second.database_wait = absl::Milliseconds(50);
  const absl::Status status = CoordinatorServer::Create(second, &clock_).status();
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_DATABASE_LOCKED);
  second.data_dir = folder_.File("other");
  second.gateway.listen = server_->address();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<CoordinatorServer> other,
                       CoordinatorServer::Create(second, &clock_));
  EXPECT_THAT(other->Serve(), StatusIs(absl::StatusCode::kAlreadyExists, _));
}

TEST_F(CoordinatorServerTest, RefusesALeaseTooShortForItsHeartbeats) {
  CoordinatorServerOptions options = options_;
  options.data_dir = folder_.File("other");
  options.dispatcher.lease_duration = absl::Seconds(10);
  options.dispatcher.heartbeat_interval = absl::Seconds(4);
  EXPECT_THAT(CoordinatorServer::Create(options, &clock_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("10s")));
}

}  // namespace
}  // namespace frontier::coordinator
