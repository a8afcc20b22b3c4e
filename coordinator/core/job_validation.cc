#include "coordinator/core/job_validation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/enum_names.h"
#include "common/base/status.h"
#include "coordinator/core/field_checks.h"
#include "coordinator/core/recipe_check.h"
#include "coordinator/core/worker_registry.h"
#include "coordinator/stopping/ladders.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxObjectives = 6;
constexpr int kMaxConstraints = 32;
// Room for extensions.
constexpr int kMaxVersion = 1'000'000;
constexpr double kMaxTrialSeconds = 30 * 24 * 3600.0;
constexpr double kMomentum = 0.9;
constexpr int kMaxPriority = 100;
constexpr double kMaxShare = 1000;
constexpr int kMaxHardwareClasses = 64;
constexpr size_t kMaxHardwareClassLength = 256;
// Below this a process of the engine cannot even begin.
constexpr int64_t kLeastTrialMemory = int64_t{16} << 20;

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

std::string Describe(const KnownDataset& known) {
  return DescribeShape(known.input, known.classes);
}

// As it is held by those of `workers` that are alive or not: one of each shape, by worker id.
std::vector<KnownDataset> HeldBy(const std::string& name, const std::vector<v1::Worker>& workers,
                                 bool alive) {
  std::vector<KnownDataset> kinds;
  for (const v1::Worker& worker : workers) {
    for (const v1::Dataset& dataset : worker.datasets()) {
      if (worker.alive() != alive || dataset.name() != name) continue;
      KnownDataset here;
      here.input.set_channels(dataset.channels());
      here.input.set_height(dataset.height());
      here.input.set_width(dataset.width());
      here.classes = dataset.classes();
      here.train_samples = dataset.train_samples();
      here.worker_id = worker.id();
      const bool is_new = std::none_of(kinds.begin(), kinds.end(), [&](const KnownDataset& kind) {
        return Describe(kind) == Describe(here);
      });
      if (is_new) kinds.push_back(here);
    }
  }
  return kinds;
}

// What workers that are gone held counts only where no live one has the data set: it may have been
// another under the same name.
std::vector<KnownDataset> FindDataset(const std::string& name,
                                      const std::vector<v1::Worker>& workers) {
  std::vector<KnownDataset> kinds = HeldBy(name, workers, /*alive=*/true);
  return kinds.empty() ? HeldBy(name, workers, /*alive=*/false) : kinds;
}

// Fills in or compares the shape of the data set with what workers have registered.
absl::Status ResolveDataset(const std::vector<v1::Worker>& workers, v1::DatasetSpec* dataset) {
  const std::vector<KnownDataset> kinds = FindDataset(dataset->name(), workers);
  if (dataset->has_input()) {
    const v1::Shape& input = dataset->input();
    RETURN_IF_ERROR(CheckRange("dataset.input.channels", input.channels(), 1, 4096));
    RETURN_IF_ERROR(CheckRange("dataset.input.height", input.height(), 1, 65536));
    RETURN_IF_ERROR(CheckRange("dataset.input.width", input.width(), 1, 65536));
    RETURN_IF_ERROR(CheckRange("dataset.classes", dataset->classes(), 1, 65536));
    const std::string given = DescribeShape(input, dataset->classes());
    const bool is_held = std::any_of(kinds.begin(), kinds.end(), [&](const KnownDataset& kind) {
      return Describe(kind) == given;
    });
    if (is_held || kinds.empty()) return absl::OkStatus();
    const bool same_shape = DescribeShape(input, 0) == DescribeShape(kinds[0].input, 0);
    return InvalidField(
        same_shape ? "dataset.classes" : "dataset.input",
        absl::StrCat("data set '", dataset->name(), "' is given as ", given, " but worker '",
                     kinds[0].worker_id, "' holds it as ", Describe(kinds[0])));
  }
  if (kinds.empty()) {
    return InvalidField("dataset.input",
                        absl::StrCat("must be given, since no registered worker has data set '",
                                     dataset->name(), "'"));
  }
  const KnownDataset& known = kinds[0];
  if (kinds.size() > 1) {
    return InvalidField(
        "dataset.input",
        absl::StrCat("must be given, since workers differ in data set '", dataset->name(), "': '",
                     known.worker_id, "' holds it as ", Describe(known), ", '", kinds[1].worker_id,
                     "' as ", Describe(kinds[1])));
  }
  if (dataset->classes() != 0 && dataset->classes() != known.classes) {
    return InvalidField("dataset.classes",
                        absl::StrCat("is ", dataset->classes(), " but worker '", known.worker_id,
                                     "' holds '", dataset->name(), "' with ", known.classes));
  }
  *dataset->mutable_input() = known.input;
  dataset->set_classes(known.classes);
  return absl::OkStatus();
}

