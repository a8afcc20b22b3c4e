#include "tests/contract/store/store_contract.h"

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "tests/support/proto_matchers.h"
#include "tests/support/records.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::EqualsProto;
using frontier::testing::MakeEvent;
using frontier::testing::MakeJobRecord;
using frontier::testing::MakeLease;
using frontier::testing::MakeMeasurement;
using frontier::testing::MakeRequest;
using frontier::testing::MakeTrial;
using frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A change with one running job.
v1::Change JobChange(int64_t id, v1::JobState state = v1::JOB_STATE_RUNNING) {
  v1::Change change;
  *change.add_jobs() = MakeJobRecord(id, state);
  return change;
}

std::vector<int64_t> Numbers(const std::vector<v1::Trial>& trials) {
  std::vector<int64_t> numbers;
  for (const v1::Trial& trial : trials) numbers.push_back(trial.number());
  return numbers;
}

std::vector<int64_t> Ids(const std::vector<v1::JobRecord>& jobs) {
  std::vector<int64_t> ids;
  for (const v1::JobRecord& job : jobs) ids.push_back(job.job().id());
  return ids;
}

TEST_P(StoreContract, StartsEmpty) {
  EXPECT_EQ(store_->LastJobId().value(), 0);
  EXPECT_EQ(store_->LastEventSequence().value(), 0);
  EXPECT_EQ(store_->NextLeaseToken().value(), 1);
  EXPECT_THAT(store_->ListJobs(0, 10).value(), IsEmpty());
  EXPECT_THAT(store_->LoadLiveJobs().value(), IsEmpty());
  EXPECT_THAT(store_->LoadLeases().value(), IsEmpty());
  EXPECT_THAT(store_->LoadWorkers().value(), IsEmpty());
  EXPECT_FALSE(store_->FindRequest("r").value().has_value());
  EXPECT_THAT(store_->GetJob(1), StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 1")));
  EXPECT_THAT(store_->GetTrial(1, 2), StatusIs(absl::StatusCode::kNotFound, HasSubstr("trial 2")));
  EXPECT_THAT(store_->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED, 10, TrialParts::kAll).value(),
              IsEmpty());
}

TEST_P(StoreContract, AcceptsAnEmptyChange) {
  v1::Change change;
  EXPECT_OK(store_->Commit(&change));
}

TEST_P(StoreContract, KeepsEverythingOverReopening) {
  v1::Change change = JobChange(1);
  *change.add_trials() = MakeTrial(1, 1);
  *change.add_trials() = MakeTrial(1, 2, v1::TRIAL_STATE_RUNNING);
  *change.add_leases() = MakeLease(1, 2, 1, 41);
  *change.add_events() = MakeEvent(1, 0, v1::EVENT_KIND_JOB_SUBMITTED);
  *change.add_requests() = MakeRequest("request-1", 5);
  v1::WorkerRecord* worker = change.add_workers();
  worker->mutable_worker()->set_id("worker-1");
  worker->set_incarnation("incarnation-1");
  change.set_next_lease_token(42);
  ASSERT_OK(store_->Commit(&change));

  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(store_->GetJob(1).value(), EqualsProto(change.jobs(0)));
    EXPECT_THAT(store_->GetTrial(1, 1).value(), EqualsProto(change.trials(0)));
    EXPECT_THAT(store_->GetTrial(1, 2).value(), EqualsProto(change.trials(1)));
    EXPECT_THAT(store_->LoadLeases().value(), ElementsAre(EqualsProto(change.leases(0))));
    EXPECT_THAT(store_->ListEvents(1, 0, 10).value(), ElementsAre(EqualsProto(change.events(0))));
    EXPECT_THAT(store_->LoadWorkers().value(), ElementsAre(EqualsProto(change.workers(0))));
    EXPECT_THAT(store_->FindRequest("request-1").value().value(), EqualsProto(change.requests(0)));
    EXPECT_EQ(store_->NextLeaseToken().value(), 42);
    EXPECT_EQ(store_->LastJobId().value(), 1);
    EXPECT_EQ(store_->LastEventSequence().value(), change.events(0).sequence());
    Reopen();
  }
}

