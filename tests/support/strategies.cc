#include "tests/support/strategies.h"

#include <set>
#include <stdexcept>

#include "google/protobuf/text_format.h"

namespace frontier::testing {
namespace {

StrategyCase Case(const char* name, const char* text) {
  StrategyCase strategy{name, {}};
  if (!google::protobuf::TextFormat::ParseFromString(text, &strategy.spec)) {
    throw std::invalid_argument(text);
  }
  return strategy;
}

std::vector<StrategyCase> MakeAll() {
  std::vector<StrategyCase> all = {
      Case("grid", "grid {}"),
      Case("random", "random {}"),
      Case("local_search", "local_search { initial_samples: 4 }"),
      Case("evolution", "evolution {}"),
      Case("evolution_small", "evolution { population_size: 2 sample_size: 1 }"),
      Case("evolution_crossing", "evolution { population_size: 8 crossover_rate: 0.5 }"),
      Case("nsga2", "nsga2 { population_size: 8 }"),
      Case("nsga3", "nsga3 { population_size: 8 }"),
      Case("reinforce", "reinforce {}"),
      Case("reinforce_targets",
           "reinforce { entropy_weight: 0.01 targets { metric: METRIC_LATENCY_MS target: 500 } }"),
      Case("tpe", "tpe { initial_samples: 8 }"),
      Case("bayesian", "bayesian { initial_samples: 6 candidates: 60 }"),
      Case("auto", "auto {}"),
      Case("auto_two", "auto { arms: 'evolution' arms: 'random' }"),
  };
  // So that a strategy that is added is tested.
  std::set<int> kinds;
  for (const StrategyCase& strategy : all) kinds.insert(strategy.spec.kind_case());
  if (static_cast<int>(kinds.size()) !=
      v1::StrategySpec::descriptor()->FindOneofByName("kind")->field_count()) {
    throw std::logic_error("a strategy is not among those that tests run over");
  }
  return all;
}

}  // namespace

const std::vector<StrategyCase>& AllStrategies() {
  static const std::vector<StrategyCase> all = MakeAll();
  return all;
}

v1::JobSpec JobSearchingBy(const v1::StrategySpec& strategy, int objectives) {
  constexpr v1::Metric kMetrics[] = {v1::METRIC_ACCURACY, v1::METRIC_LATENCY_MS,
                                     v1::METRIC_PARAMETERS, v1::METRIC_ENERGY_J};
  v1::JobSpec job;
  *job.mutable_strategy() = strategy;
  for (int i = 0; i < objectives; ++i) {
    v1::Objective* objective = job.add_objectives();
    objective->set_metric(kMetrics[i]);
    objective->set_direction(i == 0 ? v1::DIRECTION_MAXIMIZE : v1::DIRECTION_MINIMIZE);
  }
  return job;
}

}  // namespace frontier::testing