// Compares how many samples are asked for with how many the split leaves. It is made by class, so
// its sizes may be off by one a class; what is refused here cannot be had.
absl::Status CheckSampleCounts(const std::vector<v1::Worker>& workers,
                               const v1::DatasetSpec& dataset) {
  const std::vector<KnownDataset> kinds = FindDataset(dataset.name(), workers);
  if (kinds.empty() || kinds[0].train_samples == 0) return absl::OkStatus();
  const int64_t samples = kinds[0].train_samples;
  const auto check = [&](absl::string_view field, int64_t asked, double share) -> absl::Status {
    const auto most = static_cast<int64_t>(share * static_cast<double>(samples));
    if (asked <= most + dataset.classes()) return absl::OkStatus();
    return InvalidField(field, absl::StrCat("is ", asked, ", but the split of the ", samples,
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
  int64_t most = TrainSamples(dataset, workers);
  if (most == 0) return absl::OkStatus();
  // Shares are rounded for each class.
  if (dataset.train_samples() == 0) most += dataset.classes();
  if (batch_size <= most) return absl::OkStatus();
  return InvalidField("training.batch_size",
                      absl::StrCat("is ", batch_size, ", but there are ", most,
                                   " training samples in '", dataset.name(), "'"));
}

absl::Status CheckMetric(const std::string& field, v1::Metric metric) {
  if (metric == v1::METRIC_PROXY) {
    return InvalidField(field, "proxy is of untrained networks, it screens them and no more");
  }
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

}  // namespace

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

absl::Status CheckPlaceInLine(int priority, double share, int max_parallel_trials) {
  RETURN_IF_ERROR(CheckRange("priority", priority, -kMaxPriority, kMaxPriority));
  if (share != 0) RETURN_IF_ERROR(CheckRange("share", share, 1 / kMaxShare, kMaxShare));
  return CheckRange("max_parallel_trials", max_parallel_trials, 0,
                    std::numeric_limits<int32_t>::max());
}

namespace {

absl::Status CheckPlacement(const v1::Placement& placement) {
  RETURN_IF_ERROR(CheckLabels("placement.labels", placement.labels()));
  RETURN_IF_ERROR(CheckRange("placement.hardware_classes", placement.hardware_classes_size(), 0,
                             kMaxHardwareClasses));
  for (int i = 0; i < placement.hardware_classes_size(); ++i) {
    const std::string& name = placement.hardware_classes(i);
    if (!name.empty() && name.size() <= kMaxHardwareClassLength) continue;
    return InvalidField(
        absl::StrCat("placement.hardware_classes[", i, "]"),
        absl::StrCat("must have 1 to ", kMaxHardwareClassLength, " characters, has ", name.size()));
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

}  // namespace

int64_t TrainSamples(const v1::DatasetSpec& dataset, const std::vector<v1::Worker>& workers) {
  if (dataset.train_samples() != 0) return dataset.train_samples();
  const std::vector<KnownDataset> kinds = FindDataset(dataset.name(), workers);
  if (kinds.empty()) return 0;
  return static_cast<int64_t>((1 - dataset.validation_fraction()) *
                              static_cast<double>(kinds[0].train_samples));
}

absl::Status CheckRecipes(const v1::JobSpec& spec, const std::vector<v1::Worker>& workers) {
  const auto check = [&](const v1::TrainingRecipe& recipe) {
    RETURN_IF_ERROR(CheckTraining(recipe, spec.dataset()));
    return CheckBatchSize(workers, spec.dataset(), recipe.batch_size());
  };
  RETURN_IF_ERROR(check(spec.training()));
  return CheckHyperparameters(spec, check);
}

absl::StatusOr<v1::JobSpec> CompleteJobSpec(const v1::JobSpec& spec,
                                            const std::vector<v1::Worker>& workers) {
  v1::JobSpec complete = spec;
  RETURN_IF_ERROR(CheckName(spec.name()));
  RETURN_IF_ERROR(CompleteDataset(workers, complete.mutable_dataset()));
  if (spec.training().precision() == v1::PRECISION_UNSPECIFIED) {
    complete.mutable_training()->set_precision(v1::PRECISION_AUTO);
  }
  if (!spec.training().has_momentum()) complete.mutable_training()->set_momentum(kMomentum);
  RETURN_IF_ERROR(CheckRecipes(complete, workers));
  RETURN_IF_ERROR(
      CheckRange("search_space.version", spec.search_space().version(), 0, kMaxVersion));
  RETURN_IF_ERROR(CheckObjectives(spec));
  RETURN_IF_ERROR(CheckConstraints(spec));
  RETURN_IF_ERROR(CheckBudget(spec.budget()));
  RETURN_IF_ERROR(CheckEarlyStopping(complete));
  if (spec.has_warm_start() && spec.search_space().has_auto_()) {
    return InvalidField("warm_start", "wants a space that is known, auto has yet to compose one");
  }
  RETURN_IF_ERROR(CompleteLimits(spec.reproducible(), complete.mutable_limits()));
  RETURN_IF_ERROR(CheckPlacement(spec.placement()));
  RETURN_IF_ERROR(CheckPlaceInLine(spec.priority(), spec.share(), spec.max_parallel_trials()));
  return complete;
}

}  // namespace frontier::coordinator
