#include "worker/agent/parent_folder.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/file.h"
#include "common/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "worker/agent/stop_event.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

class ParentFolderTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Get(const std::string& content, const std::string& fetched) {
    return parents_->Get(Sha256Hex(content), [&]() -> absl::StatusOr<std::string> {
      ++fetches_;
      return fetched;
    });
  }
  // Where "content" is, made a day old.
  std::string Aged(const std::string& content) {
    const absl::StatusOr<std::string> path = Get(content, content);
    EXPECT_OK(path);
    std::filesystem::last_write_time(
        *path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(24));
    return *path;
  }

  frontier::testing::TempFolder state_;
  std::unique_ptr<ParentFolder> parents_ = *ParentFolder::Open(state_.path() + "/parents", 10);
  int fetches_ = 0;
};

TEST_F(ParentFolderTest, FetchesOnce) {
  ASSERT_OK_AND_ASSIGN(const std::string first, Get("model", "model"));
  EXPECT_EQ(*ReadFile(first), "model");
  ASSERT_OK_AND_ASSIGN(const std::string second, Get("model", "model"));
  EXPECT_EQ(first, second);
  EXPECT_EQ(fetches_, 1);
}

TEST_F(ParentFolderTest, FetchesAgainWhatIsDamaged) {
  ASSERT_OK_AND_ASSIGN(const std::string path, Get("model", "model"));
  ASSERT_OK(WriteFileAtomically(path, "mode1"));
  ASSERT_OK(Get("model", "model"));
  EXPECT_EQ(fetches_, 2);
  EXPECT_EQ(*ReadFile(path), "model");
}

TEST_F(ParentFolderTest, ASlowFetchHoldsUpNoOther) {
  StopEvent begun, finish;
  std::thread slow([&] {
    EXPECT_OK(parents_->Get(Sha256Hex("slow"), [&]() -> absl::StatusOr<std::string> {
      begun.Raise();
      finish.Wait();
      return "slow";
    }));
  });
  begun.Wait();
  EXPECT_OK(Get("quick", "quick"));
  EXPECT_OK(Get("quick", "quick"));
  finish.Raise();
  slow.join();
  EXPECT_EQ(fetches_, 1);
}

TEST_F(ParentFolderTest, WhoAsksForWhatIsBeingFetchedWaitsForIt) {
  StopEvent begun;
  std::atomic<int> fetches{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const absl::StatusOr<std::string> path =
          parents_->Get(Sha256Hex("model"), [&]() -> absl::StatusOr<std::string> {
            // The first fails when others may be waiting: one of them fetches in its place.
            const bool first = ++fetches == 1;
            begun.Raise();
            if (first) return absl::CancelledError("stopped");
            return "model";
          });
      if (path.ok()) {
        EXPECT_EQ(*ReadFile(*path), "model");
      } else {
        EXPECT_TRUE(absl::IsCancelled(path.status()));
      }
    });
  }
  begun.Wait();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(fetches, 2);
}

TEST_F(ParentFolderTest, WritesThatWereCutOffGoAtTheStart) {
  const std::string half = state_.path() + "/parents/" + Sha256Hex("model") + ".model.tmp.77";
  ASSERT_OK(WriteFileAtomically(half, "half"));
  ASSERT_OK(ParentFolder::Open(state_.path() + "/parents"));
  EXPECT_FALSE(std::filesystem::exists(half));
}

TEST_F(ParentFolderTest, RefusesWhatIsNotMeant) {
  EXPECT_THAT(Get("model", "other").status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(Sha256Hex("other"))));
  EXPECT_THAT(parents_->Get("../../etc/passwd", [] { return std::string(); }).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no SHA-256 digest")));
}

TEST_F(ParentFolderTest, DropsWhatWasNotAskedForLongest) {
  const std::string first = Aged("first");
  const std::string other = Aged("other");
  ASSERT_OK(Get("first", "first"));  // young again
  ASSERT_OK_AND_ASSIGN(const std::string third, Get("third", "third"));
  EXPECT_TRUE(std::filesystem::exists(first));
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_TRUE(std::filesystem::exists(third));
  // One that is too large alone stays as long as it is the last.
  ASSERT_OK_AND_ASSIGN(const std::string large, Get("0123456789abc", "0123456789abc"));
  EXPECT_TRUE(std::filesystem::exists(large));
  EXPECT_FALSE(std::filesystem::exists(third));
}

}  // namespace
}  // namespace frontier::worker
