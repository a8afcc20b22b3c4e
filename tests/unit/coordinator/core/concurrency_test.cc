// Many callers at once. Worth most under ThreadSanitizer.
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeReport;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;

TEST(Concurrency, EachTrialIsRunOnce) {
  constexpr int kWorkers = 6;
  Harness h;
  std::atomic<int> calls = 0;
  h.core().SetChangeListener([&calls] { ++calls; });
  v1::JobSpec spec = SmallJob(25);
  const int64_t job = h.Submit(spec);
  for (int i = 0; i < kWorkers; ++i) h.Register(absl::StrCat("w", i));
  std::atomic<int> reports = 0;
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < kWorkers; ++i) {
    threads.emplace_back([&h, &reports, i] {
      const std::string worker = absl::StrCat("w", i);
      for (int round = 0;; ++round) {
        v1::LeaseRequest request;
        request.set_request_id(absl::StrCat(worker, "-lease-", round));
        request.set_worker_id(worker);
        request.set_incarnation("i1");
        const auto response = h.core().TryLease(request);
        ASSERT_OK(response);
        if (!response->has_lease()) return;
        EXPECT_OK(h.Heartbeat(worker, {response->lease()}));
        EXPECT_OK(h.core().Report(MakeReport(absl::StrCat(worker, "-report-", round), worker,
                                             response->lease(), MakeResult(0.5, 1 + i))));
        ++reports;
      }
    });
  }
  std::thread reader([&h, &done, job] {
    while (!done) {
      v1::GetFrontRequest request;
      request.set_job_id(job);
      EXPECT_OK(h.core().GetFront(request));
      EXPECT_OK(h.core().Tick());
      h.clock().Advance(absl::Milliseconds(1));
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  EXPECT_EQ(reports, 25);
  EXPECT_EQ(h.Job(job).trials_succeeded(), 25);
  EXPECT_EQ(h.Job(job).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_GT(calls, 0);
}

}  // namespace
}  // namespace frontier::coordinator
