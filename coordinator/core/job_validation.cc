#include "coordinator/core/job_validation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/architecture/graph.h"
#include "common/base/enum_names.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/core/worker_registry.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxObjectives = 6;
constexpr int kMaxConstraints = 32;
constexpr double kMaxTrialSeconds = 30 * 24 * 3600.0;
// Below this a process of the engine cannot even begin.
constexpr int64_t kLeastTrialMemory = int64_t{16} << 20;
constexpr int kProbes = 1000;
// Its own stream, so that looking at the space does not move what the strategy draws.
constexpr uint64_t kProbeStream = 0x70726f6265;

// Inclusive on both ends; NaN is in no range.
template <typename T>
absl::Status CheckRange(absl::string_view field, T value, T low, T high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("must be ", low, " to ", high, ", is ", value));
}

absl::Status CheckName(const std::string& name) {
  int characters = 0;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      return InvalidField("name", absl::StrCat("has a control character of code ", byte));
    }
    if ((byte & 0xc0) != 0x80) ++characters;  // UTF-8: continuation bytes start no character
  }
  if (characters < 1 || characters > 128) {
    return InvalidField("name", absl::StrCat("must have 1 to 128 characters, has ", characters));
  }
  return absl::OkStatus();
}

absl::Status CheckDatasetName(const std::string& name) {
  bool fine = !name.empty() && name.size() <= 128 && name[0] != '.';
  for (const char c : name) {
    fine &= absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  }
  if (fine) return absl::OkStatus();
  return InvalidField("dataset.name",
                      absl::StrCat("must be 1 to 128 of [A-Za-z0-9._-] and not begin with a dot, "
                                   "is '",
                                   name.substr(0, 200), "'"));
}

struct KnownDataset {
  v1::Shape input;
  int classes;
  int64_t train_samples;
  std::string worker_id;
};

std::optional<KnownDataset> FindDataset(const std::string& name,
                                        const std::vector<v1::Worker>& workers,
                                        std::optional<KnownDataset>* other) {
  std::optional<KnownDataset> known;
  for (const v1::Worker& worker : workers) {
    for (const v1::Dataset& dataset : worker.datasets()) {
      if (dataset.name() != name) continue;
      KnownDataset here;
      here.input.set_channels(dataset.channels());
      here.input.set_height(dataset.height());
      here.input.set_width(dataset.width());
      here.classes = dataset.classes();
      here.train_samples = dataset.train_samples();
      here.worker_id = worker.id();
      if (!known.has_value()) {
        known = here;
      } else if (DescribeShape(known->input, known->classes) !=
                 DescribeShape(here.input, here.classes)) {
        *other = here;
      }
    }
  }
  return known;
}

// Fills in or compares the shape of the data set with what workers have registered.
absl::Status ResolveDataset(const std::vector<v1::Worker>& workers, v1::DatasetSpec* dataset) {
  std::optional<KnownDataset> other;
  const std::optional<KnownDataset> known = FindDataset(dataset->name(), workers, &other);
  if (dataset->has_input()) {
    const v1::Shape& input = dataset->input();
    RETURN_IF_ERROR(CheckRange("dataset.input.channels", input.channels(), 1, 4096));
    RETURN_IF_ERROR(CheckRange("dataset.input.height", input.height(), 1, 65536));
    RETURN_IF_ERROR(CheckRange("dataset.input.width", input.width(), 1, 65536));
    RETURN_IF_ERROR(CheckRange("dataset.classes", dataset->classes(), 1, 65536));
    if (!known.has_value()) return absl::OkStatus();
    const std::string given = DescribeShape(input, dataset->classes());
    if (given == DescribeShape(known->input, known->classes)) return absl::OkStatus();
    if (other.has_value() && given == DescribeShape(other->input, other->classes)) {
      return absl::OkStatus();
    }
    const bool same_shape = DescribeShape(input, 0) == DescribeShape(known->input, 0);
    return InvalidField(same_shape ? "dataset.classes" : "dataset.input",
                        absl::StrCat("data set '", dataset->name(), "' is given as ", given,
                                     " but worker '", known->worker_id, "' holds it as ",
                                     DescribeShape(known->input, known->classes)));
  }
  if (!known.has_value()) {
    return InvalidField("dataset.input",
                        absl::StrCat("must be given, since no registered worker has data set '",
                                     dataset->name(), "'"));
  }
  if (other.has_value()) {
    return InvalidField(
        "dataset.input",
        absl::StrCat("must be given, since workers differ in data set '", dataset->name(), "': '",
                     known->worker_id, "' holds it as ",
                     DescribeShape(known->input, known->classes), ", '", other->worker_id, "' as ",
                     DescribeShape(other->input, other->classes)));
  }
  if (dataset->classes() != 0 && dataset->classes() != known->classes) {
    return InvalidField("dataset.classes",
                        absl::StrCat("is ", dataset->classes(), " but worker '", known->worker_id,
                                     "' holds '", dataset->name(), "' with ", known->classes));
  }
  *dataset->mutable_input() = known->input;
  dataset->set_classes(known->classes);
  return absl::OkStatus();
}

