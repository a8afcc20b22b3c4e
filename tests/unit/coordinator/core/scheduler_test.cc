#include "coordinator/core/scheduler.h"

#include <map>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

JobDemand Demand(int64_t job) {
  JobDemand demand;
  demand.job = JobId(job);
  demand.has_work = true;
  demand.fits_worker = true;
  return demand;
}

TEST(Scheduler, BeginsAfterTheJobServedLast) {
  const std::vector<JobDemand> jobs = {Demand(3), Demand(1), Demand(2)};
  EXPECT_THAT(LeaseOrder(jobs, JobId(0)), ElementsAre(JobId(1), JobId(2), JobId(3)));
  EXPECT_THAT(LeaseOrder(jobs, JobId(1)), ElementsAre(JobId(2), JobId(3), JobId(1)));
  EXPECT_THAT(LeaseOrder(jobs, JobId(3)), ElementsAre(JobId(1), JobId(2), JobId(3)));
  EXPECT_THAT(LeaseOrder(jobs, JobId(9)), ElementsAre(JobId(1), JobId(2), JobId(3)));
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
  EXPECT_THAT(LeaseOrder({idle, other_data, full}, JobId(0)), IsEmpty());
  EXPECT_THAT(LeaseOrder({idle, other_data, full, unlimited}, JobId(0)), ElementsAre(JobId(4)));
}

TEST(Scheduler, SharesEvenly) {
  const std::vector<JobDemand> jobs = {Demand(1), Demand(2), Demand(5)};
  std::map<JobId, int> served;
  JobId last(0);
  for (int i = 0; i < 30; ++i) {
    last = LeaseOrder(jobs, last).front();
    ++served[last];
  }
  for (const auto& [job, count] : served) EXPECT_EQ(count, 10) << job.ToString();
}

}  // namespace
}  // namespace frontier::coordinator
