#include "coordinator/strategy/portfolio.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/strategy/gains.h"

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
        if (!trial.again) {
          ++arm.trials;
          ++arm.recent_trials;
        }
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
