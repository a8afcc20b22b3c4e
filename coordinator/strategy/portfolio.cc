#include "coordinator/strategy/portfolio.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/pareto/hypervolume.h"
#include "common/pareto/pareto.h"
#include "coordinator/strategy/preference.h"

namespace frontier::coordinator {
namespace {

constexpr uint64_t kChoiceStream = 0x706f7274666f6c69;
// What a trial counts for after each that follows.
constexpr double kFading = 0.95;
// Successes that nobody is credited with: strategies begin with random draws, and what the first of
// these gain is luck.
constexpr int64_t kFirstDraws = 10;
// Trials' worth of average gain that each arm is taken to have shown.
constexpr double kPriorTrials = 2;
// Of an even share of the proposals, what an arm keeps however little it gains.
constexpr double kLeastShare = 0.25;

struct Arm {
  std::string name;
  std::unique_ptr<Strategy> strategy;
  int64_t trials = 0;
  double gain = 0;
  double recent_trials = 0;  // fading
  double recent_gain = 0;
};

// What the successes of a history gain, one after the other. Values are relative to the worst so
// far, so a gain is between 0 and 1 and has no unit.
class Gains {
 public:
  double Add(const Observation& trial) {
    if (trial.violation > 0) {
      // Until something is feasible, less violation is gain.
      const double before = least_violation_;
      least_violation_ = std::min(least_violation_, std::min(trial.violation, 1.0));
      return feasible_ ? 0 : before - least_violation_;
    }
    const double found_feasible = feasible_ ? 0 : least_violation_;
    feasible_ = true;
    std::vector<double> values;
    for (const double value : trial.objectives) values.push_back(Bounded(value));
    const bool moved = MoveReference(values);
    if (Keep(values) || moved) Rebuild();
    const double gained = archive_->Insert(values);
    const double volume = archive_->volume();
    return std::max(found_feasible, volume > 0 ? gained / volume : 0.0);
  }

 private:
  // So that volumes of many objectives do not take long. Beyond it the oldest points go, which
  // makes later gains a little too large.
  static constexpr size_t kMostKept = 256;
  static constexpr size_t kMostKeptOfMany = 32;  // of more than three objectives

  bool MoveReference(const std::vector<double>& values) {
    if (reference_.empty()) {
      reference_ = values;
      return true;
    }
    bool moved = false;
    for (size_t m = 0; m < values.size(); ++m) {
      moved |= values[m] > reference_[m];
      reference_[m] = std::max(reference_[m], values[m]);
    }
    return moved;
  }

  // Makes `values` one of the front, unless it is dominated; whether another had to go for it that
  // it does not dominate.
  bool Keep(const std::vector<double>& values) {
    for (const std::vector<double>& point : front_) {
      if (point == values || Dominates(point, values)) return false;
    }
    front_.erase(std::remove_if(front_.begin(), front_.end(),
                                [&](const auto& point) { return Dominates(values, point); }),
                 front_.end());
    front_.push_back(values);
    if (front_.size() <= (values.size() > 3 ? kMostKeptOfMany : kMostKept)) return false;
    front_.pop_front();
    return true;
  }

  // Of the front but for its last point, whose gain is to be told.
  void Rebuild() {
    archive_ = *HypervolumeArchive::Create(reference_);
    for (size_t i = 0; i + 1 < front_.size(); ++i) archive_->Insert(front_[i]);
  }

  double least_violation_ = 1;
  bool feasible_ = false;  // something was
  std::vector<double> reference_;
  std::deque<std::vector<double>> front_;  // of the feasible
  std::optional<HypervolumeArchive> archive_;
};

class PortfolioStrategy final : public Strategy {
 public:
  PortfolioStrategy(std::vector<PortfolioArm> arms, uint64_t seed) : seed_(seed) {
    for (PortfolioArm& arm : arms) arms_.push_back({std::move(arm.name), std::move(arm.strategy)});
  }

  absl::StatusOr<Candidate> Propose(const SearchContext& context) override {
    CatchUp(context.history());
    const std::vector<double> shares = Shares();
    Rng rng(Rng(seed_, kChoiceStream).NextUint64(), static_cast<uint64_t>(context.number()));
    double left = rng.UniformDouble();
    size_t chosen = 0;
    while (chosen + 1 < arms_.size() && (left -= shares[chosen]) >= 0) ++chosen;
    return arms_[chosen].strategy->Propose(context);
  }

