#include "worker/agent/trial_process_runner.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"
#include "worker/agent/child_process.h"
#include "worker/agent/cpu_sets.h"
#include "worker/agent/failure.h"

namespace frontier::worker {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TrialProcessRunnerTest : public ::testing::Test {
 protected:
  TrialProcessRunnerTest() {
    order_.input.mutable_task()->mutable_key()->set_job_id(3);
    order_.input.mutable_task()->mutable_key()->set_trial(7);
    order_.input.mutable_task()->mutable_key()->set_attempt(1);
    order_.input.mutable_task()->mutable_training()->set_epochs(5);
    order_.wall_limit = absl::Seconds(30);  // against a test that hangs
  }

  TrialEnd Run(const std::string& how) {
    order_.input.set_dataset_path(how);
    TrialProcessRunnerOptions options;
    options.program = FAKE_TRIAL;
    options.sample_interval = absl::Milliseconds(5);
    options.stall_limit = stall_limit_;
    return NewTrialProcessRunner(options, &clock_)
        ->Run(order_, stop_, [this](const v1::EpochMetrics& epoch) {
          epochs_.push_back(epoch.epoch());
          if (stop_at_epoch_ == epoch.epoch()) stop_.Raise();
        });
  }

  v1::Failure FailureOf(const TrialEnd& end) {
    if (const auto* failure = std::get_if<v1::Failure>(&end.outcome)) return *failure;
    ADD_FAILURE() << "ended otherwise, kind " << end.outcome.index();
    return {};
  }