TEST_P(StoreContract, ReplacesRows) {
  v1::Change change = JobChange(1);
  *change.add_trials() = MakeTrial(1, 1, v1::TRIAL_STATE_RUNNING);
  *change.add_leases() = MakeLease(1, 1, 1, 1);
  ASSERT_OK(store_->Commit(&change));

  change.mutable_jobs(0)->mutable_job()->set_state(v1::JOB_STATE_PAUSED);
  *change.mutable_trials(0) = MakeTrial(1, 1);
  change.mutable_trials(0)->set_on_front(true);
  change.mutable_trials(0)->mutable_architecture()->set_classes(11);
  change.mutable_leases(0)->set_expires_unix_us(9);
  ASSERT_OK(store_->Commit(&change));
  EXPECT_THAT(store_->GetJob(1).value(), EqualsProto(change.jobs(0)));
  EXPECT_THAT(store_->GetTrial(1, 1).value(), EqualsProto(change.trials(0)));
  EXPECT_THAT(store_->LoadLeases().value(), ElementsAre(EqualsProto(change.leases(0))));
}

TEST_P(StoreContract, KeepsWhatIsNotWrittenAgain) {
  v1::Change change = JobChange(1);
  *change.add_trials() = MakeTrial(1, 1, v1::TRIAL_STATE_RUNNING);
  ASSERT_OK(store_->Commit(&change));
  v1::JobRecord job = change.jobs(0);
  job.mutable_job()->set_state(v1::JOB_STATE_PAUSED);
  v1::Trial trial = MakeTrial(1, 1);
  v1::Change again;
  *again.add_jobs() = job;
  again.mutable_jobs(0)->mutable_job()->clear_spec();
  *again.add_trials() = trial;
  again.mutable_trials(0)->clear_architecture();
  ASSERT_OK(store_->Commit(&again));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(store_->GetJob(1).value(), EqualsProto(job));
    EXPECT_THAT(store_->ListJobs(0, 10).value(), ElementsAre(EqualsProto(job)));
    EXPECT_THAT(store_->LoadLiveJobs().value(), ElementsAre(EqualsProto(job)));
    EXPECT_THAT(store_->GetTrial(1, 1).value(), EqualsProto(trial));
    Reopen();
  }
  v1::Change unknown;
  *unknown.add_jobs() = MakeJobRecord(2);
  unknown.mutable_jobs(0)->mutable_job()->clear_spec();
  EXPECT_EQ(store_->Commit(&unknown).code(), absl::StatusCode::kInternal);
}

TEST_P(StoreContract, EndsLeasesAndMovesThemToAnotherAttempt) {
  v1::Change change = JobChange(1);
  *change.add_trials() = MakeTrial(1, 1, v1::TRIAL_STATE_RUNNING);
  *change.add_leases() = MakeLease(1, 1, 1, 1);
  ASSERT_OK(store_->Commit(&change));

  v1::Change next;
  *next.add_ended_leases() = change.leases(0).key();
  *next.add_leases() = MakeLease(1, 1, 2, 2);
  ASSERT_OK(store_->Commit(&next));
  EXPECT_THAT(store_->LoadLeases().value(), ElementsAre(EqualsProto(next.leases(0))));

  v1::Change last;
  *last.add_ended_leases() = next.leases(0).key();
  *last.add_ended_leases() = next.leases(0).key();  // again: harmless
  ASSERT_OK(store_->Commit(&last));
  EXPECT_THAT(store_->LoadLeases().value(), IsEmpty());

  v1::Change both;
  *both.add_leases() = MakeLease(1, 1, 3, 3);
  *both.add_ended_leases() = both.leases(0).key();
  ASSERT_OK(store_->Commit(&both));
  EXPECT_THAT(store_->LoadLeases().value(), IsEmpty());
}

TEST_P(StoreContract, ListsJobsNewestFirstInPages) {
  for (int64_t id = 1; id <= 5; ++id) {
    v1::Change change;
    *change.add_jobs() =
        MakeJobRecord(id, id % 2 == 0 ? v1::JOB_STATE_COMPLETED : v1::JOB_STATE_DRAINING);
    ASSERT_OK(store_->Commit(&change));
  }
  EXPECT_THAT(Ids(store_->ListJobs(0, 2).value()), ElementsAre(5, 4));
  EXPECT_THAT(Ids(store_->ListJobs(4, 10).value()), ElementsAre(3, 2, 1));
  EXPECT_THAT(Ids(store_->ListJobs(1, 10).value()), IsEmpty());
  EXPECT_THAT(Ids(store_->LoadLiveJobs().value()), ElementsAre(1, 3, 5));
  EXPECT_EQ(store_->LastJobId().value(), 5);
}

