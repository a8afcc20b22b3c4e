#include "coordinator/strategy/reinforce.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/enum_names.h"
#include "common/base/status.h"
#include "coordinator/space/decisions.h"
#include "coordinator/strategy/exploration.h"
#include "coordinator/strategy/policy.h"
#include "coordinator/strategy/preference.h"
#include "coordinator/strategy/settings.h"

namespace frontier::coordinator {
namespace {

constexpr double kDefaultLearningRate = 0.1;
constexpr double kDefaultBaselineDecay = 0.9;
constexpr double kDefaultExponent = -0.07;
constexpr size_t kRewardWindow = 100;

// A policy that is nearly sure of itself repeats what was proposed: the more draws could not be
// proposed, the flatter the policy that the next is from.
constexpr int kRefusedPerTemperature = 1;
constexpr double kTemperatures[] = {1, 2, 4};
constexpr int kMaxPolicyDraws = 12;

// Adam: Kingma and Ba 2015, algorithm 1, with its defaults.
constexpr double kFirstDecay = 0.9;
constexpr double kSecondDecay = 0.999;
constexpr double kEpsilon = 1e-8;

struct Target {
  size_t objective = 0;  // index
  double value = 0;
  double exponent = 0;
};

struct Settings {
  double learning_rate = 0;
  double baseline_decay = 0;
  double entropy_weight = 0;
  bool repeats = false;  // what was proposed may be proposed again
  std::vector<Target> targets;
};

// The distribution over one decision's options, and Adam's moments.
struct Preferences {
  explicit Preferences(size_t options)
      : logits(options, 0.0), first(options, 0.0), second(options, 0.0) {}
  std::vector<double> logits, first, second;

  OptionWeights Probabilities(double temperature) const {
    const double largest = *std::max_element(logits.begin(), logits.end());
    OptionWeights weights;
    double sum = 0;
    for (const double logit : logits) {
      weights.push_back(std::exp((logit - largest) / temperature));
      sum += weights.back();
    }
    for (double& weight : weights) weight /= sum;
    return weights;
  }
};

class ReinforceStrategy final : public ExploringStrategy {
 public:
  ReinforceStrategy(Settings settings, uint64_t seed)
      : ExploringStrategy("reinforce", seed), settings_(std::move(settings)) {}

 private:
  std::optional<Candidate> Suggest(const SearchContext& context, Rng* rng) override {
    const std::vector<Decision>& decisions = context.space().decisions();
    CatchUp(decisions, context.history());
    std::vector<OptionWeights> weights;
    absl::flat_hash_set<std::string> refused;
    int draws = 0;
    for (const double temperature : kTemperatures) {
      weights.clear();
      for (const Preferences& p : policy_) weights.push_back(p.Probabilities(temperature));
      // Of as many draws at most, since a sure policy draws the same again.
      const int last = draws + kMaxPolicyDraws / static_cast<int>(std::size(kTemperatures));
      for (int tried = 0; tried < kRefusedPerTemperature && draws < last; ++draws) {
        const v1::Genotype genotype = DrawBy(
            decisions, [&](size_t d) -> const OptionWeights& { return weights[d]; }, rng);
        std::string text = genotype.SerializeAsString();
        if (known_.contains(text) || !refused.insert(std::move(text)).second) continue;
        std::optional<Candidate> candidate = context.Admit(genotype);
        if (candidate.has_value()) return candidate;
        ++tried;
      }
    }
    return std::nullopt;
  }

  void CatchUp(const std::vector<Decision>& decisions, absl::Span<const Observation> history) {
    if (policy_.empty()) {
      for (const Decision& decision : decisions) policy_.emplace_back(decision.options.size());
    }
    for (; seen_ < history.size(); ++seen_) {
      if (!settings_.repeats) known_.insert(history[seen_].genotype.SerializeAsString());
      if (history[seen_].succeeded) Learn(decisions, history);
    }
  }

  // From the trial at `seen_`.
  void Learn(const std::vector<Decision>& decisions, absl::Span<const Observation> history) {
    const Observation& trial = history[seen_];
    const double reward = Reward(history);
    reward_sum_ = settings_.baseline_decay * reward_sum_ + (1 - settings_.baseline_decay) * reward;
    reward_weight_ = settings_.baseline_decay * reward_weight_ + 1 - settings_.baseline_decay;
    const double advantage = reward - reward_sum_ / reward_weight_;
    ++steps_;
    const double first_bias = 1 - std::pow(kFirstDecay, steps_);
    const double second_bias = 1 - std::pow(kSecondDecay, steps_);
    const std::vector<bool> active = ActiveDecisions(decisions, trial.genotype);
    for (size_t d = 0; d < decisions.size(); ++d) {
      if (active[d]) {
        Step(advantage, static_cast<size_t>(trial.genotype.options(static_cast<int>(d))),
             first_bias, second_bias, &policy_[d]);
      }
    }
  }

