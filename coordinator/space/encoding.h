// Genotypes as lists of decisions: what all spaces of independent decisions have in common.
#ifndef FRONTIER_COORDINATOR_SPACE_ENCODING_H_
#define FRONTIER_COORDINATOR_SPACE_ENCODING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/random.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Immutable. Every combination of options is a genotype.
class Encoding {
 public:
  // Each decision has at least one option.
  explicit Encoding(std::vector<Decision> decisions);

  const std::vector<Decision>& decisions() const { return decisions_; }

  // Product of the numbers of options, exact, decimal.
  std::string Size() const;

  // INVALID_ARGUMENT names the decision and the option that does not exist.
  absl::Status Check(const v1::Genotype& genotype) const;

  // As Space. A parent that is no genotype of this encoding gives a uniform draw instead.
  v1::Genotype Sample(Rng* rng) const;
  v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const;
  v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second, Rng* rng) const;
  std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const;
  // One-hot: for each option of each decision 1 if it is taken, else 0.
  std::vector<float> Features(const v1::Genotype& genotype) const;

  // Lexicographic, the last decision fastest. There is nothing after a genotype of another
  // encoding.
  v1::Genotype First() const;
  bool Advance(v1::Genotype* genotype) const;

 private:
  std::vector<Decision> decisions_;
  std::vector<int> open_;  // indices of the decisions with more than one option
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_ENCODING_H_
