#include "coordinator/strategy/bayesian.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/base/status.h"
#include "coordinator/strategy/exploration.h"
#include "coordinator/strategy/model/improvement.h"
#include "coordinator/strategy/model/predictor.h"
#include "coordinator/strategy/preference.h"
#include "coordinator/strategy/settings.h"

namespace frontier::coordinator {
namespace {

constexpr int kBayesianSamples = 10;
constexpr int kBayesianCandidates = 200;
// Of more trials a model is made of the better half of so many, and of a sample of the others.
constexpr size_t kMaxPoints = 320;
// Candidates whose doubt is told exactly.
constexpr size_t kPromising = 48;
// Points of the front that improvement is counted from, those in its emptiest parts; fewer for more
// than three objectives, where volumes take long.
constexpr size_t kFront = 96;
constexpr size_t kFrontOfMany = 24;
// Trials around which candidates are drawn: the front, at least and at most so many of the best.
constexpr size_t kLeastParents = 16;
constexpr size_t kMostParents = 64;

std::vector<size_t> BestFirst(const std::vector<double>& worth) {
  std::vector<size_t> order(worth.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return worth[a] > worth[b]; });
  return order;
}

// Members of the ensembles are chosen anew whenever the history has grown by a quarter.
size_t ChoiceSize(size_t size) {
  size_t chosen = 1;
  while (chosen + std::max<size_t>(1, chosen / 4) <= size)
    chosen += std::max<size_t>(1, chosen / 4);
  return std::min(chosen, size);
}

std::string Key(const v1::Genotype& genotype) { return genotype.SerializeAsString(); }

OptionMatrix Options(absl::Span<const v1::Genotype* const> genotypes, size_t decisions) {
  OptionMatrix options(decisions, genotypes.size());
  for (size_t i = 0; i < genotypes.size(); ++i) {
    for (size_t d = 0; d < decisions; ++d) {
      options(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(i)) =
          genotypes[i]->options(static_cast<int>(d));
    }
  }
  return options;
}

// What is known of the first `size` trials of a history, for models.
struct Sample {
  OptionMatrix genotypes;
  std::vector<Eigen::VectorXd> objectives;   // one for each, by genotype
  std::optional<Eigen::VectorXd> violation;  // none if all hold all constraints
};

class BayesianStrategy final : public ExploringStrategy {
 public:
  BayesianStrategy(int initial_samples, int candidates, uint64_t seed)
      : ExploringStrategy("bayesian", seed),
        initial_samples_(static_cast<size_t>(initial_samples)),
        candidates_(candidates) {}

 private:
  std::optional<Candidate> Suggest(const SearchContext& context, Rng* rng) override {
    CatchUp(context);
    if (best_.size() < initial_samples_) return std::nullopt;
    const std::vector<v1::Genotype> candidates = DrawCandidates(context, rng);
    if (candidates.empty()) return std::nullopt;
    std::vector<const v1::Genotype*> pointers;
    for (const v1::Genotype& candidate : candidates) pointers.push_back(&candidate);
    const OptionMatrix options = Options(pointers, context.space().decisions().size());
    const uint64_t draws = rng->NextUint64();
    const std::vector<size_t> rough = BestFirst(Worth(context, options, draws, /*roughly=*/true));
    // Those that are promising with the doubt that they have at most are weighed exactly.
    const size_t promising = std::min(rough.size(), kPromising);
    OptionMatrix best(options.rows(), promising);
    for (size_t i = 0; i < promising; ++i) {
      best.col(static_cast<Eigen::Index>(i)) = options.col(static_cast<Eigen::Index>(rough[i]));
    }
    std::vector<size_t> order;
    for (const size_t i : BestFirst(Worth(context, best, draws, /*roughly=*/false))) {
      order.push_back(rough[i]);
    }
    order.insert(order.end(), rough.begin() + static_cast<std::ptrdiff_t>(promising), rough.end());
    for (const size_t i : order) {
      std::optional<Candidate> candidate = context.Admit(candidates[i]);
      if (candidate.has_value()) return candidate;
    }
    return std::nullopt;
  }