  void Step(double advantage, size_t taken, double first_bias, double second_bias,
            Preferences* preferences) const {
    const OptionWeights probability = preferences->Probabilities(1);
    double entropy = 0;
    for (const double p : probability) entropy -= p > 0 ? p * std::log(p) : 0;
    for (size_t k = 0; k < probability.size(); ++k) {
      const double p = probability[k];
      const double log_p = std::log(std::max(p, std::numeric_limits<double>::min()));
      const double gradient =
          advantage * ((k == taken ? 1 : 0) - p) - settings_.entropy_weight * p * (log_p + entropy);
      double& first = preferences->first[k];
      double& second = preferences->second[k];
      first = kFirstDecay * first + (1 - kFirstDecay) * gradient;
      second = kSecondDecay * second + (1 - kSecondDecay) * gradient * gradient;
      const double mean = first / first_bias;
      const double spread = std::sqrt(second / second_bias);
      preferences->logits[k] += settings_.learning_rate * mean / (spread + kEpsilon);
    }
  }

  double Reward(absl::Span<const Observation> history) {
    const Observation& trial = history[seen_];
    double reward = 0;
    if (settings_.targets.empty() && trial.objectives.size() > 1) {
      int better = 0;
      for (const size_t index : window_) better += Precedes(history[index], trial);
      reward = window_.empty() ? 1 : 1 - static_cast<double>(better) / window_.size();
      window_.push_back(seen_);
      if (window_.size() > kRewardWindow) window_.erase(window_.begin());
      return reward;  // which takes the violation into account
    }
    reward = -Bounded(trial.objectives[0]);
    for (const Target& target : settings_.targets) {
      const double ratio = std::abs(trial.objectives[target.objective]) / target.value;
      // A reward below 0, of an objective that is minimized, must become less by what is too much.
      const double exponent = reward < 0 ? -target.exponent : target.exponent;
      reward = Bounded(reward * Bounded(std::pow(std::max(ratio, kEpsilon), exponent)));
    }
    return reward - std::abs(reward) * std::min(trial.violation, 1.0);
  }

  void Forget() override {
    seen_ = 0;
    steps_ = 0;
    reward_sum_ = 0;
    reward_weight_ = 0;
    window_.clear();
    known_.clear();
    policy_.clear();
  }

  const Settings settings_;
  // Of the first `seen_` trials of the history.
  size_t seen_ = 0;
  int64_t steps_ = 0;
  double reward_sum_ = 0;  // weighted, as the weights' sum
  double reward_weight_ = 0;
  std::vector<size_t> window_;  // the last successes
  // What a policy that is nearly sure of itself draws again and again, to be passed over before its
  // network is built.
  absl::flat_hash_set<std::string> known_;
  std::vector<Preferences> policy_;  // by decision
};

absl::StatusOr<Target> FindTarget(const v1::RewardTarget& spec, const v1::JobSpec& job) {
  Target target;
  for (int i = 1; i < job.objectives_size(); ++i) {
    if (job.objectives(i).metric() == spec.metric()) target.objective = static_cast<size_t>(i);
  }
  if (target.objective == 0) {
    return InvalidField("metric", absl::StrCat(EnumName(spec.metric()),
                                               " is no objective of the job after the first"));
  }
  if (!(spec.target() > 0) || !std::isfinite(spec.target())) {
    return InvalidField("target", absl::StrCat("is ", spec.target(), ", must be positive"));
  }
  if (!std::isfinite(spec.exponent())) {
    return InvalidField("exponent", absl::StrCat("is ", spec.exponent(), ", must be finite"));
  }
  target.value = spec.target();
  target.exponent = spec.exponent() == 0 ? kDefaultExponent : spec.exponent();
  return target;
}

absl::Status CheckPositive(absl::string_view field, double value) {
  if (value >= 0 && std::isfinite(value)) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("is ", value, ", must be positive, or 0"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Strategy>> CreateReinforceStrategy(const v1::ReinforceStrategy& spec,
                                                                  const v1::JobSpec& job,
                                                                  uint64_t seed) {
  RETURN_IF_ERROR(CheckPositive("learning_rate", spec.learning_rate()));
  RETURN_IF_ERROR(CheckPositive("entropy_weight", spec.entropy_weight()));
  Settings settings;
  settings.learning_rate = spec.learning_rate() == 0 ? kDefaultLearningRate : spec.learning_rate();
  settings.baseline_decay =
      spec.has_baseline_decay() ? spec.baseline_decay() : kDefaultBaselineDecay;
  RETURN_IF_ERROR(CheckShare("baseline_decay", settings.baseline_decay));
  settings.entropy_weight = spec.entropy_weight();
  settings.repeats = job.strategy().allow_repeats();
  for (int i = 0; i < spec.targets_size(); ++i) {
    const std::string item = absl::StrCat("targets[", i, "]");
    absl::StatusOr<Target> target = FindTarget(spec.targets(i), job);
    if (!target.ok()) return PrefixField(item, target.status());
    for (const Target& other : settings.targets) {
      if (other.objective == target->objective) {
        return InvalidField(absl::StrCat(item, ".metric"),
                            absl::StrCat(EnumName(spec.targets(i).metric()), " is listed twice"));
      }
    }
    settings.targets.push_back(*target);
  }
  return std::make_unique<ReinforceStrategy>(std::move(settings), seed);
}

}  // namespace frontier::coordinator
