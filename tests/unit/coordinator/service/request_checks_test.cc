#include "coordinator/service/request_checks.h"

#include <functional>
#include <limits>
#include <string>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

// Checks that `request` is fine, and no more once `spoil` has changed it, for a fault in `field`.
template <typename Request>
void ExpectFault(Request request, const std::string& field,
                 const std::function<void(Request*)>& spoil) {
  EXPECT_OK(CheckRequest(request));
  spoil(&request);
  const absl::Status status = CheckRequest(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
  ASSERT_TRUE(GetErrorDetail(status).has_value()) << field;
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_INVALID_FIELD);
  EXPECT_EQ(GetErrorDetail(status)->field(), field);
  EXPECT_LT(status.message().size(), 600u);
}

const char kDigest[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

v1::AttemptKey GoodKey() {
  v1::AttemptKey key;
  key.set_job_id(1);
  key.set_trial(2);
  key.set_attempt(3);
  return key;
}

v1::LeaseRequest GoodLease() {
  v1::LeaseRequest request;
  request.set_request_id("r");
  request.set_worker_id("gateway-1.desk_A");
  request.set_incarnation("i");
  request.set_wait_ms(60'000);
  return request;
}

v1::RegisterRequest GoodRegistration() {
  v1::RegisterRequest request;
  request.set_request_id(std::string(128, 'r'));
  request.set_worker_id("w");
  request.set_incarnation("i");
  request.set_slots(1);
  request.add_datasets()->set_name("fashion-mnist");
  request.mutable_hardware()->set_cpu_model("cpu");
  return request;
}

v1::ReportRequest GoodReport() {
  v1::ReportRequest request;
  request.set_request_id("r");
  request.set_worker_id("w");
  *request.mutable_key() = GoodKey();
  request.mutable_result()->set_weights_sha256(kDigest);
  request.mutable_result()->add_measurements()->set_method("timed");
  return request;
}

TEST(RequestChecksTest, RequestIds) {
  using Request = v1::LeaseRequest;
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a\nb"), std::string("\xc3\xa9"),
        std::string(10'000'000, 'x'), std::string("\0", 1)}) {
    ExpectFault<Request>(GoodLease(), "request_id", [&](Request* r) { r->set_request_id(bad); });
    ExpectFault<Request>(GoodLease(), "incarnation", [&](Request* r) { r->set_incarnation(bad); });
  }
}

TEST(RequestChecksTest, WorkerIds) {
  using Request = v1::LeaseRequest;
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a/b"),
        std::string("a\n"), std::string("'; DROP TABLE workers")}) {
    ExpectFault<Request>(GoodLease(), "worker_id", [&](Request* r) { r->set_worker_id(bad); });
  }
}