TEST_P(StoreContract, AJobInAnyEndStateIsNotLive) {
  int64_t id = 0;
  v1::Change change;
  for (v1::JobState state : {v1::JOB_STATE_COMPLETED, v1::JOB_STATE_CANCELLED, v1::JOB_STATE_FAILED,
                             v1::JOB_STATE_PAUSED}) {
    *change.add_jobs() = MakeJobRecord(++id, state);
  }
  ASSERT_OK(store_->Commit(&change));
  EXPECT_THAT(Ids(store_->LoadLiveJobs().value()), ElementsAre(4));
}

TEST_P(StoreContract, ListsTrialsByNumberAndState) {
  v1::Change change = JobChange(1);
  *change.add_jobs() = MakeJobRecord(2);
  for (int64_t number = 5; number >= 1; --number) {
    *change.add_trials() =
        MakeTrial(1, number, number % 2 == 0 ? v1::TRIAL_STATE_RUNNING : v1::TRIAL_STATE_SUCCEEDED);
  }
  *change.add_trials() = MakeTrial(2, 1);
  ASSERT_OK(store_->Commit(&change));

  const auto list = [&](int64_t after, v1::TrialState state, int limit) {
    return Numbers(store_->ListTrials(1, after, state, limit, TrialParts::kAll).value());
  };
  EXPECT_THAT(list(0, v1::TRIAL_STATE_UNSPECIFIED, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(list(3, v1::TRIAL_STATE_UNSPECIFIED, 3), ElementsAre(4, 5));
  EXPECT_THAT(list(0, v1::TRIAL_STATE_SUCCEEDED, 2), ElementsAre(1, 3));
  EXPECT_THAT(list(3, v1::TRIAL_STATE_SUCCEEDED, 2), ElementsAre(5));
  EXPECT_THAT(list(0, v1::TRIAL_STATE_FAILED, 2), IsEmpty());
  EXPECT_THAT(store_->ListTrials(1, 4, v1::TRIAL_STATE_UNSPECIFIED, 1, TrialParts::kAll).value(),
              ElementsAre(EqualsProto(MakeTrial(1, 5))));
  v1::Trial without = MakeTrial(1, 5, v1::TRIAL_STATE_SUCCEEDED);
  without.clear_architecture();
  for (const v1::TrialState state : {v1::TRIAL_STATE_UNSPECIFIED, v1::TRIAL_STATE_SUCCEEDED}) {
    EXPECT_THAT(store_->ListTrials(1, 4, state, 1, TrialParts::kWithoutArchitecture).value(),
                ElementsAre(EqualsProto(without)));
  }
}

TEST_P(StoreContract, VisitsTrialsInOrderAndStopsAtAnError) {
  v1::Change change = JobChange(1);
  for (int64_t number : {3, 1, 2}) *change.add_trials() = MakeTrial(1, number);
  ASSERT_OK(store_->Commit(&change));
  std::vector<v1::Trial> visited;
  EXPECT_OK(store_->ForEachTrial(1, TrialParts::kAll, [&](const v1::Trial& trial) {
    visited.push_back(trial);
    return absl::OkStatus();
  }));
  EXPECT_THAT(visited, ElementsAre(EqualsProto(MakeTrial(1, 1)), EqualsProto(MakeTrial(1, 2)),
                                   EqualsProto(MakeTrial(1, 3))));

  v1::Trial without = MakeTrial(1, 1);
  without.clear_architecture();
  EXPECT_OK(store_->ForEachTrial(1, TrialParts::kWithoutArchitecture, [&](const v1::Trial& trial) {
    if (trial.number() == 1) {
      EXPECT_THAT(trial, EqualsProto(without));
    }
    return absl::OkStatus();
  }));

  int calls = 0;
  EXPECT_THAT(store_->ForEachTrial(1, TrialParts::kAll,
                                   [&](const v1::Trial&) {
                                     return ++calls == 2 ? absl::AbortedError("enough")
                                                         : absl::OkStatus();
                                   }),
              StatusIs(absl::StatusCode::kAborted, "enough"));
  EXPECT_EQ(calls, 2);
}

TEST_P(StoreContract, AVisitorMayReadAndCommit) {
  v1::Change change = JobChange(1);
  for (int64_t number : {1, 2}) *change.add_trials() = MakeTrial(1, number);
  ASSERT_OK(store_->Commit(&change));
  EXPECT_OK(store_->ForEachTrial(1, TrialParts::kAll, [&](const v1::Trial& trial) {
    v1::Change inner;
    *inner.add_events() = MakeEvent(1, trial.number(), v1::EVENT_KIND_TRIAL_PROPOSED);
    EXPECT_OK(store_->Commit(&inner));
    return store_->GetTrial(1, trial.number()).status();
  }));
  EXPECT_THAT(store_->ListEvents(1, 0, 10).value(), SizeIs(2));
}

TEST_P(StoreContract, AnOutlineStandsForItsTrialsUntilOneIsWritten) {
  v1::Change change = JobChange(1);
  *change.add_jobs() = MakeJobRecord(2);
  for (int64_t number = 1; number <= 7; ++number) *change.add_trials() = MakeTrial(1, number);
  *change.add_trials() = MakeTrial(2, 1);
  ASSERT_OK(store_->Commit(&change));
  const auto outline = [&](int64_t job, int64_t first, int64_t last) {
    v1::Change outlining;
    v1::TrialOutlines* outlines = outlining.add_outlines();
    outlines->set_job_id(job);
    outlines->set_first(first);
    outlines->set_last(last);
    for (int64_t number = first; number <= last; ++number) {
      v1::Trial* trial = outlines->add_trials();
      trial->set_number(number);
      trial->set_summary("outline");
    }
    ASSERT_OK(store_->Commit(&outlining));
  };
  // Numbers of those that come as outlines are negative.
  const auto visited = [&](int64_t job) {
    std::vector<int64_t> numbers;
    EXPECT_OK(store_->ForEachOutline(job, [&](const v1::Trial& trial) {
      EXPECT_FALSE(trial.has_architecture());
      numbers.push_back(trial.summary() == "outline" ? -trial.number() : trial.number());
      return absl::OkStatus();
    }));
    return numbers;
  };
  EXPECT_THAT(visited(1), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  outline(1, 1, 2);
  outline(1, 5, 6);
  outline(2, 1, 1);
  Reopen();
  EXPECT_THAT(visited(1), ElementsAre(-1, -2, 3, 4, -5, -6, 7));
  EXPECT_THAT(visited(2), ElementsAre(-1));
  EXPECT_THAT(visited(3), IsEmpty());
  EXPECT_THAT(store_->ListOutlines(1).value(), ElementsAre(TrialRange{1, 2}, TrialRange{5, 6}));

  // In place of what it overlaps; a trial that it is not of leaves it.
  outline(1, 2, 4);
  v1::Change seventh;
  *seventh.add_trials() = MakeTrial(1, 7);
  ASSERT_OK(store_->Commit(&seventh));
  EXPECT_THAT(visited(1), ElementsAre(1, -2, -3, -4, -5, -6, 7));

  v1::Change third;
  *third.add_trials() = MakeTrial(1, 3);
  ASSERT_OK(store_->Commit(&third));
  EXPECT_THAT(visited(1), ElementsAre(1, 2, 3, 4, -5, -6, 7));
  EXPECT_THAT(visited(2), ElementsAre(-1));

  v1::Change of_none;
  of_none.add_outlines()->set_job_id(77);
  EXPECT_THAT(store_->Commit(&of_none), StatusIs(absl::StatusCode::kInternal, ::testing::_));

  // In one change the trials are what is newer.
  v1::Change both;
  *both.add_trials() = MakeTrial(1, 1);
  v1::TrialOutlines* outlines = both.add_outlines();
  outlines->set_job_id(1);
  outlines->set_first(1);
  outlines->set_last(1);
  outlines->add_trials()->set_number(1);
  ASSERT_OK(store_->Commit(&both));
  v1::Change swept;
  swept.add_sweeps()->set_job_id(1);
  swept.mutable_sweeps(0)->set_through_trial(5);
  ASSERT_OK(store_->Commit(&swept));
  EXPECT_THAT(store_->ListOutlines(1).value(), IsEmpty());
  EXPECT_THAT(visited(1), ElementsAre(6, 7));
}

TEST_P(StoreContract, ListsTheFront) {
  v1::Change change = JobChange(1);
  *change.add_jobs() = MakeJobRecord(2);
  for (int64_t number : {3, 1, 2}) {
    *change.add_trials() = MakeTrial(1, number);
    change.mutable_trials()->rbegin()->set_on_front(number != 2);
  }
  *change.add_trials() = MakeTrial(2, 1);
  ASSERT_OK(store_->Commit(&change));
  EXPECT_THAT(Numbers(store_->ListFront(1, TrialParts::kAll).value()), ElementsAre(1, 3));
  EXPECT_GT(store_->ListFront(1, TrialParts::kAll)->front().architecture().nodes_size(), 0);
  EXPECT_FALSE(store_->ListFront(1, TrialParts::kWithoutArchitecture)->front().has_architecture());
  EXPECT_THAT(store_->ListFront(2, TrialParts::kWithoutArchitecture).value(), IsEmpty());
}

TEST_P(StoreContract, ADeletedJobIsHiddenUntilItIsSwept) {
  v1::Change change = JobChange(1, v1::JOB_STATE_COMPLETED);
  *change.add_jobs() = MakeJobRecord(2, v1::JOB_STATE_COMPLETED);
  for (int64_t number : {1, 2, 3}) {
    *change.add_trials() = MakeTrial(1, number);
    *change.add_events() = MakeEvent(1, number, v1::EVENT_KIND_TRIAL_SUCCEEDED);
  }
  ASSERT_OK(store_->Commit(&change));
  const int64_t first_event = change.events(0).sequence();
  v1::Change deletion;
  deletion.add_deleted_jobs(1);
  ASSERT_OK(store_->Commit(&deletion));
  Reopen();
  EXPECT_THAT(store_->GetJob(1), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  EXPECT_THAT(store_->ListJobs(0, 10).value(),
              ElementsAre(EqualsProto(MakeJobRecord(2, v1::JOB_STATE_COMPLETED))));
  ASSERT_THAT(store_->LoadDeletedJobs().value(), SizeIs(1));
  EXPECT_EQ(store_->LoadDeletedJobs()->front().job().spec().name(), "job-1");
  EXPECT_THAT(store_->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED, 10, TrialParts::kAll).value(),
              SizeIs(3));

  const auto sweep = [this](int64_t trial, int64_t event) {
    v1::Change swept;
    swept.add_sweeps()->set_job_id(1);
    swept.mutable_sweeps(0)->set_through_trial(trial);
    swept.mutable_sweeps(0)->set_through_event(event);
    ASSERT_OK(store_->Commit(&swept));
  };
  sweep(2, first_event);
  EXPECT_THAT(
      Numbers(store_->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED, 10, TrialParts::kAll).value()),
      ElementsAre(3));
  EXPECT_THAT(store_->ListEvents(1, 0, 10).value(), SizeIs(2));
  sweep(3, first_event);
  EXPECT_THAT(store_->LoadDeletedJobs().value(), SizeIs(1)) << "events are left";
  sweep(3, first_event + 2);
  EXPECT_THAT(store_->LoadDeletedJobs().value(), IsEmpty());
  EXPECT_EQ(store_->LastJobId().value(), 2);
}

TEST_P(StoreContract, ASweepMayLeaveTheFrontAndLeavesJobsThatAreNotDeleted) {
  v1::Change change = JobChange(1, v1::JOB_STATE_COMPLETED);
  for (int64_t number : {1, 2, 3}) {
    *change.add_trials() = MakeTrial(1, number);
    change.mutable_trials()->rbegin()->set_on_front(number == 2);
  }
  v1::Sweep* sweep = change.add_sweeps();
  sweep->set_job_id(1);
  sweep->set_through_trial(3);
  sweep->set_keep_front(true);
  ASSERT_OK(store_->Commit(&change));
  EXPECT_THAT(
      Numbers(store_->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED, 10, TrialParts::kAll).value()),
      ElementsAre(2));
  v1::Change all;
  all.add_sweeps()->set_job_id(1);
  all.mutable_sweeps(0)->set_through_trial(3);
  ASSERT_OK(store_->Commit(&all));
  EXPECT_OK(store_->GetJob(1));
}

TEST_P(StoreContract, ForgetsWorkersButThoseWrittenWithIt) {
  v1::Change change;
  for (const char* id : {"w1", "w2", "w3"}) change.add_workers()->mutable_worker()->set_id(id);
  ASSERT_OK(store_->Commit(&change));
  v1::Change deletion;
  for (const char* id : {"w1", "w2", "unknown"}) deletion.add_deleted_workers(id);
  deletion.add_workers()->mutable_worker()->set_id("w2");
  deletion.mutable_workers(0)->set_incarnation("anew");
  ASSERT_OK(store_->Commit(&deletion));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(store_->LoadWorkers().value(),
                ElementsAre(EqualsProto(deletion.workers(0)), EqualsProto(change.workers(2))));
    Reopen();
  }
}

