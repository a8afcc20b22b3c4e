// A strategy proposes what to try next.
//
// Law: what a strategy proposes depends only on its spec, its seed and the ordered calls made on
// it. After Restore(Save()) it goes on exactly as if nothing had happened. No architecture is
// proposed twice in a job, running trials included.
#ifndef FRONTIER_COORDINATOR_STRATEGY_STRATEGY_H_
#define FRONTIER_COORDINATOR_STRATEGY_STRATEGY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/architecture/graph.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// A genotype with all that follows from it.
struct Candidate {
  v1::Genotype genotype;
  v1::Architecture architecture;
  std::string hash;  // CandidateHash
  int64_t parameters = 0;
  int64_t macs = 0;
};

// What a job lends its strategy for one proposal.
class SearchContext {
 public:
  virtual ~SearchContext() = default;
  virtual const Space& space() const = 0;
  // The candidate for `genotype`, or nothing if it cannot be proposed: its network is invalid,
  // breaks a constraint that is known without training, or has been proposed in this job before.
  // What cannot be proposed once never can be later.
  virtual std::optional<Candidate> Admit(const v1::Genotype& genotype) const = 0;
};

// The end of a trial, as strategies see it.
struct Observation {
  int64_t trial = 0;  // number in the job
  v1::Genotype genotype;
  bool succeeded = false;          // if not, the figures below are empty
  std::vector<double> objectives;  // in the order of the job's, all to be minimized
  double violation = 0;            // sum of relative constraint violations; 0 = feasible
};

// Not thread-safe; owned by its job.
class Strategy {
 public:
  virtual ~Strategy() = default;

  // FAILED_PRECONDITION with reason SPACE_EXHAUSTED if every architecture of the space has been
  // proposed or cannot be. UNAVAILABLE if a bounded number of tries found nothing new and there is
  // more to try: the next call goes on from there.
  virtual absl::StatusOr<Candidate> Propose(const SearchContext& context) = 0;
  virtual void Observe(const Observation& observation) = 0;
  // The space of the contexts to come is larger: options were added at the ends of decisions, so
  // that all genotypes known so far are still what they were. What was exhausted no longer is;
  // nothing else is forgotten.
  virtual void SpaceExtended() = 0;

  virtual v1::StrategyState Save() const = 0;
  // INVALID_ARGUMENT if `state` is none of this strategy's.
  virtual absl::Status Restore(const v1::StrategyState& state) = 0;
};

// INVALID_ARGUMENT (reason INVALID_FIELD, path from within StrategySpec) for an unknown strategy or
// settings that make no sense.
absl::StatusOr<std::unique_ptr<Strategy>> CreateStrategy(const v1::StrategySpec& spec);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_STRATEGY_H_
