#include "tests/unit/coordinator/core/harness.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/version.h"
#include "coordinator/storage/sqlite/sqlite_store.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::testing {

v1::JobSpec SmallJob(int64_t trials) {
  v1::JobSpec spec;
  spec.set_name("small");
  spec.mutable_dataset()->set_name("fashion");
  *spec.mutable_dataset()->mutable_input() = MakeShape(1, 28, 28);
  spec.mutable_dataset()->set_classes(10);
  *spec.mutable_search_space() = FiveByFiveSpace();
  spec.mutable_strategy()->set_seed(7);
  spec.mutable_strategy()->mutable_random();
  spec.mutable_training()->set_epochs(3);
  spec.mutable_training()->set_batch_size(64);
  spec.mutable_training()->set_learning_rate(0.1);
  spec.mutable_training()->set_momentum(0.9);
  v1::Objective* accuracy = spec.add_objectives();
  accuracy->set_metric(v1::METRIC_ACCURACY);
  accuracy->set_direction(v1::DIRECTION_MAXIMIZE);
  v1::Objective* latency = spec.add_objectives();
  latency->set_metric(v1::METRIC_LATENCY_MS);
  latency->set_direction(v1::DIRECTION_MINIMIZE);
  spec.mutable_budget()->set_trials(trials);
  return spec;
}

v1::TrialResult MakeResult(double accuracy, double latency_ms) {
  v1::TrialResult result;
  const std::pair<v1::Metric, double> figures[] = {
      {v1::METRIC_ACCURACY, accuracy}, {v1::METRIC_LATENCY_MS, latency_ms},
      {v1::METRIC_PARAMETERS, 1000},   {v1::METRIC_MACS, 100000},
      {v1::METRIC_ENERGY_J, 3600},     {v1::METRIC_CO2_G, 0.5},
      {v1::METRIC_CPU_SECONDS, 10},    {v1::METRIC_WALL_SECONDS, 12},
      {v1::METRIC_LOSS, 1 - accuracy}};
  for (const auto& [metric, value] : figures) {
    v1::Measurement* m = result.add_measurements();
    m->set_metric(metric);
    m->set_value(value);
    m->set_low(value * 0.5);
    m->set_high(value * 2);
    m->set_method("model-default");
  }
  for (int i = 1; i <= 3; ++i) {
    result.add_epochs()->set_epoch(i);
  }
  return result;
}

double ValueOf(const v1::TrialResult& result, v1::Metric metric) {
  for (const v1::Measurement& m : result.measurements()) {
    if (m.metric() == metric) return m.value();
  }
  return 0;
}

v1::RegisterRequest MakeRegistration(const std::string& worker, const std::string& incarnation,
                                     int slots) {
  v1::RegisterRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_version("0.1.0");
  request.set_worker_id(worker);
  request.set_incarnation(incarnation);
  request.set_slots(slots);
  v1::Dataset* dataset = request.add_datasets();
  dataset->set_name("fashion");
  dataset->set_channels(1);
  dataset->set_height(28);
  dataset->set_width(28);
  dataset->set_classes(10);
  dataset->set_train_samples(60000);
  dataset->set_test_samples(10000);
  return request;
}

v1::ReportRequest MakeReport(const std::string& request_id, const std::string& worker,
                             const v1::AttemptLease& lease, const v1::TrialResult& result) {
  v1::ReportRequest request;
  request.set_request_id(request_id);
  request.set_worker_id(worker);
  *request.mutable_key() = lease.task().key();
  request.set_token(lease.token());
  *request.mutable_result() = result;
  return request;
}

Harness::Harness(StoreKind kind, const coordinator::Retention& retention) : kind_(kind) {
  options_.retention = retention;
  options_.outlined_together = 2;
  Restart();
}

void Harness::Restart() {
  dispatcher_.reset();
  if (kind_ == StoreKind::kSqlite) {
    store_.reset();
    coordinator::SqliteStoreOptions options;
    options.path = folder_.File("frontier.db");
    absl::StatusOr<std::unique_ptr<coordinator::Store>> store =
        coordinator::OpenSqliteStore(options);
    ASSERT_OK(store);
    store_ = *std::move(store);
  } else if (store_ == nullptr) {
    auto memory = std::make_unique<MemoryStore>();
    memory_ = memory.get();
    store_ = std::move(memory);
  }
  journal_ = std::make_unique<DirectJournal>(store_.get());
  absl::StatusOr<std::unique_ptr<coordinator::Dispatcher>> dispatcher =
      coordinator::CreateDispatcher(options_, store_.get(), journal_.get(), &blobs_, &clock_);
  ASSERT_OK(dispatcher);
  dispatcher_ = *std::move(dispatcher);
}

std::string Harness::NextRequestId() { return absl::StrCat("request-", ++requests_); }

absl::StatusOr<v1::SubmitJobResponse> Harness::TrySubmit(const v1::JobSpec& spec) {
  v1::SubmitJobRequest request;
  request.set_request_id(NextRequestId());
  request.set_protocol_version(kProtocolVersion);
  *request.mutable_spec() = spec;
  return core().SubmitJob(request);
}

int64_t Harness::Submit(const v1::JobSpec& spec) {
  const absl::StatusOr<v1::SubmitJobResponse> response = TrySubmit(spec);
  EXPECT_OK(response);
  return response.ok() ? response->job().id() : 0;
}

