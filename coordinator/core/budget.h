// What a job has used, and what is left of its budget.
#ifndef FRONTIER_COORDINATOR_CORE_BUDGET_H_
#define FRONTIER_COORDINATOR_CORE_BUDGET_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/measurement.pb.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace frontier::coordinator {

// Seconds from submission to `now` (or to the job's end), pauses left out; never negative.
double WallSeconds(const v1::JobRecord& record, absl::Time now);

// Why no further trial may be created ("budget of 12 trials used"), or nothing. Attempts of trials
// that exist already go on.
std::optional<std::string> UsedTrialBudget(const v1::Job& job);

// Why no further attempt may start ("budget of 60 s wall time used"), or nothing. Looks at
// job.usage but for its wall time.
std::optional<std::string> UsedResourceBudget(const v1::Job& job, double wall_seconds);

// Trials of its own that succeeded: not those of an earlier job that it reuses.
int64_t OwnSuccesses(const v1::Job& job);

// Seconds until the first limit of the budget is reached at the pace so far; 0 for an ended job,
// negative = not known. Looks at the counts and job.usage.
double SecondsLeft(const v1::Job& job);

// Takes CPU seconds, joules and grams of CO2 over from `measurements`; figures that are not finite
// or negative count as not given. A figure without an interval gets one of width zero.
void RecordUsage(const google::protobuf::RepeatedPtrField<v1::Measurement>& measurements,
                 v1::Attempt* attempt);

// Adds an ended attempt. Intervals add up end to end: errors of one method lean the same way, so
// they do not cancel out.
void AddUsage(const v1::Attempt& attempt, v1::JobUsage* usage);

// The less trustworthy of two energy methods; an unknown one is weaker than all known ones, an
// empty one is none at all.
std::string WeakerMethod(const std::string& a, const std::string& b);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_BUDGET_H_
