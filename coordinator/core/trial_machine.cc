#include "coordinator/core/trial_machine.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/enum_names.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

template <typename State, typename Event>
struct Transition {
  State from;
  Event event;
  State to;
};

constexpr Transition<v1::TrialState, TrialEvent> kTrialTable[] = {
    {v1::TRIAL_STATE_QUEUED, TrialEvent::kStarted, v1::TRIAL_STATE_RUNNING},
    {v1::TRIAL_STATE_QUEUED, TrialEvent::kCancelled, v1::TRIAL_STATE_CANCELLED},
    {v1::TRIAL_STATE_RUNNING, TrialEvent::kRequeued, v1::TRIAL_STATE_QUEUED},
    {v1::TRIAL_STATE_RUNNING, TrialEvent::kSucceeded, v1::TRIAL_STATE_SUCCEEDED},
    {v1::TRIAL_STATE_RUNNING, TrialEvent::kFailed, v1::TRIAL_STATE_FAILED},
    {v1::TRIAL_STATE_RUNNING, TrialEvent::kCancelled, v1::TRIAL_STATE_CANCELLED},
    {v1::TRIAL_STATE_QUEUED, TrialEvent::kStopped, v1::TRIAL_STATE_STOPPED},
    {v1::TRIAL_STATE_RUNNING, TrialEvent::kStopped, v1::TRIAL_STATE_STOPPED},
    {v1::TRIAL_STATE_STOPPED, TrialEvent::kGoesOn, v1::TRIAL_STATE_QUEUED},
};

constexpr Transition<v1::AttemptState, AttemptEvent> kAttemptTable[] = {
    {v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kSucceeded, v1::ATTEMPT_STATE_SUCCEEDED},
    {v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kFailed, v1::ATTEMPT_STATE_FAILED},
    {v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kLost, v1::ATTEMPT_STATE_LOST},
    {v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kReturned, v1::ATTEMPT_STATE_RETURNED},
    {v1::ATTEMPT_STATE_RUNNING, AttemptEvent::kCancelled, v1::ATTEMPT_STATE_CANCELLED},
};

constexpr Transition<v1::JobState, JobEvent> kJobTable[] = {
    {v1::JOB_STATE_RUNNING, JobEvent::kPaused, v1::JOB_STATE_PAUSED},
    {v1::JOB_STATE_RUNNING, JobEvent::kLimitReached, v1::JOB_STATE_DRAINING},
    {v1::JOB_STATE_RUNNING, JobEvent::kCompleted, v1::JOB_STATE_COMPLETED},
    {v1::JOB_STATE_RUNNING, JobEvent::kCancelled, v1::JOB_STATE_CANCELLED},
    {v1::JOB_STATE_RUNNING, JobEvent::kFailed, v1::JOB_STATE_FAILED},
    {v1::JOB_STATE_PAUSED, JobEvent::kResumed, v1::JOB_STATE_RUNNING},
    {v1::JOB_STATE_PAUSED, JobEvent::kCompleted, v1::JOB_STATE_COMPLETED},
    {v1::JOB_STATE_PAUSED, JobEvent::kCancelled, v1::JOB_STATE_CANCELLED},
    {v1::JOB_STATE_PAUSED, JobEvent::kFailed, v1::JOB_STATE_FAILED},
    {v1::JOB_STATE_DRAINING, JobEvent::kExtended, v1::JOB_STATE_RUNNING},
    {v1::JOB_STATE_COMPLETED, JobEvent::kReopened, v1::JOB_STATE_RUNNING},
    {v1::JOB_STATE_FAILED, JobEvent::kReopened, v1::JOB_STATE_RUNNING},
    {v1::JOB_STATE_DRAINING, JobEvent::kPaused, v1::JOB_STATE_PAUSED},
    {v1::JOB_STATE_DRAINING, JobEvent::kCompleted, v1::JOB_STATE_COMPLETED},
    {v1::JOB_STATE_DRAINING, JobEvent::kCancelled, v1::JOB_STATE_CANCELLED},
    {v1::JOB_STATE_DRAINING, JobEvent::kFailed, v1::JOB_STATE_FAILED},
};

template <typename State, typename Event>
absl::StatusOr<State> LookUp(absl::Span<const Transition<State, Event>> table, State from,
                             Event event) {
  for (const auto& transition : table) {
    if (transition.from == from && transition.event == event) return transition.to;
  }
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                         absl::StrCat("is ", EnumName(from), ", cannot be ", EventName(event)));
}

}  // namespace

absl::string_view EventName(TrialEvent event) {
  switch (event) {
    case TrialEvent::kStarted:
      return "started";
    case TrialEvent::kRequeued:
      return "queued again";
    case TrialEvent::kSucceeded:
      return "ended as succeeded";
    case TrialEvent::kFailed:
      return "ended as failed";
    case TrialEvent::kCancelled:
      return "cancelled";
    case TrialEvent::kStopped:
      return "stopped";
    case TrialEvent::kGoesOn:
      return "trained on";
  }
  return "?";
}

absl::string_view EventName(AttemptEvent event) {
  switch (event) {
    case AttemptEvent::kSucceeded:
      return "ended as succeeded";
    case AttemptEvent::kFailed:
      return "ended as failed";
    case AttemptEvent::kLost:
      return "lost";
    case AttemptEvent::kReturned:
      return "given back";
    case AttemptEvent::kCancelled:
      return "cancelled";
  }
  return "?";
}

absl::string_view EventName(JobEvent event) {
  switch (event) {
    case JobEvent::kPaused:
      return "paused";
    case JobEvent::kResumed:
      return "resumed";
    case JobEvent::kLimitReached:
      return "drained";
    case JobEvent::kExtended:
      return "extended";
    case JobEvent::kReopened:
      return "gone on with";
    case JobEvent::kCompleted:
      return "completed";
    case JobEvent::kCancelled:
      return "cancelled";
    case JobEvent::kFailed:
      return "ended as failed";
  }
  return "?";
}

absl::StatusOr<v1::TrialState> NextState(v1::TrialState from, TrialEvent event) {
  return LookUp<v1::TrialState, TrialEvent>(kTrialTable, from, event);
}

absl::StatusOr<v1::AttemptState> NextState(v1::AttemptState from, AttemptEvent event) {
  return LookUp<v1::AttemptState, AttemptEvent>(kAttemptTable, from, event);
}

absl::StatusOr<v1::JobState> NextState(v1::JobState from, JobEvent event) {
  return LookUp<v1::JobState, JobEvent>(kJobTable, from, event);
}

bool HasEnded(v1::TrialState state) {
  return state == v1::TRIAL_STATE_SUCCEEDED || state == v1::TRIAL_STATE_FAILED ||
         state == v1::TRIAL_STATE_CANCELLED || state == v1::TRIAL_STATE_STOPPED;
}

bool HasEnded(v1::JobState state) {
  return state == v1::JOB_STATE_COMPLETED || state == v1::JOB_STATE_CANCELLED ||
         state == v1::JOB_STATE_FAILED;
}

}  // namespace frontier::coordinator
