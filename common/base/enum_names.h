// Words for enum values in messages.
#ifndef FRONTIER_COMMON_BASE_ENUM_NAMES_H_
#define FRONTIER_COMMON_BASE_ENUM_NAMES_H_

#include <string>

#include "frontier/v1/job.pb.h"
#include "frontier/v1/measurement.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier {

// Without the prefix, in lower case with spaces ("running", "out of memory"); the number for a
// value this version does not know.
std::string EnumName(v1::JobState state);
std::string EnumName(v1::TrialState state);
std::string EnumName(v1::AttemptState state);
std::string EnumName(v1::FailureCause cause);
// "latency_ms"
std::string EnumName(v1::Metric metric);

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_ENUM_NAMES_H_
