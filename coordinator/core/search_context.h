// What a job lends its strategy for one proposal.
#ifndef FRONTIER_COORDINATOR_CORE_SEARCH_CONTEXT_H_
#define FRONTIER_COORDINATOR_CORE_SEARCH_CONTEXT_H_

#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "coordinator/space/space.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/job.pb.h"

namespace frontier::coordinator {

// Admits what lowers to a valid network, meets the constraints that need no training, and has a
// hash that is not among `taken`. All arguments outlive it.
class JobSearchContext final : public SearchContext {
 public:
  JobSearchContext(const v1::JobSpec& spec, const Space& space,
                   const absl::flat_hash_set<std::string>& taken)
      : spec_(spec), space_(space), taken_(taken) {}

  const Space& space() const override { return space_; }
  std::optional<Candidate> Admit(const v1::Genotype& genotype) const override;

 private:
  const v1::JobSpec& spec_;
  const Space& space_;
  const absl::flat_hash_set<std::string>& taken_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_SEARCH_CONTEXT_H_
