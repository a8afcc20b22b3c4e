#include "coordinator/core/space_probe.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/numeric/bits.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/graph.h"
#include "common/base/enum_names.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {
namespace {

constexpr int kProbes = 1000;
// Its own stream, so that looking at the space does not move what the strategy draws.
constexpr uint64_t kProbeStream = 0x70726f6265;

// A constraint that is known to hold or not without training.
struct Analytic {
  int index = 0;  // in the job
  v1::JobSpec alone;
  v1::Constraint constraint;
  int64_t nearest = 0;  // best value seen; counts once anything valid was seen

  bool at_most() const { return constraint.comparison() == v1::COMPARISON_AT_MOST; }
  int64_t ValueOf(const GraphCosts& costs) const {
    return constraint.metric() == v1::METRIC_PARAMETERS ? costs.parameters : costs.macs;
  }
};

std::string Describe(const v1::Constraint& constraint) {
  return absl::StrCat(
      EnumName(constraint.metric()),
      constraint.comparison() == v1::COMPARISON_AT_MOST ? " <= " : " >= ", constraint.bound());
}

// Looks at candidates until one may be proposed.
class Probe {
 public:
  explicit Probe(const v1::JobSpec& spec) {
    for (int i = 0; i < spec.constraints_size(); ++i) {
      const v1::Constraint& constraint = spec.constraints(i);
      if (constraint.metric() != v1::METRIC_PARAMETERS && constraint.metric() != v1::METRIC_MACS) {
        continue;
      }
      Analytic analytic;
      analytic.index = i;
      analytic.constraint = constraint;
      *analytic.alone.add_constraints() = constraint;
      constraints_.push_back(std::move(analytic));
    }
  }

  int tried() const { return tried_; }

  // Whether `genotype` could be proposed; if not, notes why.
  bool Try(const Space& space, const v1::Genotype& genotype) {
    ++tried_;
    const absl::StatusOr<v1::Architecture> architecture = space.Lower(genotype);
    const absl::StatusOr<GraphCosts> costs =
        architecture.ok() ? AnalyzeGraph(*architecture)
                          : absl::StatusOr<GraphCosts>(architecture.status());
    if (!costs.ok()) {
      last_error_ = std::string(costs.status().message());
      return false;
    }
    uint64_t broken = 0;
    for (size_t i = 0; i < constraints_.size(); ++i) {
      Analytic& analytic = constraints_[i];
      const int64_t value = analytic.ValueOf(*costs);
      if (broken_.empty() ||
          (analytic.at_most() ? value < analytic.nearest : value > analytic.nearest)) {
        analytic.nearest = value;
      }
      if (!MeetsAnalyticConstraints(analytic.alone, costs->parameters, costs->macs)) {
        broken |= uint64_t{1} << i;
      }
    }
    broken_.push_back(broken);
    return broken == 0;
  }

  absl::Status Explain(bool exhaustive) const {
    const auto valid = static_cast<int>(broken_.size());
    std::string tried = exhaustive
                            ? absl::StrCat("none of the ", tried_, " architectures")
                            : absl::StrCat("none of ", tried_, " architectures drawn at random");
    absl::StrAppend(&tried, " of the search space");
    if (valid == 0) {
      return InvalidField("search_space",
                          absl::StrCat(tried, " is a valid network, say: ", last_error_));
    }
    const uint64_t culprits = FewestThatRuleAllOut();
    std::vector<std::string> parts;
    const Analytic* first = nullptr;
    for (size_t i = 0; i < constraints_.size(); ++i) {
      if ((culprits >> i & 1) == 0) continue;
      const Analytic& analytic = constraints_[i];
      if (first == nullptr) first = &analytic;
      parts.push_back(absl::StrCat(Describe(analytic.constraint), " (",
                                   CountBroken(uint64_t{1} << i), " break it, ",
                                   analytic.at_most() ? "least " : "most ", analytic.nearest, ")"));
    }
    std::string text = absl::StrCat(tried, " has ");
    if (parts.size() == 1) {
      absl::StrAppend(&text, Describe(first->constraint), ", the ",
                      first->at_most() ? "least is " : "most is ", first->nearest);
    } else {
      absl::StrAppend(&text, "all of ", absl::StrJoin(parts, ", "),
                      "; each alone can be met, together they leave nothing");
    }
    if (valid < tried_) {
      absl::StrAppend(&text, "; ", tried_ - valid, " are no valid networks, say: ", last_error_);
    }
    return InvalidField(absl::StrCat("constraints[", first->index, "].bound"), text);
  }

 private:
  // How many of the valid ones break at least one of `constraints`.
  int CountBroken(uint64_t constraints) const {
    int count = 0;
    for (const uint64_t broken : broken_) count += (broken & constraints) != 0 ? 1 : 0;
    return count;
  }

  // All constraints together rule all out; there are at most four of them, since each of two
  // metrics is bounded at most once from each side.
  uint64_t FewestThatRuleAllOut() const {
    const uint64_t all = (uint64_t{1} << constraints_.size()) - 1;
    uint64_t best = all;
    for (uint64_t some = 1; some < all; ++some) {
      if (absl::popcount(some) < absl::popcount(best) &&
          CountBroken(some) == static_cast<int>(broken_.size())) {
        best = some;
      }
    }
    return best;
  }

  std::vector<Analytic> constraints_;
  int tried_ = 0;
  std::vector<uint64_t> broken_;  // by valid candidate: bits of `constraints_`
  std::string last_error_;
};

}  // namespace

absl::Status CheckSpaceIsNotEmpty(const v1::JobSpec& spec, const Space& space) {
  Probe probe(spec);
  int64_t size = 0;
  if (absl::SimpleAtoi(space.Size(), &size) && size <= kProbes) {
    v1::Genotype genotype = space.First();
    do {
      if (probe.Try(space, genotype)) return absl::OkStatus();
    } while (space.Advance(&genotype));
    return probe.Explain(/*exhaustive=*/true);
  }
  Rng rng(spec.strategy().seed(), kProbeStream);
  while (probe.tried() < kProbes) {
    if (probe.Try(space, space.Sample(&rng))) return absl::OkStatus();
  }
  return probe.Explain(/*exhaustive=*/false);
}

}  // namespace frontier::coordinator
