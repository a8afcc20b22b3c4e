// What coordinator and workers both know of how attempts fail.
#ifndef FRONTIER_COMMON_BASE_FAILURE_CAUSES_H_
#define FRONTIER_COMMON_BASE_FAILURE_CAUSES_H_

#include "frontier/v1/trial.pb.h"

namespace frontier {

// Whether another attempt may help after a failure of this cause. Not of one that this release does
// not know.
bool IsRetried(v1::FailureCause cause);

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_FAILURE_CAUSES_H_
