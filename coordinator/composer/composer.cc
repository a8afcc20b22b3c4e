#include "coordinator/composer/composer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/space/samples.h"
#include "coordinator/space/staged_space.h"

namespace frontier::coordinator {
namespace {

constexpr int kSamples = 200;  // random networks by which a scale is judged
constexpr int kEnough = 190;   // of those, must meet the limits
constexpr int kProbeSamples = 15;
constexpr uint64_t kSeed = 0x636f6d706f7365;
constexpr uint64_t kProbeStream = 1;
// Until a worker has shown its own: a training step is three forward passes.
constexpr double kAssumedMacsPerSecond = 10e9;
constexpr double kMacsOfStep = 3;

// A limit as it is judged.
struct Judged {
  Cost cost;
  double most;
  std::string field;        // empty: nobody has said so, it only makes networks smaller
  const CostModel* model;   // null: counted
  std::string description;  // "latency_ms <= 2"
  bool incidental;          // as CostLimit
};

double ValueOf(const Judged& limit, const NetworkSize& size) {
  if (limit.model != nullptr) return limit.model->Predict(size) * (1 + limit.model->spread());
  return limit.cost == Cost::kParameters ? size.parameters : size.macs;
}

std::string Describe(const CostLimit& limit) {
  return absl::StrFormat("%s <= %.10g", CostName(limit.cost), limit.most);
}

// Of a scale.
struct Verdict {
  int scale = 0;
  int met = 0;                // samples that meet all limits
  int met_stated = 0;         // that meet all that somebody has stated
  std::vector<int> met_each;  // by limit
  std::vector<double> least;
  double logarithms = 0;  // of MACs and parameters, summed up
};

class Composer {
 public:
  Composer(const DataFacts& facts, absl::Span<const CostLimit> limits, const CostModels& models)
      : facts_(facts) {
    for (const CostLimit& limit : limits) {
      const auto model = models.find(limit.cost);
      if (IsCounted(limit.cost)) {
        judged_.push_back(
            {limit.cost, limit.most, limit.field, nullptr, Describe(limit), limit.incidental});
      } else if (model != models.end()) {
        judged_.push_back({limit.cost, limit.most, limit.field, &model->second, Describe(limit),
                           limit.incidental});
      } else if (limit.cost == Cost::kWallSeconds) {
        AssumeRate(limit);
      } else {
        unfitted_.push_back(Describe(limit));
      }
    }
  }

  absl::StatusOr<v1::Composition> Run() {
    ASSIGN_OR_RETURN(const Verdict verdict, Find());
    if (verdict.met_stated == 0) return NothingMeets(verdict);
    const v1::StagedSpace outline = OutlineSpace(facts_, verdict.scale, style_);
    ASSIGN_OR_RETURN(const std::unique_ptr<Space> space,
                     CreateStagedSpace(outline, facts_.input, facts_.classes));
    v1::Composition composition;
    composition.set_train_samples(facts_.train_samples);
    for (std::string& reason : DescribeOutline(facts_, outline, style_)) {
      *composition.add_reasons() = std::move(reason);
    }
    for (size_t i = 0; i < judged_.size(); ++i) {
      const Judged& limit = judged_[i];
      if (limit.model == nullptr || !IsTold(verdict, i)) continue;
      composition.add_reasons(absl::StrCat(CostName(limit.cost), " as the probes had it, within ",
                                           static_cast<int>(limit.model->spread() * 100 + 0.5),
                                           " %"));
    }
    for (const std::string& limit : unfitted_) {
      composition.add_reasons(absl::StrCat(limit, " is not fitted: no probe has shown it"));
    }
    composition.add_reasons(DescribeVerdict(verdict, outline));
    composition.add_reasons(absl::StrCat(space->Size(), " genotypes in all"));
    *composition.mutable_space() = outline;
    return composition;
  }