// Compares how many samples are asked for with how many the split leaves. It is made by class, so
// its sizes may be off by one a class; what is refused here cannot be had.
absl::Status CheckSampleCounts(const std::vector<v1::Worker>& workers,
                               const v1::DatasetSpec& dataset) {
  std::optional<KnownDataset> other;
  const std::optional<KnownDataset> known = FindDataset(dataset.name(), workers, &other);
  if (!known.has_value() || known->train_samples == 0) return absl::OkStatus();
  const auto check = [&](absl::string_view field, int64_t asked, double share) -> absl::Status {
    const int64_t most = static_cast<int64_t>(share * static_cast<double>(known->train_samples));
    if (asked <= most + dataset.classes()) return absl::OkStatus();
    return InvalidField(field,
                        absl::StrCat("is ", asked, ", but the split of the ", known->train_samples,
                                     " samples of '", dataset.name(), "' leaves ", most));
  };
  const double fraction = dataset.validation_fraction();
  RETURN_IF_ERROR(check("dataset.train_samples", dataset.train_samples(), 1 - fraction));
  return check("dataset.validation_samples", dataset.validation_samples(), fraction);
}

absl::Status CompleteDataset(const std::vector<v1::Worker>& workers, v1::DatasetSpec* dataset) {
  RETURN_IF_ERROR(CheckDatasetName(dataset->name()));
  RETURN_IF_ERROR(ResolveDataset(workers, dataset));
  const double fraction = dataset->validation_fraction();
  if (fraction == 0) {
    dataset->set_validation_fraction(1.0 / 6);
  } else if (!(fraction > 0 && fraction < 1)) {
    return InvalidField("dataset.validation_fraction",
                        absl::StrCat("must be above 0 and below 1, is ", fraction));
  }
  constexpr int kMax = std::numeric_limits<int32_t>::max();
  RETURN_IF_ERROR(CheckRange("dataset.train_samples", dataset->train_samples(), 0, kMax));
  RETURN_IF_ERROR(CheckRange("dataset.validation_samples", dataset->validation_samples(), 0, kMax));
  return CheckSampleCounts(workers, *dataset);
}

// Whether an epoch has a batch at all, as far as the data set is known.
absl::Status CheckBatchSize(const std::vector<v1::Worker>& workers, const v1::DatasetSpec& dataset,
                            int batch_size) {
  int64_t most = dataset.train_samples();
  if (most == 0) {
    std::optional<KnownDataset> other;
    const std::optional<KnownDataset> known = FindDataset(dataset.name(), workers, &other);
    if (!known.has_value() || known->train_samples == 0) return absl::OkStatus();
    // Shares are rounded for each class.
    most = static_cast<int64_t>((1 - dataset.validation_fraction()) *
                                static_cast<double>(known->train_samples)) +
           dataset.classes();
  }
  if (batch_size <= most) return absl::OkStatus();
  return InvalidField("training.batch_size",
                      absl::StrCat("is ", batch_size, ", but there are ", most,
                                   " training samples in '", dataset.name(), "'"));
}

