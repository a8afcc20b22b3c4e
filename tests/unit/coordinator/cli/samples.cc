#include "tests/unit/coordinator/cli/samples.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace frontier::cli {
namespace {

constexpr int64_t kSecond = 1'000'000;

void Measure(v1::Metric metric, double value, double spread, const char* method, v1::Trial* trial) {
  v1::Measurement* m = trial->mutable_result()->add_measurements();
  m->set_metric(metric);
  m->set_value(value);
  m->set_low(value - spread);
  m->set_high(value + spread);
  m->set_method(method);
}

v1::Trial Succeeded(int number, double accuracy, double latency_ms, int parameters, int macs,
                    const char* summary) {
  v1::Trial trial;
  trial.set_job_id(1);
  trial.set_number(number);
  trial.set_state(v1::TRIAL_STATE_SUCCEEDED);
  trial.set_canonical_hash(std::string(64, 'a'));
  trial.set_summary(summary);
  trial.set_feasible(true);
  trial.mutable_origin()->set_strategy("evolution");
  if (number > 2) {
    trial.mutable_origin()->add_parents(1);
    trial.mutable_origin()->add_parents(2);
  }
  trial.set_created_unix_us(kSampleTimeUs + number * 10 * kSecond);
  trial.set_ended_unix_us(kSampleTimeUs + number * 10 * kSecond + 18 * kSecond);
  Measure(v1::METRIC_ACCURACY, accuracy, 0.0061, "validation-split", &trial);
  Measure(v1::METRIC_LATENCY_MS, latency_ms, latency_ms * 0.02, "timed", &trial);
  Measure(v1::METRIC_PARAMETERS, parameters, 0, "counted", &trial);
  Measure(v1::METRIC_MACS, macs, 0, "counted", &trial);
  Measure(v1::METRIC_ENERGY_J, 81.5, 40, "model-default", &trial);
  v1::Attempt* attempt = trial.add_attempts();
  attempt->set_number(1);
  attempt->set_state(v1::ATTEMPT_STATE_SUCCEEDED);
  attempt->set_worker_id(number % 2 == 0 ? "worker-2" : "worker-1");
  attempt->set_started_unix_us(trial.created_unix_us());
  attempt->set_ended_unix_us(trial.ended_unix_us());
  attempt->set_cpu_seconds(17.4);
  attempt->set_energy_j(81.5);
  attempt->set_energy_j_low(41.5);
  attempt->set_energy_j_high(121.5);
  attempt->set_co2_g(0.0103);
  attempt->set_energy_method("model-default");
  return trial;
}

v1::Node* AddNode(const char* name, v1::Operator op, std::vector<int> inputs,
                  v1::Architecture* architecture) {
  v1::Node* node = architecture->add_nodes();
  node->set_name(name);
  node->set_op(op);
  for (const int input : inputs) node->add_inputs(input);
  return node;
}

void Convolve(int channels, int kernel, int stride, int groups, v1::Node* node) {
  v1::Convolution* c = node->mutable_convolution();
  c->set_out_channels(channels);
  c->set_kernel_height(kernel);
  c->set_kernel_width(kernel);
  c->set_stride_height(stride);
  c->set_stride_width(stride);
  c->set_padding_height(kernel / 2);
  c->set_padding_width(kernel / 2);
  c->set_dilation_height(1);
  c->set_dilation_width(1);
  c->set_groups(groups);
}

v1::Architecture SampleArchitecture() {
  v1::Architecture a;
  a.mutable_input()->set_channels(1);
  a.mutable_input()->set_height(28);
  a.mutable_input()->set_width(28);
  a.set_classes(10);
  AddNode("input", v1::OPERATOR_INPUT, {}, &a);
  Convolve(8, 3, 1, 1, AddNode("stem.convolution", v1::OPERATOR_CONVOLUTION, {0}, &a));
  AddNode("stem.norm", v1::OPERATOR_BATCH_NORM, {1}, &a);
  AddNode("stem.relu", v1::OPERATOR_RELU, {2}, &a);
  Convolve(8, 3, 1, 8, AddNode("stage1.depthwise", v1::OPERATOR_CONVOLUTION, {3}, &a));
  AddNode("stage1.add", v1::OPERATOR_ADD, {4, 3}, &a);
  Convolve(16, 3, 2, 1, AddNode("stage2.convolution", v1::OPERATOR_CONVOLUTION, {5}, &a));
  AddNode("pool", v1::OPERATOR_GLOBAL_AVERAGE_POOL, {6}, &a);
  v1::Node* head = AddNode("classifier", v1::OPERATOR_LINEAR, {7}, &a);
  head->mutable_linear()->set_out_features(10);
  head->mutable_linear()->set_bias(true);
  return a;
}

}  // namespace