TEST_P(StoreContract, NumbersEventsOverAllJobs) {
  v1::Change change = JobChange(1);
  *change.add_jobs() = MakeJobRecord(2);
  *change.add_events() = MakeEvent(1, 0, v1::EVENT_KIND_JOB_SUBMITTED);
  *change.add_events() = MakeEvent(2, 0, v1::EVENT_KIND_JOB_SUBMITTED);
  *change.add_events() = MakeEvent(1, 7, v1::EVENT_KIND_TRIAL_PROPOSED);
  ASSERT_OK(store_->Commit(&change));
  EXPECT_LT(0, change.events(0).sequence());
  EXPECT_LT(change.events(0).sequence(), change.events(1).sequence());
  EXPECT_LT(change.events(1).sequence(), change.events(2).sequence());
  EXPECT_EQ(store_->LastEventSequence().value(), change.events(2).sequence());
  EXPECT_THAT(store_->ListEvents(1, 0, 10).value(),
              ElementsAre(EqualsProto(change.events(0)), EqualsProto(change.events(2))));
  EXPECT_THAT(store_->ListEvents(1, 0, 1).value(), ElementsAre(EqualsProto(change.events(0))));
  EXPECT_THAT(store_->ListEvents(1, change.events(0).sequence(), 10).value(),
              ElementsAre(EqualsProto(change.events(2))));
  EXPECT_THAT(store_->ListEvents(1, change.events(2).sequence(), 10).value(), IsEmpty());
}

