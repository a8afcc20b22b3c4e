#include "coordinator/strategy/strategy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/strategy/bayesian.h"
#include "coordinator/strategy/evolution.h"
#include "coordinator/strategy/grid.h"
#include "coordinator/strategy/local_search.h"
#include "coordinator/strategy/nsga2.h"
#include "coordinator/strategy/nsga3.h"
#include "coordinator/strategy/portfolio.h"
#include "coordinator/strategy/random.h"
#include "coordinator/strategy/reinforce.h"
#include "coordinator/strategy/tpe.h"

namespace frontier::coordinator {
namespace {

using Created = absl::StatusOr<std::unique_ptr<Strategy>>;

std::string StrategyNames() {
  std::string names;
  const auto* kinds = v1::StrategySpec::descriptor()->FindOneofByName("kind");
  for (int i = 0; i < kinds->field_count(); ++i) {
    absl::StrAppend(&names, i == 0 ? "" : ", ", kinds->field(i)->name());
  }
  return names;
}

Created CreateKind(const v1::JobSpec& job);

// The defaults of a portfolio: what climbs and what models; for fronts also what breeds.
std::vector<std::string> DefaultArms(int objectives) {
  if (objectives > 1) return {"local_search", "nsga2", "tpe", "bayesian"};
  // Not local_search: it stays where one measurement was lucky.
  return {"nsga2", "tpe", "bayesian"};
}

Created CreateAuto(const v1::JobSpec& job) {
  v1::JobSpec single = job;
  CompleteStrategy(&single);
  const std::vector<std::string> names(single.strategy().auto_().arms().begin(),
                                       single.strategy().auto_().arms().end());
  if (names.size() < 2) return InvalidField("arms", "has only one; a portfolio has two at least");
  std::vector<PortfolioArm> arms;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string item = absl::StrCat("arms[", i, "]");
    const auto* kind = v1::StrategySpec::descriptor()->FindFieldByName(names[i]);
    if (kind == nullptr || kind->containing_oneof() == nullptr ||
        kind->number() == v1::StrategySpec::kAuto) {
      return InvalidField(
          item, absl::StrCat("unknown strategy '", names[i], "'; known are: ", StrategyNames()));
    }
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      return InvalidField(item, absl::StrCat(names[i], " is listed twice"));
    }
    v1::StrategySpec* spec = single.mutable_strategy();
    spec->GetReflection()->MutableMessage(spec, kind);
    Created arm = CreateKind(single);
    if (!arm.ok()) return PrefixField(item, arm.status());
    arms.push_back({names[i], *std::move(arm)});
  }
  return CreatePortfolioStrategy(std::move(arms), job.strategy().seed());
}

Created CreateKind(const v1::JobSpec& job) {
  const v1::StrategySpec& spec = job.strategy();
  switch (spec.kind_case()) {
    case v1::StrategySpec::kGrid:
      return CreateGridStrategy();
    case v1::StrategySpec::kRandom:
      return CreateRandomStrategy(spec.seed());
    case v1::StrategySpec::kLocalSearch:
      return CreateLocalSearchStrategy(spec.local_search(), spec.seed());
    case v1::StrategySpec::kEvolution:
      return CreateEvolutionStrategy(spec.evolution(), spec.seed());
    case v1::StrategySpec::kNsga2:
      return CreateNsga2Strategy(spec.nsga2(), spec.seed());
    case v1::StrategySpec::kNsga3:
      return CreateNsga3Strategy(spec.nsga3(), job.objectives_size(), spec.seed());
    case v1::StrategySpec::kReinforce:
      return CreateReinforceStrategy(spec.reinforce(), job, spec.seed());
    case v1::StrategySpec::kTpe:
      return CreateTpeStrategy(spec.tpe(), spec.seed());
    case v1::StrategySpec::kBayesian:
      return CreateBayesianStrategy(spec.bayesian(), spec.seed());
    case v1::StrategySpec::kAuto:
      return CreateAuto(job);
    case v1::StrategySpec::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind", absl::StrCat("no strategy given; known are: ", StrategyNames()));
}

}  // namespace

void CompleteStrategy(v1::JobSpec* job) {
  if (!job->strategy().has_auto_() || job->strategy().auto_().arms_size() > 0) return;
  for (std::string& arm : DefaultArms(job->objectives_size())) {
    job->mutable_strategy()->mutable_auto_()->add_arms(std::move(arm));
  }
}

Created CreateStrategy(const v1::JobSpec& job) {
  Created strategy = CreateKind(job);
  if (strategy.ok() || job.strategy().kind_case() == v1::StrategySpec::KIND_NOT_SET) {
    return strategy;
  }
  const auto* kind = v1::StrategySpec::descriptor()->FindFieldByNumber(job.strategy().kind_case());
  return PrefixField(kind->name(), strategy.status());
}

}  // namespace frontier::coordinator