absl::Status CheckShare(const char* field, double value) {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("must be at least 0 and below 1, is ", value));
}

absl::Status CheckClassWeights(const v1::TrainingRecipe& training, int classes) {
  const int count = training.class_weights_size();
  if (count != 0 && count != classes) {
    return InvalidField(
        "training.class_weights",
        absl::StrCat("must be none or one for each of the ", classes, " classes, are ", count));
  }
  for (int c = 0; c < count; ++c) {
    const double weight = training.class_weights(c);
    if (weight >= 1e-6 && weight <= 1e6) continue;
    return InvalidField(absl::StrCat("training.class_weights[", c, "]"),
                        absl::StrCat("must be 1e-06 to 1e+06, is ", weight));
  }
  return absl::OkStatus();
}

absl::Status CheckSchedule(const v1::TrainingRecipe& training) {
  if (!v1::Schedule_IsValid(training.schedule())) {
    return InvalidField("training.schedule",
                        absl::StrCat("unknown schedule ", static_cast<int>(training.schedule())));
  }
  const double step = training.step_epochs();
  if (training.schedule() == v1::SCHEDULE_STEP) {
    if (!(step > 0 && step <= training.epochs())) {
      return InvalidField("training.step_epochs",
                          absl::StrCat("must be above 0 and at most ", training.epochs(),
                                       " for the step schedule, is ", step));
    }
    return CheckRange("training.step_factor", training.step_factor(), 0.0, 1.0);
  }
  if (step != 0) {
    return InvalidField("training.step_epochs",
                        absl::StrCat("is for the step schedule alone, is ", step));
  }
  if (training.step_factor() != 0) {
    return InvalidField("training.step_factor", absl::StrCat("is for the step schedule alone, is ",
                                                             training.step_factor()));
  }
  return absl::OkStatus();
}

absl::Status CheckOptimizer(const v1::TrainingRecipe& training) {
  if (!v1::Optimizer_IsValid(training.optimizer())) {
    return InvalidField("training.optimizer",
                        absl::StrCat("unknown optimizer ", static_cast<int>(training.optimizer())));
  }
  RETURN_IF_ERROR(CheckShare("training.beta2", training.beta2()));
  RETURN_IF_ERROR(CheckRange("training.epsilon", training.epsilon(), 0.0, 1.0));
  if (training.optimizer() != v1::OPTIMIZER_ADAMW) {
    if (training.beta2() != 0) {
      return InvalidField("training.beta2",
                          absl::StrCat("is for adamw alone, is ", training.beta2()));
    }
    if (training.epsilon() != 0) {
      return InvalidField("training.epsilon",
                          absl::StrCat("is for adamw alone, is ", training.epsilon()));
    }
  }
  return CheckRange("training.clip_norm", training.clip_norm(), 0.0, 1e6);
}

absl::Status CheckAugmentation(const v1::TrainingRecipe& training, const v1::Shape& input) {
  const int extent = std::max(input.height(), input.width());
  RETURN_IF_ERROR(CheckRange("training.crop_padding", training.crop_padding(), 0, extent));
  RETURN_IF_ERROR(CheckRange("training.cutout_size", training.cutout_size(), 0, 2 * extent));
  RETURN_IF_ERROR(CheckRange("training.mixup_alpha", training.mixup_alpha(), 0.0, 100.0));
  return CheckRange("training.erasing_probability", training.erasing_probability(), 0.0, 1.0);
}

