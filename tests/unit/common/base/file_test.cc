#include "common/base/file.h"

#include <cerrno>
#include <filesystem>
#include <string>

#include "common/base/status.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

TEST(FileTest, WritesReadsAndReplaces) {
  const std::string path = ::testing::TempDir() + "/file_test/a/b.bin";
  ASSERT_OK(MakeDirectories(std::filesystem::path(path).parent_path().string()));
  const std::string content("zero\0byte", 9);
  ASSERT_OK(WriteFileAtomically(path, content));
  EXPECT_EQ(*ReadFile(path), content);
  ASSERT_OK(WriteFileAtomically(path, ""));
  EXPECT_EQ(*ReadFile(path), "");
  // Nothing is left beside it.
  int entries = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    ++entries;
  }
  EXPECT_EQ(entries, 1);
}

TEST(FileTest, MissingFileIsNotFoundAndNamed) {
  EXPECT_THAT(ReadFile("/no/such/file"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/file")));
  EXPECT_THAT(WriteFileAtomically("/no/such/file", "x"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/file")));
}

TEST(FileTest, ErrnoMapsToCodes) {
  EXPECT_EQ(ErrnoStatus(EACCES, "cannot open", "f").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrnoStatus(EIO, "cannot open", "f").code(), absl::StatusCode::kInternal);
  const absl::Status full = ErrnoStatus(ENOSPC, "cannot write", "f");
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorReason(full), v1::ERROR_REASON_DISK_FULL);
}

}  // namespace
}  // namespace frontier
