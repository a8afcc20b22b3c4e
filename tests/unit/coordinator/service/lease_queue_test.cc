#include "coordinator/service/lease_queue.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_dispatcher.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::FakeClock;
using frontier::testing::FakeDispatcher;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kMostWaiting = 2000;

class LeaseQueueTest : public ::testing::Test {
 protected:
  uint64_t Wait(const std::string& worker, int64_t wait_ms = 1000) {
    v1::LeaseRequest request;
    request.set_worker_id(worker);
    request.set_wait_ms(wait_ms);
    return queue_.Wait(request, [this, worker](absl::StatusOr<v1::LeaseResponse> response) {
      answers_.push_back(absl::StrCat(worker, " ",
                                      !response.ok()          ? response.status().message()
                                      : response->has_lease() ? "lease"
                                                              : "nothing"));
    });
  }

  FakeDispatcher dispatcher_;
  FakeClock clock_;
  std::atomic<int> wakes_ = 0;
  std::vector<std::string> answers_;
  LeaseQueue queue_{&dispatcher_, &clock_, kMostWaiting, [this] { ++wakes_; }};
};

TEST_F(LeaseQueueTest, AnswersAtOnceIfThereIsWork) {
  dispatcher_.AddWork(1);
  EXPECT_EQ(Wait("a"), 0u);
  EXPECT_THAT(answers_, ElementsAre("a lease"));
}

TEST_F(LeaseQueueTest, AnswersAtOnceIfThereIsNothingToWaitFor) {
  EXPECT_EQ(Wait("a", 0), 0u);
  dispatcher_.SetLeaseError(absl::NotFoundError("unknown"));
  EXPECT_EQ(Wait("b"), 0u);
  EXPECT_THAT(answers_, ElementsAre("a nothing", "b unknown"));
}

TEST_F(LeaseQueueTest, WhoFindsNoPlaceIsToldToComeBack) {
  for (size_t i = 0; i < kMostWaiting; ++i) EXPECT_NE(Wait("a"), 0u);
  absl::Status told;
  v1::LeaseRequest request;
  request.set_wait_ms(1000);
  EXPECT_EQ(queue_.Wait(request,
                        [&told](const absl::StatusOr<v1::LeaseResponse>& response) {
                          told = response.status();
                        }),
            0u);
  EXPECT_TRUE(absl::IsResourceExhausted(told)) << told;
  EXPECT_EQ(GetErrorReason(told), v1::ERROR_REASON_OVERLOADED);
  EXPECT_GT(GetErrorDetail(told)->retry_after_ms(), 0);
  // Work is given all the same.
  dispatcher_.AddWork(1);
  EXPECT_EQ(Wait("b"), 0u);
  EXPECT_THAT(answers_, ElementsAre("b lease"));
}

TEST_F(LeaseQueueTest, ServesThoseWhoWaitInTheOrderTheyCame) {
  for (const char* worker : {"a", "b", "c"}) EXPECT_NE(Wait(worker), 0u);
  EXPECT_THAT(answers_, IsEmpty());
  dispatcher_.AddWork(2);
  queue_.Pump();
  EXPECT_THAT(answers_, ElementsAre("a lease", "b lease"));
  EXPECT_EQ(queue_.size(), 1u);
  dispatcher_.AddWork(1);
  queue_.Pump();
  EXPECT_EQ(answers_.back(), "c lease");
}

TEST_F(LeaseQueueTest, OneWhoCannotTakeWorkKeepsItsPlaceAndHoldsUpNobody) {
  dispatcher_.SetTaker([](const std::string& worker) { return worker != "a"; });
  Wait("a");
  Wait("b");
  Wait("c");
  dispatcher_.AddWork(1);
  queue_.Pump();
  EXPECT_THAT(answers_, ElementsAre("b lease"));
  dispatcher_.SetTaker([](const std::string&) { return true; });
  dispatcher_.AddWork(1);
  queue_.Pump();
  EXPECT_THAT(answers_, ElementsAre("b lease", "a lease"));
}

TEST_F(LeaseQueueTest, TriesABoundedNumberInVainAndGoesOnFromThere) {
  constexpr int kWaiters = 1000;
  for (int i = 0; i < kWaiters; ++i) Wait(absl::StrCat(i));
  const std::string last = absl::StrCat(kWaiters - 1);
  dispatcher_.SetTaker([last](const std::string& worker) { return worker == last; });
  dispatcher_.AddWork(1);
  int pumps = 0;
  while (answers_.empty()) {
    const int before = dispatcher_.TryLeases();
    queue_.Pump();
    EXPECT_LE(dispatcher_.TryLeases() - before, 65);
    ASSERT_LE(++pumps, kWaiters / 60);
  }
  EXPECT_THAT(answers_, ElementsAre(absl::StrCat(last, " lease")));
  EXPECT_GT(pumps, 10);
}