TEST(RequestChecksTest, WaitsAreBounded) {
  using Request = v1::LeaseRequest;
  for (const int64_t bad : {int64_t{-1}, int64_t{60'001}, std::numeric_limits<int64_t>::min(),
                            std::numeric_limits<int64_t>::max()}) {
    ExpectFault<Request>(GoodLease(), "wait_ms", [&](Request* r) { r->set_wait_ms(bad); });
  }
}

TEST(RequestChecksTest, Registrations) {
  using Request = v1::RegisterRequest;
  ExpectFault<Request>(GoodRegistration(), "slots", [](Request* r) { r->set_slots(0); });
  ExpectFault<Request>(GoodRegistration(), "slots", [](Request* r) { r->set_slots(1 << 30); });
  ExpectFault<Request>(GoodRegistration(), "version",
                       [](Request* r) { r->set_version(std::string(1000, 'v')); });
  ExpectFault<Request>(GoodRegistration(), "hardware.cpu_model", [](Request* r) {
    r->mutable_hardware()->set_cpu_model(std::string(1000, 'c'));
  });
  ExpectFault<Request>(GoodRegistration(), "hardware.isa_features", [](Request* r) {
    for (int i = 0; i < 300; ++i) r->mutable_hardware()->add_isa_features("avx");
  });
  ExpectFault<Request>(GoodRegistration(), "datasets[1].name",
                       [](Request* r) { r->add_datasets(); });
  ExpectFault<Request>(GoodRegistration(), "datasets", [](Request* r) {
    for (int i = 0; i < 1000; ++i) r->add_datasets()->set_name("d");
  });
}

TEST(RequestChecksTest, Pages) {
  v1::ListTrialsRequest good;
  good.set_job_id(1);
  good.set_page_size(500);
  using Request = v1::ListTrialsRequest;
  ExpectFault<Request>(good, "page_size", [](Request* r) { r->set_page_size(501); });
  ExpectFault<Request>(good, "page_size", [](Request* r) { r->set_page_size(-1); });
  ExpectFault<Request>(good, "page_token",
                       [](Request* r) { r->set_page_token(std::string(257, 't')); });
  ExpectFault<Request>(good, "job_id", [](Request* r) { r->set_job_id(0); });
  ExpectFault<Request>(good, "state",
                       [](Request* r) { r->set_state(static_cast<v1::TrialState>(77)); });
  EXPECT_OK(CheckRequest(v1::ListJobsRequest()));
  EXPECT_OK(CheckRequest(v1::ListWorkersRequest()));
  ExpectFault<v1::ListJobsRequest>({}, "page_size", [](auto* r) { r->set_page_size(501); });
  ExpectFault<v1::ListWorkersRequest>({}, "page_size", [](auto* r) { r->set_page_size(501); });
}

TEST(RequestChecksTest, JobsAndTrials) {
  v1::GetTrialRequest trial;
  trial.set_job_id(1);
  trial.set_trial(1);
  ExpectFault<v1::GetTrialRequest>(trial, "trial", [](auto* r) { r->set_trial(-5); });
  ExpectFault<v1::GetTrialRequest>(trial, "job_id", [](auto* r) { r->set_job_id(-5); });
  v1::WatchJobRequest watch;
  watch.set_job_id(1);
  ExpectFault<v1::WatchJobRequest>(watch, "after_event", [](auto* r) { r->set_after_event(-1); });
  v1::CancelJobRequest cancel;
  cancel.set_request_id("r");
  cancel.set_job_id(1);
  ExpectFault<v1::CancelJobRequest>(cancel, "request_id", [](auto* r) { r->clear_request_id(); });
  ExpectFault<v1::CancelJobRequest>(cancel, "job_id", [](auto* r) { r->clear_job_id(); });
  v1::SubmitJobRequest submit;
  submit.set_request_id("r");
  ExpectFault<v1::SubmitJobRequest>(
      submit, "spec", [](auto* r) { r->mutable_spec()->set_name(std::string(2 << 20, 'n')); });
}

TEST(RequestChecksTest, Extensions) {
  v1::ExtendSpaceRequest good;
  good.set_request_id("r");
  good.set_job_id(1);
  EXPECT_OK(CheckRequest(good));
  ExpectFault<v1::ExtendSpaceRequest>(good, "request_id", [](auto* r) { r->clear_request_id(); });
  ExpectFault<v1::ExtendSpaceRequest>(good, "job_id", [](auto* r) { r->set_job_id(-1); });
  ExpectFault<v1::ExtendSpaceRequest>(good, "search_space", [](auto* r) {
    r->mutable_search_space()->mutable_graph()->add_nodes()->set_name(std::string(2 << 20, 'n'));
  });
}

TEST(RequestChecksTest, Reports) {
  using Request = v1::ReportRequest;
  ExpectFault<Request>(GoodReport(), "outcome", [](Request* r) { r->clear_result(); });
  ExpectFault<Request>(GoodReport(), "key.job_id", [](Request* r) { r->clear_key(); });
  ExpectFault<Request>(GoodReport(), "key.attempt",
                       [](Request* r) { r->mutable_key()->set_attempt(-1); });
  ExpectFault<Request>(GoodReport(), "failure.message", [](Request* r) {
    r->mutable_failure()->set_message(std::string(5000, 'm'));
  });
  ExpectFault<Request>(GoodReport(), "result.weights_sha256", [](Request* r) {
    r->mutable_result()->set_weights_sha256("../../etc/passwd");
  });
  ExpectFault<Request>(GoodReport(), "result.measurements[0].method", [](Request* r) {
    r->mutable_result()->mutable_measurements(0)->set_method(std::string(1000, 'm'));
  });
  ExpectFault<Request>(GoodReport(), "result.measurements", [](Request* r) {
    for (int i = 0; i < 100; ++i) r->mutable_result()->add_measurements();
  });
  ExpectFault<Request>(GoodReport(), "result.precisions[0].reason", [](Request* r) {
    r->mutable_result()->add_precisions()->set_reason(std::string(5000, 'm'));
  });
  ExpectFault<Request>(GoodReport(), "result.precisions[0].accuracy.method", [](Request* r) {
    r->mutable_result()->add_precisions()->mutable_accuracy()->set_method(std::string(1000, 'm'));
  });
  ExpectFault<Request>(GoodReport(), "result.precisions", [](Request* r) {
    for (int i = 0; i < 100; ++i) r->mutable_result()->add_precisions();
  });
  ExpectFault<Request>(GoodReport(), "usage", [](Request* r) {
    for (int i = 0; i < 100; ++i) r->add_usage();
  });
}

TEST(RequestChecksTest, HeartbeatsUploadsAndGiveBacks) {
  v1::HeartbeatRequest heartbeat;
  heartbeat.set_worker_id("w");
  heartbeat.set_incarnation("i");
  *heartbeat.add_leases()->mutable_key() = GoodKey();
  ExpectFault<v1::HeartbeatRequest>(heartbeat, "leases[0].key.trial", [](auto* r) {
    r->mutable_leases(0)->mutable_key()->set_trial(0);
  });
  ExpectFault<v1::HeartbeatRequest>(heartbeat, "leases", [](auto* r) {
    for (int i = 0; i < 10'000; ++i) r->add_leases();
  });

  v1::UploadWeightsHeader header;
  header.set_worker_id("w");
  *header.mutable_key() = GoodKey();
  header.set_sha256(kDigest);
  header.set_size(1);
  using Header = v1::UploadWeightsHeader;
  ExpectFault<Header>(header, "header.sha256", [](Header* h) { h->set_sha256("no digest"); });
  ExpectFault<Header>(header, "header.size", [](Header* h) { h->set_size(0); });
  ExpectFault<Header>(header, "header.worker_id", [](Header* h) { h->set_worker_id(""); });
  ExpectFault<Header>(header, "header.key.job_id", [](Header* h) { h->clear_key(); });

  v1::GiveBackRequest give_back;
  give_back.set_request_id("r");
  give_back.set_worker_id("w");
  *give_back.mutable_key() = GoodKey();
  ExpectFault<v1::GiveBackRequest>(give_back, "reason",
                                   [](auto* r) { r->set_reason(std::string(5000, 'x')); });
}

}  // namespace
}  // namespace frontier::coordinator