  // Genotypes that were not tried: half of them mutations of the best, a quarter their crosses, and
  // the rest from anywhere.
  std::vector<v1::Genotype> DrawCandidates(const SearchContext& context, Rng* rng) const {
    const Space& space = context.space();
    const absl::Span<const Observation> history = context.history();
    const size_t parents =
        std::min(best_.size(), std::clamp(front_.size(), kLeastParents, kMostParents));
    const auto parent = [&]() -> const v1::Genotype& {
      return history[best_[rng->Uniform(parents)].index].genotype;
    };
    absl::flat_hash_set<std::string> drawn;
    for (const Running& running : context.running()) drawn.insert(Key(*running.genotype));
    std::vector<v1::Genotype> candidates;
    for (int i = 0; i < candidates_; ++i) {
      v1::Genotype genotype;
      const uint64_t way = rng->Uniform(4);
      if (way < 2) {
        genotype = space.Mutate(parent(), rng);
        while (rng->Uniform(3) == 0) genotype = space.Mutate(genotype, rng);
      } else if (way == 2) {
        genotype = space.Cross(parent(), parent(), rng);
        if (rng->Uniform(2) == 0) genotype = space.Mutate(genotype, rng);
      } else {
        genotype = space.Sample(rng);
      }
      std::string key = Key(genotype);
      if (tried_.contains(key) || !drawn.insert(std::move(key)).second) continue;
      candidates.push_back(std::move(genotype));
    }
    return candidates;
  }

  std::vector<double> Worth(const SearchContext& context, const OptionMatrix& options,
                            uint64_t draws, bool roughly) const {
    std::vector<Predictor::Prediction> predictions;
    for (const Predictor& predictor : objectives_) {
      predictions.push_back(roughly ? predictor.PredictRoughly(options)
                                    : predictor.Predict(options));
    }
    std::vector<double> worth;
    if (front_.empty()) {
      worth.assign(static_cast<size_t>(options.cols()), 1.0);  // nothing feasible to improve on
    } else if (predictions.size() == 1) {
      worth = ExpectedImprovement(predictions[0], front_[0][0]);
    } else {
      Rng rng(draws);
      worth = ExpectedHypervolumeImprovement(predictions, front_, reference_, &rng);
    }
    if (violation_.has_value()) {
      const std::vector<double> holds =
          ProbabilityAtMost(violation_->Predict(options), violation_limit_);
      for (size_t i = 0; i < worth.size(); ++i) worth[i] *= holds[i];
    }
    for (const Running& running : context.running()) {
      const OptionMatrix point = Options({running.genotype}, context.space().decisions().size());
      for (Eigen::Index i = 0; i < options.cols(); ++i) {
        const double differ =
            static_cast<double>((options.col(i).array() != point.col(0).array()).count()) /
            static_cast<double>(std::max<Eigen::Index>(options.rows(), 1));
        const double correlation = std::exp(-differ / kNearby);
        worth[static_cast<size_t>(i)] *= 1 - correlation * correlation;
      }
    }
    // Values beyond all measure.
    for (double& one : worth) {
      if (!std::isfinite(one)) one = 0;
    }
    return worth;
  }

  void CatchUp(const SearchContext& context) {
    const absl::Span<const Observation> history = context.history();
    for (; seen_ < history.size(); ++seen_) {
      tried_.insert(Key(history[seen_].genotype));
      if (history[seen_].succeeded) AddSuccess(history);
    }
    TakeFront(history);
    const size_t size = ModelSize(history.size());
    if (size == size_) return;
    size_ = size;
    best_ = RankSuccesses(history, size);
    if (best_.size() < initial_samples_) return;
    const size_t choice = ChoiceSize(size);
    if (choice != choice_size_ && choice != size) {
      choice_size_ = choice;
      const std::vector<Ranked> ranked = RankSuccesses(history, choice);
      if (ranked.size() >= 2) {
        const Sample sample = Take(context, ranked);
        chosen_.clear();
        for (const Eigen::VectorXd& values : sample.objectives) {
          chosen_.push_back(Predictor::Fit(sample.genotypes, values));
        }
      }
    }
    const Sample sample = Take(context, best_);
    objectives_.clear();
    for (size_t m = 0; m < sample.objectives.size(); ++m) {
      const bool known = choice != size && m < chosen_.size();
      objectives_.push_back(
          Predictor::Fit(sample.genotypes, sample.objectives[m], known ? &chosen_[m] : nullptr));
    }
    if (choice == size) {
      choice_size_ = choice;
      chosen_ = objectives_;
    }
    violation_.reset();
    if (sample.violation.has_value()) {
      violation_ = Predictor::Fit(sample.genotypes, *sample.violation);
      const double positive = static_cast<double>((sample.violation->array() > 0).count());
      violation_limit_ = 0.25 * sample.violation->sum() / positive;
    }
  }

  // The trial at `seen_`.
  void AddSuccess(absl::Span<const Observation> history) {
    elite_.Add(history, seen_);
    const std::vector<double> objectives = BoundedObjectives(history[seen_]);
    if (reference_.empty()) reference_ = objectives;
    for (size_t m = 0; m < reference_.size(); ++m) {
      reference_[m] = std::max(reference_[m], objectives[m]);
    }
  }

