// A space whose genotypes are an Encoding's.
#ifndef FRONTIER_COORDINATOR_SPACE_ENCODED_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_ENCODED_SPACE_H_

#include <string>
#include <utility>
#include <vector>

#include "coordinator/space/encoding.h"
#include "coordinator/space/space.h"

namespace frontier::coordinator {

// All but lowering and summaries.
class EncodedSpace : public Space {
 public:
  const std::vector<Decision>& decisions() const final { return encoding_.decisions(); }
  std::string Size() const final { return encoding_.Size(); }
  v1::Genotype Sample(Rng* rng) const final { return encoding_.Sample(rng); }
  v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const final {
    return encoding_.Mutate(parent, rng);
  }
  v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second, Rng* rng) const final {
    return encoding_.Cross(first, second, rng);
  }
  std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const final {
    return encoding_.Neighbours(genotype);
  }
  std::vector<float> Features(const v1::Genotype& genotype) const final {
    return encoding_.Features(genotype);
  }
  v1::Genotype First() const final { return encoding_.First(); }
  bool Advance(v1::Genotype* genotype) const final { return encoding_.Advance(genotype); }

 protected:
  explicit EncodedSpace(Encoding encoding) : encoding_(std::move(encoding)) {}

  const Encoding& encoding() const { return encoding_; }

 private:
  const Encoding encoding_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_ENCODED_SPACE_H_
