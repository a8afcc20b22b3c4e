#include "worker/agent/checkpoint_folder.h"

#include <filesystem>
#include <string>

#include "common/base/file.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::FakeClock;
using ::frontier::testing::TempFolder;

v1::AttemptKey Key(int64_t trial, int32_t attempt = 1) {
  v1::AttemptKey key;
  key.set_job_id(1);
  key.set_trial(trial);
  key.set_attempt(attempt);
  return key;
}

class CheckpointFolderTest : public ::testing::Test {
 protected:
  std::unique_ptr<CheckpointFolder> Open() {
    absl::StatusOr<std::unique_ptr<CheckpointFolder>> opened =
        CheckpointFolder::Open(folder_.path() + "/checkpoints", limits_, &clock_);
    EXPECT_OK(opened);
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  // Written `age` before the clock's now.
  void Write(const std::string& path, size_t bytes, absl::Duration age) {
    ASSERT_OK(WriteFileAtomically(path, std::string(bytes, 'x')));
    const auto now = std::filesystem::file_time_type::clock::now();
    const absl::Duration back = absl::Now() - (clock_.Now() - age);
    std::filesystem::last_write_time(path, now - absl::ToChronoSeconds(back));
  }
  static bool Exists(const std::string& path) { return std::filesystem::exists(path); }

  TempFolder folder_;
  FakeClock clock_;
  CheckpointLimits limits_;
};

TEST_F(CheckpointFolderTest, AllAttemptsOfATrialShareAFileUntilItIsDone) {
  const std::unique_ptr<CheckpointFolder> folder = Open();
  const std::string path = folder->Begin(Key(3, 1));
  Write(path, 10, absl::ZeroDuration());
  EXPECT_NE(folder->Begin(Key(4)), path);
  folder->End(Key(3, 1), /*again=*/true);
  EXPECT_TRUE(Exists(path));
  EXPECT_EQ(folder->Begin(Key(3, 2)), path);
  folder->End(Key(3, 2), /*again=*/false);
  EXPECT_FALSE(Exists(path));
  folder->End(Key(3, 2), /*again=*/false);  // as of an outcome of an earlier start
}

TEST_F(CheckpointFolderTest, OldOnesAndUnfinishedWritesGoAtTheStart) {
  std::unique_ptr<CheckpointFolder> folder = Open();
  const std::string old = folder->Begin(Key(1)), fresh = folder->Begin(Key(2));
  Write(old, 10, limits_.most_age + absl::Hours(1));
  Write(fresh, 10, limits_.most_age - absl::Hours(1));
  Write(fresh + ".tmp.77", 10, absl::ZeroDuration());
  folder = Open();
  EXPECT_FALSE(Exists(old));
  EXPECT_TRUE(Exists(fresh));
  EXPECT_FALSE(Exists(fresh + ".tmp.77"));
}

TEST_F(CheckpointFolderTest, TheOldestGoWhenAllAreTooLargeTogetherButNotThoseInUse) {
  limits_.most_bytes = 250;
  const std::unique_ptr<CheckpointFolder> folder = Open();
  std::string paths[5];
  for (int i = 0; i < 5; ++i) {
    paths[i] = folder->Begin(Key(i));
    Write(paths[i], 100, absl::Hours(10 - i));
  }
  folder->End(Key(1), /*again=*/true);
  folder->End(Key(2), /*again=*/true);
  folder->End(Key(3), /*again=*/true);
  EXPECT_TRUE(Exists(paths[0]));  // in use
  EXPECT_FALSE(Exists(paths[1]));
  EXPECT_FALSE(Exists(paths[2]));
  EXPECT_FALSE(Exists(paths[3]));
  EXPECT_TRUE(Exists(paths[4]));  // in use
}

TEST_F(CheckpointFolderTest, WhatAKilledProcessWasWritingGoesAndPushesNothingOut) {
  limits_.most_bytes = 250;
  const std::unique_ptr<CheckpointFolder> folder = Open();
  const std::string good = folder->Begin(Key(1)), killed = folder->Begin(Key(2)),
                    writing = folder->Begin(Key(3));
  Write(good, 100, absl::Hours(3));
  Write(killed, 100, absl::Hours(2));
  Write(killed + ".tmp.77", 100, absl::Hours(1));
  Write(writing + ".tmp.78", 100, absl::ZeroDuration());
  folder->End(Key(1), /*again=*/true);
  EXPECT_TRUE(Exists(good));
  EXPECT_TRUE(Exists(killed + ".tmp.77"));
  folder->End(Key(2), /*again=*/true);
  EXPECT_FALSE(Exists(killed + ".tmp.77"));
  EXPECT_TRUE(Exists(killed));
  EXPECT_TRUE(Exists(writing + ".tmp.78"));
}

}  // namespace
}  // namespace frontier::worker
