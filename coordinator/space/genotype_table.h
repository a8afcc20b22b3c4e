// Counts the genotypes of decisions with conditions, and draws from them.
#ifndef FRONTIER_COORDINATOR_SPACE_GENOTYPE_TABLE_H_
#define FRONTIER_COORDINATOR_SPACE_GENOTYPE_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/random.h"
#include "coordinator/space/space.h"

namespace frontier::coordinator {

// Dynamic programming over the decisions. They are taken one after another, each as soon as those
// that its conditions name have been; what is remembered of the ones taken is which of those to
// come are inactive already. For each such state the number of ways to go on is known exactly.
//
// Immutable.
class GenotypeTable {
 public:
  // Largest numbers of states, and of state transitions, of a table.
  static constexpr int64_t kMaxStates = int64_t{1} << 18;
  static constexpr int64_t kMaxTransitions = int64_t{1} << 20;

  // The conditions name earlier decisions; their options are ascending. RESOURCE_EXHAUSTED names
  // the decision at which there are too many states: too many decisions with conditions are open
  // there at once.
  static absl::StatusOr<GenotypeTable> Create(const std::vector<Decision>& decisions);

  // Number of genotypes, exact, decimal.
  const std::string& size() const { return size_; }

  // Uniform: each probability of the walk from decision to decision is exact to 2^-64. `options`
  // has a place for each decision.
  void Sample(Rng* rng, absl::Span<int32_t> options) const;

 private:
  friend class GenotypeTableBuilder;

  // Options that leave the same decisions possible.
  using OptionClass = std::vector<int32_t>;
  struct Step {
    int32_t decision = 0;
    std::vector<OptionClass> classes;
  };
  struct State {
    int32_t first_arc = 0;  // one for each class, or a single one if inactive
    bool active = true;
  };
  struct Arc {
    uint64_t below =
        0;             // the class is taken for draws of 64 bits below this, the last for the rest
    int32_t next = 0;  // state of the next step
  };

  std::vector<Step> steps_;
  std::vector<State> states_;
  std::vector<Arc> arcs_;
  std::string size_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_GENOTYPE_TABLE_H_