  void SpaceExtended() override {
    for (Arm& arm : arms_) arm.strategy->SpaceExtended();
  }

  std::vector<v1::StrategyArm> Arms() const override {
    const std::vector<double> shares = Shares();
    const std::vector<double> rates = Rates();
    double gain = 0;
    double rate = 0;
    for (size_t i = 0; i < arms_.size(); ++i) {
      gain += arms_[i].gain;
      rate += rates[i];
    }
    std::vector<v1::StrategyArm> arms;
    for (size_t i = 0; i < arms_.size(); ++i) {
      v1::StrategyArm& arm = arms.emplace_back();
      arm.set_strategy(arms_[i].name);
      arm.set_trials(arms_[i].trials);
      arm.set_gain(gain > 0 ? arms_[i].gain / gain : 0);
      arm.set_recent_gain(rate > 0 ? rates[i] / rate : 0);
      arm.set_share(shares[i]);
    }
    return arms;
  }

  v1::StrategyState Save() const override {
    v1::StrategyState state;
    for (const Arm& arm : arms_) *state.add_arms() = arm.strategy->Save();
    return state;
  }

  absl::Status Restore(const v1::StrategyState& state) override {
    if (state.arms_size() != static_cast<int>(arms_.size())) {
      return absl::InvalidArgumentError(absl::StrCat("strategy state: of ", state.arms_size(),
                                                     " arms, the portfolio has ", arms_.size()));
    }
    for (size_t i = 0; i < arms_.size(); ++i) {
      RETURN_IF_ERROR(arms_[i].strategy->Restore(state.arms(static_cast<int>(i))));
    }
    seen_ = 0;
    successes_ = 0;
    gains_ = Gains();
    for (Arm& arm : arms_) arm.trials = 0;
    for (Arm& arm : arms_) arm.gain = arm.recent_trials = arm.recent_gain = 0;
    return absl::OkStatus();
  }

 private:
  void CatchUp(absl::Span<const Observation> history) {
    for (; seen_ < history.size(); ++seen_) {
      const Observation& trial = history[seen_];
      const double gained = trial.succeeded ? gains_.Add(trial) : 0;
      successes_ += trial.succeeded;
      const double gain = successes_ > kFirstDraws ? gained : 0;
      for (Arm& arm : arms_) {
        arm.recent_trials *= kFading;
        arm.recent_gain *= kFading;
        if (trial.origin.strategy() != arm.name) continue;
        ++arm.trials;
        ++arm.recent_trials;
        arm.gain += gain;
        arm.recent_gain += gain;
      }
    }
  }

  // By arm: recent gain per trial.
  std::vector<double> Rates() const {
    double gain = 0;
    double trials = 0;
    for (const Arm& arm : arms_) {
      gain += arm.recent_gain;
      trials += arm.recent_trials;
    }
    const double average = trials > 0 ? gain / trials : 1;
    std::vector<double> rates;
    for (const Arm& arm : arms_) {
      rates.push_back((arm.recent_gain + kPriorTrials * average) /
                      (arm.recent_trials + kPriorTrials));
    }
    return rates;
  }

  // Of the next proposals, of sum 1.
  std::vector<double> Shares() const {
    const std::vector<double> rates = Rates();
    double sum = 0;
    for (const double rate : rates) sum += rate;
    const double even = 1.0 / static_cast<double>(arms_.size());
    std::vector<double> shares;
    for (const double rate : rates) {
      shares.push_back(sum > 0 ? kLeastShare * even + (1 - kLeastShare) * rate / sum : even);
    }
    return shares;
  }

  const uint64_t seed_;
  std::vector<Arm> arms_;
  // Of the first `seen_` trials of the history.
  size_t seen_ = 0;
  int64_t successes_ = 0;
  Gains gains_;
};

}  // namespace

std::unique_ptr<Strategy> CreatePortfolioStrategy(std::vector<PortfolioArm> arms, uint64_t seed) {
  return std::make_unique<PortfolioStrategy>(std::move(arms), seed);
}

}  // namespace frontier::coordinator
