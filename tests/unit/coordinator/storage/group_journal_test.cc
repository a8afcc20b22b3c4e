#include "coordinator/storage/group_journal.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_store.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Change JobChange(int64_t id, const std::string& reason = "") {
  v1::Change change;
  v1::Job* job = change.add_jobs()->mutable_job();
  job->set_id(id);
  job->mutable_spec()->set_name("small");
  job->set_reason(reason);
  return change;
}

v1::Change TrialChange(int64_t job, int64_t number, v1::TrialState state) {
  v1::Change change;
  v1::Trial* trial = change.add_trials();
  trial->set_job_id(job);
  trial->set_number(number);
  trial->set_state(state);
  return change;
}

class GroupJournalTest : public ::testing::Test {
 protected:
  // Notes how those who wait are answered, in order.
  Journal::Done Note(std::string name) {
    return [this, name = std::move(name)](const absl::Status& status) {
      answers_.push_back(name + (status.ok() ? " ok" : " lost"));
    };
  }

  testing::MemoryStore store_;
  GroupJournal journal_{&store_};
  std::vector<std::string> answers_;
};

TEST_F(GroupJournalTest, OneCommitMakesAllDurableThatCameBefore) {
  ASSERT_OK(journal_.Write(0, JobChange(1)));
  journal_.WhenDurable(0, Note("first"));
  ASSERT_OK(journal_.Write(0, JobChange(2)));
  journal_.WhenDurable(0, Note("second"));
  EXPECT_THAT(answers_, ElementsAre());
  EXPECT_EQ(store_.commits(), 0);
  journal_.CommitGroup();
  EXPECT_THAT(answers_, ElementsAre("first ok", "second ok"));
  EXPECT_EQ(store_.commits(), 1);
  EXPECT_OK(store_.GetJob(2));
}

TEST_F(GroupJournalTest, WhoWaitsForNothingIsAnsweredAtOnce) {
  journal_.WhenDurable(0, Note("early"));
  EXPECT_THAT(answers_, ElementsAre("early ok"));
  journal_.CommitGroup();
  EXPECT_EQ(store_.commits(), 0);
}

