// What a job lends its strategy for one proposal.
#ifndef FRONTIER_COORDINATOR_CORE_SEARCH_CONTEXT_H_
#define FRONTIER_COORDINATOR_CORE_SEARCH_CONTEXT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "coordinator/space/space.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/job.pb.h"

namespace frontier::coordinator {

// The candidate for `genotype` if it lowers to a valid network, meets the constraints that need no
// training, and has a hash that is not among `taken`.
std::optional<Candidate> AdmitCandidate(const v1::JobSpec& spec, const Space& space,
                                        const absl::flat_hash_set<std::string>& taken,
                                        const v1::Genotype& genotype);

// Where repeats are allowed nothing counts as taken. All that is lent to it outlives it.
class JobSearchContext final : public SearchContext {
 public:
  struct Lent {
    const v1::JobSpec& spec;
    const Space& space;
    const absl::flat_hash_set<std::string>& taken;
    int64_t number = 0;
    absl::Span<const Observation> history;
    std::function<std::vector<Running>()> running;  // few strategies ask for them
  };
  explicit JobSearchContext(Lent lent) : lent_(std::move(lent)) {}

  int64_t number() const override { return lent_.number; }
  const Space& space() const override { return lent_.space; }
  std::optional<Candidate> Admit(const v1::Genotype& genotype) const override;
  absl::Span<const Observation> history() const override { return lent_.history; }
  std::vector<Running> running() const override { return lent_.running(); }

 private:
  const Lent lent_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_SEARCH_CONTEXT_H_
