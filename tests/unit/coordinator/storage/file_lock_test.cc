#include "coordinator/storage/sqlite/file_lock.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(FileLockTest, NamesItsHolderUntilItLetsGo) {
  frontier::testing::TempFolder folder;
  const std::string path = folder.File("f.db");
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<FileLock> held,
                       FileLock::Acquire(path, absl::ZeroDuration()));
  const absl::Status refused = FileLock::Acquire(path, absl::Milliseconds(30)).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable,
                                AllOf(HasSubstr(path), HasSubstr(absl::StrCat(getpid())))));
  EXPECT_EQ(GetErrorReason(refused), v1::ERROR_REASON_DATABASE_LOCKED);
  held.reset();
  EXPECT_OK(FileLock::Acquire(path, absl::ZeroDuration()));
}

TEST(FileLockTest, NeedsItsFolder) {
  frontier::testing::TempFolder folder;
  EXPECT_THAT(FileLock::Acquire(folder.File("none/f.db"), absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

}  // namespace
}  // namespace frontier::coordinator