TEST_P(StoreContract, KeepsEveryKindOfEvent) {
  v1::Change change = JobChange(1);
  for (int kind = v1::EventKind_MIN; kind <= v1::EventKind_MAX; ++kind) {
    *change.add_events() = MakeEvent(1, 1, static_cast<v1::EventKind>(kind));
  }
  *change.add_events() = MakeEvent(1, 1, static_cast<v1::EventKind>(1000));
  ASSERT_OK(store_->Commit(&change));
  const std::vector<v1::Event> events = store_->ListEvents(1, 0, 100).value();
  ASSERT_THAT(events, SizeIs(change.events_size()));
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_THAT(events[i], EqualsProto(change.events(static_cast<int>(i))));
  }
}

TEST_P(StoreContract, DropsOldRequests) {
  v1::Change change;
  *change.add_requests() = MakeRequest("old", 10);
  *change.add_requests() = MakeRequest("new", 20);
  ASSERT_OK(store_->Commit(&change));
  v1::Change next;
  next.set_requests_before_unix_us(20);
  *next.add_requests() = MakeRequest("old", 30);
  ASSERT_OK(store_->Commit(&next));
  EXPECT_EQ(store_->FindRequest("old").value()->at_unix_us(), 30);
  EXPECT_TRUE(store_->FindRequest("new").value().has_value());
  EXPECT_FALSE(store_->FindRequest("").value().has_value());
}

