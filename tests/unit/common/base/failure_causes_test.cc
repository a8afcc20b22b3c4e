#include "common/base/failure_causes.h"

#include <set>

#include "gtest/gtest.h"

namespace frontier {
namespace {

TEST(FailureCausesTest, AreRetriedAsTheProtocolSays) {
  const std::set<v1::FailureCause> retried = {
      v1::FAILURE_CAUSE_WORKER_LOST, v1::FAILURE_CAUSE_CRASHED,  v1::FAILURE_CAUSE_TIMED_OUT,
      v1::FAILURE_CAUSE_DATASET,     v1::FAILURE_CAUSE_INTERNAL, v1::FAILURE_CAUSE_PREEMPTED,
      v1::FAILURE_CAUSE_OTHER_DATA};
  for (int i = v1::FailureCause_MIN; i <= v1::FailureCause_MAX; ++i) {
    const auto cause = static_cast<v1::FailureCause>(i);
    EXPECT_EQ(IsRetried(cause), retried.count(cause) > 0) << v1::FailureCause_Name(cause);
  }
}

}  // namespace
}  // namespace frontier
