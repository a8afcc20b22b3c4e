#include "coordinator/simulation/simulator.h"

#include <algorithm>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "tests/support/strategies.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::AllStrategies;
using ::frontier::testing::FiveByFiveSpace;
using ::frontier::testing::JobSearchingBy;
using ::frontier::testing::MakeShape;
using ::frontier::testing::StatusIs;
using ::frontier::testing::StrategyCase;
using ::testing::HasSubstr;

class SimulatorTest : public ::testing::Test {
 protected:
  static v1::JobSpec Job(const char* strategy, int objectives = 1) {
    for (const StrategyCase& known : AllStrategies()) {
      if (known.name == strategy) return JobSearchingBy(known.spec, objectives);
    }
    throw std::invalid_argument(strategy);
  }

  // Trials of 1 to 5 seconds, by the kernel's option.
  static absl::StatusOr<Outcome> Answer(const v1::Genotype& genotype) {
    Outcome outcome;
    outcome.seconds = 1 + genotype.options(2);
    outcome.objectives = {static_cast<double>(genotype.options(3))};
    return outcome;
  }

  const std::unique_ptr<Space> space_ =
      CreateSpace(FiveByFiveSpace(), MakeShape(1, 12, 12), 10).value();
};

TEST_F(SimulatorTest, RunsEveryArchitectureOnceOverAsManyWorkersAsThereAre) {
  for (const int workers : {1, 4, 40}) {
    Simulator simulator(space_.get(), Answer);
    ASSERT_OK_AND_ASSIGN(const std::vector<SimulatedTrial> trials,
                         simulator.Run(Job("random"), {.workers = workers, .trials = 1000}));
    ASSERT_EQ(trials.size(), 25u);
    std::set<std::string> hashes;
    double busy = 0;
    double end = 0;
    for (const SimulatedTrial& trial : trials) {
      hashes.insert(trial.hash);
      EXPECT_EQ(trial.ended - trial.started, trial.outcome.seconds);
      EXPECT_GE(trial.ended, end);  // in order
      end = trial.ended;
      busy += trial.outcome.seconds;
      int running = 0;
      for (const SimulatedTrial& other : trials) {
        running += other.started <= trial.started && trial.started < other.ended;
      }
      EXPECT_LE(running, workers);
    }
    EXPECT_EQ(hashes.size(), 25u);
    EXPECT_GE(end * workers, busy);
    // None waits while there is more to do.
    EXPECT_LE(end, busy / workers + 5);
  }
}

TEST_F(SimulatorTest, EndsAtItsLimits) {
  Simulator simulator(space_.get(), Answer);
  ASSERT_OK_AND_ASSIGN(const std::vector<SimulatedTrial> few,
                       simulator.Run(Job("random"), {.workers = 3, .trials = 7}));
  EXPECT_EQ(few.size(), 7u);
  ASSERT_OK_AND_ASSIGN(const std::vector<SimulatedTrial> early,
                       simulator.Run(Job("random"), {.workers = 1, .seconds = 20}));
  EXPECT_LE(early.back().ended, 20);
  EXPECT_GE(early.back().ended, 15);
}

TEST_F(SimulatorTest, OneSeedGivesOneSearch) {
  const auto hashes = [&](const v1::JobSpec& job) {
    Simulator simulator(space_.get(), Answer);
    const std::vector<SimulatedTrial> trials =
        simulator.Run(job, {.workers = 3, .trials = 12}).value();
    std::vector<std::string> found;
    for (const SimulatedTrial& trial : trials) found.push_back(trial.hash);
    return found;
  };
  v1::JobSpec job = Job("evolution_small");
  EXPECT_EQ(hashes(job), hashes(job));
  v1::JobSpec other = job;
  other.mutable_strategy()->set_seed(2);
  EXPECT_NE(hashes(job), hashes(other));
}

TEST_F(SimulatorTest, RepeatsOnlyWhereTheyAreAllowed) {
  v1::JobSpec job = Job("random");
  job.mutable_strategy()->set_allow_repeats(true);
  Simulator simulator(space_.get(), Answer);
  ASSERT_OK_AND_ASSIGN(const std::vector<SimulatedTrial> trials,
                       simulator.Run(job, {.workers = 1, .trials = 200}));
  EXPECT_EQ(trials.size(), 200u);
}

TEST_F(SimulatorTest, WhatTheTableLacksIsNotProposedAndErrorsEndTheSearch) {
  const auto some = [](const v1::Genotype& genotype) -> absl::StatusOr<Outcome> {
    if (genotype.options(3) == 0) return absl::NotFoundError("not there");
    return Answer(genotype);
  };
  Simulator simulator(space_.get(), some);
  ASSERT_OK_AND_ASSIGN(const std::vector<SimulatedTrial> trials,
                       simulator.Run(Job("grid"), {.workers = 2, .trials = 1000}));
  EXPECT_EQ(trials.size(), 20u);
  const auto broken = [](const v1::Genotype&) -> absl::StatusOr<Outcome> {
    return absl::DataLossError("table is damaged");
  };
  Simulator other(space_.get(), broken);
  EXPECT_THAT(other.Run(Job("grid"), {.workers = 2, .trials = 1000}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("damaged")));
}

