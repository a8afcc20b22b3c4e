// Which states follow which: jobs, trials and attempts as tables of allowed transitions. What is
// not in a table is a bug of the caller and an error, never a silent change.
#ifndef FRONTIER_COORDINATOR_CORE_TRIAL_MACHINE_H_
#define FRONTIER_COORDINATOR_CORE_TRIAL_MACHINE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

enum class TrialEvent {
  kStarted,    // an attempt was leased
  kRequeued,   // its attempt ended, another may follow
  kSucceeded,  // all figures are there
  kFailed,     // by a cause that is not retried, or out of attempts
  kCancelled,  // its job was cancelled, failed or is out of budget
  kStopped,    // before the end of its training
  kGoesOn,     // was stopped, and is trained on
};

enum class AttemptEvent { kSucceeded, kFailed, kLost, kReturned, kCancelled };

enum class JobEvent {
  kPaused,
  kResumed,
  kLimitReached,  // nothing new will be proposed
  kExtended,      // there is something new after all
  kReopened,      // had ended by its budget, which is larger now
  kCompleted,     // nothing is left to wait for
  kCancelled,
  kFailed,
};

// The state after `event`. FAILED_PRECONDITION (reason WRONG_STATE) names both if `from` does not
// allow it.
absl::StatusOr<v1::TrialState> NextState(v1::TrialState from, TrialEvent event);
absl::StatusOr<v1::AttemptState> NextState(v1::AttemptState from, AttemptEvent event);
absl::StatusOr<v1::JobState> NextState(v1::JobState from, JobEvent event);

// As messages say it: "is queued, cannot be given back".
absl::string_view EventName(TrialEvent event);
absl::string_view EventName(AttemptEvent event);
absl::string_view EventName(JobEvent event);

bool HasEnded(v1::TrialState state);
bool HasEnded(v1::JobState state);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_TRIAL_MACHINE_H_
