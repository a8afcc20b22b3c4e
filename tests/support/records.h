// Plausible stored records, for tests of storage and of what stands on it.
#ifndef FRONTIER_TESTS_SUPPORT_RECORDS_H_
#define FRONTIER_TESTS_SUPPORT_RECORDS_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "frontier/v1/record.pb.h"

namespace frontier::testing {

inline v1::JobRecord MakeJobRecord(int64_t id, v1::JobState state = v1::JOB_STATE_RUNNING) {
  v1::JobRecord record;
  record.mutable_job()->set_id(id);
  record.mutable_job()->mutable_spec()->set_name(absl::StrCat("job-", id));
  record.mutable_job()->set_state(state);
  record.mutable_job()->set_submitted_unix_us(1'700'000'000'000'000 + id);
  for (int32_t option = 0; option < 4; ++option) {
    record.mutable_strategy()->mutable_cursor()->add_options(option << 28 | option);
  }
  return record;
}

inline v1::Measurement MakeMeasurement(v1::Metric metric, double value) {
  v1::Measurement measurement;
  measurement.set_metric(metric);
  measurement.set_value(value);
  measurement.set_low(value * 0.9);
  measurement.set_high(value * 1.1);
  measurement.set_method("timed");
  measurement.set_hardware_class("desk");
  return measurement;
}

// A succeeded trial has one attempt and two measurements, a running one just its attempt.
inline v1::Trial MakeTrial(int64_t job_id, int64_t number,
                           v1::TrialState state = v1::TRIAL_STATE_SUCCEEDED) {
  v1::Trial trial;
  trial.set_job_id(job_id);
  trial.set_number(number);
  trial.set_state(state);
  trial.mutable_genotype()->add_options(static_cast<int32_t>(number % 7));
  trial.mutable_architecture()->mutable_input()->set_channels(1);
  trial.mutable_architecture()->set_classes(10);
  trial.mutable_architecture()->add_nodes()->set_op(v1::OPERATOR_INPUT);
  trial.set_canonical_hash(absl::StrCat("hash-", job_id, "-", number));
  trial.set_summary(absl::StrCat("stem16 | conv3x3 w", number));
  trial.set_created_unix_us(1'700'000'000'000'000 + number);
  trial.set_feasible(true);
  v1::Attempt* attempt = trial.add_attempts();
  attempt->set_number(1);
  attempt->set_worker_id("worker-1");
  attempt->set_started_unix_us(1'700'000'000'000'000 + number);
  attempt->set_state(v1::ATTEMPT_STATE_RUNNING);
  v1::EpochMetrics* epoch = attempt->add_epochs();
  epoch->set_epoch(1);
  epoch->set_validation_accuracy(0.1 + 1e-17);
  if (state == v1::TRIAL_STATE_SUCCEEDED) {
    attempt->set_state(v1::ATTEMPT_STATE_SUCCEEDED);
    attempt->set_ended_unix_us(1'700'000'001'000'000 + number);
    attempt->set_cpu_seconds(12.5);
    *trial.mutable_result()->add_measurements() = MakeMeasurement(v1::METRIC_ACCURACY, 0.9);
    *trial.mutable_result()->add_measurements() = MakeMeasurement(v1::METRIC_LATENCY_MS, 1.5);
    trial.set_ended_unix_us(attempt->ended_unix_us());
  }
  return trial;
}

inline v1::Event MakeEvent(int64_t job_id, int64_t trial, v1::EventKind kind) {
  v1::Event event;
  event.set_job_id(job_id);
  event.set_trial(trial);
  event.set_attempt(trial > 0 ? 1 : 0);
  event.set_kind(kind);
  event.set_at_unix_us(1'700'000'000'000'000);
  event.set_worker_id("worker-1");
  event.set_message(absl::StrCat("trial ", trial));
  return event;
}

inline v1::LeaseRecord MakeLease(int64_t job_id, int64_t trial, int32_t attempt, int64_t token) {
  v1::LeaseRecord lease;
  lease.mutable_key()->set_job_id(job_id);
  lease.mutable_key()->set_trial(trial);
  lease.mutable_key()->set_attempt(attempt);
  lease.set_token(token);
  lease.set_worker_id("worker-1");
  lease.set_incarnation("incarnation-1");
  lease.set_expires_unix_us(1'700'000'030'000'000);
  return lease;
}

inline v1::RequestRecord MakeRequest(const std::string& id, int64_t at_unix_us) {
  v1::RequestRecord request;
  request.set_request_id(id);
  request.set_method("SubmitJob");
  request.set_content_sha256("content");
  request.set_response(std::string("\0\x01\xff", 3));
  request.set_at_unix_us(at_unix_us);
  return request;
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_RECORDS_H_
