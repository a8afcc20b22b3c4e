#include "common/base/strong_id.h"

#include <type_traits>

#include "absl/container/flat_hash_set.h"
#include "gtest/gtest.h"

namespace frontier {
namespace {

TEST(StrongIdTest, NamesOrdersAndHashes) {
  EXPECT_EQ(JobId(3).ToString(), "job 3");
  EXPECT_LT(TrialNumber(2), TrialNumber(10));
  absl::flat_hash_set<JobId> ids = {JobId(1), JobId(1), JobId(2)};
  EXPECT_EQ(ids.size(), 2u);
}

TEST(StrongIdTest, KindsDoNotMix) {
  EXPECT_FALSE((std::is_convertible_v<JobId, TrialNumber>));
  EXPECT_FALSE((std::is_convertible_v<int64_t, JobId>));
  EXPECT_FALSE((std::is_convertible_v<JobId, int64_t>));
}

}  // namespace
}  // namespace frontier
