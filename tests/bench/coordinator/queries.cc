#include "tests/bench/coordinator/queries.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/client/job_client.h"
#include "tests/bench/coordinator/no_op_worker.h"

namespace frontier::bench {
namespace {

constexpr absl::Duration kBetweenTries = absl::Milliseconds(5);
constexpr absl::Duration kLongestWait = absl::Minutes(5);
constexpr absl::Duration kLeaseWait = absl::Seconds(1);

absl::StatusOr<double> MedianMs(int rounds, const std::function<absl::Status()>& call) {
  SystemClock clock;
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const absl::Duration began = clock.Elapsed();
    RETURN_IF_ERROR(call());
    times.push_back(absl::ToDoubleMilliseconds(clock.Elapsed() - began));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

absl::Status TimeQueries(const std::string& coordinator, int rounds) {
  JobClientOptions options;
  options.address = coordinator;
  const std::unique_ptr<JobClient> client = NewJobClient(options);
  v1::GetJobRequest get;
  get.set_job_id(1);
  ASSIGN_OR_RETURN(const v1::GetJobResponse job, client->GetJob(get));
  ASSIGN_OR_RETURN(const double status,
                   MedianMs(rounds, [&] { return client->GetJob(get).status(); }));
  v1::GetFrontRequest of_front;
  of_front.set_job_id(1);
  ASSIGN_OR_RETURN(const double front,
                   MedianMs(rounds, [&] { return client->GetFront(of_front).status(); }));
  v1::ListTrialsRequest list;
  list.set_job_id(1);
  list.set_page_token(absl::StrCat(std::max<int64_t>(1, job.job().trials_created() / 2)));
  ASSIGN_OR_RETURN(const double page,
                   MedianMs(rounds, [&] { return client->ListTrials(list).status(); }));
  std::printf(
      "{\"trials\": %lld, \"front\": %lld, \"status_ms\": %.3f, \"front_ms\": %.3f, "
      "\"page_ms\": %.3f}\n",
      static_cast<long long>(job.job().trials_created()),
      static_cast<long long>(job.job().front_size()), status, front, page);
  return absl::OkStatus();
}

absl::Status AwaitLease(const std::string& coordinator, absl::Time began) {
  SystemClock clock;
  NoOpWorker worker(coordinator, 1, &clock);
  while (absl::Now() - began < kLongestWait) {
    absl::Status status = worker.Register();
    if (status.ok()) {
      const absl::StatusOr<bool> leased = worker.TakeLease(kLeaseWait);
      if (leased.ok() && *leased) {
        std::printf("{\"seconds\": %.3f}\n", absl::ToDoubleSeconds(absl::Now() - began));
        return absl::OkStatus();
      }
      status = leased.status();
    }
    if (!status.ok() && !absl::IsUnavailable(status)) return status;
    absl::SleepFor(kBetweenTries);
  }
  return absl::DeadlineExceededError("no lease within five minutes");
}

}  // namespace frontier::bench
