#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "frontier/v1/job_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "tests/integration/service/gateway_fixture.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;

class GatewayJobsTest : public GatewayFixture {
 protected:
  static v1::WatchJobRequest MakeWatchRequest(int64_t after_event) {
    v1::WatchJobRequest request;
    request.set_job_id(1);
    request.set_after_event(after_event);
    return request;
  }

  // Watches until the job ends; counts answers and keeps the sequences of events.
  struct Watched {
    std::atomic<int> answers = 0;
    std::vector<int64_t> sequences;
    std::future<absl::Status> status;
  };
  void Watch(int64_t after_event, Watched* watched) {
    watched->status = std::async(std::launch::async, [this, after_event, watched] {
      return jobs_->WatchJob(MakeWatchRequest(after_event),
                             [watched](const v1::WatchJobResponse& response) {
                               for (const v1::Event& event : response.events()) {
                                 watched->sequences.push_back(event.sequence());
                               }
                               ++watched->answers;
                               return true;
                             });
    });
  }
};

TEST_F(GatewayJobsTest, TellsItsVersion) {
  ASSERT_OK_AND_ASSIGN(const v1::GetServerInfoResponse info, jobs_->GetServerInfo());
  EXPECT_EQ(info.version(), std::string(ProductVersion()));
  EXPECT_EQ(info.protocol_version(), kProtocolVersion);
  EXPECT_GT(info.started_unix_us(), 0);
}

TEST_F(GatewayJobsTest, AnotherProtocolVersionIsATypedError) {
  v1::SubmitJobRequest request;
  request.set_protocol_version(kProtocolVersion + 1);
  const absl::Status status = jobs_->SubmitJob(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("client")));
  ASSERT_TRUE(GetErrorDetail(status).has_value());
  EXPECT_EQ(GetErrorDetail(status)->client_protocol_version(), kProtocolVersion + 1);
  EXPECT_EQ(GetErrorDetail(status)->server_protocol_version(), kProtocolVersion);

  const std::unique_ptr<v1::JobService::Stub> stub =
      v1::JobService::NewStub(NewChannel(gateway_->address()));
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  EXPECT_EQ(GetErrorReason(
                FromGrpcStatus(stub->GetServerInfo(&context, v1::GetServerInfoRequest(), &info))),
            v1::ERROR_REASON_PROTOCOL_VERSION);
}

TEST_F(GatewayJobsTest, GivesRequestsAnId) {
  EXPECT_OK(jobs_->SubmitJob({}));
  EXPECT_OK(jobs_->SubmitJob({}));
  v1::SubmitJobRequest mine;
  mine.set_request_id("mine");
  EXPECT_OK(jobs_->SubmitJob(mine));
  const std::vector<std::string> ids = dispatcher_.Submitted();
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0].size(), 32u);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(ids[2], "mine");
}

TEST_F(GatewayJobsTest, TheErrorDetailComesThrough) {
  const absl::Status refused = InvalidField("objectives[0].direction", "is missing");
  dispatcher_.SetVerdict(refused);
  EXPECT_EQ(jobs_->SubmitJob({}).status(), refused);
  v1::GetJobRequest request;
  EXPECT_EQ(GetErrorDetail(jobs_->GetJob(request).status())->field(), "job_id");
}