TEST_F(GroupJournalTest, ReadsSeeWhatIsWrittenLast) {
  ASSERT_OK(journal_.Write(0, JobChange(1, "old")));
  ASSERT_OK(journal_.Write(0, TrialChange(1, 1, v1::TRIAL_STATE_QUEUED)));
  journal_.CommitGroup();
  ASSERT_OK(journal_.Write(0, JobChange(1, "new")));
  ASSERT_OK(journal_.Write(0, TrialChange(1, 1, v1::TRIAL_STATE_RUNNING)));
  ASSERT_OK(journal_.Write(0, TrialChange(1, 1, v1::TRIAL_STATE_SUCCEEDED)));
  v1::Change answer;
  answer.add_requests()->set_request_id("r");
  ASSERT_OK(journal_.Write(0, answer));
  EXPECT_EQ(journal_.GetJob(1)->job().reason(), "new");
  EXPECT_EQ(store_.GetJob(1)->job().reason(), "old");
  EXPECT_EQ(journal_.GetTrial(1, 1)->state(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_TRUE(journal_.FindRequest("r")->has_value());
  EXPECT_FALSE(store_.FindRequest("r")->has_value());
  journal_.CommitGroup();
  EXPECT_EQ(store_.GetTrial(1, 1)->state(), v1::TRIAL_STATE_SUCCEEDED);
  EXPECT_TRUE(store_.FindRequest("r")->has_value());
  EXPECT_THAT(journal_.GetJob(2), StatusIs(absl::StatusCode::kNotFound, HasSubstr("job 2")));
}

TEST_F(GroupJournalTest, ReadsFindWhatIsNotWrittenAgain) {
  const auto without = [](v1::Change change) {
    for (v1::JobRecord& job : *change.mutable_jobs()) job.mutable_job()->clear_spec();
    for (v1::Trial& trial : *change.mutable_trials()) trial.clear_architecture();
    return change;
  };
  v1::Change trial = TrialChange(1, 1, v1::TRIAL_STATE_RUNNING);
  trial.mutable_trials(0)->mutable_architecture()->set_classes(7);
  const auto expect_whole = [&](const std::string& reason) {
    EXPECT_EQ(journal_.GetJob(1)->job().spec().name(), "small");
    EXPECT_EQ(journal_.GetJob(1)->job().reason(), reason);
    EXPECT_EQ(journal_.GetTrial(1, 1)->architecture().classes(), 7);
  };
  // In the group, then in the store.
  for (const std::string reason : {"grouped", "stored"}) {
    if (reason == "grouped") {
      ASSERT_OK(journal_.Write(0, JobChange(1)));
      ASSERT_OK(journal_.Write(0, trial));
    }
    ASSERT_OK(journal_.Write(0, without(JobChange(1, reason))));
    ASSERT_OK(journal_.Write(0, without(trial)));
    expect_whole(reason);
    journal_.CommitGroup();
    expect_whole(reason);
    EXPECT_EQ(store_.GetTrial(1, 1)->architecture().classes(), 7);
  }
}

TEST_F(GroupJournalTest, ALeaseThatBeganAndEndedInAGroupIsGone) {
  ASSERT_OK(journal_.Write(0, JobChange(1)));
  v1::Change begin = TrialChange(1, 1, v1::TRIAL_STATE_RUNNING);
  v1::LeaseRecord* lease = begin.add_leases();
  lease->mutable_key()->set_job_id(1);
  lease->mutable_key()->set_trial(1);
  lease->mutable_key()->set_attempt(1);
  lease->set_token(7);
  begin.set_next_lease_token(8);
  v1::Change end;
  *end.add_ended_leases() = lease->key();
  ASSERT_OK(journal_.Write(0, begin));
  ASSERT_OK(journal_.Write(0, end));
  journal_.CommitGroup();
  EXPECT_TRUE(store_.LoadLeases()->empty());
  EXPECT_EQ(store_.NextLeaseToken().value(), 8);
}

TEST_F(GroupJournalTest, AFailedCommitLosesAllThatIsNotDurable) {
  ASSERT_OK(journal_.Write(0, JobChange(1)));
  journal_.CommitGroup();
  ASSERT_OK(journal_.Write(0, JobChange(1, "lost")));
  journal_.WhenDurable(0, Note("waiting"));
  store_.FailCommits(1);
  journal_.CommitGroup();
  EXPECT_THAT(answers_, ElementsAre("waiting lost"));
  EXPECT_EQ(journal_.losses(), 1);
  EXPECT_EQ(journal_.GetJob(1)->job().reason(), "");
  // Who decided before the loss is told, and so is who asked before it and waits only now.
  journal_.WhenDurable(0, Note("late"));
  journal_.WhenDurable(1, Note("new"));
  EXPECT_THAT(answers_, ElementsAre("waiting lost", "late lost", "new ok"));
  EXPECT_EQ(GetErrorReason(journal_.Write(0, JobChange(2))), v1::ERROR_REASON_DISK_FULL);
}

TEST_F(GroupJournalTest, TakesNothingInUntilTheStoreTakesAProbe) {
  ASSERT_OK(journal_.Write(0, JobChange(1)));
  store_.FailCommits(3);
  journal_.CommitGroup();
  EXPECT_EQ(GetErrorReason(journal_.Write(1, JobChange(2))), v1::ERROR_REASON_DISK_FULL);
  v1::Change probe;
  probe.set_next_lease_token(1);
  EXPECT_EQ(GetErrorReason(journal_.Resume(probe)), v1::ERROR_REASON_DISK_FULL);
  EXPECT_EQ(GetErrorReason(journal_.Resume(probe)), v1::ERROR_REASON_DISK_FULL);
  EXPECT_FALSE(journal_.Write(1, JobChange(2)).ok());
  ASSERT_OK(journal_.Resume(probe));
  EXPECT_THAT(journal_.Write(0, JobChange(2)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("lost")));
  ASSERT_OK(journal_.Write(1, JobChange(2)));
  journal_.CommitGroup();
  EXPECT_OK(store_.GetJob(2));
  EXPECT_EQ(store_.GetJob(1).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(GroupJournalTest, AThreadCommitsWhatManyWriteAndEndsWithTheLast) {
  constexpr int kWriters = 4;
  constexpr int kChanges = 200;
  std::thread committer([this] { journal_.Run(); });
  std::atomic<int> durable = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w, &durable] {
      for (int i = 0; i < kChanges; ++i) {
        const int64_t id = 1 + w * kChanges + i;
        EXPECT_OK(journal_.Write(0, JobChange(id)));
        journal_.WhenDurable(0, [this, id, &durable](const absl::Status& status) {
          EXPECT_OK(status);
          EXPECT_OK(store_.GetJob(id));
          ++durable;
        });
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  journal_.Stop();
  committer.join();
  EXPECT_EQ(durable, kWriters * kChanges);
  EXPECT_LE(store_.commits(), kWriters * kChanges);
}

TEST_F(GroupJournalTest, ADeletedJobIsNotFoundBeforeItIsDurable) {
  ASSERT_OK(journal_.Write(0, JobChange(1)));
  journal_.CommitGroup();
  v1::Change deletion;
  deletion.add_deleted_jobs(1);
  ASSERT_OK(journal_.Write(0, deletion));
  EXPECT_THAT(journal_.GetJob(1), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  EXPECT_OK(store_.GetJob(1));
  journal_.CommitGroup();
  EXPECT_THAT(store_.GetJob(1), StatusIs(absl::StatusCode::kNotFound, ::testing::_));
}

TEST_F(GroupJournalTest, WorkersGoAndComeInTheOrderOfTheirChanges) {
  const auto write = [this](const std::vector<std::string>& seen,
                            const std::vector<std::string>& gone, const std::string& incarnation) {
    v1::Change change;
    for (const std::string& id : seen) {
      change.add_workers()->mutable_worker()->set_id(id);
      change.mutable_workers()->rbegin()->set_incarnation(incarnation);
    }
    for (const std::string& id : gone) change.add_deleted_workers(id);
    ASSERT_OK(journal_.Write(0, change));
  };
  write({"w1", "w2", "w3", "w4"}, {}, "first");
  write({}, {"w1", "w2", "w4"}, "");
  write({"w2", "w3"}, {}, "second");
  write({"w5"}, {"w2", "w5"}, "third");
  write({"w2"}, {"w2"}, "fourth");
  journal_.CommitGroup();
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::WorkerRecord> workers, store_.LoadWorkers());
  std::vector<std::string> left;
  for (const v1::WorkerRecord& record : workers) {
    left.push_back(record.worker().id() + " " + record.incarnation());
  }
  EXPECT_THAT(left, ElementsAre("w2 fourth", "w3 second", "w5 third"));
}

TEST_F(GroupJournalTest, TheBacklogIsWhatIsNotDurable) {
  EXPECT_EQ(journal_.backlog(), 0);
  ASSERT_OK(journal_.Write(0, JobChange(1)));
  ASSERT_OK(journal_.Write(0, JobChange(1, "again")));
  EXPECT_EQ(journal_.backlog(), 2);
  journal_.CommitGroup();
  EXPECT_EQ(journal_.backlog(), 0);
  store_.FailCommits(1);
  ASSERT_OK(journal_.Write(0, JobChange(2)));
  journal_.CommitGroup();
  EXPECT_EQ(journal_.backlog(), 0) << "what is lost waits no more";
}

}  // namespace
}  // namespace frontier::coordinator