v1::Job SampleJob() {
  v1::Job job;
  job.set_id(1);
  v1::JobSpec& spec = *job.mutable_spec();
  spec.set_name("fashion-mnist demo");
  spec.mutable_dataset()->set_name("fashion-mnist");
  spec.mutable_dataset()->mutable_input()->set_channels(1);
  spec.mutable_dataset()->mutable_input()->set_height(28);
  spec.mutable_dataset()->mutable_input()->set_width(28);
  spec.mutable_dataset()->set_classes(10);
  spec.mutable_dataset()->set_train_samples(20000);
  v1::StagedSpace& space = *spec.mutable_search_space()->mutable_staged();
  space.add_stem_widths(8);
  space.add_stem_widths(16);
  v1::StageChoices& stage = *space.add_stages();
  stage.add_blocks(v1::BLOCK_CONVOLUTION);
  stage.add_blocks(v1::BLOCK_FIRE);
  stage.add_kernels(3);
  stage.add_widths(16);
  stage.add_depths(1);
  stage.add_strides(2);
  stage.add_connections(0);
  spec.mutable_strategy()->set_seed(7);
  spec.mutable_strategy()->mutable_evolution()->set_population_size(8);
  spec.mutable_strategy()->mutable_evolution()->set_sample_size(3);
  spec.mutable_training()->set_epochs(2);
  spec.mutable_training()->set_batch_size(128);
  spec.mutable_training()->set_learning_rate(0.1);
  spec.mutable_training()->set_precision(v1::PRECISION_AUTO);
  spec.set_reproducible(true);
  v1::Objective* objective = spec.add_objectives();
  objective->set_metric(v1::METRIC_ACCURACY);
  objective->set_direction(v1::DIRECTION_MAXIMIZE);
  objective = spec.add_objectives();
  objective->set_metric(v1::METRIC_LATENCY_MS);
  objective->set_direction(v1::DIRECTION_MINIMIZE);
  v1::Constraint* constraint = spec.add_constraints();
  constraint->set_metric(v1::METRIC_LATENCY_MS);
  constraint->set_comparison(v1::COMPARISON_AT_MOST);
  constraint->set_bound(2);
  spec.mutable_budget()->set_trials(14);
  spec.mutable_budget()->set_wall_seconds(240);
  job.set_state(v1::JOB_STATE_RUNNING);
  job.set_submitted_unix_us(kSampleTimeUs);
  job.set_trials_created(9);
  job.set_trials_running(1);
  job.set_trials_succeeded(7);
  job.set_trials_failed(1);
  job.set_front_size(3);
  job.set_best_trial(7);
  job.set_best_value(0.9012);
  job.set_seconds_left(75.3);
  job.set_space_size("1152");
  v1::JobUsage& usage = *job.mutable_usage();
  usage.set_wall_seconds(92.4);
  usage.set_cpu_seconds(171.2);
  usage.set_energy_kwh(0.000413);
  usage.set_energy_kwh_low(0.000207);
  usage.set_energy_kwh_high(0.000826);
  usage.set_co2_g(0.188);
  usage.set_co2_g_low(0.09);
  usage.set_co2_g_high(0.39);
  usage.set_method("model-default");
  return job;
}

