// Genotypes as lists of decisions: what all spaces of decisions have in common.
#ifndef FRONTIER_COORDINATOR_SPACE_ENCODING_H_
#define FRONTIER_COORDINATOR_SPACE_ENCODING_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/random.h"
#include "coordinator/space/genotype_table.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Immutable. A genotype has an option for each decision, 0 for the inactive ones; every such list
// is one.
class Encoding {
 public:
  // Of independent decisions: each has at least one option and no conditions.
  explicit Encoding(std::vector<Decision> decisions);

  // INVALID_ARGUMENT names the decision for: no options, a condition on a decision that is not an
  // earlier one, on no options, or on an option that does not exist. RESOURCE_EXHAUSTED as
  // GenotypeTable.
  static absl::StatusOr<Encoding> Create(std::vector<Decision> decisions);

  const std::vector<Decision>& decisions() const { return decisions_; }

  // Number of genotypes, exact, decimal.
  std::string Size() const;

  // INVALID_ARGUMENT names the decision and the option that does not exist, or the decision that
  // is inactive and the condition that says so.
  absl::Status Check(const v1::Genotype& genotype) const;

  // By decision: whether it is active. `genotype` is one of this encoding.
  std::vector<bool> Active(const v1::Genotype& genotype) const;

  // As Space. A parent that is no genotype of this encoding gives a uniform draw instead. Sample is
  // uniform as GenotypeTable says; exactly so for independent decisions.
  v1::Genotype Sample(Rng* rng) const;
  v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const;
  v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second, Rng* rng) const;
  std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const;
  // One-hot: for each option of each active decision 1 if it is taken, else 0.
  std::vector<float> Features(const v1::Genotype& genotype) const;

  // Lexicographic, the last decision fastest. There is nothing after a genotype of another
  // encoding.
  v1::Genotype First() const;
  bool Advance(v1::Genotype* genotype) const;

 private:
  // Indices of the active decisions with more than one option.
  std::vector<int> Open(const std::vector<bool>& active) const;

  std::vector<Decision> decisions_;
  std::optional<GenotypeTable> table_;  // only where there are conditions
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_ENCODING_H_
