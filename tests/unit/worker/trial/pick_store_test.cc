#include "worker/trial/pick_store.h"

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "frontier/v1/findings.pb.h"
#include "gtest/gtest.h"
#include "tests/support/idx_files.h"
#include "tests/support/status_matchers.h"
#include "worker/trial/engine_record.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxFolder;
using ::frontier::testing::StatusIs;

class PickStoreTest : public ::testing::Test {
 protected:
  PickStore Store(const std::string& library = "lib 1", const std::string& hardware = "cpu") {
    return PickStore(folder_.File("picks"), library, hardware);
  }

  IdxFolder folder_;
};

TEST_F(PickStoreTest, RemembersAndMergesTheLastPickOfAKeyStays) {
  EXPECT_EQ(Store().Load(), Picks());
  ASSERT_OK(Store().Add({{"a", "gemm"}, {"b", "jit"}}));
  ASSERT_OK(Store().Add({{"b", "winograd"}, {"c", "jit"}}));
  EXPECT_EQ(Store().Load(), (Picks{{"a", "gemm"}, {"b", "winograd"}, {"c", "jit"}}));
}

TEST_F(PickStoreTest, WithoutAPathNothingIsRemembered) {
  const PickStore store("", "lib 1", "cpu");
  ASSERT_OK(store.Add({{"a", "gemm"}}));
  EXPECT_EQ(store.Load(), Picks());
}

TEST_F(PickStoreTest, PicksOfAnotherLibraryOrMachineAreReplaced) {
  ASSERT_OK(Store().Add({{"a", "gemm"}}));
  EXPECT_EQ(Store("lib 2").Load(), Picks());
  EXPECT_EQ(Store("lib 1", "other").Load(), Picks());
  ASSERT_OK(Store("lib 2").Add({{"b", "jit"}}));
  EXPECT_EQ(Store("lib 2").Load(), (Picks{{"b", "jit"}}));
  EXPECT_EQ(Store("lib 1").Load(), Picks());
}

TEST_F(PickStoreTest, PicksOfAnotherVersionAreReplaced) {
  ASSERT_OK(Store().Add({{"a", "gemm"}}));
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(folder_.File("picks")));
  v1::PickFile file;
  ASSERT_TRUE(file.ParseFromString(bytes));
  EXPECT_FALSE(file.version().empty());
  file.set_version("0.0.1");
  ASSERT_OK(WriteFileAtomically(folder_.File("picks"), file.SerializeAsString()));
  EXPECT_EQ(Store().Load(), Picks());
}

TEST_F(PickStoreTest, AnyDamageBeginsAnew) {
  ASSERT_OK(Store().Add({{"forward 1 thread", "gemm"}, {"b", "jit"}}));
  ASSERT_OK_AND_ASSIGN(const std::string good, ReadFile(folder_.File("picks")));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x55);
    ASSERT_OK(WriteFileAtomically(folder_.File("picks"), bad));
    EXPECT_EQ(Store().Load(), Picks()) << "byte " << i;
    ASSERT_OK(WriteFileAtomically(folder_.File("picks"), good.substr(0, i)));
    EXPECT_EQ(Store().Load(), Picks()) << "cut at " << i;
  }
  ASSERT_OK(Store().Add({{"c", "jit"}}));
  EXPECT_EQ(Store().Load(), (Picks{{"c", "jit"}}));
}

TEST_F(PickStoreTest, NothingNewIsNotWritten) {
  ASSERT_OK(Store().Add({{"a", "gemm"}}));
  const auto written = std::filesystem::last_write_time(folder_.File("picks"));
  std::filesystem::last_write_time(folder_.File("picks"), written - std::chrono::hours(1));
  ASSERT_OK(Store().Add({{"a", "gemm"}}));
  EXPECT_EQ(std::filesystem::last_write_time(folder_.File("picks")),
            written - std::chrono::hours(1));
}

TEST_F(PickStoreTest, WritersAtOneTimeLoseNothing) {
  constexpr int kWriters = 3, kPicks = 8;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w] {
      for (int i = 0; i < kPicks; ++i) {
        EXPECT_OK(Store().Add({{absl::StrCat("writer ", w, " pick ", i), "jit"}}));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Store().Load().size(), static_cast<size_t>(kWriters * kPicks));
}

TEST_F(PickStoreTest, AFolderThatIsGoneIsAnErrorOfWritingAlone) {
  const PickStore store(folder_.path() + "/no/picks", "lib 1", "cpu");
  EXPECT_EQ(store.Load(), Picks());
  EXPECT_THAT(store.Add({{"a", "gemm"}}),
              StatusIs(absl::StatusCode::kNotFound, ::testing::HasSubstr("/no/picks")));
}

TEST(EngineRecordTest, PicksAndPrecisionsThereAndBack) {
  const Picks picks = {{"a", "gemm"}, {"b", "jit"}};
  EXPECT_EQ(PicksOf(ListOf(picks)), picks);
  for (const Precision precision : {Precision::kF32, Precision::kMixed}) {
    EXPECT_EQ(RecordedPrecision(PrecisionName(precision)).value(), precision);
  }
  EXPECT_EQ(RecordedPrecision("").value(), Precision::kF32);
  EXPECT_THAT(RecordedPrecision("auto"),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("'auto'")));
  EXPECT_EQ(PrecisionOf(v1::PRECISION_UNSPECIFIED), Precision::kAuto);
}

}  // namespace
}  // namespace frontier::worker
