#include "tests/bench/coordinator/no_op_worker.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/version.h"

namespace frontier::bench {
namespace {

// What the job that loads the coordinator is on; see suites/coordinator.py.
v1::Dataset NoOpDataset() {
  v1::Dataset dataset;
  dataset.set_name("no-op");
  dataset.set_channels(1);
  dataset.set_height(28);
  dataset.set_width(28);
  dataset.set_classes(10);
  dataset.set_train_samples(60000);
  dataset.set_test_samples(10000);
  return dataset;
}

}  // namespace

NoOpWorker::NoOpWorker(const std::string& coordinator, int number, Clock* clock)
    : client_(NewWorkerClient(coordinator)),
      id_(absl::StrCat("no-op-", number)),
      incarnation_(absl::StrCat(getpid(), "-", absl::ToUnixMicros(clock->Now()))),
      clock_(clock),
      rng_(static_cast<uint64_t>(number)) {}

std::string NoOpWorker::NextRequestId() {
  return absl::StrCat(id_, "-", incarnation_, "-", ++requests_);
}

absl::Status NoOpWorker::Register() {
  v1::RegisterRequest request;
  request.set_request_id(NextRequestId());
  request.set_protocol_version(kProtocolVersion);
  request.set_version(std::string(ProductVersion()));
  request.set_worker_id(id_);
  request.set_incarnation(incarnation_);
  *request.add_datasets() = NoOpDataset();
  request.set_slots(1);
  return client_->Register(request).status();
}

v1::TrialResult NoOpWorker::MakeResult() {
  v1::TrialResult result;
  const std::pair<v1::Metric, double> figures[] = {
      {v1::METRIC_ACCURACY, rng_.UniformDouble()},
      {v1::METRIC_LATENCY_MS, 1 + rng_.UniformDouble()},
      {v1::METRIC_PARAMETERS, 10000},
      {v1::METRIC_MACS, 1e6},
      {v1::METRIC_ENERGY_J, 100},
      {v1::METRIC_CO2_G, 0.01},
      {v1::METRIC_CPU_SECONDS, 1},
      {v1::METRIC_WALL_SECONDS, 1},
      {v1::METRIC_LOSS, 0.5}};
  for (const auto& [metric, value] : figures) {
    v1::Measurement* measurement = result.add_measurements();
    measurement->set_metric(metric);
    measurement->set_value(value);
    measurement->set_low(value * 0.9);
    measurement->set_high(value * 1.1);
    measurement->set_method("no-op");
  }
  v1::EpochMetrics* epoch = result.add_epochs();
  epoch->set_epoch(1);
  return result;
}

v1::LeaseRequest NoOpWorker::MakeLeaseRequest() {
  v1::LeaseRequest request;
  request.set_request_id(NextRequestId());
  request.set_worker_id(id_);
  request.set_incarnation(incarnation_);
  return request;
}

absl::StatusOr<bool> NoOpWorker::RunTrial(absl::Duration patience, Times* times) {
  const absl::Duration began = clock_->Elapsed();
  if (!lease_.has_value()) {
    v1::LeaseRequest request = MakeLeaseRequest();
    request.set_wait_ms(absl::ToInt64Milliseconds(patience));
    ASSIGN_OR_RETURN(const v1::LeaseResponse leased, client_->Lease(request));
    if (!leased.has_lease()) return false;
    lease_ = leased.lease();
  }
  const absl::Duration granted = clock_->Elapsed();
  v1::ReportRequest report;
  report.set_request_id(NextRequestId());
  report.set_worker_id(id_);
  *report.mutable_key() = lease_->task().key();
  report.set_token(lease_->token());
  *report.mutable_result() = MakeResult();
  *report.mutable_next() = MakeLeaseRequest();
  ASSIGN_OR_RETURN(const v1::ReportResponse reported, client_->Report(report));
  if (reported.trial_state() != v1::TRIAL_STATE_SUCCEEDED) {
    return absl::InternalError(absl::StrCat("trial ", report.key().trial(), " is in state ",
                                            reported.trial_state(), " after its report"));
  }
  lease_.reset();
  if (reported.has_next()) lease_ = reported.next();
  times->lease = granted - began;
  times->report = clock_->Elapsed() - granted;
  return true;
}

}  // namespace frontier::bench
