// Random operations of clients, workers, time and crashes against a trivial model. A failure prints
// the seed; run again with --gtest_filter and that seed in kFirstSeed.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/pareto/pareto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeReport;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StoreKind;
using ::frontier::testing::ValueOf;

constexpr uint64_t kFirstSeed = 1;

// What one simulated worker believes.
struct Believer {
  std::string id;
  int incarnation = 1;
  std::vector<v1::AttemptLease> leases;
  std::string Incarnation() const { return absl::StrCat("i", incarnation); }
};

class Driver {
 public:
  Driver(uint64_t seed, StoreKind store) : rng_(seed), h_(store) {
    for (int i = 0; i < 3; ++i) {
      Believer worker;
      worker.id = absl::StrCat("w", i);
      h_.Register(worker.id, worker.Incarnation(), 2);
      workers_.push_back(worker);
    }
    for (int i = 0; i < 2; ++i) {
      v1::JobSpec spec = SmallJob(8 + static_cast<int64_t>(rng_.Uniform(10)));
      spec.mutable_strategy()->set_seed(rng_.NextUint64());
      if (rng_.Uniform(2) == 0) spec.mutable_strategy()->mutable_evolution();
      if (rng_.Uniform(3) == 0) spec.set_max_parallel_trials(2);
      if (rng_.Uniform(3) == 0) spec.mutable_budget()->set_cpu_seconds(90);
      if (rng_.Uniform(2) == 0) {
        v1::AshaStopping* asha = spec.mutable_early_stopping()->mutable_asha();
        asha->set_reduction(2);
        if (rng_.Uniform(2) == 0) asha->add_rungs(2);
      }
      if (rng_.Uniform(3) == 0) {
        spec.mutable_screening()->set_proxy(v1::PROXY_NASWOT);
        spec.mutable_screening()->set_pool(2);
      }
      jobs_.push_back(h_.Submit(spec));
    }
  }