v1::Job Harness::Job(int64_t job_id) {
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  const absl::StatusOr<v1::GetJobResponse> response = core().GetJob(request);
  EXPECT_OK(response);
  return response.ok() ? response->job() : v1::Job();
}

v1::Trial Harness::Trial(int64_t job_id, int64_t number) {
  v1::GetTrialRequest request;
  request.set_job_id(job_id);
  request.set_trial(number);
  const absl::StatusOr<v1::GetTrialResponse> response = core().GetTrial(request);
  EXPECT_OK(response);
  return response.ok() ? response->trial() : v1::Trial();
}

std::vector<v1::Trial> Harness::Trials(int64_t job_id) {
  std::vector<v1::Trial> trials;
  EXPECT_OK(store().ForEachTrial(job_id, coordinator::TrialParts::kAll,
                                 [&trials](const v1::Trial& trial) {
                                   trials.push_back(trial);
                                   return absl::OkStatus();
                                 }));
  return trials;
}

void Harness::Register(const std::string& worker, const std::string& incarnation, int slots) {
  v1::RegisterRequest request = MakeRegistration(worker, incarnation, slots);
  request.set_request_id(NextRequestId());
  EXPECT_OK(core().Register(request));
}

void Harness::Tick() { EXPECT_OK(core().Tick()); }

std::optional<v1::AttemptLease> Harness::Lease(const std::string& worker,
                                               const std::string& incarnation) {
  v1::LeaseRequest request;
  request.set_request_id(NextRequestId());
  request.set_worker_id(worker);
  request.set_incarnation(incarnation);
  const absl::StatusOr<v1::LeaseResponse> response = core().TryLease(request);
  EXPECT_OK(response);
  if (!response.ok() || !response->has_lease()) return std::nullopt;
  return response->lease();
}

absl::StatusOr<v1::HeartbeatResponse> Harness::Heartbeat(
    const std::string& worker, const std::vector<v1::AttemptLease>& leases,
    const std::string& incarnation) {
  v1::HeartbeatRequest request;
  request.set_worker_id(worker);
  request.set_incarnation(incarnation);
  for (const v1::AttemptLease& lease : leases) {
    v1::LeaseStatus* status = request.add_leases();
    *status->mutable_key() = lease.task().key();
    status->set_token(lease.token());
  }
  return core().Heartbeat(request);
}

absl::StatusOr<v1::TrialState> Harness::Report(const std::string& worker,
                                               const v1::AttemptLease& lease,
                                               const v1::TrialResult& result) {
  const absl::StatusOr<v1::ReportResponse> response =
      core().Report(MakeReport(NextRequestId(), worker, lease, result));
  if (!response.ok()) return response.status();
  return response->trial_state();
}

absl::StatusOr<v1::TrialState> Harness::ReportFailure(const std::string& worker,
                                                      const v1::AttemptLease& lease,
                                                      v1::FailureCause cause) {
  v1::ReportRequest request = MakeReport(NextRequestId(), worker, lease, v1::TrialResult());
  request.mutable_failure()->set_cause(cause);
  request.mutable_failure()->set_message("as the test wants it");
  v1::Measurement* cpu = request.add_usage();
  cpu->set_metric(v1::METRIC_CPU_SECONDS);
  cpu->set_value(1);
  const absl::StatusOr<v1::ReportResponse> response = core().Report(request);
  if (!response.ok()) return response.status();
  return response->trial_state();
}

absl::Status Harness::GiveBack(const std::string& worker, const v1::AttemptLease& lease) {
  v1::GiveBackRequest request;
  request.set_request_id(NextRequestId());
  request.set_worker_id(worker);
  *request.mutable_key() = lease.task().key();
  request.set_token(lease.token());
  request.set_reason("the daemon is leaving");
  return core().GiveBack(request).status();
}

absl::Status Harness::Pause(int64_t job_id) {
  v1::PauseJobRequest request;
  request.set_request_id(NextRequestId());
  request.set_job_id(job_id);
  return core().PauseJob(request).status();
}

absl::Status Harness::Resume(int64_t job_id) {
  v1::ResumeJobRequest request;
  request.set_request_id(NextRequestId());
  request.set_job_id(job_id);
  return core().ResumeJob(request).status();
}

absl::Status Harness::Cancel(int64_t job_id) {
  v1::CancelJobRequest request;
  request.set_request_id(NextRequestId());
  request.set_job_id(job_id);
  return core().CancelJob(request).status();
}

absl::StatusOr<v1::Job> Harness::Extend(int64_t job_id,
                                        const std::function<void(v1::SearchSpace*)>& change) {
  v1::ExtendSpaceRequest request;
  request.set_request_id(NextRequestId());
  request.set_job_id(job_id);
  *request.mutable_search_space() = Job(job_id).spec().search_space();
  request.set_from_version(request.search_space().version());
  change(request.mutable_search_space());
  absl::StatusOr<v1::ExtendSpaceResponse> response = core().ExtendSpace(request);
  if (!response.ok()) return response.status();
  return response->job();
}

absl::Status Harness::Upload(const std::string& worker, const v1::AttemptLease& lease,
                             const std::string& sha256) {
  v1::UploadWeightsHeader header;
  header.set_worker_id(worker);
  *header.mutable_key() = lease.task().key();
  header.set_token(lease.token());
  header.set_sha256(sha256);
  const absl::Status status = core().CheckLease(header);
  if (status.ok()) blobs_.Put(sha256, "weights");
  return status;
}

}  // namespace frontier::testing