  // What improvement is counted from.
  void TakeFront(absl::Span<const Observation> history) {
    front_.clear();
    if (elite_.members().empty() || history[elite_.members()[0]].violation > 0) return;
    const size_t most = reference_.size() > 3 ? kFrontOfMany : kFront;
    for (const Ranked& member : elite_.Sparsest(history)) {
      if (front_.size() == most) break;
      front_.push_back(BoundedObjectives(history[member.index]));
    }
  }

  static std::vector<double> BoundedObjectives(const Observation& trial) {
    std::vector<double> objectives;
    for (const double value : trial.objectives) objectives.push_back(Bounded(value));
    return objectives;
  }

  // Of ranked trials, at least two.
  static Sample Take(const SearchContext& context, absl::Span<const Ranked> ranked) {
    const absl::Span<const Observation> history = context.history();
    std::vector<const Observation*> taken;
    const size_t best = std::min(ranked.size(), kMaxPoints / 2);
    for (size_t i = 0; i < best; ++i) taken.push_back(&history[ranked[i].index]);
    const size_t others = std::min(ranked.size() - best, kMaxPoints - best);
    for (size_t i = 0; i < others; ++i) {
      taken.push_back(&history[ranked[best + i * (ranked.size() - best) / others].index]);
    }
    Sample sample;
    std::vector<const v1::Genotype*> genotypes;
    for (const Observation* trial : taken) genotypes.push_back(&trial->genotype);
    sample.genotypes = Options(genotypes, context.space().decisions().size());
    const auto count = static_cast<Eigen::Index>(taken.size());
    for (size_t m = 0; m < taken[0]->objectives.size(); ++m) {
      const double worst = WorstThatCounts(history, ranked, m);
      Eigen::VectorXd values(count);
      for (Eigen::Index i = 0; i < count; ++i) {
        values(i) = Bounded(std::min(taken[static_cast<size_t>(i)]->objectives[m], worst));
      }
      sample.objectives.push_back(std::move(values));
    }
    Eigen::VectorXd violation(count);
    for (Eigen::Index i = 0; i < count; ++i) {
      violation(i) = LimitedViolation(taken[static_cast<size_t>(i)]->violation);
    }
    if (violation.maxCoeff() > 0) sample.violation = std::move(violation);
    return sample;
  }

  // How bad trials are, beyond where it matters, would be most of what a model explains: as far
  // beyond the median as that is from the best, or to the end of the front.
  static double WorstThatCounts(absl::Span<const Observation> history,
                                absl::Span<const Ranked> ranked, size_t objective) {
    std::vector<double> values;
    double front = -std::numeric_limits<double>::infinity();
    for (const Ranked& trial : ranked) {
      values.push_back(Bounded(history[trial.index].objectives[objective]));
      if (trial.rank == 0) front = std::max(front, values.back());
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    const double median = *middle;
    const double least = *std::min_element(values.begin(), values.end());
    return std::max(front, median + (median - least));
  }

  void Forget() override {
    seen_ = 0;
    tried_.clear();
    elite_.Clear();
    front_.clear();
    reference_.clear();
    size_ = 0;
    choice_size_ = 0;
    best_.clear();
    chosen_.clear();
    objectives_.clear();
    violation_.reset();
  }

  static constexpr double kNearby = 0.15;  // share of decisions

  const size_t initial_samples_;
  const int candidates_;
  // Of the first `seen_` trials of the history.
  size_t seen_ = 0;
  absl::flat_hash_set<std::string> tried_;
  Elite elite_;
  std::vector<std::vector<double>> front_;  // feasible
  std::vector<double> reference_;           // the worst of the successes

  // The rest is of the first `size_` trials of the history.
  size_t size_ = 0;
  std::vector<Ranked> best_;  // successes
  std::vector<Predictor> objectives_;
  std::optional<Predictor> violation_;
  double violation_limit_ = 0;
  // The models whose members are used, of the first `choice_size_` trials.
  size_t choice_size_ = 0;
  std::vector<Predictor> chosen_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Strategy>> CreateBayesianStrategy(const v1::BayesianStrategy& spec,
                                                                 uint64_t seed) {
  RETURN_IF_ERROR(CheckCount("initial_samples", spec.initial_samples(), 2, kMaxSamples));
  RETURN_IF_ERROR(CheckCount("candidates", spec.candidates(), 1, kMaxSamples));
  return std::make_unique<BayesianStrategy>(
      spec.initial_samples() == 0 ? kBayesianSamples : spec.initial_samples(),
      spec.candidates() == 0 ? kBayesianCandidates : spec.candidates(), seed);
}

}  // namespace frontier::coordinator