TEST_F(GatewayJobsTest, EveryCallIsServed) {
  v1::GetJobRequest job;
  job.set_job_id(1);
  EXPECT_OK(jobs_->GetJob(job));
  EXPECT_OK(jobs_->ListJobs({}));
  v1::CancelJobRequest cancel;
  cancel.set_job_id(1);
  EXPECT_OK(jobs_->CancelJob(cancel));
  v1::PauseJobRequest pause;
  pause.set_job_id(1);
  EXPECT_OK(jobs_->PauseJob(pause));
  v1::ResumeJobRequest resume;
  resume.set_job_id(1);
  EXPECT_OK(jobs_->ResumeJob(resume));
  v1::UpdateJobRequest update;
  update.set_job_id(1);
  EXPECT_OK(jobs_->UpdateJob(update));
  v1::DeleteJobRequest deletion;
  deletion.set_job_id(1);
  EXPECT_OK(jobs_->DeleteJob(deletion));
  v1::DrainWorkerRequest drain;
  drain.set_worker_id("w");
  EXPECT_OK(jobs_->DrainWorker(drain));
  v1::AdmitWorkerRequest admit;
  admit.set_worker_id("w");
  EXPECT_OK(jobs_->AdmitWorker(admit));
  v1::ExtendSpaceRequest extend;
  extend.set_job_id(1);
  EXPECT_OK(jobs_->ExtendSpace(extend));
  v1::ListTrialsRequest trials;
  trials.set_job_id(1);
  EXPECT_OK(jobs_->ListTrials(trials));
  v1::GetTrialRequest trial;
  trial.set_job_id(1);
  trial.set_trial(1);
  EXPECT_OK(jobs_->GetTrial(trial));
  v1::GetFrontRequest front;
  front.set_job_id(1);
  EXPECT_OK(jobs_->GetFront(front));
  EXPECT_OK(jobs_->ListWorkers({}));
  v1::GetWeightsRequest weights;
  weights.set_job_id(1);
  weights.set_trial(1);
  EXPECT_THAT(jobs_->GetWeights(weights), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_F(GatewayJobsTest, AWatchFollowsTheJobToItsEnd) {
  Watched watched;
  Watch(1, &watched);
  ASSERT_TRUE(Eventually([&] { return watched.answers >= 1; }));
  // More than one answer holds.
  dispatcher_.AddEvents(1000);
  dispatcher_.SetJobState(v1::JOB_STATE_DRAINING);
  ASSERT_TRUE(Eventually([&] { return watched.answers >= 3; }));
  dispatcher_.AddEvents(1);
  dispatcher_.SetJobState(v1::JOB_STATE_COMPLETED);
  EXPECT_OK(watched.status.get());
  ASSERT_EQ(watched.sequences.size(), 1001u);
  for (size_t i = 0; i < watched.sequences.size(); ++i) {
    EXPECT_EQ(watched.sequences[i], static_cast<int64_t>(i) + 2);
  }
}

TEST_F(GatewayJobsTest, AWatchFromNowHasNoPast) {
  dispatcher_.AddEvents(10);
  Watched watched;
  Watch(0, &watched);
  ASSERT_TRUE(Eventually([&] { return watched.answers >= 1; }));
  dispatcher_.AddEvents(2);
  dispatcher_.SetJobState(v1::JOB_STATE_CANCELLED);
  EXPECT_OK(watched.status.get());
  EXPECT_THAT(watched.sequences, ::testing::ElementsAre(12, 13));
}

TEST_F(GatewayJobsTest, AWatchOfAnEndedJobTellsItOnce) {
  dispatcher_.SetJobState(v1::JOB_STATE_FAILED);
  Watched watched;
  Watch(0, &watched);
  EXPECT_OK(watched.status.get());
  EXPECT_EQ(watched.answers, 1);
}

TEST_F(GatewayJobsTest, AWatchSaysNothingWhileNothingChanges) {
  Watched watched;
  Watch(0, &watched);
  ASSERT_TRUE(Eventually([&] { return watched.answers >= 1; }));
  dispatcher_.AddWork(1);  // a change elsewhere
  const int ticks = dispatcher_.Ticks();
  ASSERT_TRUE(Eventually([&] { return dispatcher_.Ticks() >= ticks + 2; }));
  EXPECT_EQ(watched.answers, 1);
  dispatcher_.SetJobState(v1::JOB_STATE_COMPLETED);
  EXPECT_OK(watched.status.get());
  EXPECT_EQ(watched.answers, 2);
}

TEST_F(GatewayJobsTest, AWatcherMayLeave) {
  int answers = 0;
  EXPECT_OK(jobs_->WatchJob(MakeWatchRequest(0), [&](const v1::WatchJobResponse&) {
    ++answers;
    return false;
  }));
  EXPECT_EQ(answers, 1);
  dispatcher_.AddEvents(5);
  EXPECT_OK(jobs_->GetServerInfo());
}

TEST_F(GatewayJobsTest, AWatchOfAnUnknownJobIsRefused) {
  v1::WatchJobRequest request;
  request.set_job_id(9);
  const auto visit = [](const v1::WatchJobResponse&) { return true; };
  EXPECT_THAT(jobs_->WatchJob(request, visit), StatusIs(absl::StatusCode::kNotFound, _));
  request.set_job_id(-9);
  EXPECT_THAT(jobs_->WatchJob(request, visit), StatusIs(absl::StatusCode::kInvalidArgument, _));
}

TEST_F(GatewayJobsTest, AWatchGoesOnAfterTheCoordinatorCameBack) {
  JobClientOptions options;
  options.address = gateway_->address();
  options.retry_for = absl::Seconds(30);
  jobs_ = NewJobClient(options);
  const std::unique_ptr<JobClient> client = std::move(jobs_);
  std::atomic<int> answers = 0;
  std::vector<int64_t> sequences;
  std::future<absl::Status> status = std::async(std::launch::async, [&] {
    return client->WatchJob(MakeWatchRequest(0), [&](const v1::WatchJobResponse& response) {
      for (const v1::Event& event : response.events()) sequences.push_back(event.sequence());
      ++answers;
      return true;
    });
  });
  ASSERT_TRUE(Eventually([&] { return answers >= 1; }));
  gateway_.reset();
  dispatcher_.AddEvents(3);  // while nobody serves
  Serve(options.address);
  ASSERT_TRUE(Eventually([&] { return answers >= 2; }));
  dispatcher_.SetJobState(v1::JOB_STATE_COMPLETED);
  EXPECT_OK(status.get());
  EXPECT_THAT(sequences, ::testing::ElementsAre(2, 3, 4));
}

TEST_F(GatewayJobsTest, CallsAreRepeatedWhileTheCoordinatorIsAway) {
  JobClientOptions options;
  options.address = gateway_->address();
  options.retry_for = absl::Seconds(30);
  const std::unique_ptr<JobClient> client = NewJobClient(options);
  gateway_.reset();
  std::future<absl::StatusOr<v1::SubmitJobResponse>> submitted =
      std::async(std::launch::async, [&] { return client->SubmitJob({}); });
  // One that is not repeated fails meanwhile.
  options.retry_for = absl::ZeroDuration();
  EXPECT_THAT(NewJobClient(options)->ListJobs({}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(options.address)));
  Serve(options.address);
  EXPECT_OK(submitted.get());

  gateway_.reset();
  EXPECT_THAT(NewJobClient(options)->ListJobs({}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(options.address)));
}

TEST_F(GatewayJobsTest, StoppingEndsWatches) {
  JobClientOptions options;
  options.address = gateway_->address();
  options.retry_for = absl::ZeroDuration();
  const std::unique_ptr<JobClient> client = NewJobClient(options);
  std::atomic<int> answers = 0;
  std::future<absl::Status> status = std::async(std::launch::async, [&] {
    return client->WatchJob(MakeWatchRequest(0),
                            [&](const v1::WatchJobResponse&) { return ++answers > 0; });
  });
  ASSERT_TRUE(Eventually([&] { return answers >= 1; }));
  gateway_->Stop();
  EXPECT_THAT(status.get(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("shutting down")));
}

TEST_F(GatewayJobsTest, APortInUseIsATypedError) {
  GatewayOptions options;
  options.listen = gateway_->address();
  frontier::testing::FakeDispatcher other;
  EXPECT_THAT(Gateway::Start(options, &other, blobs_.get(), &clock_).status(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(gateway_->address())));
  other.AddWork(1);  // nobody listens any more
}

}  // namespace
}  // namespace frontier::coordinator
