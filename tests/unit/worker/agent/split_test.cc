#include "worker/agent/split.h"

#include <string>
#include <vector>

#include "common/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::frontier::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kGiB = int64_t{1} << 30;

TEST(SplitCandidatesTest, OneThreadEachTwoEachAndAllForOne) {
  EXPECT_THAT(SplitCandidates(8, 100 * kGiB, kGiB),
              ElementsAre(Split{8, 1}, Split{4, 2}, Split{1, 8}));
  EXPECT_THAT(SplitCandidates(2, 100 * kGiB, kGiB), ElementsAre(Split{2, 1}, Split{1, 2}));
  EXPECT_THAT(SplitCandidates(3, 100 * kGiB, kGiB), ElementsAre(Split{3, 1}, Split{1, 3}));
  EXPECT_THAT(SplitCandidates(1, 100 * kGiB, kGiB), ElementsAre(Split{1, 1}));
  // Only what there is memory for.
  EXPECT_THAT(SplitCandidates(8, 5 * kGiB, kGiB), ElementsAre(Split{4, 2}, Split{1, 8}));
  EXPECT_THAT(SplitCandidates(8, 0, kGiB), ElementsAre(Split{1, 8}));
}

const std::vector<Split> kCandidates = {{4, 1}, {2, 2}, {1, 4}};

TEST(ChooseSplitTest, TheBestOfItsRoundsCounts) {
  int calls = 0;
  std::vector<int> order;
  ASSERT_OK_AND_ASSIGN(
      const ChosenSplit chosen,
      ChooseSplit(kCandidates, 2, [&](const Split& split) -> absl::StatusOr<double> {
        order.push_back(split.slots);
        // A disturbance in the first round.
        if (split.slots == 2) return ++calls == 1 ? 10.0 : 300.0;
        return 100.0 * split.slots / 2;
      }));
  EXPECT_EQ(chosen.split, (Split{2, 2}));
  EXPECT_EQ(chosen.images_per_second, 300);
  EXPECT_THAT(order, ElementsAre(4, 2, 1, 4, 2, 1));
}

TEST(ChooseSplitTest, OfEqualOnesTheFirst) {
  ASSERT_OK_AND_ASSIGN(
      const ChosenSplit chosen,
      ChooseSplit(kCandidates, 1, [](const Split& split) -> absl::StatusOr<double> {
        return 100.0 + split.threads / 2.0;
      }));
  EXPECT_EQ(chosen.split, (Split{4, 1}));
}

TEST(ChooseSplitTest, WhatCannotBeMeasuredIsOut) {
  int calls = 0;
  ASSERT_OK_AND_ASSIGN(
      const ChosenSplit chosen,
      ChooseSplit(kCandidates, 3, [&](const Split& split) -> absl::StatusOr<double> {
        if (split.slots == 1) return 5.0;
        ++calls;
        return absl::InternalError("no memory");
      }));
  EXPECT_EQ(chosen.split, (Split{1, 4}));
  EXPECT_EQ(calls, 2);  // not tried again
  EXPECT_THAT(ChooseSplit(kCandidates, 2,
                          [](const Split&) -> absl::StatusOr<double> {
                            return absl::InternalError("no memory");
                          }),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("no memory")));
}

TEST(SplitFileTest, CountsUnderItsConditionsOnly) {
  TempFolder folder;
  const std::string path = folder.path() + "/split";
  const SplitConditions conditions = {"lib 1", "cpu", 4};
  EXPECT_THAT(ReadSplit(path, conditions),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/split")));
  ASSERT_OK(WriteSplit(path, conditions, {{2, 2}, 1234.5}));
  ASSERT_OK_AND_ASSIGN(const ChosenSplit read, ReadSplit(path, conditions));
  EXPECT_EQ(read.split, (Split{2, 2}));
  EXPECT_EQ(read.images_per_second, 1234.5);
  for (const SplitConditions& other :
       {SplitConditions{"lib 2", "cpu", 4}, SplitConditions{"lib 1", "other", 4},
        SplitConditions{"lib 1", "cpu", 8}}) {
    EXPECT_THAT(ReadSplit(path, other),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("no split for this machine")));
  }
  ASSERT_OK(WriteFileAtomically(path, "damaged"));
  EXPECT_THAT(ReadSplit(path, conditions),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no split for this machine")));
}

class MeasureByTrainingTest : public ::testing::Test {
 protected:
  absl::StatusOr<double> Measure(int slots, const std::string& behaviour) {
    TrainingBurst burst;
    burst.program = FAKE_TRIAL;
    burst.hardware_class = behaviour;
    burst.limit = limit_;
    return MeasureByTraining({slots, 3}, burst, &clock_);
  }

  SystemClock clock_;
  absl::Duration limit_ = absl::Seconds(30);
};

TEST_F(MeasureByTrainingTest, AddsUpTheFiguresOfAllSlots) {
  ASSERT_OK_AND_ASSIGN(const double sum, Measure(4, "figure"));
  EXPECT_EQ(sum, 4 * 3 * 12.5);  // the fake gives 12.5 for each thread
}

TEST_F(MeasureByTrainingTest, AProcessWithoutAFigureIsNamed) {
  EXPECT_THAT(Measure(2, "crash"),
              StatusIs(absl::StatusCode::kInternal,
                       ::testing::AllOf(HasSubstr("process 1 of 2 gave no figure"),
                                        HasSubstr("exit code 3"), HasSubstr("cannot measure"))));
  EXPECT_THAT(Measure(1, "nonsense"),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("process 1")));
}

TEST_F(MeasureByTrainingTest, IsBoundedInTime) {
  limit_ = absl::Milliseconds(50);
  EXPECT_THAT(Measure(2, "hang"),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("process 1 of 2")));
}

}  // namespace
}  // namespace frontier::worker
