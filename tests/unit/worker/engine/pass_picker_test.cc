#include "worker/engine/onednn/pass_picker.h"

#include <functional>
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
  // `took` tells how long run number `r` (from 0) of implementation `i` takes.
  size_t Pick(PassPicker* picker, size_t count,
              const std::function<absl::Duration(size_t i, int r)>& took) {
    runs_.assign(count, 0);
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) {
      names.push_back(std::string(1, static_cast<char>('a' + i)));
    }
    size_t ready = count;
    return picker->Pick(
        "layer", names,
        [&](size_t i) {
          ready = i;
          clock_.Advance(absl::Seconds(1));  // none of the implementation's time
          return i != without_memory_;
        },
        [&] { clock_.Advance(took(ready, runs_[ready]++)); });
  }
  size_t Pick(PassPicker* picker, const std::vector<absl::Duration>& times) {
    return Pick(picker, times.size(), [&](size_t i, int) { return times[i]; });
  }

  FakeClock clock_;
  std::vector<int> runs_;
  size_t without_memory_ = 99;
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

TEST_F(PassPickerTest, WhatThereIsNoMemoryForIsLeftOutAndNothingRemembered) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  without_memory_ = 1;
  EXPECT_EQ(Pick(&picker, {absl::Milliseconds(3), absl::Milliseconds(1), absl::Milliseconds(2)}),
            2u);
  EXPECT_EQ(runs_[1], 0);
  EXPECT_TRUE(remembered.empty());
  EXPECT_THAT(picker.used(), ElementsAre(Pair("layer", "c")));
}

TEST_F(PassPickerTest, TellsWhatMayBePicked) {
  EXPECT_FALSE(PassPicker(nullptr, nullptr).MayPick("layer", "a")) << "the first is taken";
  Picks remembered = {{"other", "abc"}};
  PassPicker picker(&clock_, &remembered);
  EXPECT_TRUE(picker.MayPick("layer", "b")) << "it may be the fastest";
  EXPECT_TRUE(picker.MayPick("other", "ab"));
  EXPECT_FALSE(picker.MayPick("other", "b"));
  Pick(&picker, {absl::Milliseconds(3), absl::Milliseconds(1)});
  EXPECT_TRUE(picker.MayPick("layer", "b"));
  EXPECT_FALSE(picker.MayPick("layer", "a"));
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

TEST_F(PassPickerTest, TheHopelessIsRunNoMoreThanItTakesToTell) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, {absl::Milliseconds(2), absl::Milliseconds(7), absl::Milliseconds(41)}),
            0u);
  EXPECT_GT(runs_[0], 2);
  EXPECT_EQ(runs_[1], 2) << "one to warm up, one that is slower than three times the best";
  EXPECT_EQ(runs_[2], 1) << "no warm-up explains twenty times the best";
}

TEST_F(PassPickerTest, WhatIsBehindThreeTimesIsRunNoMore) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, 3,
                 [](size_t i, int r) {
                   if (i == 0) return absl::Microseconds(1000);
                   if (i == 1) return absl::Microseconds(1300);
                   return absl::Microseconds(r == 3 ? 800 : 1300);  // late, but still in time
                 }),
            2u);
  EXPECT_EQ(runs_[1], 4) << "one to warm up, three to tell";
  EXPECT_GT(runs_[2], 4);
}

TEST_F(PassPickerTest, AColdFirstRunRulesNothingOut) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, 2,
                 [](size_t i, int r) {
                   if (i == 0) return absl::Milliseconds(2);
                   return r == 0 ? absl::Milliseconds(12) : absl::Milliseconds(1);
                 }),
            1u);
}

TEST_F(PassPickerTest, ARunThatWasDisturbedDoesNotUndoABetterOne) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, 2,
                 [](size_t i, int r) {
                   if (i == 0) return absl::Milliseconds(2);
                   return r == 2 ? absl::Milliseconds(50) : absl::Milliseconds(1);
                 }),
            1u);
}

TEST_F(PassPickerTest, ASlowOneIsTimedOnceAfterItWarmedUp) {
  Picks remembered;
  PassPicker picker(&clock_, &remembered);
  EXPECT_EQ(Pick(&picker, {absl::Seconds(2), absl::Seconds(3)}), 0u);
  EXPECT_THAT(runs_, ElementsAre(2, 2));
}

}  // namespace
}  // namespace frontier::worker::onednn
