// A strategy proposes what to try next.
//
// Law: a proposal depends on the strategy's spec, the seed, and what its context shows: the number
// of the proposal, the space, which trials have ended, in which order and how, and which run. What
// a strategy keeps of them beyond that is only there to save time, so one that was restored goes on
// exactly as if nothing had happened. Unless its spec allows repeats, no architecture is proposed
// twice in a job, running trials included.
#ifndef FRONTIER_COORDINATOR_STRATEGY_STRATEGY_H_
#define FRONTIER_COORDINATOR_STRATEGY_STRATEGY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/architecture/graph.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/search_space.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// A genotype with all that follows from it.
struct Candidate {
  v1::Genotype genotype;
  v1::Architecture architecture;
  std::string hash;  // CandidateHash
  int64_t parameters = 0;
  int64_t macs = 0;
  v1::Origin origin = {};
};

// The end of a trial, or of its training up to a rung, as strategies see it. One that goes on is
// told of again, with what it came to then.
struct Observation {
  int64_t trial = 0;  // number in the job
  v1::Genotype genotype = {};
  v1::Origin origin = {};
  bool succeeded = false;               // if not, the figures below are empty
  std::vector<double> objectives = {};  // as MinimizedObjectives; finite
  double violation = 0;                 // as ConstraintViolation; 0 = feasible
  // In a job with rungs: it paused there before, and was told of then.
  bool again = false;
};

// A trial that was proposed and of which no observation tells yet.
struct Running {
  int64_t trial = 0;
  const v1::Genotype* genotype = nullptr;
};

// What a job lends its strategy for one proposal.
class SearchContext {
 public:
  virtual ~SearchContext() = default;
  // Number of the trial to be proposed: one more than were proposed before, in a job that does not
  // probe.
  virtual int64_t number() const = 0;
  virtual const Space& space() const = 0;
  // The candidate for `genotype`, or nothing if it cannot be proposed: its network is invalid,
  // breaks a constraint that is known without training, or has been proposed in this job before.
  // What cannot be proposed once never can be later.
  virtual std::optional<Candidate> Admit(const v1::Genotype& genotype) const = 0;
  // Trials that have ended, or came to a rung, in the order in which they did. From proposal to
  // proposal it only grows at its end. All successes have objectives of one number.
  virtual absl::Span<const Observation> history() const = 0;
  // By number.
  virtual std::vector<Running> running() const = 0;
};

// Not thread-safe; owned by its job.
class Strategy {
 public:
  virtual ~Strategy() = default;

  // FAILED_PRECONDITION with reason SPACE_EXHAUSTED if every architecture of the space has been
  // proposed or cannot be. UNAVAILABLE if a bounded number of tries found nothing new and there is
  // more to try: the next call, which is to be for the same number and history, goes on from there.
  virtual absl::StatusOr<Candidate> Propose(const SearchContext& context) = 0;
  // The space of the contexts to come is larger: options were added at the ends of decisions, so
  // that all genotypes known so far are still what they were. What was exhausted no longer is.
  virtual void SpaceExtended() = 0;

  // Of a portfolio: how its strategies stood at the last proposal.
  virtual std::vector<v1::StrategyArm> Arms() const { return {}; }

  virtual v1::StrategyState Save() const = 0;
  // INVALID_ARGUMENT if `state` cannot be.
  virtual absl::Status Restore(const v1::StrategyState& state) = 0;
};

// Writes the arms of a portfolio that names none into the job, so that it keeps them whatever later
// releases begin with.
void CompleteStrategy(v1::JobSpec* job);

// The strategy of `job`, whose objectives are known. INVALID_ARGUMENT (reason INVALID_FIELD, path
// from within StrategySpec) for an unknown strategy or settings that make no sense.
absl::StatusOr<std::unique_ptr<Strategy>> CreateStrategy(const v1::JobSpec& job);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_STRATEGY_H_