  absl::StatusOr<std::vector<v1::Architecture>> Probes(int count) {
    ASSIGN_OR_RETURN(const Verdict top, Find());
    std::vector<v1::Architecture> probes;
    std::set<std::string> seen;
    for (int i = 0; i < count; ++i) {
      const int scale = count == 1 ? top.scale : (i * top.scale + (count - 1) / 2) / (count - 1);
      Rng rng(kSeed, kProbeStream + static_cast<uint64_t>(i));
      ASSIGN_OR_RETURN(std::optional<v1::Architecture> probe, Median(scale, &rng));
      if (probe.has_value() && seen.insert(probe->SerializeAsString()).second) {
        probes.push_back(*std::move(probe));
      }
    }
    return probes;
  }

 private:
  // MACs for which a trial ends in time at the assumed rate.
  void AssumeRate(const CostLimit& limit) {
    if (facts_.train_samples <= 0 || facts_.epochs <= 0) return;
    const double samples =
        static_cast<double>(facts_.train_samples) * static_cast<double>(facts_.epochs);
    const double most = limit.most * kAssumedMacsPerSecond / (kMacsOfStep * samples);
    judged_.push_back({Cost::kMacs, most, "", nullptr,
                       absl::StrCat(Describe(limit), " at an assumed ", kAssumedMacsPerSecond / 1e9,
                                    " billion MACs a second"),
                       limit.incidental});
  }

  // The largest scale at which enough samples meet the limits, or the smallest.
  absl::StatusOr<Verdict> Find() {
    style_ = {.frugal = IsLargeData(facts_)};
    ASSIGN_OR_RETURN(const Verdict free, Judge(TopScale()));
    if (free.met >= kEnough) return free;
    // Limits bind. Blocks that are slow to train do little in few steps: rather somewhat smaller.
    if (!style_.frugal) {
      ASSIGN_OR_RETURN(const Verdict plain, FindInStyle());
      if (plain.met >= kEnough && plain.scale >= LeastPlainScale()) return plain;
    }
    style_ = {.frugal = true};
    return FindInStyle();
  }

  // Costs that differ less come nearer to the limits.
  absl::StatusOr<Verdict> FindInStyle() {
    ASSIGN_OR_RETURN(Verdict wide, FindScale());
    style_.even = true;
    ASSIGN_OR_RETURN(Verdict even, FindScale());
    if (std::pair(even.met >= kEnough, even.logarithms) >
        std::pair(wide.met >= kEnough, wide.logarithms)) {
      return even;
    }
    style_.even = false;
    return wide;
  }

  int TopScale() const { return ScaleForData(facts_.train_samples); }

  absl::StatusOr<Verdict> FindScale() const {
    Verdict best;
    int low = -1;  // enough meet the limits
    int high = TopScale() + 1;
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      ASSIGN_OR_RETURN(Verdict verdict, Judge(middle));
      if (verdict.met >= kEnough) {
        low = middle;
        best = std::move(verdict);
      } else {
        high = middle;
        if (middle == 0) best = std::move(verdict);
      }
    }
    return best;
  }

  // Of a scale that fails, but for the smallest, no more is seen than that it does.
  absl::StatusOr<Verdict> Judge(int scale) const {
    Verdict verdict;
    verdict.scale = scale;
    verdict.met_each.resize(judged_.size());
    verdict.least.resize(judged_.size());
    if (judged_.empty()) {
      verdict.met = verdict.met_stated = kSamples;
      return verdict;
    }
    ASSIGN_OR_RETURN(
        const std::unique_ptr<Space> space,
        CreateStagedSpace(OutlineSpace(facts_, scale, style_), facts_.input, facts_.classes));
    Rng rng(kSeed);
    for (int sample = 0; sample < kSamples; ++sample) {
      if (scale > 0 && sample - verdict.met > kSamples - kEnough) break;
      ASSIGN_OR_RETURN(const v1::Architecture architecture, space->Lower(space->Sample(&rng)));
      ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
      const NetworkSize size = SizeOf(costs);
      verdict.logarithms += std::log(size.macs) + std::log(size.parameters);
      bool all = true;
      bool stated = true;
      for (size_t i = 0; i < judged_.size(); ++i) {
        const double value = ValueOf(judged_[i], size);
        if (sample == 0 || value < verdict.least[i]) verdict.least[i] = value;
        const bool met = value <= judged_[i].most;
        verdict.met_each[i] += met ? 1 : 0;
        all &= met;
        stated &= met || judged_[i].field.empty();
      }
      verdict.met += all ? 1 : 0;
      verdict.met_stated += stated ? 1 : 0;
    }
    return verdict;
  }

