#include "coordinator/service/long_calls.h"

#include <atomic>
#include <future>
#include <thread>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

TEST(LongCallsTest, RunsCallsBesideEachOtherAndTheirCaller) {
  std::promise<void> first, second;
  std::promise<std::thread::id> ran;
  LongCalls calls(2, 8);
  // Each waits for the other.
  ASSERT_OK(calls.Run([&] {
    first.set_value();
    second.get_future().wait();
  }));
  ASSERT_OK(calls.Run([&] {
    first.get_future().wait();
    second.set_value();
    ran.set_value(std::this_thread::get_id());
  }));
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST(LongCallsTest, TooManyAreRefusedAndNoneIsForgotten) {
  std::atomic<int> ran = 0;
  std::promise<void> begun, go_on;
  {
    LongCalls calls(1, 3);
    ASSERT_OK(calls.Run([&] {
      begun.set_value();
      go_on.get_future().wait();
      ++ran;
    }));
    begun.get_future().wait();
    for (int i = 0; i < 3; ++i) ASSERT_OK(calls.Run([&] { ++ran; }));
    EXPECT_EQ(GetErrorReason(calls.Run([&] { ++ran; })), v1::ERROR_REASON_OVERLOADED);
    go_on.set_value();
  }
  EXPECT_EQ(ran, 4);
}

}  // namespace
}  // namespace frontier::coordinator