absl::Status CheckTraining(const v1::TrainingRecipe& training, const v1::DatasetSpec& dataset) {
  RETURN_IF_ERROR(CheckRange("training.epochs", training.epochs(), 1, 10000));
  RETURN_IF_ERROR(CheckRange("training.batch_size", training.batch_size(), 1, 65536));
  const double rate = training.learning_rate();
  if (!(rate > 0 && rate <= 1000)) {
    return InvalidField("training.learning_rate",
                        absl::StrCat("must be above 0 and at most 1000, is ", rate));
  }
  const double momentum = training.momentum();
  if (!(momentum >= 0 && momentum < 1)) {
    return InvalidField("training.momentum",
                        absl::StrCat("must be at least 0 and below 1, is ", momentum));
  }
  RETURN_IF_ERROR(CheckRange("training.weight_decay", training.weight_decay(), 0.0, 1.0));
  RETURN_IF_ERROR(CheckRange("training.warmup_epochs", training.warmup_epochs(), 0.0,
                             static_cast<double>(training.epochs())));
  RETURN_IF_ERROR(CheckShare("training.label_smoothing", training.label_smoothing()));
  RETURN_IF_ERROR(CheckClassWeights(training, dataset.classes()));
  RETURN_IF_ERROR(CheckOptimizer(training));
  RETURN_IF_ERROR(CheckSchedule(training));
  RETURN_IF_ERROR(CheckAugmentation(training, dataset.input()));
  if (!v1::Precision_IsValid(training.precision())) {
    return InvalidField("training.precision",
                        absl::StrCat("unknown precision ", static_cast<int>(training.precision())));
  }
  return CheckShare("training.average_decay", training.average_decay());
}

absl::Status CheckMetric(const std::string& field, v1::Metric metric) {
  if (v1::Metric_IsValid(metric) && metric != v1::METRIC_UNSPECIFIED) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("unknown metric ", static_cast<int>(metric)));
}

