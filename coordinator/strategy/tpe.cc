#include "coordinator/strategy/tpe.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "coordinator/space/decisions.h"
#include "coordinator/strategy/exploration.h"
#include "coordinator/strategy/policy.h"
#include "coordinator/strategy/preference.h"
#include "coordinator/strategy/settings.h"

namespace frontier::coordinator {
namespace {

constexpr int kTpeSamples = 20;
constexpr int kTpeCandidates = 24;
constexpr double kDefaultGoodShare = 0.1;
// However many trials there are, the good ones are few.
constexpr size_t kMaxGood = 25;

class TpeStrategy final : public ExploringStrategy {
 public:
  TpeStrategy(int initial_samples, int candidates, double good_share, uint64_t seed)
      : ExploringStrategy("tpe", seed),
        initial_samples_(initial_samples),
        candidates_(candidates),
        good_share_(good_share) {}

 private:
  // By decision, by option: how many trials have taken it; a decision's weights sum to their number
  // and 1.
  using Counts = std::vector<OptionWeights>;

  std::optional<Candidate> Suggest(const SearchContext& context, Rng* rng) override {
    const std::vector<Decision>& decisions = context.space().decisions();
    CatchUp(decisions, context.history());
    if (successes_ < static_cast<size_t>(initial_samples_)) return std::nullopt;
    Counts others = others_;
    for (const Running& running : context.running()) Count(decisions, *running.genotype, &others);

    std::vector<std::pair<double, v1::Genotype>> drawn;
    for (int i = 0; i < candidates_; ++i) {
      v1::Genotype genotype = DrawBy(
          decisions, [&](size_t d) -> const OptionWeights& { return good_[d]; }, rng);
      const double score = Score(decisions, genotype, others);
      drawn.emplace_back(score, std::move(genotype));
    }
    std::stable_sort(drawn.begin(), drawn.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [score, genotype] : drawn) {
      std::optional<Candidate> candidate = context.Admit(genotype);
      if (candidate.has_value()) return candidate;
    }
    return std::nullopt;
  }

  void CatchUp(const std::vector<Decision>& decisions, absl::Span<const Observation> history) {
    const size_t size = ModelSize(history.size());
    if (size == size_ && !good_.empty()) return;
    size_ = size;
    good_ = others_ = Prior(decisions);
    const std::vector<Ranked> ranked = RankSuccesses(history, size);
    successes_ = ranked.size();
    const double share = std::ceil(good_share_ * static_cast<double>(successes_));
    const size_t good = std::min(kMaxGood, static_cast<size_t>(share));
    for (size_t i = 0; i < successes_; ++i) {
      Count(decisions, history[ranked[i].index].genotype, i < good ? &good_ : &others_);
    }
  }

  static Counts Prior(const std::vector<Decision>& decisions) {
    Counts counts;
    for (const Decision& decision : decisions) {
      const size_t options = decision.options.size();
      counts.emplace_back(options, 1.0 / static_cast<double>(options));
    }
    return counts;
  }

  static void Count(const std::vector<Decision>& decisions, const v1::Genotype& genotype,
                    Counts* counts) {
    const std::vector<bool> active = ActiveDecisions(decisions, genotype);
    for (size_t d = 0; d < decisions.size(); ++d) {
      if (active[d]) ++(*counts)[d][genotype.options(static_cast<int>(d))];
    }
  }

  double Score(const std::vector<Decision>& decisions, const v1::Genotype& genotype,
               const Counts& others) const {
    const std::vector<bool> active = ActiveDecisions(decisions, genotype);
    double score = 0;
    for (size_t d = 0; d < decisions.size(); ++d) {
      if (!active[d]) continue;
      const int option = genotype.options(static_cast<int>(d));
      score += std::log(Share(good_[d], option) / Share(others[d], option));
    }
    return score;
  }

  static double Share(const OptionWeights& weights, int option) {
    double sum = 0;
    for (const double weight : weights) sum += weight;
    return weights[option] / sum;
  }

  void Forget() override {
    size_ = 0;
    good_.clear();
    others_.clear();
  }

  const int initial_samples_;
  const int candidates_;
  const double good_share_;
  // Of the first `size_` trials of the history.
  size_t size_ = 0;
  size_t successes_ = 0;
  Counts good_;
  Counts others_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Strategy>> CreateTpeStrategy(const v1::TpeStrategy& spec,
                                                            uint64_t seed) {
  RETURN_IF_ERROR(CheckCount("initial_samples", spec.initial_samples(), 2, kMaxSamples));
  RETURN_IF_ERROR(CheckCount("candidates", spec.candidates(), 1, kMaxSamples));
  RETURN_IF_ERROR(CheckShare("good_share", spec.good_share()));
  return std::make_unique<TpeStrategy>(
      spec.initial_samples() == 0 ? kTpeSamples : spec.initial_samples(),
      spec.candidates() == 0 ? kTpeCandidates : spec.candidates(),
      spec.good_share() == 0 ? kDefaultGoodShare : spec.good_share(), seed);
}

}  // namespace frontier::coordinator
