#include "common/base/file.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>
#include <string>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST(FileTest, WritesReadsAndReplaces) {
  const frontier::testing::TempFolder temp;
  const std::string path = temp.File("a/b.bin");
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

TEST(FileTest, RemovesWhatKilledWritersLeft) {
  const frontier::testing::TempFolder temp;
  const auto write = [&temp](const std::string& name) {
    EXPECT_OK(WriteFileAtomically(temp.path() + "/" + name, "x"));
  };
  const auto names = [&temp] {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(temp.path())) {
      found.insert(entry.path().filename().string());
    }
    return found;
  };
  for (const char* name : {"a", "a.tmp.1", "a.tmp.22", "ab.tmp.3", "a.tmp.x", "a.tmp.", "a.tmp"}) {
    write(name);
  }
  RemoveTemporaryFiles(temp.path() + "/a");
  EXPECT_THAT(names(), UnorderedElementsAre("a", "ab.tmp.3", "a.tmp.x", "a.tmp.", "a.tmp"));
  RemoveTemporaryFilesIn(temp.path());
  EXPECT_THAT(names(), UnorderedElementsAre("a", "a.tmp.x", "a.tmp.", "a.tmp"));
  RemoveTemporaryFilesIn("/no/such/folder");
}

// What is removed is what is written: by the name that a killed process leaves behind.
TEST(FileTest, AKilledWriterLeavesWhatIsRemoved) {
  const frontier::testing::TempFolder temp;
  const std::string path = temp.path() + "/a";
  const pid_t child = fork();
  if (child == 0) {
    // The limit on the size of files ends it by a signal in the middle of its write.
    const rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGXFSZ, SIG_DFL);
    const std::string content(1 << 16, 'x');
    WriteFileAtomically(path, content).IgnoreError();
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(std::filesystem::is_empty(temp.path()));
  RemoveTemporaryFiles(path);
  EXPECT_TRUE(std::filesystem::is_empty(temp.path()));
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