  void Run(int operations) {
    for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
      Step();
      Check();
    }
    Drain();
  }

 private:
  void Step() {
    Believer& worker = workers_[rng_.Uniform(workers_.size())];
    switch (rng_.Uniform(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Lease(&worker);
      case 4:
      case 5:
      case 6:
        return Report(&worker, rng_.Uniform(8) == 0);
      case 7:
        return Fail(&worker);
      case 8:
        return GiveBack(&worker);
      case 9:
      case 10:
        return Heartbeat(&worker);
      case 11:
        h_.clock().Advance(absl::Seconds(static_cast<double>(rng_.Uniform(20))));
        return h_.Tick();
      case 12:
        return h_.Restart();
      case 13: {
        // The daemon dies and comes back; what it ran is gone, or reported late by a ghost.
        if (rng_.Uniform(3) != 0) return;
        for (const v1::AttemptLease& lease : worker.leases) ghosts_.emplace_back(worker.id, lease);
        worker.leases.clear();
        ++worker.incarnation;
        return h_.Register(worker.id, worker.Incarnation(), 2);
      }
      case 14:
        return Haunt();
      default: {
        const int64_t job = jobs_[rng_.Uniform(jobs_.size())];
        const absl::Status status = rng_.Uniform(2) == 0 ? h_.Pause(job) : h_.Resume(job);
        EXPECT_TRUE(status.ok() || GetErrorReason(status) == v1::ERROR_REASON_WRONG_STATE);
        return;
      }
    }
  }

  void Lease(Believer* worker) {
    const auto lease = h_.Lease(worker->id, worker->Incarnation());
    if (!lease.has_value()) return;
    EXPECT_TRUE(tokens_.insert(lease->token()).second) << "token " << lease->token() << " twice";
    // Sometimes the answer is lost; the heartbeat starts it later, or it expires.
    if (rng_.Uniform(6) != 0) worker->leases.push_back(*lease);
  }

  std::optional<v1::AttemptLease> Take(Believer* worker) {
    if (worker->leases.empty()) return std::nullopt;
    const size_t index = rng_.Uniform(worker->leases.size());
    const v1::AttemptLease lease = worker->leases[index];
    worker->leases.erase(worker->leases.begin() + static_cast<int64_t>(index));
    return lease;
  }

  void Report(Believer* worker, bool bad) {
    const auto lease = Take(worker);
    if (!lease.has_value()) return;
    const v1::TrialTask& task = lease->task();
    const bool screens = task.proxy() != v1::PROXY_UNSPECIFIED;
    bad = bad && !screens;
    v1::TrialResult result =
        MakeResult(bad ? -HUGE_VAL : rng_.UniformDouble(), 0.1 + rng_.UniformDouble());
    const std::string sha256 = Sha256Hex(absl::StrCat(lease->token()));
    if (screens) {
      result.clear_epochs();
      result.mutable_measurements(0)->set_metric(v1::METRIC_PROXY);
    } else if (h_.Upload(worker->id, *lease, sha256).ok()) {
      task.until_epoch() > 0 ? result.set_checkpoint_sha256(sha256)
                             : result.set_weights_sha256(sha256);
    }
    while (task.until_epoch() > 0 && result.epochs_size() > task.until_epoch()) {
      result.mutable_epochs()->RemoveLast();
    }
    if (!task.checkpoint_sha256().empty()) {
      EXPECT_TRUE(h_.blobs().Has(task.checkpoint_sha256()));
    }
    const v1::ReportRequest request = MakeReport(h_.NextRequestId(), worker->id, *lease, result);
    const absl::StatusOr<v1::ReportResponse> first = h_.core().Report(request);
    Accept(*lease, first, bad);
    // The answer may get lost.
    if (rng_.Uniform(3) == 0) {
      if (rng_.Uniform(3) == 0) h_.Restart();
      const absl::StatusOr<v1::ReportResponse> second = h_.core().Report(request);
      EXPECT_EQ(second.ok(), first.ok());
      EXPECT_EQ(second.ok() ? second->trial_state() : 0, first.ok() ? first->trial_state() : 0);
    }
  }

  void Accept(const v1::AttemptLease& lease, const absl::StatusOr<v1::ReportResponse>& response,
              bool bad) {
    if (!response.ok()) {
      EXPECT_EQ(GetErrorReason(response.status()), v1::ERROR_REASON_STALE_LEASE)
          << response.status();
      return;
    }
    if (bad) {
      EXPECT_EQ(response->trial_state(), v1::TRIAL_STATE_FAILED);
      return;
    }
    const v1::TrialTask& task = lease.task();
    if (task.proxy() != v1::PROXY_UNSPECIFIED) {
      // Cancelled if the budget of time is used.
      EXPECT_TRUE(response->trial_state() == v1::TRIAL_STATE_QUEUED ||
                  response->trial_state() == v1::TRIAL_STATE_STOPPED ||
                  response->trial_state() == v1::TRIAL_STATE_CANCELLED);
    } else {
      EXPECT_EQ(response->trial_state(),
                task.until_epoch() > 0 ? v1::TRIAL_STATE_STOPPED : v1::TRIAL_STATE_SUCCEEDED);
    }
    const v1::AttemptKey& key = task.key();
    const int leg = task.proxy() != v1::PROXY_UNSPECIFIED ? -1 : task.until_epoch();
    std::set<int>& legs = accepted_[std::pair(key.job_id(), key.trial())];
    EXPECT_TRUE(legs.insert(leg).second) << "two results for trial " << key.trial();
  }

  void Fail(Believer* worker) {
    const auto lease = Take(worker);
    if (!lease.has_value()) return;
    const v1::FailureCause cause =
        rng_.Uniform(2) == 0 ? v1::FAILURE_CAUSE_CRASHED : v1::FAILURE_CAUSE_OUT_OF_MEMORY;
    const auto state = h_.ReportFailure(worker->id, *lease, cause);
    EXPECT_TRUE(state.ok() || GetErrorReason(state.status()) == v1::ERROR_REASON_STALE_LEASE);
  }

  void GiveBack(Believer* worker) {
    const auto lease = Take(worker);
    if (!lease.has_value()) return;
    const absl::Status status = h_.GiveBack(worker->id, *lease);
    EXPECT_TRUE(status.ok() || GetErrorReason(status) == v1::ERROR_REASON_STALE_LEASE);
  }

  void Heartbeat(Believer* worker) {
    const auto response = h_.Heartbeat(worker->id, worker->leases, worker->Incarnation());
    ASSERT_OK(response);
    for (const v1::Directive& directive : response->directives()) {
      if (directive.action() == v1::ACTION_START) worker->leases.push_back(directive.lease());
      if (directive.action() != v1::ACTION_STOP) continue;
      worker->leases.erase(std::remove_if(worker->leases.begin(), worker->leases.end(),
                                          [&](const v1::AttemptLease& lease) {
                                            return lease.token() == directive.token();
                                          }),
                           worker->leases.end());
    }
  }

  // A report from an incarnation that is gone never counts.
  void Haunt() {
    if (ghosts_.empty()) return;
    const auto& [worker, lease] = ghosts_[rng_.Uniform(ghosts_.size())];
    EXPECT_EQ(GetErrorReason(h_.Report(worker, lease, MakeResult(1, 0.01)).status()),
              v1::ERROR_REASON_STALE_LEASE);
  }

  void Check() {
    for (const int64_t id : jobs_) {
      const v1::Job job = h_.Job(id);
      const std::vector<v1::Trial> trials = h_.Trials(id);
      ASSERT_EQ(static_cast<int64_t>(trials.size()), job.trials_created());
      ASSERT_LE(job.trials_created(), job.spec().budget().trials());
      std::map<v1::TrialState, int64_t> counts;
      std::set<std::string> hashes;
      std::set<int64_t> front;
      ParetoFront expected;
      double cpu_seconds = 0;
      std::map<int, std::pair<int, int>> rungs;  // by epochs: came, went on
      for (size_t i = 0; i < trials.size(); ++i) {
        const v1::Trial& trial = trials[i];
        ASSERT_EQ(trial.number(), static_cast<int64_t>(i) + 1);
        ASSERT_TRUE(hashes.insert(trial.canonical_hash()).second);
        ++counts[trial.state()];
        int succeeded = 0;
        int running = 0;
        for (const v1::Attempt& attempt : trial.attempts()) {
          succeeded += attempt.state() == v1::ATTEMPT_STATE_SUCCEEDED;
          running += attempt.state() == v1::ATTEMPT_STATE_RUNNING;
          cpu_seconds += attempt.cpu_seconds();
        }
        const bool trained = trial.state() == v1::TRIAL_STATE_SUCCEEDED;
        ASSERT_EQ(succeeded, trial.rungs_size() + (trained ? 1 : 0));
        ASSERT_EQ(running, trial.state() == v1::TRIAL_STATE_RUNNING);
        const auto accepted = accepted_.find({id, trial.number()});
        ASSERT_EQ(accepted == accepted_.end() ? 0 : accepted->second.size(),
                  static_cast<size_t>(succeeded));
        if (trial.on_front()) front.insert(trial.number());
        for (const v1::RungResult& rung : trial.rungs()) {
          ++rungs[rung.epochs()].first;
          // In the place of one that failed on its way another may be trained to its end.
          rungs[rung.epochs()].second += rung.goes_on() && trial.state() != v1::TRIAL_STATE_FAILED;
        }
        if (!trial.checkpoint_sha256().empty() && job.ended_unix_us() == 0) {
          ASSERT_TRUE(h_.blobs().Has(trial.checkpoint_sha256()));
        }
        if (trained) {
          const std::vector<double> point = {-ValueOf(trial.result(), v1::METRIC_ACCURACY),
                                             ValueOf(trial.result(), v1::METRIC_LATENCY_MS)};
          expected.Insert(trial.number(), point);
        }
        if (trial.weights_kept()) {
          ASSERT_TRUE(trial.on_front());
          ASSERT_TRUE(h_.blobs().Has(trial.result().weights_sha256()));
        }
      }
      std::set<int64_t> expected_front;
      for (const auto& member : expected.members()) expected_front.insert(member.id);
      ASSERT_EQ(front, expected_front);
      ASSERT_EQ(job.front_size(), static_cast<int64_t>(front.size()));
      ASSERT_EQ(job.trials_queued(), counts[v1::TRIAL_STATE_QUEUED]);
      ASSERT_EQ(job.trials_running(), counts[v1::TRIAL_STATE_RUNNING]);
      ASSERT_EQ(job.trials_succeeded(), counts[v1::TRIAL_STATE_SUCCEEDED]);
      ASSERT_EQ(job.trials_failed(), counts[v1::TRIAL_STATE_FAILED]);
      ASSERT_EQ(job.trials_cancelled(), counts[v1::TRIAL_STATE_CANCELLED]);
      ASSERT_EQ(job.trials_stopped(), counts[v1::TRIAL_STATE_STOPPED]);
      for (const auto& [epochs, rung] : rungs) {
        // One is trained to its end in any case.
        if (epochs == 0) continue;
        ASSERT_LE(rung.second, std::max(1, rung.first / 2));
      }
      ASSERT_NEAR(job.usage().cpu_seconds(), cpu_seconds, 1e-9);
      if (job.spec().max_parallel_trials() > 0) {
        ASSERT_LE(job.trials_running(), job.spec().max_parallel_trials());
      }
    }
    ASSERT_EQ(h_.store().LoadLeases()->size(), RunningTrials());
  }

  size_t RunningTrials() {
    size_t running = 0;
    for (const int64_t id : jobs_) running += static_cast<size_t>(h_.Job(id).trials_running());
    return running;
  }

  // Faults stop: every trial and every job must reach its end.
  void Drain() {
    for (const int64_t id : jobs_) {
      if (h_.Job(id).state() != v1::JOB_STATE_PAUSED) continue;
      ASSERT_OK(h_.Resume(id));
    }
    for (int round = 0; round < 200 && !::testing::Test::HasFailure(); ++round) {
      for (Believer& worker : workers_) {
        Heartbeat(&worker);
        while (!worker.leases.empty()) Report(&worker, false);
        const auto lease = h_.Lease(worker.id, worker.Incarnation());
        if (lease.has_value()) worker.leases.push_back(*lease);
      }
      h_.clock().Advance(absl::Seconds(4));
      h_.Tick();
    }
    Check();
    for (const int64_t id : jobs_) {
      const v1::Job job = h_.Job(id);
      // A budget of time may be used before any trial was trained to its end.
      const bool in_vain = job.spec().budget().has_cpu_seconds() && job.trials_succeeded() == 0;
      EXPECT_EQ(job.state(), in_vain ? v1::JOB_STATE_FAILED : v1::JOB_STATE_COMPLETED)
          << job.DebugString();
      EXPECT_EQ(job.trials_running() + job.trials_queued(), 0);
      if (!job.spec().budget().has_cpu_seconds()) {
        EXPECT_EQ(job.trials_succeeded() + job.trials_failed() + job.trials_stopped(),
                  job.spec().budget().trials());
      }
      EXPECT_LE(job.front_size(), job.trials_succeeded());
    }
    // Only the weights of front trials are left.
    std::set<std::string> kept;
    for (const int64_t id : jobs_) {
      for (const v1::Trial& trial : h_.Trials(id)) {
        if (trial.weights_kept()) kept.insert(trial.result().weights_sha256());
      }
    }
    h_.clock().Advance(absl::Minutes(11));
    h_.Tick();
    const std::vector<std::string> blobs = h_.blobs().List().value();
    EXPECT_EQ(std::set<std::string>(blobs.begin(), blobs.end()), kept);
  }

  Rng rng_;
  Harness h_;
  std::vector<Believer> workers_;
  std::vector<int64_t> jobs_;
  std::set<int64_t> tokens_;
  // By job and trial: epochs at which it paused, 0 = the end, -1 = scored.
  std::map<std::pair<int64_t, int64_t>, std::set<int>> accepted_;
  std::vector<std::pair<std::string, v1::AttemptLease>> ghosts_;
};

void RunSeeds(StoreKind store, int seeds, int operations) {
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + static_cast<uint64_t>(seeds); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Driver driver(seed, store);
    driver.Run(operations);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(RandomOperations, KeepEveryInvariantInMemory) { RunSeeds(StoreKind::kMemory, 40, 250); }

TEST(RandomOperations, KeepEveryInvariantInSqlite) { RunSeeds(StoreKind::kSqlite, 2, 100); }

}  // namespace
}  // namespace frontier::coordinator
