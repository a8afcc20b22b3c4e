// What users ask of a simulated cluster, and what liars say.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulation/cluster.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::simulation {

void Cluster::Lie(size_t worker, uint32_t how) {
  if (dispatcher_ == nullptr) return;
  const Worker& liar = workers_[worker];
  const Worker& other = workers_[(worker + 1) % workers_.size()];
  v1::ReportRequest report;
  report.set_request_id(absl::StrCat("lie-", applied_));
  report.set_worker_id(liar.id());
  *report.mutable_result() = testing::MakeResult(0.999, 0.001);
  switch (how % 5) {
    case 0:  // a token nobody was given
      if (!liar.lease().has_value()) return;
      *report.mutable_key() = liar.lease()->task().key();
      report.set_token(liar.lease()->token() + 1 + how % 3);
      break;
    case 1:  // the lease of another
      if (!other.lease().has_value()) return;
      *report.mutable_key() = other.lease()->task().key();
      report.set_token(other.lease()->token());
      break;
    case 2:  // another attempt
      if (!liar.lease().has_value()) return;
      *report.mutable_key() = liar.lease()->task().key();
      report.mutable_key()->set_attempt(liar.lease()->task().key().attempt() + 1);
      report.set_token(liar.lease()->token());
      break;
    case 3:  // what was accepted already, with another figure
      if (accepted_.empty()) return;
      *report.mutable_key() = accepted_[how % accepted_.size()].key();
      report.set_token(accepted_[how % accepted_.size()].token());
      if (how % 2 == 0) report.set_request_id(accepted_[how % accepted_.size()].request_id());
      break;
    default: {  // that it holds what another does
      if (!other.lease().has_value()) return;
      v1::HeartbeatRequest heartbeat;
      heartbeat.set_worker_id(liar.id());
      heartbeat.set_incarnation(liar.incarnation());
      v1::LeaseStatus* status = heartbeat.add_leases();
      *status->mutable_key() = other.lease()->task().key();
      status->set_token(other.lease()->token());
      const auto answer = dispatcher_->Heartbeat(heartbeat);
      Fault("lie");
      if (!answer.ok()) return;
      Expect(answer->directives(0).action() == v1::ACTION_STOP, "a liar may go on");
      return;
    }
  }
  Fault("lie");
  Expect(!dispatcher_->Report(report).ok(), "a lie was believed");
}

void Cluster::CallAsClient(uint32_t which) {
  if (dispatcher_ == nullptr) return;
  const int64_t losses = dispatcher_->losses();
  const std::string request_id = absl::StrCat("client-", ++client_requests_);
  // What a job's state does not allow is refused.
  const auto call = [&](auto request, auto method) {
    request.set_request_id(request_id);
    request.set_job_id(jobs_[0]);
    (void)(dispatcher_.get()->*method)(request);
  };
  switch (which % 8) {
    case 0:
    case 4:
      return call(v1::PauseJobRequest(), &coordinator::Dispatcher::PauseJob);
    case 1:
      if (which % 40 == 1) break;
      [[fallthrough]];
    case 2:
    case 6:
      return call(v1::ResumeJobRequest(), &coordinator::Dispatcher::ResumeJob);
    case 3: {
      v1::DrainWorkerRequest request;
      request.set_request_id(request_id);
      request.set_worker_id(workers_[Pick(which / 8)].id());
      (void)dispatcher_->DrainWorker(request);
      return;
    }
    case 5:
      return AdmitWorker(Pick(which / 8));
    case 7:
      if (which % 16 == 7) return ExtendSpace();
      [[fallthrough]];
    default: {
      // A few more trials, never fewer, also after its end.
      v1::UpdateJobRequest request;
      request.mutable_budget()->set_trials(12 + std::min<int64_t>(3, updates_++ / 3));
      request.set_priority(static_cast<int32_t>(which / 8 % 3));
      return call(std::move(request), &coordinator::Dispatcher::UpdateJob);
    }
  }
  v1::CancelJobRequest request;
  request.set_request_id(request_id);
  request.set_job_id(jobs_[1]);
  if (!dispatcher_->CancelJob(request).ok()) return;
  dispatcher_->WhenDurable(losses, [this](const absl::Status& durable) {
    if (durable.ok()) told_.cancelled_jobs.insert(jobs_[1]);
  });
}

void Cluster::ExtendSpace() {
  v1::GetJobRequest get;
  get.set_job_id(jobs_[0]);
  const auto job = dispatcher_->GetJob(get);
  if (!job.ok()) return;
  v1::ExtendSpaceRequest request;
  request.set_request_id(absl::StrCat("client-", ++client_requests_));
  request.set_job_id(jobs_[0]);
  *request.mutable_search_space() = job->job().spec().search_space();
  const int version = request.search_space().version();
  request.set_from_version(version);
  request.mutable_search_space()->mutable_staged()->mutable_stages(0)->add_widths(12 + 2 * version);
  (void)dispatcher_->ExtendSpace(request);  // of a job that has ended it is refused
}

void Cluster::AdmitWorker(size_t worker) {
  v1::AdmitWorkerRequest request;
  request.set_request_id(absl::StrCat("client-", ++client_requests_));
  request.set_worker_id(workers_[worker].id());
  (void)dispatcher_->AdmitWorker(request);  // of one that has not registered it is refused
}

}  // namespace frontier::simulation