std::vector<v1::Trial> SampleTrials() {
  std::vector<v1::Trial> trials = {
      Succeeded(1, 0.8712, 0.412, 21194, 1402880, "stem 8; convolution 3x3 w16 d1 s2"),
      Succeeded(2, 0.8419, 0.097, 5210, 310912, "stem 8; depthwise_separable 3x3 w16 d1 s2"),
      Succeeded(3, 0.8855, 0.231, 18234, 1204224, "stem 16; fire 3x3 w24 d1 s2"),
      Succeeded(4, 0.8102, 0.305, 9120, 640128, "stem 8; max_pool 3x3 w16 d1 s2"),
      Succeeded(6, 0.8631, 0.512, 31044, 2408448, "stem 16; inverted_bottleneck 5x5 w24 d2 s2"),
      Succeeded(7, 0.9012, 0.788, 64810, 5017600, "stem 16; residual 3x3 w32 d1 s2"),
      Succeeded(8, 0.8921, 2.412, 98112, 9834496, "stem 16; residual 5x5 w32 d2 s1"),
  };
  for (v1::Trial& trial : trials) {
    if (trial.number() == 2 || trial.number() == 3 || trial.number() == 7) {
      trial.set_on_front(true);
      trial.set_weights_kept(true);
    }
    if (trial.number() == 8) trial.set_feasible(false);
  }
  trials.insert(trials.begin() + 4, SampleFailedTrial());
  v1::Trial running;
  running.set_job_id(1);
  running.set_number(9);
  running.set_state(v1::TRIAL_STATE_RUNNING);
  running.set_summary("stem 8; fire 5x5 w16 d1 s2");
  v1::Attempt* attempt = running.add_attempts();
  attempt->set_number(1);
  attempt->set_state(v1::ATTEMPT_STATE_RUNNING);
  attempt->set_worker_id("worker-2");
  trials.push_back(running);
  return trials;
}

v1::Trial SampleFailedTrial() {
  v1::Trial trial;
  trial.set_job_id(1);
  trial.set_number(5);
  trial.set_state(v1::TRIAL_STATE_FAILED);
  trial.set_summary("stem 16; convolution 5x5 w512 d2 s1");
  trial.set_created_unix_us(kSampleTimeUs);
  trial.set_ended_unix_us(kSampleTimeUs + 4 * kSecond);
  trial.mutable_failure()->set_cause(v1::FAILURE_CAUSE_OUT_OF_MEMORY);
  trial.mutable_failure()->set_message(
      "trial process wanted 3.1 GiB of private memory, its limit is 2.0 GiB (2147483648 bytes); "
      "the largest activation is stage1.block0.convolution with 512 x 28 x 28");
  v1::Attempt* attempt = trial.add_attempts();
  attempt->set_number(1);
  attempt->set_state(v1::ATTEMPT_STATE_FAILED);
  attempt->set_worker_id("worker-1");
  attempt->set_started_unix_us(kSampleTimeUs);
  attempt->set_ended_unix_us(kSampleTimeUs + 4 * kSecond);
  *attempt->mutable_failure() = trial.failure();
  return trial;
}

