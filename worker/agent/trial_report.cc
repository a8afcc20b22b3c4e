#include "worker/agent/trial_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace frontier::worker {
namespace {

v1::Measurement Exact(v1::Metric metric, double value, absl::string_view method) {
  v1::Measurement measurement;
  measurement.set_metric(metric);
  measurement.set_value(value);
  measurement.set_low(value);
  measurement.set_high(value);
  measurement.set_method(std::string(method));
  return measurement;
}

}  // namespace

TrialOrder MakeOrder(const v1::TrialTask& task, const TrialDefaults& defaults,
                     const std::string& dataset_folder, const std::string& weights_path,
                     const std::string& hardware_class) {
  const v1::TrialLimits& limits = task.limits();
  TrialOrder order;
  order.threads = limits.threads() > 0 ? limits.threads() : defaults.threads;
  // The order of sums follows from the number of threads, which a reproducible trial thus keeps.
  if (limits.threads() > defaults.most_threads && !task.reproducible()) {
    order.threads = defaults.most_threads;
  }
  order.memory_bytes = limits.memory_bytes() > 0 ? limits.memory_bytes() : defaults.memory_bytes;
  order.wall_limit =
      limits.wall_seconds() > 0 ? absl::Seconds(limits.wall_seconds()) : defaults.wall_limit;
  *order.input.mutable_task() = task;
  // What the trial process is to keep to, defaults filled in.
  v1::TrialLimits* effective = order.input.mutable_task()->mutable_limits();
  effective->set_threads(order.threads);
  effective->set_memory_bytes(order.memory_bytes);
  effective->set_wall_seconds(absl::ToDoubleSeconds(order.wall_limit));
  order.input.set_dataset_path(dataset_folder);
  order.input.set_weights_path(weights_path);
  order.input.set_hardware_class(hardware_class);
  return order;
}

std::vector<v1::Measurement> MeasureUse(const TrialEnd& end, int threads, const EnergyModel& model,
                                        absl::string_view hardware_class) {
  EnergyEstimate estimate = model.Estimate(
      {.cpu = ToSeconds(end.cpu), .wall = ToSeconds(end.wall), .reserved_cores = threads});
  std::vector<v1::Measurement> measurements = {
      Exact(v1::METRIC_CPU_SECONDS, absl::ToDoubleSeconds(end.cpu), "process-accounting"),
      Exact(v1::METRIC_WALL_SECONDS, absl::ToDoubleSeconds(end.wall), "clock"),
      std::move(estimate.energy), std::move(estimate.co2)};
  for (v1::Measurement& measurement : measurements) {
    measurement.set_hardware_class(std::string(hardware_class));
  }
  return measurements;
}

std::string CheckUpload(const std::string& path, v1::TrialResult* result) {
  const bool pauses = result->weights_sha256().empty();
  const std::string reported = pauses ? result->checkpoint_sha256() : result->weights_sha256();
  if (reported.empty()) return "";
  const absl::StatusOr<std::string> digest = FileSha256(path);
  if (digest.ok() && *digest == reported) return "";
  result->clear_weights_sha256();
  result->clear_checkpoint_sha256();
  if (!digest.ok()) return std::string(digest.status().message());
  return absl::StrCat(pauses ? "the checkpoint" : "weights", " in '", path, "' have digest ",
                      *digest, ", not ", reported, " as reported");
}

}  // namespace frontier::worker
