
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "coordinator/blobs/blob_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {
namespace {

using frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FileBlobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(int64_t{1} << 20); }

  void Reopen(int64_t max_blob_bytes) {
    FileBlobStoreOptions options;
    options.folder = folder_.File("data/blobs");
    options.max_blob_bytes = max_blob_bytes;
    ASSERT_OK_AND_ASSIGN(store_, OpenFileBlobStore(options));
  }

  absl::Status Write(const std::string& bytes) {
    absl::StatusOr<std::unique_ptr<BlobWriter>> writer =
        store_->NewWriter(Sha256Hex(bytes), static_cast<int64_t>(bytes.size()));
    if (!writer.ok()) return writer.status();
    RETURN_IF_ERROR((*writer)->Append(bytes));
    return (*writer)->Finish();
  }

  int IncomingFiles() const {
    const std::filesystem::directory_iterator files(folder_.File("data/blobs/incoming"));
    return static_cast<int>(std::distance(begin(files), end(files)));
  }

  frontier::testing::TempFolder folder_;
  std::unique_ptr<BlobStore> store_;
};

TEST_F(FileBlobStoreTest, KeepsBytesOverReopening) {
  const std::string bytes("weights\0and more", 16);
  const std::string digest = Sha256Hex(bytes);
  EXPECT_FALSE(store_->Has(digest));
  ASSERT_OK(Write(bytes));
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(store_->Has(digest));
    EXPECT_EQ(store_->Size(digest).value(), 16);
    EXPECT_EQ(store_->Read(digest, 0, 1000).value(), bytes);
    EXPECT_EQ(store_->Read(digest, 8, 3).value(), "and");
    EXPECT_EQ(store_->Read(digest, 16, 3).value(), "");
    EXPECT_EQ(store_->Read(digest, 1000, 3).value(), "");
    EXPECT_THAT(store_->List().value(), ElementsAre(digest));
    Reopen(1000);
  }
}

TEST_F(FileBlobStoreTest, KeepsAnEmptyBlobAndOneInManyPieces) {
  ASSERT_OK(Write(""));
  EXPECT_EQ(store_->Size(Sha256Hex("")).value(), 0);
  std::string bytes(300'000, 'x');
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobWriter> writer,
                       store_->NewWriter(Sha256Hex(bytes), static_cast<int64_t>(bytes.size())));
  for (size_t i = 0; i < bytes.size(); i += 7'000)
    ASSERT_OK(writer->Append(bytes.substr(i, 7'000)));
  EXPECT_FALSE(store_->Has(Sha256Hex(bytes)));
  ASSERT_OK(writer->Finish());
  EXPECT_EQ(store_->Read(Sha256Hex(bytes), 0, 1 << 20).value(), bytes);
  EXPECT_THAT(store_->List().value(), UnorderedElementsAre(Sha256Hex(""), Sha256Hex(bytes)));
}

TEST_F(FileBlobStoreTest, WritingTheSameAgainIsFine) {
  ASSERT_OK(Write("a"));
  ASSERT_OK(Write("a"));
  EXPECT_THAT(store_->List().value(), ElementsAre(Sha256Hex("a")));
}

TEST_F(FileBlobStoreTest, Deletes) {
  ASSERT_OK(Write("a"));
  EXPECT_OK(store_->Delete(Sha256Hex("a")));
  EXPECT_OK(store_->Delete(Sha256Hex("a")));
  EXPECT_FALSE(store_->Has(Sha256Hex("a")));
  EXPECT_THAT(store_->List().value(), IsEmpty());
}

TEST_F(FileBlobStoreTest, NamesTheMissing) {
  const std::string digest = Sha256Hex("missing");
  EXPECT_THAT(store_->Read(digest, 0, 1), StatusIs(absl::StatusCode::kNotFound, HasSubstr(digest)));
  EXPECT_THAT(store_->Size(digest), StatusIs(absl::StatusCode::kNotFound, HasSubstr(digest)));
}

TEST_F(FileBlobStoreTest, RefusesWhatIsNoDigest) {
  std::ofstream(folder_.File("secret")) << "secret";
  for (const std::string& bad : {std::string(), std::string("../../secret"), std::string("ab"),
                                 std::string(63, 'a'), std::string(64, 'A'), std::string(64, '/'),
                                 absl::StrCat(std::string(63, 'a'), "\n"), std::string(64, '\0')}) {
    EXPECT_THAT(store_->NewWriter(bad, 1).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("hex")));
    EXPECT_THAT(store_->Read(bad, 0, 10),
                StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
    EXPECT_THAT(store_->Delete(bad), StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
    EXPECT_FALSE(store_->Has(bad));
  }
}

TEST_F(FileBlobStoreTest, RefusesSizesOutOfBounds) {
  const std::string digest = Sha256Hex("a");
  EXPECT_THAT(store_->NewWriter(digest, -1).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1")));
  EXPECT_THAT(store_->NewWriter(digest, (1 << 20) + 1).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1048577")));
  ASSERT_OK(Write("a"));
  EXPECT_FALSE(store_->Read(digest, -1, 1).ok());
  EXPECT_FALSE(store_->Read(digest, 0, -1).ok());
}

TEST_F(FileBlobStoreTest, WhatIsNotAsAnnouncedLeavesNothing) {
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobWriter> writer,
                         store_->NewWriter(Sha256Hex("abc"), 3));
    ASSERT_OK(writer->Append("ab"));
    EXPECT_THAT(writer->Finish(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("got 2")));
  }
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobWriter> writer,
                         store_->NewWriter(Sha256Hex("abc"), 3));
    EXPECT_THAT(writer->Append("abcd"), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("4")));
  }
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobWriter> writer,
                         store_->NewWriter(Sha256Hex("abc"), 3));
    ASSERT_OK(writer->Append("abd"));
    EXPECT_THAT(writer->Finish(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("digest")));
  }
  EXPECT_FALSE(store_->Has(Sha256Hex("abc")));
  EXPECT_EQ(IncomingFiles(), 0);
}

TEST_F(FileBlobStoreTest, ClearsWhatUnfinishedWritersLeft) {
  std::ofstream(folder_.File("data/blobs/incoming/left")) << "half";
  ASSERT_OK(Write("whole"));
  Reopen(1000);
  EXPECT_EQ(IncomingFiles(), 0);
  EXPECT_TRUE(store_->Has(Sha256Hex("whole")));
}

TEST_F(FileBlobStoreTest, IgnoresFilesOfOthers) {
  ASSERT_OK(Write("a"));
  std::ofstream(folder_.File("data/blobs/notes.txt")) << "mine";
  std::ofstream(folder_.File(absl::StrCat("data/blobs/", Sha256Hex("b")))) << "b";
  EXPECT_THAT(store_->List().value(), ElementsAre(Sha256Hex("a")));
}

TEST_F(FileBlobStoreTest, ManyMayWriteAtOnce) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 10; ++i) {
        // Half of them the same in all threads.
        EXPECT_OK(Write(i % 2 == 0 ? absl::StrCat("same ", i) : absl::StrCat(thread, " ", i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->List().value().size(), 5u + 4u * 5u);
  EXPECT_EQ(IncomingFiles(), 0);
}

}  // namespace
}  // namespace frontier::coordinator
