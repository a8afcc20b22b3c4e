// Genotypes of choices of which some depend on others and some do not go together.
#ifndef FRONTIER_COORDINATOR_SPACE_GRAPH_CHOICES_H_
#define FRONTIER_COORDINATOR_SPACE_GRAPH_CHOICES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/random.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Never all at once. A condition on an inactive decision does not hold.
using Constraint = std::vector<Condition>;

// A genotype has an option for each decision, 0 for the inactive ones, and breaks no constraint.
// Counting, drawing and enumerating walk a decision diagram: what is remembered of the decisions
// taken is which later ones they made inactive and which constraints they have met so far, and for
// each such state the number of ways to go on is known exactly. Dead ends are cut off.
//
// Immutable.
class GraphChoices {
 public:
  // Largest numbers of states, and of options over all states.
  static constexpr int64_t kMaxStates = int64_t{1} << 16;
  static constexpr int64_t kMaxArcs = int64_t{1} << 19;

  // Conditions are as ResolveConditions gives them, those of decisions on earlier ones. Errors:
  // RESOURCE_EXHAUSTED names the decision at which too much would have to be remembered;
  // INVALID_ARGUMENT (reason INVALID_FIELD, "constraints[3]") names the fewest constraints without
  // which something would be left, if nothing is.
  static absl::StatusOr<GraphChoices> Create(std::vector<Decision> decisions,
                                             std::vector<Constraint> constraints);

  const std::vector<Decision>& decisions() const { return decisions_; }

  // Number of genotypes, exact, decimal.
  const std::string& Size() const { return size_; }

  // INVALID_ARGUMENT names the choice and the option that does not exist, the choice that is
  // inactive, or the constraint that is broken.
  absl::Status Check(const v1::Genotype& genotype) const;

  // By decision: whether it is active. `genotype` is one of these.
  std::vector<bool> Active(const v1::Genotype& genotype) const;

  // As Space; uniform to 2^-64 at each decision. Where constraints leave no way to change one
  // decision alone, Mutate changes as many of the later ones as it must, and Cross draws where
  // neither parent's option is left.
  v1::Genotype Sample(Rng* rng) const;
  v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const;
  v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second, Rng* rng) const;
  std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const;
  std::vector<float> Features(const v1::Genotype& genotype) const;
  v1::Genotype First() const;
  bool Advance(v1::Genotype* genotype) const;

 private:
  friend class GraphChoicesBuilder;

  struct State {
    int32_t first_arc = 0;  // one for each option; a single one if inactive
    bool active = true;
  };
  struct Arc {
    int32_t next = -1;   // state of the next decision; -1 = nothing is left that way
    uint64_t below = 0;  // taken for draws of 64 bits below this, the last open one for the rest
  };

  explicit GraphChoices(std::vector<Decision> decisions) : decisions_(std::move(decisions)) {}

  const Arc& ArcOf(int32_t state, int32_t option) const {
    return arcs_[states_[state].first_arc + option];
  }
  int32_t FirstOpen(size_t decision, int32_t state, int32_t from) const;
  int32_t Draw(size_t decision, int32_t state, Rng* rng) const;
  // States in which each decision of a genotype is taken.
  std::vector<int32_t> Path(const v1::Genotype& genotype) const;
  // `parent` with `option` at `decision`; later decisions as in the parent where they were active,
  // else drawn, or the first open one without `rng`. If the parent's is not open: nothing, or
  // drawn if `further`.
  std::optional<v1::Genotype> Change(const v1::Genotype& parent, const std::vector<int32_t>& path,
                                     int decision, int32_t option, bool further, Rng* rng) const;

  std::vector<Decision> decisions_;
  std::vector<Constraint> constraints_;
  std::vector<State> states_;  // decision by decision; the first is the start
  std::vector<Arc> arcs_;
  std::string size_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_GRAPH_CHOICES_H_