  SystemClock clock_;
  absl::Duration stall_limit_ = absl::Minutes(10);
  StopEvent stop_;
  TrialOrder order_;
  std::vector<int> epochs_;
  int stop_at_epoch_ = 0;
};

TEST_F(TrialProcessRunnerTest, PassesOnEpochsAndTheResult) {
  order_.threads = 3;
  const TrialEnd end = Run("result");
  ASSERT_TRUE(std::holds_alternative<v1::TrialResult>(end.outcome));
  EXPECT_THAT(epochs_, ElementsAre(1, 2));
  EXPECT_EQ(std::get<v1::TrialResult>(end.outcome).engine().threads(), 3);  // OMP_NUM_THREADS
  EXPECT_GT(end.wall, absl::ZeroDuration());
  EXPECT_GT(end.peak_memory_bytes, 0);
}

TEST_F(TrialProcessRunnerTest, PassesOnATypedFailure) {
  const v1::Failure failure = FailureOf(Run("failure"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_DIVERGED);
  EXPECT_EQ(failure.message(), "loss is nan in epoch 1");
}

TEST_F(TrialProcessRunnerTest, CountsCpuTime) {
  const TrialEnd end = Run("burn_cpu");
  EXPECT_GT(end.cpu, absl::Milliseconds(1));
  EXPECT_LT(end.cpu, absl::Seconds(60));
}

TEST_F(TrialProcessRunnerTest, ACrashIsNamedWithItsSignalAndLastWords) {
  const v1::Failure failure = FailureOf(Run("segfault"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_CRASHED);
  EXPECT_THAT(failure.message(), AllOf(HasSubstr("signal SEGV"), HasSubstr("about to fall")));
}

TEST_F(TrialProcessRunnerTest, AnExitWithoutAnOutcomeIsACrash) {
  EXPECT_THAT(FailureOf(Run("exit3")).message(), HasSubstr("exit code 3"));
  const v1::Failure failure = FailureOf(Run("silent"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_CRASHED);
  EXPECT_THAT(failure.message(), HasSubstr("without an outcome: exit code 0"));
}

TEST_F(TrialProcessRunnerTest, AHangIsEndedAtTheWallLimit) {
  // Enough for a process to start on a machine with much else to do.
  order_.wall_limit = absl::Seconds(1);
  const v1::Failure failure = FailureOf(Run("hang"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_TIMED_OUT);
  EXPECT_THAT(failure.message(), HasSubstr("the limit is 1.0 s"));
  EXPECT_THAT(epochs_, ElementsAre(1));
}

TEST_F(TrialProcessRunnerTest, AProcessWithoutProgressIsEnded) {
  stall_limit_ = absl::Milliseconds(100);
  const v1::Failure failure = FailureOf(Run("hang"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_TIMED_OUT);
  EXPECT_THAT(failure.message(), AllOf(HasSubstr("no progress"), HasSubstr("after epoch")));
}

TEST_F(TrialProcessRunnerTest, SignsOfLifeAreNoOutcome) {
  EXPECT_TRUE(std::holds_alternative<v1::TrialResult>(Run("steps").outcome));
  EXPECT_TRUE(epochs_.empty());
}

TEST_F(TrialProcessRunnerTest, RunsOnItsCpusAlone) {
  const std::vector<int> all = AllowedCpus();
  ASSERT_FALSE(all.empty());
  const auto cpus_of = [](const TrialEnd& end) {
    std::vector<int> cpus;
    for (const auto& epoch : std::get<v1::TrialResult>(end.outcome).epochs()) {
      cpus.push_back(epoch.epoch());
    }
    return cpus;
  };
  EXPECT_EQ(cpus_of(Run("cpus")), all);
  order_.cpus = {all.back()};
  EXPECT_THAT(cpus_of(Run("cpus")), ElementsAre(all.back()));
  EXPECT_EQ(AllowedCpus(), all);
}

TEST_F(TrialProcessRunnerTest, AStopEndsTheProcess) {
  stop_at_epoch_ = 1;
  EXPECT_TRUE(std::holds_alternative<TrialStopped>(Run("hang").outcome));
}

TEST_F(TrialProcessRunnerTest, AnOutcomeCountsWhateverComesAfterIt) {
  EXPECT_TRUE(std::holds_alternative<v1::TrialResult>(Run("hang_after_result").outcome));
}

TEST_F(TrialProcessRunnerTest, TheWholeGroupIsKilled) {
  // Its grandchild becomes ours when its child is gone.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const TrialEnd end = Run("grandchild");
  ASSERT_TRUE(std::holds_alternative<v1::TrialResult>(end.outcome));
  const pid_t grandchild = std::get<v1::TrialResult>(end.outcome).epochs(0).epoch();
  int status = 0;
  ASSERT_EQ(waitpid(grandchild, &status, 0), grandchild) << "hangs if nobody kills it";
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST_F(TrialProcessRunnerTest, MemoryOverTheLimitIsSeenFromOutside) {
  order_.memory_bytes = int64_t{200} << 20;
  const v1::Failure failure = FailureOf(Run("allocate"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_OUT_OF_MEMORY);
  EXPECT_THAT(failure.message(), HasSubstr("limit is 200 MiB"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Sanitizers reserve more address space than any limit of ours.
TEST_F(TrialProcessRunnerTest, AllocationsFailAtTheLimitTheProcessSetItself) {
  order_.memory_bytes = int64_t{200} << 20;
  const v1::Failure failure = FailureOf(Run("allocate_unhandled"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_OUT_OF_MEMORY);
  EXPECT_THAT(failure.message(), HasSubstr("an allocation failed within the limit of 200 MiB"));
}

TEST_F(TrialProcessRunnerTest, AFaultAfterAFailedAllocationIsOutOfMemory) {
  order_.memory_bytes = int64_t{200} << 20;
  EXPECT_EQ(FailureOf(Run("unchecked_allocation")).cause(), v1::FAILURE_CAUSE_OUT_OF_MEMORY);
}

TEST_F(TrialProcessRunnerTest, AnotherFaultStaysACrash) {
  order_.memory_bytes = int64_t{200} << 20;
  const v1::Failure failure = FailureOf(Run("limited_segfault"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_CRASHED);
  EXPECT_THAT(failure.message(), HasSubstr("signal SEGV"));
}
#endif

TEST_F(TrialProcessRunnerTest, GarbageOnOutputIsACrash) {
  for (const char* how : {"garbage", "endless_length"}) {
    const v1::Failure failure = FailureOf(Run(how));
    EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_CRASHED) << how;
    EXPECT_THAT(failure.message(), HasSubstr("no update")) << how;
  }
}

TEST_F(TrialProcessRunnerTest, AHalfUpdateIsNoOutcome) {
  EXPECT_THAT(FailureOf(Run("half")).message(), HasSubstr("without an outcome"));
}

TEST_F(TrialProcessRunnerTest, AFloodOfEpochsIsEndedAtTheFirstThatCannotBe) {
  const v1::Failure failure = FailureOf(Run("flood_output"));
  EXPECT_EQ(failure.cause(), v1::FAILURE_CAUSE_CRASHED);
  EXPECT_THAT(failure.message(), HasSubstr("epoch 1 after epoch 1 of 5"));
}

TEST_F(TrialProcessRunnerTest, AFloodOnStandardErrorHurtsNobody) {
  EXPECT_TRUE(std::holds_alternative<v1::TrialResult>(Run("flood_error").outcome));
}

TEST_F(TrialProcessRunnerTest, ALargeInputArrivesWhole) {
  order_.input.mutable_task()->mutable_architecture()->add_nodes()->set_name(
      std::string(3 << 20, 'n'));
  EXPECT_TRUE(std::holds_alternative<v1::TrialResult>(Run("result").outcome));
}

TEST_F(TrialProcessRunnerTest, AProcessThatDoesNotReadItsInputIsNoProblem) {
  TrialProcessRunnerOptions options;
  options.program = "/bin/true";
  order_.input.mutable_task()->mutable_architecture()->add_nodes()->set_name(
      std::string(3 << 20, 'n'));
  const TrialEnd end =
      NewTrialProcessRunner(options, &clock_)->Run(order_, stop_, [](const v1::EpochMetrics&) {});
  EXPECT_THAT(FailureOf(end).message(), HasSubstr("exit code 0"));
}

TEST_F(TrialProcessRunnerTest, AProgramThatCannotStartIsInternal) {
  TrialProcessRunnerOptions options;
  options.program = "/nowhere/frontier-worker";
  const TrialEnd end =
      NewTrialProcessRunner(options, &clock_)->Run(order_, stop_, [](const v1::EpochMetrics&) {});
  EXPECT_EQ(FailureOf(end).cause(), v1::FAILURE_CAUSE_INTERNAL);
  EXPECT_THAT(FailureOf(end).message(), HasSubstr("/nowhere/frontier-worker"));
}

TEST_F(TrialProcessRunnerTest, SeveralRunBesideEachOther) {
  TrialProcessRunnerOptions options;
  options.program = FAKE_TRIAL;
  const std::unique_ptr<TrialRunner> runner = NewTrialProcessRunner(options, &clock_);
  order_.input.set_dataset_path("result");
  std::vector<std::thread> threads;
  std::atomic<int> results{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 3; ++round) {
        const TrialEnd end = runner->Run(order_, stop_, [](const v1::EpochMetrics&) {});
        if (std::holds_alternative<v1::TrialResult>(end.outcome)) ++results;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(results, 12);
}

TEST(FailureTest, MessagesAreMadePrintableAndCut) {
  EXPECT_EQ(PrintableText("a\nb\xff\x01z", 100), "a b??z");
  const v1::Failure failure = MakeFailure(v1::FAILURE_CAUSE_CRASHED, std::string(10000, 'x'));
  EXPECT_EQ(failure.message().size(), kMaxFailureMessageBytes);
  EXPECT_THAT(failure.message(), ::testing::EndsWith("x..."));
}

}  // namespace
}  // namespace frontier::worker
