#include "worker/engine/onednn/pass_picker.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"

namespace frontier::worker::onednn {
namespace {

using ::frontier::testing::FakeClock;
using ::testing::ElementsAre;
using ::testing::Pair;

// Implementations that take these times.
class PassPickerTest : public ::testing::Test {
 protected:
  size_t Pick(PassPicker* picker, const std::vector<absl::Duration>& times) {
    runs_.assign(times.size(), 0);
    std::vector<std::string> names;
    for (size_t i = 0; i < times.size(); ++i)
      names.push_back(std::string(1, static_cast<char>('a' + i)));
    return picker->Pick("layer", names, [&](size_t i) {
      ++runs_[i];
      clock_.Advance(times[i]);
    });
  }

  FakeClock clock_;
  std::vector<int> runs_;
};

TEST_F(PassPickerTest, TakesTheFastestAndRemembersIt) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, {absl::Milliseconds(3), absl::Milliseconds(1), absl::Milliseconds(2)}),
            1u);
  EXPECT_THAT(remembered, ElementsAre(Pair("layer", "b")));
  EXPECT_EQ(picker.used(), remembered);

  // Not timed again, in this plan or a later one.
  EXPECT_EQ(Pick(&picker, {absl::Milliseconds(1), absl::Milliseconds(2)}), 1u);
  EXPECT_THAT(runs_, ElementsAre(0, 0));
}

TEST_F(PassPickerTest, WithoutAClockTakesTheFirst) {
  Picks remembered;
  PassPicker picker(nullptr, &remembered);
  EXPECT_EQ(Pick(&picker, {absl::Milliseconds(3), absl::Milliseconds(1)}), 0u);
  EXPECT_THAT(runs_, ElementsAre(0, 0));
  EXPECT_TRUE(remembered.empty()) << "what was not timed is no knowledge";
  EXPECT_THAT(picker.used(), ElementsAre(Pair("layer", "a")));
}

TEST_F(PassPickerTest, WhatIsRememberedIsNotTimed) {
  Picks remembered = {{"layer", "b"}};
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, {absl::Milliseconds(1), absl::Milliseconds(9)}), 1u);
  EXPECT_THAT(runs_, ElementsAre(0, 0));
}

TEST_F(PassPickerTest, ANameThatIsGoneIsTimedAnew) {
  Picks remembered = {{"layer", "z"}};
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, {absl::Milliseconds(5), absl::Milliseconds(4)}), 1u);
  EXPECT_THAT(remembered, ElementsAre(Pair("layer", "b")));
}

TEST_F(PassPickerTest, TheHopelessIsRunOnce) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, {absl::Milliseconds(2), absl::Milliseconds(7)}), 0u);
  EXPECT_EQ(runs_[1], 1);
  EXPECT_GT(runs_[0], 2);
}

TEST_F(PassPickerTest, ASlowOneIsTimedOnceAfterItWarmedUp) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, {absl::Seconds(2), absl::Seconds(3)}), 0u);
  EXPECT_THAT(runs_, ElementsAre(2, 2));
}

}  // namespace
}  // namespace frontier::worker::onednn
