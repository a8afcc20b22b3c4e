#include "common/base/mutex.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace frontier {
namespace {

TEST(MutexTest, ExcludesAndSignals) {
  Mutex mutex;
  CondVar all_done;
  int done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        MutexLock lock(&mutex);
        ++done;
      }
      all_done.SignalAll();
    });
  }
  {
    MutexLock lock(&mutex);
    while (done < 4000) all_done.Wait(&mutex);
    EXPECT_EQ(done, 4000);
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(MutexTest, WaitForEndsWithoutSignal) {
  Mutex mutex;
  CondVar condition;
  MutexLock lock(&mutex);
  EXPECT_FALSE(condition.WaitFor(&mutex, absl::Milliseconds(1)));
}

}  // namespace
}  // namespace frontier
