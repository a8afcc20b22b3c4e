#include "tests/bench/coordinator/request_maker.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
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

RequestMaker::RequestMaker(int number)
    : id_(absl::StrCat("no-op-", number)),
      incarnation_(absl::StrCat(getpid(), "-", absl::ToUnixMicros(absl::Now()))),
      rng_(static_cast<uint64_t>(number)) {}

std::string RequestMaker::NextId() {
  return absl::StrCat(id_, "-", incarnation_, "-", ++requests_);
}

v1::RegisterRequest RequestMaker::Registration() {
  v1::RegisterRequest request;
  request.set_request_id(NextId());
  request.set_protocol_version(kProtocolVersion);
  request.set_version(std::string(ProductVersion()));
  request.set_worker_id(id_);
  request.set_incarnation(incarnation_);
  *request.add_datasets() = NoOpDataset();
  request.set_slots(1);
  return request;
}

v1::LeaseRequest RequestMaker::Lease() {
  v1::LeaseRequest request;
  request.set_request_id(NextId());
  request.set_worker_id(id_);
  request.set_incarnation(incarnation_);
  return request;
}

v1::ReportRequest RequestMaker::Report(const v1::AttemptLease& lease) {
  v1::ReportRequest report;
  report.set_request_id(NextId());
  report.set_worker_id(id_);
  *report.mutable_key() = lease.task().key();
  report.set_token(lease.token());
  *report.mutable_result() = MakeResult();
  *report.mutable_next() = Lease();
  return report;
}

v1::HeartbeatRequest RequestMaker::Heartbeat(const std::optional<v1::AttemptLease>& lease) const {
  v1::HeartbeatRequest request;
  request.set_worker_id(id_);
  request.set_incarnation(incarnation_);
  if (!lease.has_value()) return request;
  v1::LeaseStatus* status = request.add_leases();
  *status->mutable_key() = lease->task().key();
  status->set_token(lease->token());
  return request;
}

v1::TrialResult RequestMaker::MakeResult() {
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

}  // namespace frontier::bench
