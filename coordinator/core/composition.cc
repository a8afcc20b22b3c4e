#include "coordinator/core/composition.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "common/architecture/graph.h"
#include "common/base/enum_names.h"
#include "common/base/status.h"
#include "coordinator/composer/composer.h"
#include "coordinator/composer/cost_model.h"
#include "coordinator/core/field_checks.h"
#include "coordinator/core/search_context.h"
#include "coordinator/space/probe_space.h"
#include "coordinator/space/staged_space.h"

namespace frontier::coordinator {
namespace {

constexpr char kField[] = "search_space.auto";
constexpr int kDefaultProbes = 5;
constexpr int kMaxProbes = 32;
constexpr int64_t kShareOfBudget = 4;  // at most one of so many trials is a probe
// One says nothing of how costs grow.
constexpr int kLeastProbes = 2;

std::optional<Cost> CostOf(v1::Metric metric) {
  switch (metric) {
    case v1::METRIC_LATENCY_MS:
      return Cost::kLatencyMs;
    case v1::METRIC_PARAMETERS:
      return Cost::kParameters;
    case v1::METRIC_MACS:
      return Cost::kMacs;
    case v1::METRIC_ENERGY_J:
      return Cost::kEnergyJ;
    case v1::METRIC_CO2_G:
      return Cost::kCo2G;
    case v1::METRIC_CPU_SECONDS:
      return Cost::kCpuSeconds;
    case v1::METRIC_WALL_SECONDS:
      return Cost::kWallSeconds;
    default:
      return std::nullopt;
  }
}

// The limits that a user has stated, then those that a trial has anyway.
std::vector<CostLimit> LimitsOf(const v1::JobSpec& spec) {
  std::vector<CostLimit> limits;
  for (int i = 0; i < spec.constraints_size(); ++i) {
    const v1::Constraint& constraint = spec.constraints(i);
    const std::optional<Cost> cost = CostOf(constraint.metric());
    if (!cost.has_value() || constraint.comparison() != v1::COMPARISON_AT_MOST) continue;
    limits.push_back({*cost, constraint.bound(), absl::StrCat("constraints[", i, "].bound")});
  }
  if (spec.limits().memory_bytes() > 0) {
    limits.push_back({Cost::kMemoryBytes, static_cast<double>(spec.limits().memory_bytes()),
                      "limits.memory_bytes"});
  }
  limits.push_back({Cost::kWallSeconds, spec.limits().wall_seconds(), "limits.wall_seconds",
                    /*incidental=*/true});
  return limits;
}

// Costs that some limit is about and that are known only from running. The time limit that every
// trial has is no reason to run any.
std::vector<Cost> MeasuredCosts(absl::Span<const CostLimit> limits) {
  std::vector<Cost> costs;
  for (const CostLimit& limit : limits) {
    if (IsCounted(limit.cost) || limit.incidental) continue;
    if (std::find(costs.begin(), costs.end(), limit.cost) == costs.end()) {
      costs.push_back(limit.cost);
    }
  }
  return costs;
}

DataFacts FactsOf(const v1::JobSpec& spec, int64_t train_samples) {
  DataFacts facts;
  facts.input = spec.dataset().input();
  facts.classes = spec.dataset().classes();
  facts.train_samples = train_samples;
  facts.epochs = spec.training().epochs();
  facts.batch_size = spec.training().batch_size();
  return facts;
}

int ProbeCount(const v1::JobSpec& spec) {
  const int asked = spec.search_space().auto_().probes();
  int64_t count = asked == 0 ? kDefaultProbes : asked;
  if (spec.budget().has_trials()) {
    count = std::min(count, spec.budget().trials() / kShareOfBudget);
  }
  return count < kLeastProbes ? 0 : static_cast<int>(count);
}

// Those that the job may propose, each once.
absl::StatusOr<std::vector<v1::Architecture>> AdmissibleProbes(
    const v1::JobSpec& spec, const std::vector<v1::Architecture>& probes) {
  std::vector<v1::Architecture> admissible;
  if (probes.empty()) return admissible;
  ASSIGN_OR_RETURN(const std::unique_ptr<Space> space,
                   CreateProbeSpace({probes.begin(), probes.end()}, spec.dataset().input(),
                                    spec.dataset().classes()));
  absl::flat_hash_set<std::string> hashes;
  v1::Genotype genotype = space->First();
  do {
    std::optional<Candidate> candidate = AdmitCandidate(spec, *space, hashes, genotype);
    if (!candidate.has_value()) continue;
    hashes.insert(std::move(candidate->hash));
    admissible.push_back(std::move(candidate->architecture));
  } while (space->Advance(&genotype));
  return admissible;
}

std::optional<double> MeasuredValue(Cost cost, const v1::ProbeFinding& finding) {
  if (cost == Cost::kMemoryBytes) {
    if (finding.peak_memory_bytes() <= 0) return std::nullopt;
    return static_cast<double>(finding.peak_memory_bytes());
  }
  for (const v1::Measurement& measurement : finding.measurements()) {
    if (CostOf(measurement.metric()) == cost) return measurement.value();
  }
  return std::nullopt;
}

NetworkSize SizeOf(const v1::ProbeFinding& finding) {
  NetworkSize size;
  size.layers = static_cast<double>(finding.layers());
  size.parameters = static_cast<double>(finding.parameters());
  size.macs = static_cast<double>(finding.macs());
  size.activation_bytes = static_cast<double>(finding.activation_bytes());
  return size;
}

}  // namespace

bool IsProbing(const v1::JobSpec& spec) {
  return spec.search_space().auto_().composition().probing();
}

bool HasProposedAllProbes(const v1::Job& job) {
  return job.trials_created() >= job.spec().search_space().auto_().composition().probes_size();
}

absl::Status ComposeSpace(int64_t train_samples, v1::JobSpec* spec) {
  if (!spec->search_space().has_auto_()) return absl::OkStatus();
  v1::AutoSpace* space = spec->mutable_search_space()->mutable_auto_();
  RETURN_IF_ERROR(CheckRange(absl::StrCat(kField, ".probes"), space->probes(), 0, kMaxProbes));
  const int version = spec->search_space().version();
  if (space->composition().probing()) {
    return InvalidField(absl::StrCat(kField, ".composition.probing"),
                        "is true; a job that is submitted has a space, or leaves it out");
  }
  if (space->composition().has_space()) {
    space->mutable_composition()->clear_probes();
    space->mutable_composition()->set_version(version);
    return absl::OkStatus();
  }
  const DataFacts facts = FactsOf(*spec, train_samples);
  const std::vector<CostLimit> limits = LimitsOf(*spec);
  // Also before probes run: what counted limits leave nothing of is refused now.
  ASSIGN_OR_RETURN(v1::Composition composition, Compose(facts, limits, {}));
  const std::vector<Cost> measured = MeasuredCosts(limits);
  const int count = measured.empty() ? 0 : ProbeCount(*spec);
  if (count > 0) {
    ASSIGN_OR_RETURN(const std::vector<v1::Architecture> chosen,
                     ChooseProbes(facts, limits, count));
    ASSIGN_OR_RETURN(const std::vector<v1::Architecture> probes, AdmissibleProbes(*spec, chosen));
    if (probes.size() >= kLeastProbes) {
      composition.Clear();
      composition.set_probing(true);
      composition.set_train_samples(train_samples);
      *composition.mutable_probes() = {probes.begin(), probes.end()};
      composition.add_reasons(absl::StrCat(
          probes.size(), " networks are trained first, to learn what networks have of ",
          absl::StrJoin(measured, ", ",
                        [](std::string* out, Cost cost) { out->append(CostName(cost)); })));
    }
  }
  composition.set_version(version);
  *space->mutable_composition() = std::move(composition);
  return absl::OkStatus();
}

absl::StatusOr<v1::ProbeFinding> FindingOf(const v1::Trial& trial,
                                           const v1::Architecture& architecture) {
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  const NetworkSize size = coordinator::SizeOf(costs);
  v1::ProbeFinding finding;
  finding.set_trial(trial.number());
  finding.set_layers(static_cast<int64_t>(size.layers));
  finding.set_parameters(costs.parameters);
  finding.set_macs(costs.macs);
  finding.set_activation_bytes(costs.activation_bytes);
  if (trial.state() == v1::TRIAL_STATE_SUCCEEDED) {
    *finding.mutable_measurements() = trial.result().measurements();
    const v1::EngineRecord& engine = trial.result().engine();
    // Trials are refused by what is foretold, and stopped by what they use.
    finding.set_peak_memory_bytes(
        std::max(engine.predicted_memory_bytes(), engine.peak_memory_bytes()));
  } else if (trial.has_failure()) {
    *finding.mutable_failure() = trial.failure();
  } else {
    finding.mutable_failure()->set_cause(v1::FAILURE_CAUSE_PREEMPTED);
    finding.mutable_failure()->set_message("it was cancelled");
  }
  return finding;
}

absl::StatusOr<v1::Composition> ComposeFromProbes(const v1::JobRecord& record) {
  const v1::JobSpec& spec = record.job().spec();
  const v1::ProbeFinding* failed = nullptr;
  int succeeded = 0;
  for (const v1::ProbeFinding& finding : record.probes()) {
    if (!finding.has_failure()) ++succeeded;
    if (finding.has_failure() && failed == nullptr) failed = &finding;
  }
  if (succeeded == 0) {
    std::string text = absl::StrCat("none of ", record.probes_size(), " probes succeeded");
    if (failed != nullptr) {
      absl::StrAppend(&text, "; trial ", failed->trial(), ": ", EnumName(failed->failure().cause()),
                      ": ", failed->failure().message());
    }
    return absl::FailedPreconditionError(text);
  }
  const std::vector<CostLimit> limits = LimitsOf(spec);
  CostModels models;
  for (const CostLimit& limit : limits) {
    if (IsCounted(limit.cost) || models.find(limit.cost) != models.end()) continue;
    std::vector<CostSample> samples;
    for (const v1::ProbeFinding& finding : record.probes()) {
      const std::optional<double> value = MeasuredValue(limit.cost, finding);
      if (value.has_value()) samples.push_back({SizeOf(finding), *value});
    }
    std::optional<CostModel> model = CostModel::Fit(limit.cost, samples);
    if (model.has_value()) models.emplace(limit.cost, *std::move(model));
  }
  const v1::Composition& before = spec.search_space().auto_().composition();
  return Compose(FactsOf(spec, before.train_samples()), limits, models);
}

void StripProbes(v1::JobSpec* spec) {
  if (!spec->search_space().has_auto_()) return;
  spec->mutable_search_space()->mutable_auto_()->mutable_composition()->clear_probes();
}

}  // namespace frontier::coordinator