v1::Trial SampleDetailedTrial() {
  v1::Trial trial = SampleTrials()[2];
  *trial.mutable_architecture() = SampleArchitecture();
  const double accuracy[] = {0.7402, 0.8311, 0.8690, 0.8855};
  for (int i = 0; i < 4; ++i) {
    v1::EpochMetrics* epoch = trial.mutable_result()->add_epochs();
    epoch->set_epoch(i + 1);
    epoch->set_train_loss(0.8 / (i + 1));
    epoch->set_train_accuracy(accuracy[i] + 0.01);
    epoch->set_validation_loss(0.9 / (i + 1));
    epoch->set_validation_accuracy(accuracy[i]);
    epoch->set_wall_seconds(3.9 + i * 0.1);
    epoch->set_images_per_second(5128);
  }
  v1::EngineRecord& engine = *trial.mutable_result()->mutable_engine();
  engine.set_library("oneDNN 2.6.3");
  engine.set_precision("f32");
  engine.set_threads(1);
  engine.set_seed(42);
  for (const char* pass : {"forward", "backward"}) {
    v1::Pick* pick = engine.add_picks();
    pick->set_key(pass);
    pick->set_choice("kernel");
  }
  for (v1::Measurement& m : *trial.mutable_result()->mutable_measurements()) {
    if (m.metric() == v1::METRIC_LATENCY_MS) m.set_hardware_class("epyc-1t");
    if (m.metric() == v1::METRIC_ENERGY_J) m.set_reason("no readable power sensor");
  }
  for (const char* precision : {"f32", "bf16", "int8"}) {
    v1::PrecisionResult* result = trial.mutable_result()->add_precisions();
    result->set_precision(precision);
    if (precision == std::string("bf16")) {
      result->set_reason("precision bf16: this CPU has no bf16 arithmetic");
      continue;
    }
    for (const v1::Measurement& m : trial.result().measurements()) {
      if (m.metric() == v1::METRIC_ACCURACY) *result->mutable_accuracy() = m;
      if (m.metric() == v1::METRIC_LATENCY_MS) *result->mutable_latency() = m;
    }
    result->set_weight_bytes(4 * 18234);
  }
  v1::PrecisionResult* narrow = trial.mutable_result()->mutable_precisions(2);
  narrow->mutable_latency()->set_value(0.0712);
  narrow->mutable_latency()->set_low(0.0701);
  narrow->mutable_latency()->set_high(0.0733);
  narrow->mutable_accuracy()->set_method("validation-split; calibrated on 256 training samples");
  narrow->set_weight_bytes(18234);
  v1::Attempt second = trial.attempts(0);
  v1::Attempt* first = trial.mutable_attempts(0);
  first->set_state(v1::ATTEMPT_STATE_LOST);
  first->mutable_failure()->set_cause(v1::FAILURE_CAUSE_WORKER_LOST);
  first->mutable_failure()->set_message("lease expired 4s ago");
  second.set_number(2);
  second.set_worker_id("worker-2");
  *trial.add_attempts() = second;
  return trial;
}

std::vector<v1::Worker> SampleWorkers() {
  std::vector<v1::Worker> workers(2);
  for (int i = 0; i < 2; ++i) {
    v1::Worker& worker = workers[i];
    worker.set_id(absl::StrCat("worker-", i + 1));
    worker.set_version("0.1.0");
    worker.set_protocol_version(1);
    worker.set_slots(2);
    worker.set_alive(i == 0);
    worker.set_registered_unix_us(kSampleTimeUs);
    worker.set_last_seen_unix_us(kSampleTimeUs - i * 125 * kSecond);
    worker.mutable_hardware()->set_cpu_model("Example CPU 9000");
    worker.mutable_hardware()->set_cores(4);
    worker.mutable_hardware()->set_memory_bytes(int64_t{8} << 30);
    worker.mutable_hardware()->set_hardware_class("gateway");
    worker.mutable_hardware()->set_engine("oneDNN 2.6.3, avx2");
    worker.add_datasets()->set_name("fashion-mnist");
  }
  v1::AttemptKey* key = workers[0].add_running();
  key->set_job_id(1);
  key->set_trial(9);
  key->set_attempt(1);
  return workers;
}

std::vector<v1::Event> SampleEvents() {
  std::vector<v1::Event> events(4);
  const v1::EventKind kinds[] = {v1::EVENT_KIND_TRIAL_SUCCEEDED, v1::EVENT_KIND_ATTEMPT_STARTED,
                                 v1::EVENT_KIND_ATTEMPT_ENDED, v1::EVENT_KIND_TRIAL_FAILED};
  const char* const messages[] = {"accuracy 0.9012, latency 0.788 ms", "",
                                  "lease expired; to be tried again",
                                  "out of memory: wanted 3.1 GiB, limit 2.0 GiB"};
  for (int i = 0; i < 4; ++i) {
    events[i].set_sequence(i + 1);
    events[i].set_job_id(1);
    events[i].set_trial(7 + i);
    events[i].set_attempt(i == 2 ? 2 : 1);
    events[i].set_kind(kinds[i]);
    events[i].set_at_unix_us(kSampleTimeUs + i * kSecond);
    events[i].set_worker_id("worker-1");
    events[i].set_message(messages[i]);
  }
  return events;
}

}  // namespace frontier::cli
