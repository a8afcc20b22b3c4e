#include "worker/agent/lease_table.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::worker {
namespace {

v1::AttemptLease Lease(int64_t token) {
  v1::AttemptLease lease;
  lease.mutable_task()->mutable_key()->set_trial(token);
  lease.set_token(token);
  return lease;
}

v1::EpochMetrics Epoch(int number) {
  v1::EpochMetrics epoch;
  epoch.set_epoch(number);
  return epoch;
}

TEST(LeaseTableTest, ALeaseIsTakenOnceInOrder) {
  LeaseTable table(2);
  EXPECT_EQ(table.Accept(Lease(1)), LeaseTable::Accepted::kQueued);
  EXPECT_EQ(table.Accept(Lease(1)), LeaseTable::Accepted::kKnown);
  EXPECT_EQ(table.Accept(Lease(2)), LeaseTable::Accepted::kQueued);
  EXPECT_EQ(table.Take()->lease().token(), 1);
  EXPECT_EQ(table.Take()->lease().token(), 2);
  table.Close();
  EXPECT_EQ(table.Take(), nullptr);
}

TEST(LeaseTableTest, ASettledTokenStaysKnown) {
  LeaseTable table(1);
  table.Accept(Lease(1));
  table.Take();
  table.Release(1);
  table.Release(1);
  EXPECT_EQ(table.held(), 0);
  EXPECT_EQ(table.Accept(Lease(1)), LeaseTable::Accepted::kKnown);
}

TEST(LeaseTableTest, ClosingRefusesNewLeasesAndHandsOutQueuedOnes) {
  LeaseTable table(2);
  table.Accept(Lease(1));
  table.Close();
  EXPECT_EQ(table.Accept(Lease(2)), LeaseTable::Accepted::kClosed);
  EXPECT_FALSE(table.WaitForRoom());
  EXPECT_NE(table.Take(), nullptr);
  EXPECT_EQ(table.Take(), nullptr);
}

TEST(LeaseTableTest, RoomComesWithARelease) {
  LeaseTable table(1);
  EXPECT_TRUE(table.WaitForRoom());
  table.Accept(Lease(1));
  std::thread releaser([&table] { table.Release(1); });
  EXPECT_TRUE(table.WaitForRoom());
  releaser.join();
}

TEST(LeaseTableTest, EpochsAreNamedUntilAcknowledged) {
  LeaseTable table(1);
  table.Accept(Lease(1));
  table.AddEpoch(1, Epoch(1));
  table.AddEpoch(1, Epoch(2));
  const std::vector<v1::LeaseStatus> sent = table.Snapshot();
  ASSERT_EQ(sent.size(), 1);
  EXPECT_EQ(sent[0].epochs_size(), 2);
  table.AddEpoch(1, Epoch(3));
  EXPECT_EQ(table.Snapshot()[0].epochs_size(), 3);
  table.Acknowledge(sent);
  ASSERT_EQ(table.Snapshot()[0].epochs_size(), 1);
  EXPECT_EQ(table.Snapshot()[0].epochs(0).epoch(), 3);
  table.AddEpoch(7, Epoch(1));  // of no lease held
  EXPECT_EQ(table.Snapshot().size(), 1);
}

TEST(LeaseTableTest, ARevocationOverridesAShutdownOnly) {
  LeaseTable table(2);
  table.Accept(Lease(1));
  table.Accept(Lease(2));
  const auto first = table.Take(), second = table.Take();
  EXPECT_TRUE(table.Revoke(1));
  EXPECT_FALSE(table.Revoke(9));
  table.StopAll();
  EXPECT_EQ(first->stop_reason(), StopReason::kRevoked);
  EXPECT_EQ(second->stop_reason(), StopReason::kShutdown);
  EXPECT_TRUE(second->stop().raised());
  EXPECT_TRUE(table.Revoke(2));
  EXPECT_EQ(second->stop_reason(), StopReason::kRevoked);
}

}  // namespace
}  // namespace frontier::worker
