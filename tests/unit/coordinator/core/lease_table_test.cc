#include "coordinator/core/lease_table.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

AttemptId Id(int64_t job, int64_t trial, int32_t attempt = 1) {
  return {JobId(job), TrialNumber(trial), attempt};
}

Lease MakeLease(const AttemptId& id, int64_t token, const std::string& worker, int expires) {
  Lease lease;
  lease.id = id;
  lease.token = token;
  lease.worker_id = worker;
  lease.expires = absl::Seconds(expires);
  return lease;
}

TEST(LeaseTable, FindsByAttemptAndByWorker) {
  LeaseTable table;
  table.Add(MakeLease(Id(1, 2), 7, "a", 10));
  table.Add(MakeLease(Id(1, 1), 8, "a", 20));
  table.Add(MakeLease(Id(2, 1), 9, "b", 30));
  ASSERT_NE(table.Find(Id(1, 2)), nullptr);
  EXPECT_EQ(table.Find(Id(1, 2))->token, 7);
  EXPECT_EQ(table.Find(Id(1, 2, 2)), nullptr);
  EXPECT_THAT(table.OfWorker("a"), ElementsAre(Id(1, 1), Id(1, 2)));
  EXPECT_EQ(table.CountOfWorker("b"), 1);
  EXPECT_EQ(table.CountOfWorker("c"), 0);
  EXPECT_THAT(table.All(), ElementsAre(Id(1, 1), Id(1, 2), Id(2, 1)));
  EXPECT_EQ(table.OldestToken(), 7);
}

TEST(LeaseTable, ExpiresAtItsTimeInOrder) {
  LeaseTable table;
  table.Add(MakeLease(Id(1, 1), 1, "a", 30));
  table.Add(MakeLease(Id(1, 2), 2, "a", 10));
  table.Add(MakeLease(Id(1, 3), 3, "a", 20));
  EXPECT_THAT(table.Expired(absl::Seconds(10) - absl::Nanoseconds(1)), IsEmpty());
  EXPECT_THAT(table.Expired(absl::Seconds(10)), ElementsAre(Id(1, 2)));
  EXPECT_THAT(table.Expired(absl::Seconds(25)), ElementsAre(Id(1, 2), Id(1, 3)));
  EXPECT_TRUE(table.Renew(Id(1, 2), absl::Seconds(40)));
  EXPECT_THAT(table.Expired(absl::Seconds(25)), ElementsAre(Id(1, 3)));
  EXPECT_THAT(table.Expired(absl::Seconds(40)), ElementsAre(Id(1, 3), Id(1, 1), Id(1, 2)));
}

TEST(LeaseTable, AllCanEndLater) {
  LeaseTable table;
  table.Add(MakeLease(Id(1, 1), 1, "a", 30));
  table.Add(MakeLease(Id(1, 2), 2, "a", 10));
  table.Postpone(absl::Seconds(5));
  EXPECT_THAT(table.Expired(absl::Seconds(15) - absl::Nanoseconds(1)), IsEmpty());
  EXPECT_THAT(table.Expired(absl::Seconds(35)), ElementsAre(Id(1, 2), Id(1, 1)));
  EXPECT_TRUE(table.Renew(Id(1, 2), absl::Seconds(50)));
  EXPECT_TRUE(table.Remove(Id(1, 1)));
  EXPECT_THAT(table.Expired(absl::Seconds(50)), ElementsAre(Id(1, 2)));
}

TEST(LeaseTable, RemovalLeavesNothing) {
  LeaseTable table;
  table.Add(MakeLease(Id(1, 1), 1, "a", 10));
  EXPECT_TRUE(table.AddUpload(Id(1, 1), "digest"));
  EXPECT_THAT(table.Find(Id(1, 1))->uploads, ElementsAre("digest"));
  EXPECT_TRUE(table.Remove(Id(1, 1)));
  EXPECT_FALSE(table.Remove(Id(1, 1)));
  EXPECT_FALSE(table.Renew(Id(1, 1), absl::Seconds(20)));
  EXPECT_FALSE(table.AddUpload(Id(1, 1), "digest"));
  EXPECT_EQ(table.size(), 0);
  EXPECT_EQ(table.OldestToken(), 0);
  EXPECT_THAT(table.OfWorker("a"), IsEmpty());
  EXPECT_THAT(table.Expired(absl::Hours(1)), IsEmpty());
}

TEST(LeaseTable, SecondLeaseOfAnAttemptReplacesTheFirst) {
  LeaseTable table;
  table.Add(MakeLease(Id(1, 1), 1, "a", 10));
  table.Add(MakeLease(Id(1, 1), 2, "b", 20));
  EXPECT_EQ(table.size(), 1);
  EXPECT_EQ(table.CountOfWorker("a"), 0);
  EXPECT_EQ(table.OldestToken(), 2);
  EXPECT_THAT(table.Expired(absl::Seconds(10)), IsEmpty());
}

}  // namespace
}  // namespace frontier::coordinator
