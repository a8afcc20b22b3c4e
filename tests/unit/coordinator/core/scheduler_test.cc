#include "coordinator/core/scheduler.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

JobDemand Demand(int64_t job, double share = 1, int priority = 0) {
  JobDemand demand;
  demand.job = JobId(job);
  demand.has_work = true;
  demand.fits_worker = true;
  demand.share = share;
  demand.priority = priority;
  return demand;
}

std::vector<int64_t> Numbers(const std::vector<JobDemand>& jobs) {
  std::vector<int64_t> numbers;
  for (const JobDemand& job : jobs) numbers.push_back(job.job.value());
  return numbers;
}

// What the time of `slots` workers went to, job by job, in `seconds` in which an attempt of a job
// takes as long as `lengths` says, 1 without.
std::map<int64_t, double> Serve(Scheduler* scheduler, std::vector<JobDemand> jobs, int slots,
                                double seconds, const std::map<int64_t, double>& lengths = {}) {
  std::multimap<double, JobId> ends;
  std::map<int64_t, double> served;
  double now = 0;
  while (now < seconds) {
    for (JobDemand& job : jobs) {
      job.running = static_cast<int>(std::count_if(
          ends.begin(), ends.end(), [&](const auto& e) { return e.second == job.job; }));
    }
    const JobDemand next = scheduler->Order(jobs).front();
    const auto length = lengths.find(next.job.value());
    const double takes = length == lengths.end() ? 1 : length->second;
    scheduler->NoteLeased(next);
    ends.emplace(now + takes, next.job);
    served[next.job.value()] += takes;
    if (static_cast<int>(ends.size()) < slots) continue;
    const auto [end, job] = *ends.begin();
    const auto took = lengths.find(job.value());
    scheduler->NoteEnded(job, absl::Seconds(took == lengths.end() ? 1 : took->second));
    ends.erase(ends.begin());
    now = end;
  }
  return served;
}

MATCHER_P2(IsAbout, value, part, "") { return std::abs(arg - value) <= part * value; }

TEST(Scheduler, GoesRound) {
  Scheduler scheduler;
  const std::vector<JobDemand> jobs = {Demand(3), Demand(1), Demand(2)};
  EXPECT_THAT(Numbers(scheduler.Order(jobs)), ElementsAre(1, 2, 3));
  scheduler.NoteLeased(Demand(1));
  EXPECT_THAT(Numbers(scheduler.Order(jobs)), ElementsAre(2, 3, 1));
  scheduler.NoteLeased(Demand(2));
  scheduler.NoteLeased(Demand(3));
  EXPECT_THAT(Numbers(scheduler.Order(jobs)), ElementsAre(1, 2, 3));
}

TEST(Scheduler, LeavesOutJobsThatMayHaveNothing) {
  JobDemand idle = Demand(1);
  idle.has_work = false;
  JobDemand other_data = Demand(2);
  other_data.fits_worker = false;
  JobDemand full = Demand(3);
  full.running = 2;
  full.max_parallel_trials = 2;
  JobDemand unlimited = Demand(4);
  unlimited.running = 1000;
  const Scheduler scheduler;
  EXPECT_THAT(scheduler.Order({idle, other_data, full}), IsEmpty());
  EXPECT_THAT(Numbers(scheduler.Order({idle, other_data, full, unlimited})), ElementsAre(4));
}

TEST(Scheduler, SharesInProportion) {
  const std::vector<JobDemand> jobs = {Demand(1), Demand(2, 3), Demand(5, 0.5)};
  for (const int slots : {1, 2, 9, 90}) {
    Scheduler scheduler;
    const double each = 900. / 4.5 * slots;
    EXPECT_THAT(Serve(&scheduler, jobs, slots, 900),
                ElementsAre(Pair(1, IsAbout(each, 0.02)), Pair(2, IsAbout(3 * each, 0.02)),
                            Pair(5, IsAbout(0.5 * each, 0.02))))
        << slots << " slots";
  }
}

TEST(Scheduler, SharesTimeHoweverLongTrialsAre) {
  const std::vector<JobDemand> jobs = {Demand(1), Demand(2), Demand(3, 2)};
  for (const int slots : {1, 8}) {
    Scheduler scheduler;
    const double each = 10'000. / 4 * slots;
    EXPECT_THAT(Serve(&scheduler, jobs, slots, 10'000, {{1, 100}, {2, 3}, {3, 10}}),
                ElementsAre(Pair(1, IsAbout(each, 0.1)), Pair(2, IsAbout(each, 0.1)),
                            Pair(3, IsAbout(2 * each, 0.1))))
        << slots << " slots";
  }
}

TEST(Scheduler, PrioritiesComeFirstWhateverOthersHaveWaited) {
  Scheduler scheduler;
  const std::vector<JobDemand> jobs = {Demand(1, 1000), Demand(2, 1, 5), Demand(3, 1, -5)};
  EXPECT_THAT(Serve(&scheduler, jobs, 4, 50), ElementsAre(Pair(2, ::testing::Gt(190))));
  EXPECT_THAT(Numbers(scheduler.Order(jobs)), ElementsAre(2, 1, 3));
}

TEST(Scheduler, WhoHadNoWorkHasNothingToCatchUpOn) {
  Scheduler scheduler;
  Serve(&scheduler, {Demand(3)}, 1, 10);
  EXPECT_THAT(Serve(&scheduler, {Demand(1)}, 1, 100), ElementsAre(Pair(1, 100)));
  // 2 is new, and 3 had its turn long ago.
  EXPECT_THAT(Serve(&scheduler, {Demand(1), Demand(2)}, 1, 100),
              ElementsAre(Pair(1, IsAbout(50, 0.05)), Pair(2, IsAbout(50, 0.05))));
  EXPECT_THAT(Serve(&scheduler, {Demand(1), Demand(3)}, 1, 100),
              ElementsAre(Pair(1, IsAbout(50, 0.05)), Pair(3, IsAbout(50, 0.05))));
}

TEST(Scheduler, ForgetsJobsThatHaveEnded) {
  Scheduler scheduler;
  scheduler.NoteLeased(Demand(1, 0.001));
  scheduler.Forget(JobId(1));
  EXPECT_THAT(Serve(&scheduler, {Demand(1), Demand(2)}, 1, 10),
              ElementsAre(Pair(1, IsAbout(5, 0.2)), Pair(2, IsAbout(5, 0.2))));
}

}  // namespace
}  // namespace frontier::coordinator