absl::Status CheckObjectives(const v1::JobSpec& spec) {
  if (spec.objectives_size() < 1 || spec.objectives_size() > kMaxObjectives) {
    return InvalidField("objectives", absl::StrCat("must be 1 to ", kMaxObjectives, ", are ",
                                                   spec.objectives_size()));
  }
  std::set<v1::Metric> seen;
  for (int i = 0; i < spec.objectives_size(); ++i) {
    const v1::Objective& objective = spec.objectives(i);
    const std::string path = absl::StrCat("objectives[", i, "]");
    RETURN_IF_ERROR(CheckMetric(path + ".metric", objective.metric()));
    if (objective.direction() != v1::DIRECTION_MAXIMIZE &&
        objective.direction() != v1::DIRECTION_MINIMIZE) {
      return InvalidField(
          path + ".direction",
          absl::StrCat("must be maximize or minimize for ", EnumName(objective.metric()), ", is ",
                       objective.direction() == v1::DIRECTION_UNSPECIFIED
                           ? "not given"
                           : absl::StrCat(static_cast<int>(objective.direction()))));
    }
    if (!seen.insert(objective.metric()).second) {
      return InvalidField(path + ".metric",
                          absl::StrCat(EnumName(objective.metric()), " is given twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckConstraints(const v1::JobSpec& spec) {
  if (spec.constraints_size() > kMaxConstraints) {
    return InvalidField("constraints", absl::StrCat("must be at most ", kMaxConstraints, ", are ",
                                                    spec.constraints_size()));
  }
  std::map<std::pair<v1::Metric, v1::Comparison>, double> seen;
  for (int i = 0; i < spec.constraints_size(); ++i) {
    const v1::Constraint& constraint = spec.constraints(i);
    const std::string path = absl::StrCat("constraints[", i, "]");
    RETURN_IF_ERROR(CheckMetric(path + ".metric", constraint.metric()));
    if (constraint.comparison() != v1::COMPARISON_AT_MOST &&
        constraint.comparison() != v1::COMPARISON_AT_LEAST) {
      return InvalidField(path + ".comparison",
                          absl::StrCat("must be at most or at least, is ",
                                       static_cast<int>(constraint.comparison())));
    }
    if (!std::isfinite(constraint.bound())) {
      return InvalidField(path + ".bound", absl::StrCat("must be finite, is ", constraint.bound()));
    }
    const bool at_most = constraint.comparison() == v1::COMPARISON_AT_MOST;
    if (at_most && constraint.bound() < 0) {
      return InvalidField(path + ".bound",
                          absl::StrCat(EnumName(constraint.metric()),
                                       " is never negative, so never <= ", constraint.bound()));
    }
    if (!at_most && constraint.metric() == v1::METRIC_ACCURACY && constraint.bound() > 1) {
      return InvalidField(path + ".bound",
                          absl::StrCat("accuracy is at most 1, so never >= ", constraint.bound()));
    }
    const auto opposite = seen.find(
        {constraint.metric(), at_most ? v1::COMPARISON_AT_LEAST : v1::COMPARISON_AT_MOST});
    if (opposite != seen.end() &&
        (at_most ? constraint.bound() < opposite->second : constraint.bound() > opposite->second)) {
      return InvalidField(
          path + ".bound",
          absl::StrCat(EnumName(constraint.metric()), at_most ? " <= " : " >= ", constraint.bound(),
                       " contradicts the earlier ", at_most ? ">= " : "<= ", opposite->second));
    }
    if (!seen.emplace(std::pair(constraint.metric(), constraint.comparison()), constraint.bound())
             .second) {
      return InvalidField(path + ".metric", absl::StrCat(EnumName(constraint.metric()),
                                                         " is bounded twice from one side"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLimit(const char* field, double value) {
  if (std::isfinite(value) && value > 0) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("must be positive and finite, is ", value));
}

absl::Status CheckBudget(const v1::Budget& budget) {
  if (!budget.has_trials() && !budget.has_wall_seconds() && !budget.has_cpu_seconds() &&
      !budget.has_energy_kwh()) {
    return InvalidField("budget",
                        "needs at least one of trials, wall_seconds, cpu_seconds, energy_kwh");
  }
  if (budget.has_trials()) {
    RETURN_IF_ERROR(
        CheckRange<int64_t>("budget.trials", budget.trials(), 1, int64_t{1000} * 1000 * 1000));
  }
  if (budget.has_wall_seconds()) {
    RETURN_IF_ERROR(CheckLimit("budget.wall_seconds", budget.wall_seconds()));
  }
  if (budget.has_cpu_seconds()) {
    RETURN_IF_ERROR(CheckLimit("budget.cpu_seconds", budget.cpu_seconds()));
  }
  if (budget.has_energy_kwh()) {
    RETURN_IF_ERROR(CheckLimit("budget.energy_kwh", budget.energy_kwh()));
  }
  return absl::OkStatus();
}

absl::Status CompleteLimits(bool reproducible, v1::TrialLimits* limits) {
  // Sums depend on the number of threads, so it must not depend on the worker.
  if (reproducible && limits->threads() == 0) limits->set_threads(1);
  if (limits->wall_seconds() == 0) limits->set_wall_seconds(3600);
  if (limits->max_attempts() == 0) limits->set_max_attempts(3);
  if (limits->memory_bytes() != 0) {
    RETURN_IF_ERROR(CheckRange<int64_t>("limits.memory_bytes", limits->memory_bytes(),
                                        kLeastTrialMemory, std::numeric_limits<int64_t>::max()));
  }
  if (!(limits->wall_seconds() > 0 && limits->wall_seconds() <= kMaxTrialSeconds)) {
    return InvalidField("limits.wall_seconds",
                        absl::StrCat("must be above 0 and at most ", kMaxTrialSeconds, ", is ",
                                     limits->wall_seconds()));
  }
  RETURN_IF_ERROR(CheckRange("limits.max_attempts", limits->max_attempts(), 1, 100));
  return CheckRange("limits.threads", limits->threads(), 0, 4096);
}

// What stands in the way of the architectures tried.
struct Probe {
  explicit Probe(const v1::JobSpec& spec) : broken(spec.constraints_size(), 0) {}
  int tried = 0;
  int invalid = 0;          // have no valid network
  std::vector<int> broken;  // by constraint
  std::string last_error;
};

// Whether `genotype` could be proposed; if not, notes why.
bool Try(const v1::JobSpec& spec, const Space& space, const v1::Genotype& genotype, Probe* probe) {
  ++probe->tried;
  const absl::StatusOr<v1::Architecture> architecture = space.Lower(genotype);
  const absl::StatusOr<GraphCosts> costs = architecture.ok()
                                               ? AnalyzeGraph(*architecture)
                                               : absl::StatusOr<GraphCosts>(architecture.status());
  if (!costs.ok()) {
    ++probe->invalid;
    probe->last_error = std::string(costs.status().message());
    return false;
  }
  if (MeetsAnalyticConstraints(spec, costs->parameters, costs->macs)) return true;
  for (int i = 0; i < spec.constraints_size(); ++i) {
    v1::JobSpec alone;
    *alone.add_constraints() = spec.constraints(i);
    if (!MeetsAnalyticConstraints(alone, costs->parameters, costs->macs)) ++probe->broken[i];
  }
  return false;
}

absl::Status ExplainEmpty(const v1::JobSpec& spec, const Probe& probe, bool exhaustive) {
  const std::string tried =
      exhaustive ? absl::StrCat("none of the ", probe.tried, " architectures")
                 : absl::StrCat("none of ", probe.tried, " architectures drawn at random");
  for (int i = 0; i < spec.constraints_size(); ++i) {
    if (probe.broken[i] + probe.invalid < probe.tried || probe.broken[i] == 0) continue;
    const v1::Constraint& constraint = spec.constraints(i);
    return InvalidField(
        absl::StrCat("constraints[", i, "].bound"),
        absl::StrCat(tried, " of the search space has ", EnumName(constraint.metric()),
                     constraint.comparison() == v1::COMPARISON_AT_MOST ? " <= " : " >= ",
                     constraint.bound()));
  }
  if (probe.invalid == probe.tried) {
    return InvalidField("search_space",
                        absl::StrCat(tried, " is a valid network, say: ", probe.last_error));
  }
  return InvalidField("search_space", absl::StrCat(tried, " meets all constraints"));
}

}  // namespace

absl::StatusOr<v1::JobSpec> CompleteJobSpec(const v1::JobSpec& spec,
                                            const std::vector<v1::Worker>& workers) {
  v1::JobSpec complete = spec;
  RETURN_IF_ERROR(CheckName(spec.name()));
  RETURN_IF_ERROR(CompleteDataset(workers, complete.mutable_dataset()));
  RETURN_IF_ERROR(CheckTraining(spec.training(), complete.dataset()));
  RETURN_IF_ERROR(CheckBatchSize(workers, complete.dataset(), spec.training().batch_size()));
  if (spec.training().precision() == v1::PRECISION_UNSPECIFIED) {
    complete.mutable_training()->set_precision(v1::PRECISION_AUTO);
  }
  RETURN_IF_ERROR(CheckObjectives(spec));
  RETURN_IF_ERROR(CheckConstraints(spec));
  RETURN_IF_ERROR(CheckBudget(spec.budget()));
  RETURN_IF_ERROR(CompleteLimits(spec.reproducible(), complete.mutable_limits()));
  RETURN_IF_ERROR(CheckRange("max_parallel_trials", spec.max_parallel_trials(), 0,
                             std::numeric_limits<int32_t>::max()));
  return complete;
}

absl::Status CheckSpaceIsNotEmpty(const v1::JobSpec& spec, const Space& space) {
  Probe probe(spec);
  int64_t size = 0;
  if (absl::SimpleAtoi(space.Size(), &size) && size <= kProbes) {
    v1::Genotype genotype = space.First();
    do {
      if (Try(spec, space, genotype, &probe)) return absl::OkStatus();
    } while (space.Advance(&genotype));
    return ExplainEmpty(spec, probe, /*exhaustive=*/true);
  }
  Rng rng(spec.strategy().seed(), kProbeStream);
  while (probe.tried < kProbes) {
    if (Try(spec, space, space.Sample(&rng), &probe)) return absl::OkStatus();
  }
  return ExplainEmpty(spec, probe, /*exhaustive=*/false);
}

}  // namespace frontier::coordinator
