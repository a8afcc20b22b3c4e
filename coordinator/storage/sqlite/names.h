// Protocol enums as the database spells them: "TRIAL_STATE_RUNNING" is "running".
#ifndef FRONTIER_COORDINATOR_STORAGE_SQLITE_NAMES_H_
#define FRONTIER_COORDINATOR_STORAGE_SQLITE_NAMES_H_

#include <string>

#include "frontier/v1/job.pb.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/measurement.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// A value without a name is written as its number.
std::string StateName(v1::JobState state);
std::string StateName(v1::TrialState state);
std::string StateName(v1::AttemptState state);
std::string CauseName(v1::FailureCause cause);
std::string MetricName(v1::Metric metric);
std::string KindName(v1::EventKind kind);
// The kind KindName gave `name` for; unspecified if there is none.
v1::EventKind ParseKind(const std::string& name);

// "ms"; "1" for shares and counts.
std::string MetricUnit(v1::Metric metric);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_SQLITE_NAMES_H_