TEST_P(StoreContract, AFailedCommitLeavesNothing) {
  v1::Change change = JobChange(1);
  *change.add_requests() = MakeRequest("r", 1);
  ASSERT_OK(store_->Commit(&change));

  v1::Change second = JobChange(2);
  *second.add_trials() = MakeTrial(2, 1);
  *second.add_events() = MakeEvent(2, 0, v1::EVENT_KIND_JOB_SUBMITTED);
  second.set_next_lease_token(9);
  *second.add_requests() = MakeRequest("r", 2);  // stored already
  EXPECT_THAT(store_->Commit(&second), StatusIs(absl::StatusCode::kInternal, ::testing::_));
  EXPECT_EQ(second.events(0).sequence(), 0);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(store_->GetJob(2), StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 2")));
    EXPECT_EQ(store_->LastJobId().value(), 1);
    EXPECT_EQ(store_->LastEventSequence().value(), 0);
    EXPECT_EQ(store_->NextLeaseToken().value(), 1);
    EXPECT_EQ(store_->FindRequest("r").value()->at_unix_us(), 1);
    Reopen();
  }
  second.mutable_requests(0)->set_request_id("r2");
  EXPECT_OK(store_->Commit(&second));
}

TEST_P(StoreContract, RefusesRowsOfAnUnknownJob) {
  v1::Change trial;
  *trial.add_trials() = MakeTrial(7, 1);
  EXPECT_FALSE(store_->Commit(&trial).ok());
  v1::Change event;
  *event.add_events() = MakeEvent(7, 0, v1::EVENT_KIND_JOB_STATE);
  EXPECT_FALSE(store_->Commit(&event).ok());
  v1::Change lease;
  *lease.add_leases() = MakeLease(7, 1, 1, 1);
  EXPECT_FALSE(store_->Commit(&lease).ok());
  EXPECT_THAT(store_->LoadLeases().value(), IsEmpty());
}

