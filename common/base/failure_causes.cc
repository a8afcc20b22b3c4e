#include "common/base/failure_causes.h"

namespace frontier {

bool IsRetried(v1::FailureCause cause) {
  switch (cause) {
    case v1::FAILURE_CAUSE_WORKER_LOST:
    case v1::FAILURE_CAUSE_CRASHED:
    case v1::FAILURE_CAUSE_TIMED_OUT:
    case v1::FAILURE_CAUSE_DATASET:
    case v1::FAILURE_CAUSE_INTERNAL:
    case v1::FAILURE_CAUSE_PREEMPTED:
    case v1::FAILURE_CAUSE_OTHER_DATA:
      return true;
    default:
      return false;
  }
}

}  // namespace frontier