  absl::Status NothingMeets(const Verdict& verdict) const {
    std::optional<size_t> culprit;
    for (size_t i = 0; i < judged_.size(); ++i) {
      if (judged_[i].field.empty()) continue;
      if (!culprit.has_value() || verdict.met_each[i] < verdict.met_each[*culprit]) culprit = i;
    }
    const Judged& limit = judged_[*culprit];
    return InvalidField(
        limit.field,
        absl::StrCat("none of ", kSamples, " networks of the smallest space that suits the data ",
                     verdict.met_each[*culprit] == 0 ? "" : "meets all limits, say ",
                     verdict.met_each[*culprit] == 0 ? "has " : "", limit.description,
                     ", the least ", limit.model == nullptr ? "is " : "that is certain is ",
                     verdict.least[*culprit]));
  }

  bool IsTold(const Verdict& verdict, size_t limit) const {
    return !judged_[limit].incidental || verdict.met_each[limit] < kSamples;
  }

  std::string DescribeVerdict(const Verdict& verdict, const v1::StagedSpace& outline) const {
    const std::string scale = DescribeScale(outline);
    std::vector<std::string> limits;
    for (size_t i = 0; i < judged_.size(); ++i) {
      if (IsTold(verdict, i)) limits.push_back(judged_[i].description);
    }
    if (limits.empty() && verdict.scale < TopScale()) {
      for (const Judged& limit : judged_) limits.push_back(limit.description);
    }
    const std::string share = absl::StrCat(verdict.met, " of ", kSamples, " random networks meet ",
                                           absl::StrJoin(limits, ", "));
    if (verdict.met < kEnough) return absl::StrCat(scale, ", the least there are: only ", share);
    if (verdict.scale < TopScale()) {
      return absl::StrCat(scale, ", the most at which enough meet the limits: ", share);
    }
    const std::string worth =
        facts_.train_samples == 0
            ? absl::StrCat(scale, " by default")
            : absl::StrCat(scale, " for ", facts_.train_samples, " training samples");
    return limits.empty() ? worth : absl::StrCat(worth, ": ", share);
  }

  // Of a few networks that meet the limits the one in the middle by MACs.
  absl::StatusOr<std::optional<v1::Architecture>> Median(int scale, Rng* rng) const {
    // With all blocks there may be in the end, which models are to tell apart.
    ASSIGN_OR_RETURN(const std::unique_ptr<Space> space,
                     CreateStagedSpace(OutlineSpace(facts_, scale, {.frugal = true}), facts_.input,
                                       facts_.classes));
    std::vector<std::pair<int64_t, v1::Architecture>> networks;
    for (int i = 0; i < kProbeSamples; ++i) {
      ASSIGN_OR_RETURN(v1::Architecture architecture, space->Lower(space->Sample(rng)));
      ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
      const NetworkSize size = SizeOf(costs);
      const bool met = std::all_of(judged_.begin(), judged_.end(), [&size](const Judged& limit) {
        return limit.field.empty() || ValueOf(limit, size) <= limit.most;
      });
      if (met) networks.emplace_back(costs.macs, std::move(architecture));
    }
    if (networks.empty()) return std::nullopt;
    std::stable_sort(networks.begin(), networks.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    return std::move(networks[networks.size() / 2].second);
  }

  const DataFacts& facts_;
  std::vector<Judged> judged_;
  std::vector<std::string> unfitted_;
  Style style_;
};

}  // namespace

absl::StatusOr<v1::Composition> Compose(const DataFacts& facts, absl::Span<const CostLimit> limits,
                                        const CostModels& models) {
  RETURN_IF_ERROR(CheckDataShape(facts.input, facts.classes));
  return Composer(facts, limits, models).Run();
}

absl::StatusOr<std::vector<v1::Architecture>> ChooseProbes(const DataFacts& facts,
                                                           absl::Span<const CostLimit> limits,
                                                           int count) {
  RETURN_IF_ERROR(CheckDataShape(facts.input, facts.classes));
  return Composer(facts, limits, {}).Probes(count);
}

}  // namespace frontier::coordinator