// Pauses after a fifth of its time; what is seen there is the end, mirrored.
absl::StatusOr<Outcome> AnswerWithRung(const v1::Genotype& genotype) {
  Outcome outcome;
  outcome.seconds = 10 * (1 + genotype.options(2));
  outcome.objectives = {static_cast<double>(genotype.options(3)),
                        static_cast<double>(genotype.options(2))};
  outcome.rungs.push_back(
      {2, {5.0 - genotype.options(3), outcome.objectives[1]}, 0, outcome.seconds / 5});
  return outcome;
}

v1::JobSpec WithRung(v1::JobSpec job) {
  job.mutable_training()->set_epochs(10);
  job.mutable_early_stopping()->mutable_asha()->add_rungs(2);
  job.mutable_early_stopping()->mutable_asha()->set_reduction(5);
  return job;
}

TEST_F(SimulatorTest, OneInSoManyIsTrainedToItsEndByEveryStrategy) {
  for (const StrategyCase& strategy : AllStrategies()) {
    SCOPED_TRACE(strategy.name);
    const v1::JobSpec job = WithRung(JobSearchingBy(strategy.spec, 2));
    const auto run = [&] {
      Simulator simulator(space_.get(), AnswerWithRung);
      return simulator.Run(job, {.workers = 3, .trials = 1000}).value();
    };
    const std::vector<SimulatedTrial> trials = run();
    ASSERT_EQ(trials.size(), 25u);
    std::set<std::string> hashes;
    int64_t epochs = 0;
    std::vector<std::string> order;
    for (const SimulatedTrial& trial : trials) {
      hashes.insert(trial.hash);
      order.push_back(trial.hash);
      epochs += trial.epochs;
      EXPECT_EQ(trial.stopped, trial.epochs == 2);
      // Of one that was stopped the figures are those of its rung.
      EXPECT_EQ(trial.outcome.objectives[0] == trial.outcome.rungs[0].objectives[0], trial.stopped);
      EXPECT_GE(trial.ended - trial.started, trial.outcome.seconds / 5);
    }
    EXPECT_EQ(hashes.size(), 25u);
    EXPECT_EQ(epochs, 25 * 2 + 5 * 8);
    std::vector<std::string> again;
    for (const SimulatedTrial& trial : run()) again.push_back(trial.hash);
    EXPECT_EQ(order, again);
  }
}

TEST_F(SimulatorTest, WhoWentOnWhenTheTimeWasOverStoodAtItsRung) {
  const v1::JobSpec job = WithRung(Job("random", 2));
  // One worker, a rung takes 2 to 10 s: none is left out of those that had come to it.
  for (double seconds = 10; seconds <= 300; seconds += 10) {
    Simulator simulator(space_.get(), AnswerWithRung);
    ASSERT_OK_AND_ASSIGN(const std::vector<SimulatedTrial> trials,
                         simulator.Run(job, {.workers = 1, .seconds = seconds}));
    double busy = 0;
    double most = 0;
    for (const SimulatedTrial& trial : trials) {
      EXPECT_LE(trial.ended, seconds);
      busy += trial.stopped ? trial.outcome.rungs[0].seconds : trial.outcome.seconds;
      most = std::max(most, trial.ended);
    }
    // The worker is busy all the time, so what ended last ended when all that is listed was done,
    // unless a rung was passed and the time was over before the end.
    EXPECT_GE(busy, most - 1e-9) << seconds;
  }
}

TEST_F(SimulatorTest, ResultsOfOtherRungsAreRefused) {
  v1::JobSpec job = WithRung(Job("random", 2));
  job.mutable_early_stopping()->mutable_asha()->set_rungs(0, 3);
  Simulator simulator(space_.get(), AnswerWithRung);
  EXPECT_THAT(simulator.Run(job, {.workers = 1, .trials = 5}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pause after 3, 10 epochs")));
}

TEST_F(SimulatorTest, FailedTrialsAreToldAsSuch) {
  const auto failing = [](const v1::Genotype& genotype) -> absl::StatusOr<Outcome> {
    Outcome outcome = Answer(genotype).value();
    outcome.succeeded = genotype.options(3) != 1;
    if (!outcome.succeeded) outcome.objectives.clear();
    return outcome;
  };
  for (const char* strategy : {"evolution_small", "bayesian", "nsga2"}) {
    Simulator simulator(space_.get(), failing);
    ASSERT_OK_AND_ASSIGN(const std::vector<SimulatedTrial> trials,
                         simulator.Run(Job(strategy), {.workers = 2, .trials = 1000}));
    EXPECT_EQ(trials.size(), 25u) << strategy;
  }
}

}  // namespace
}  // namespace frontier::coordinator