TEST_F(LeaseQueueTest, ServesManyAtOnceIfThereIsWorkForMany) {
  for (int i = 0; i < 500; ++i) Wait(absl::StrCat(i));
  dispatcher_.AddWork(400);
  queue_.Pump();
  EXPECT_EQ(answers_.size(), 400u);
  EXPECT_EQ(dispatcher_.Takers().front(), "0");
  EXPECT_EQ(dispatcher_.Takers().back(), "399");
}

TEST_F(LeaseQueueTest, AWaitEndsInTime) {
  EXPECT_EQ(queue_.NextDeadline(), absl::InfiniteDuration());
  Wait("a", 1000);
  Wait("b", 500);
  EXPECT_EQ(queue_.NextDeadline(), absl::Milliseconds(500));
  clock_.Advance(absl::Milliseconds(499));
  queue_.Expire();
  EXPECT_THAT(answers_, IsEmpty());
  clock_.Advance(absl::Milliseconds(1));
  queue_.Expire();
  EXPECT_THAT(answers_, ElementsAre("b nothing"));
  // Tries in vain do not move the deadline.
  queue_.Pump();
  EXPECT_EQ(queue_.NextDeadline(), absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  queue_.Expire();
  EXPECT_THAT(answers_, ElementsAre("b nothing", "a nothing"));
  EXPECT_EQ(queue_.size(), 0u);
}

TEST_F(LeaseQueueTest, ACancelledCallIsNotAnswered) {
  const uint64_t id = Wait("a");
  EXPECT_TRUE(queue_.Cancel(id));
  EXPECT_FALSE(queue_.Cancel(id));
  EXPECT_FALSE(queue_.Cancel(0));
  dispatcher_.AddWork(1);
  queue_.Pump();
  clock_.Advance(absl::Hours(1));
  queue_.Expire();
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(dispatcher_.Takers(), IsEmpty());
}

TEST_F(LeaseQueueTest, ACallCancelledWhileItIsTriedIsNotAnswered) {
  for (const int work : {0, 1}) {
    const uint64_t id = Wait("a");
    dispatcher_.SetOnTryLease([this, id] { EXPECT_TRUE(queue_.Cancel(id)); });
    dispatcher_.AddWork(work);
    queue_.Pump();
    dispatcher_.SetOnTryLease(nullptr);
    EXPECT_EQ(queue_.size(), 0u);
    EXPECT_THAT(answers_, IsEmpty());
  }
}

TEST_F(LeaseQueueTest, WorkThatCameDuringTheFirstTryIsNotMissed) {
  int tries = 0;
  dispatcher_.SetOnTryLease([&] {
    ++tries;
    queue_.NoteChange();
  });
  Wait("a");
  EXPECT_GT(tries, 1);
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(queue_.size(), 1u);
}

TEST_F(LeaseQueueTest, AnErrorWhileWaitingIsTheAnswer) {
  Wait("a");
  dispatcher_.SetLeaseError(absl::NotFoundError("unknown worker"));
  queue_.Pump();
  EXPECT_THAT(answers_, ElementsAre("a unknown worker"));
}

TEST_F(LeaseQueueTest, ShuttingDownAnswersAll) {
  Wait("a");
  Wait("b");
  queue_.Shutdown();
  EXPECT_THAT(answers_, ElementsAre("a the coordinator is shutting down",
                                    "b the coordinator is shutting down"));
  EXPECT_EQ(Wait("c"), 0u);
  EXPECT_EQ(answers_.back(), "c the coordinator is shutting down");
}

TEST_F(LeaseQueueTest, ShuttingDownWhileOneIsTriedAnswersItToo) {
  Wait("a");
  dispatcher_.SetOnTryLease([this] { queue_.Shutdown(); });
  queue_.Pump();
  EXPECT_THAT(answers_, ElementsAre("a the coordinator is shutting down"));
}

TEST_F(LeaseQueueTest, EachCallIsAnsweredOnceUnderPressure) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 200;
  std::atomic<int> answered = 0;
  std::atomic<int> leased = 0;
  std::atomic<int> cancelled = 0;
  std::atomic<int> begun = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kCalls; ++i) {
        v1::LeaseRequest request;
        request.set_worker_id(absl::StrCat(thread, "-", i));
        request.set_wait_ms(1000);
        const uint64_t id = queue_.Wait(request, [&](absl::StatusOr<v1::LeaseResponse> response) {
          ++answered;
          if (response.ok() && response->has_lease()) ++leased;
        });
        if (i % 3 == 0 && queue_.Cancel(id)) ++cancelled;
        ++begun;
      }
    });
  }
  while (begun < kThreads * kCalls) {
    dispatcher_.AddWork(1);
    queue_.NoteChange();
    queue_.Pump();
  }
  for (std::thread& thread : threads) thread.join();
  queue_.Shutdown();
  EXPECT_EQ(answered + cancelled, kThreads * kCalls);
  EXPECT_LE(leased, static_cast<int>(dispatcher_.Takers().size()));
}

}  // namespace
}  // namespace frontier::coordinator