TEST_P(StoreContract, KeepsOddValues) {
  v1::Change change = JobChange(1);
  change.mutable_jobs(0)->mutable_job()->mutable_spec()->set_name("Zo\xc3\xab's \"job\"; --");
  v1::Trial trial = MakeTrial(1, 1);
  trial.set_summary("");
  *trial.mutable_result()->add_measurements() =
      MakeMeasurement(v1::METRIC_ENERGY_J, std::numeric_limits<double>::infinity());
  *trial.mutable_result()->add_measurements() =
      MakeMeasurement(v1::METRIC_LOSS, std::numeric_limits<double>::quiet_NaN());
  *trial.mutable_result()->add_measurements() =
      MakeMeasurement(static_cast<v1::Metric>(999), -5e-324);
  *change.add_trials() = trial;
  *change.add_requests() = MakeRequest("it's; DROP TABLE jobs", 1);
  ASSERT_OK(store_->Commit(&change));
  EXPECT_THAT(store_->GetJob(1).value(), EqualsProto(change.jobs(0)));
  EXPECT_EQ(store_->GetTrial(1, 1).value().SerializeAsString(), trial.SerializeAsString());
  EXPECT_TRUE(store_->FindRequest("it's; DROP TABLE jobs").value().has_value());
}

TEST_P(StoreContract, ReadersRunBesideWriters) {
  v1::Change change = JobChange(1);
  ASSERT_OK(store_->Commit(&change));
  constexpr int kWriters = 4;
  constexpr int kCommits = 25;
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&] {
      size_t seen = 0;
      while (!done) {
        const absl::StatusOr<std::vector<v1::Trial>> trials =
            store_->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED, 1000, TrialParts::kAll);
        ASSERT_OK(trials);
        EXPECT_GE(trials->size(), seen);
        // Each change is seen whole.
        EXPECT_EQ(trials->size() % 2, 0u);
        seen = trials->size();
      }
    });
  }
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kCommits; ++i) {
        const int64_t number = 2 * (writer * kCommits + i) + 1;
        v1::Change mine;
        *mine.add_trials() = MakeTrial(1, number);
        *mine.add_trials() = MakeTrial(1, number + 1);
        *mine.add_events() = MakeEvent(1, number, v1::EVENT_KIND_TRIAL_SUCCEEDED);
        ASSERT_OK(store_->Commit(&mine));
        EXPECT_OK(store_->GetTrial(1, number));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  for (std::thread& reader : threads) reader.join();
  EXPECT_THAT(store_->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED, 1000, TrialParts::kAll).value(),
              SizeIs(2 * kWriters * kCommits));
  EXPECT_EQ(store_->LastEventSequence().value(), kWriters * kCommits);
}

}  // namespace
}  // namespace frontier::coordinator
