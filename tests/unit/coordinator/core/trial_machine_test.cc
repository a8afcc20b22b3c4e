#include "coordinator/core/trial_machine.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Every pair of state and event that is not listed must be refused.
template <typename State, typename Event>
void ExpectTable(const std::vector<State>& states, const std::vector<Event>& events,
                 const std::map<std::pair<State, Event>, State>& allowed) {
  for (const State state : states) {
    for (const Event event : events) {
      const absl::StatusOr<State> next = NextState(state, event);
      const auto it = allowed.find({state, event});
      if (it != allowed.end()) {
        ASSERT_OK(next) << state << " " << static_cast<int>(event);
        EXPECT_EQ(*next, it->second) << state << " " << static_cast<int>(event);
      } else {
        EXPECT_EQ(GetErrorReason(next.status()), v1::ERROR_REASON_WRONG_STATE)
            << state << " " << static_cast<int>(event) << " " << next.status();
      }
    }
  }
}

TEST(TrialMachine, TrialsFollowTheTable) {
  ExpectTable<v1::TrialState, TrialEvent>(
      {v1::TRIAL_STATE_UNSPECIFIED, v1::TRIAL_STATE_QUEUED, v1::TRIAL_STATE_RUNNING,
       v1::TRIAL_STATE_SUCCEEDED, v1::TRIAL_STATE_FAILED, v1::TRIAL_STATE_CANCELLED},
      {TrialEvent::kStarted, TrialEvent::kRequeued, TrialEvent::kSucceeded, TrialEvent::kFailed,
       TrialEvent::kCancelled},
      {{{v1::TRIAL_STATE_QUEUED, TrialEvent::kStarted}, v1::TRIAL_STATE_RUNNING},
       {{v1::TRIAL_STATE_QUEUED, TrialEvent::kCancelled}, v1::TRIAL_STATE_CANCELLED},
       {{v1::TRIAL_STATE_RUNNING, TrialEvent::kRequeued}, v1::TRIAL_STATE_QUEUED},
       {{v1::TRIAL_STATE_RUNNING, TrialEvent::kSucceeded}, v1::TRIAL_STATE_SUCCEEDED},
       {{v1::TRIAL_STATE_RUNNING, TrialEvent::kFailed}, v1::TRIAL_STATE_FAILED},
       {{v1::TRIAL_STATE_RUNNING, TrialEvent::kCancelled}, v1::TRIAL_STATE_CANCELLED}});
}

TEST(TrialMachine, AttemptsEndOnce) {
  std::map<std::pair<v1::AttemptState, AttemptEvent>, v1::AttemptState> allowed = {
      {{v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kSucceeded}, v1::ATTEMPT_STATE_SUCCEEDED},
      {{v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kFailed}, v1::ATTEMPT_STATE_FAILED},
      {{v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kLost}, v1::ATTEMPT_STATE_LOST},
      {{v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kReturned}, v1::ATTEMPT_STATE_RETURNED},
      {{v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kCancelled}, v1::ATTEMPT_STATE_CANCELLED}};
  ExpectTable<v1::AttemptState, AttemptEvent>(
      {v1::ATTEMPT_STATE_UNSPECIFIED, v1::ATTEMPT_STATE_RUNNING, v1::ATTEMPT_STATE_SUCCEEDED,
       v1::ATTEMPT_STATE_FAILED, v1::ATTEMPT_STATE_LOST, v1::ATTEMPT_STATE_RETURNED,
       v1::ATTEMPT_STATE_CANCELLED},
      {AttemptEvent::kSucceeded, AttemptEvent::kFailed, AttemptEvent::kLost,
       AttemptEvent::kReturned, AttemptEvent::kCancelled},
      allowed);
}

TEST(TrialMachine, JobsFollowTheTable) {
  std::map<std::pair<v1::JobState, JobEvent>, v1::JobState> allowed = {
      {{v1::JOB_STATE_RUNNING, JobEvent::kPaused}, v1::JOB_STATE_PAUSED},
      {{v1::JOB_STATE_DRAINING, JobEvent::kPaused}, v1::JOB_STATE_PAUSED},
      {{v1::JOB_STATE_DRAINING, JobEvent::kExtended}, v1::JOB_STATE_RUNNING},
      {{v1::JOB_STATE_PAUSED, JobEvent::kResumed}, v1::JOB_STATE_RUNNING},
      {{v1::JOB_STATE_RUNNING, JobEvent::kLimitReached}, v1::JOB_STATE_DRAINING}};
  for (const v1::JobState state :
       {v1::JOB_STATE_RUNNING, v1::JOB_STATE_PAUSED, v1::JOB_STATE_DRAINING}) {
    allowed[{state, JobEvent::kCompleted}] = v1::JOB_STATE_COMPLETED;
    allowed[{state, JobEvent::kCancelled}] = v1::JOB_STATE_CANCELLED;
    allowed[{state, JobEvent::kFailed}] = v1::JOB_STATE_FAILED;
  }
  ExpectTable<v1::JobState, JobEvent>(
      {v1::JOB_STATE_UNSPECIFIED, v1::JOB_STATE_RUNNING, v1::JOB_STATE_PAUSED,
       v1::JOB_STATE_DRAINING, v1::JOB_STATE_COMPLETED, v1::JOB_STATE_CANCELLED,
       v1::JOB_STATE_FAILED},
      {JobEvent::kPaused, JobEvent::kResumed, JobEvent::kLimitReached, JobEvent::kExtended,
       JobEvent::kCompleted, JobEvent::kCancelled, JobEvent::kFailed},
      allowed);
}

TEST(TrialMachine, RefusalNamesStateAndEvent) {
  EXPECT_THAT(NextState(v1::TRIAL_STATE_SUCCEEDED, TrialEvent::kRequeued),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("succeeded"), HasSubstr("queued again"))));
}

}  // namespace
}  // namespace frontier::coordinator
