#include "coordinator/maintenance/data_folder.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/core/outlines.h"
#include "coordinator/storage/sqlite/schema.h"
#include "coordinator/storage/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeJobRecord;
using ::frontier::testing::MakeTrial;
using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class DataFolderTest : public ::testing::Test {
 protected:
  DataFolderTest() : data_(folder_.File("data")), backup_(folder_.File("backup")) {
    EXPECT_OK(MakeDirectories(data_));
    FileBlobStoreOptions blobs;
    blobs.folder = BlobsFolder(data_);
    blobs_ = OpenFileBlobStore(blobs).value();
    Open();
    v1::Change change;
    *change.add_jobs() = MakeJobRecord(1);
    EXPECT_OK(store_->Commit(&change));
    for (const char* content : {"kept", "kept too", "not needed"}) AddBlob(content);
    AddTrial(1, "kept");
    AddTrial(2, "kept too");
  }

  void Open() {
    SqliteStoreOptions options;
    options.path = DatabasePath(data_);
    store_ = OpenSqliteStore(options).value();
  }

  void AddBlob(const std::string& content) {
    auto writer =
        blobs_->NewWriter(Sha256Hex(content), static_cast<int64_t>(content.size())).value();
    EXPECT_OK(writer->Append(content));
    EXPECT_OK(writer->Finish());
  }

  // The trial's weights go, as when it leaves the front.
  void DropWeights(int64_t number, const std::string& sha256) {
    v1::Change change;
    *change.add_trials() = MakeTrial(1, number);
    EXPECT_OK(store_->Commit(&change));
    EXPECT_OK(blobs_->Delete(sha256));
  }

  bool IsBackedUp(const std::string& sha256) const {
    return std::filesystem::exists(FileBlobPath(BlobsFolder(backup_), sha256));
  }

  static int64_t SchemaOf(const std::string& data_dir) {
    return SQLite::Database(DatabasePath(data_dir)).execAndGet("PRAGMA user_version").getInt64();
  }

  static void MakeEarlierDatabase(const std::string& data_dir) {
    ASSERT_OK(MakeDirectories(data_dir));
    SQLite::Database(DatabasePath(data_dir), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec(ReadFile(FRONTIER_GOLDEN_DATABASES "/schema_1.sql").value());
  }

  void AddTrial(int64_t number, const std::string& weights) {
    v1::Change change;
    *change.add_trials() = MakeTrial(1, number);
    change.mutable_trials(0)->set_on_front(true);
    change.mutable_trials(0)->set_weights_kept(true);
    change.mutable_trials(0)->mutable_result()->set_weights_sha256(Sha256Hex(weights));
    EXPECT_OK(store_->Commit(&change));
  }

  frontier::testing::TempFolder folder_;
  const std::string data_;
  const std::string backup_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<Store> store_;
};

TEST_F(DataFolderTest, BacksUpWhatIsServedFromAndRestoresIt) {
  // The store stays open, as that of a coordinator does.
  ASSERT_OK_AND_ASSIGN(const Backup backup, BackUp(data_, backup_));
  EXPECT_EQ(backup.blobs, 2);
  AddTrial(3, "kept");  // after that moment
  EXPECT_THAT(Check(backup_).value(), IsEmpty());
  EXPECT_FALSE(IsBackedUp(Sha256Hex("not needed")));

  const std::string restored = folder_.File("restored");
  ASSERT_OK(Restore(backup_, restored, kNow));
  SqliteStoreOptions options;
  options.path = DatabasePath(restored);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(options));
  EXPECT_EQ(store->GetJob(1)->job().spec().name(), "job-1");
  EXPECT_EQ(store->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED, 10, TrialParts::kAll)->size(), 2u);
  EXPECT_EQ(ReadFile(FileBlobPath(BlobsFolder(restored), Sha256Hex("kept"))).value(), "kept");
}

// A worker may still hold what the coordinator leased after the backup; under the same token the
// restored one would take its result for that of another trial.
TEST_F(DataFolderTest, NoTokenThatWasGivenAfterTheBackupIsGivenAgain) {
  ASSERT_OK(BackUp(data_, backup_));
  const auto token_after_restoring = [this](const std::string& to, absl::Time now) {
    EXPECT_OK(Restore(backup_, folder_.File(to), now));
    SqliteStoreOptions options;
    options.path = DatabasePath(folder_.File(to));
    return OpenSqliteStore(options).value()->NextLeaseToken().value();
  };
  EXPECT_LT(store_->NextLeaseToken().value(), 1'000'000);
  const int64_t first = token_after_restoring("first", kNow);
  EXPECT_EQ(first, absl::ToUnixMicros(kNow));
  // Another from the same backup, while a coordinator granted leases on the first.
  EXPECT_EQ(token_after_restoring("second", kNow + absl::Minutes(1)), first + 60'000'000);
  // A clock before that of the backup does not bring tokens back.
  v1::Change change;
  change.set_next_lease_token(first + 5);
  ASSERT_OK(store_->Commit(&change));
  ASSERT_OK(BackUp(data_, folder_.File("later")));
  ASSERT_OK(Restore(folder_.File("later"), folder_.File("third"), kNow - absl::Hours(1)));
  SqliteStoreOptions options;
  options.path = DatabasePath(folder_.File("third"));
  EXPECT_EQ(OpenSqliteStore(options).value()->NextLeaseToken().value(), first + 5);
}

TEST_F(DataFolderTest, AFolderMayBeNamedWithASlash) {
  ASSERT_OK(BackUp(data_ + "/", backup_ + "/"));
  ASSERT_OK(Restore(backup_ + "//", folder_.File("restored/"), kNow));
  EXPECT_THAT(Check(folder_.File("restored/")).value(), IsEmpty());
}

// As systemd's DynamicUser has it: a folder of root's in the place of the link is one that the unit
// cannot use.
TEST_F(DataFolderTest, RestoresBehindALink) {
  ASSERT_OK(BackUp(data_, backup_));
  const std::string link = folder_.File("link"), behind = folder_.File("private/data");
  ASSERT_OK(MakeDirectories(behind));
  std::filesystem::create_directory_symlink("private/data", link);
  for (const bool there : {true, false}) {
    std::filesystem::remove_all(behind);
    if (there) {
      ASSERT_OK(MakeDirectories(behind));
    }
    ASSERT_OK(Restore(backup_, link + "/", kNow));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_FALSE(std::filesystem::is_symlink(behind));
    EXPECT_TRUE(std::filesystem::exists(DatabasePath(behind)));
    EXPECT_THAT(Check(link).value(), IsEmpty());
  }
  EXPECT_THAT(Restore(backup_, link, kNow).status(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("private/data")));
  std::filesystem::create_symlink("round", folder_.File("round"));
  EXPECT_FALSE(BackUp(data_, folder_.File("round")).ok());
}

// A release that knows only this schema can still use it afterwards.
TEST_F(DataFolderTest, ABackupOfAnEarlierSchemaStaysWhatItIs) {
  MakeEarlierDatabase(backup_);
  EXPECT_THAT(Check(backup_).value(), IsEmpty());
  ASSERT_OK(Restore(backup_, folder_.File("restored"), kNow));
  EXPECT_EQ(SchemaOf(backup_), 1);
  EXPECT_EQ(SchemaOf(folder_.File("restored")), SchemaVersion());
}

// The way back after an upgrade that went wrong.
TEST_F(DataFolderTest, ABackupHasTheSchemaOfWhatIsBackedUp) {
  const std::string earlier = folder_.File("earlier");
  MakeEarlierDatabase(earlier);
  ASSERT_OK(BackUp(earlier, backup_));
  EXPECT_EQ(SchemaOf(earlier), 1);
  EXPECT_EQ(SchemaOf(backup_), 1);
  // Nothing is left of the counting.
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(backup_)) ++entries;
  EXPECT_EQ(entries, 2) << "the database and the folder of blobs";
}

TEST_F(DataFolderTest, ABlobThatGoesBeforeItIsCopiedCostsNoOtherCopy) {
  AddBlob("kept as well");
  AddTrial(3, "kept as well");
  std::map<std::string, int64_t> trials;  // in the order of copies
  trials[Sha256Hex("kept")] = 1;
  trials[Sha256Hex("kept too")] = 2;
  trials[Sha256Hex("kept as well")] = 3;
  const auto first = trials.begin(), second = std::next(first), third = std::next(second);
  std::vector<std::string> copying;
  ASSERT_OK_AND_ASSIGN(const Backup backup, BackUp(data_, backup_, [&](const std::string& sha256) {
                         copying.push_back(sha256);
                         if (sha256 != second->first) return;
                         DropWeights(first->second, first->first);
                         DropWeights(second->second, second->first);
                       }));
  EXPECT_THAT(copying, ElementsAre(first->first, second->first, third->first));
  EXPECT_EQ(backup.blobs, 1);
  EXPECT_FALSE(IsBackedUp(first->first));  // it was copied, for an earlier moment
  EXPECT_TRUE(IsBackedUp(third->first));
  EXPECT_THAT(Check(backup_).value(), IsEmpty());
}

TEST_F(DataFolderTest, GivesUpOnWhatChangesTooQuickly) {
  std::map<std::string, int64_t> trials = {{Sha256Hex("kept"), 1}, {Sha256Hex("kept too"), 2}};
  const auto replace = [&](const std::string& sha256) {
    const int64_t number = trials.at(sha256);
    DropWeights(number, sha256);
    const std::string next = absl::StrCat("kept ", trials.size());
    AddBlob(next);
    AddTrial(number, next);
    trials[Sha256Hex(next)] = number;
  };
  EXPECT_THAT(BackUp(data_, backup_, replace).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("changes too quickly")));
  EXPECT_EQ(trials.size(), 2u + 10u);
  EXPECT_FALSE(std::filesystem::exists(backup_));
  EXPECT_FALSE(std::filesystem::exists(backup_ + ".part"));
}

TEST_F(DataFolderTest, TakesNoPlaceThatIsTaken) {
  ASSERT_OK(BackUp(data_, backup_));
  EXPECT_THAT(BackUp(data_, backup_).status(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(backup_)));
  EXPECT_THAT(Restore(backup_, data_, kNow).status(),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(data_)));
  // An empty folder is free.
  ASSERT_OK(MakeDirectories(folder_.File("empty")));
  EXPECT_OK(Restore(backup_, folder_.File("empty"), kNow));
}

TEST_F(DataFolderTest, WhatIsNoDataFolderIsRefusedAndNothingIsMade) {
  const std::string nowhere = folder_.File("nowhere");
  EXPECT_EQ(BackUp(nowhere, backup_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(backup_));
  EXPECT_FALSE(std::filesystem::exists(backup_ + ".part"));
  EXPECT_FALSE(std::filesystem::exists(nowhere));
  EXPECT_EQ(Check(nowhere).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(DataFolderTest, ChecksBlobsAndPages) {
  store_.reset();
  EXPECT_THAT(Check(data_).value(), IsEmpty());
  std::ofstream(FileBlobPath(BlobsFolder(data_), Sha256Hex("kept"))) << "other";
  EXPECT_THAT(Check(data_).value(), ElementsAre(HasSubstr("has other content")));
  std::filesystem::remove(FileBlobPath(BlobsFolder(data_), Sha256Hex("kept")));
  EXPECT_THAT(Check(data_).value(), ElementsAre(HasSubstr(Sha256Hex("kept"))));
  // A backup without it cannot be made, and no damaged one is restored.
  EXPECT_THAT(BackUp(data_, backup_).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr(absl::StrCat("lacks blob ", Sha256Hex("kept")))));
  std::filesystem::resize_file(DatabasePath(data_),
                               std::filesystem::file_size(DatabasePath(data_)) / 2);
  EXPECT_FALSE(Restore(data_, folder_.File("restored"), kNow).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_.File("restored")));
}

TEST_F(DataFolderTest, FindsOutlinesThatAreNotWhatTheirTrialsSay) {
  v1::Change change;
  v1::TrialOutlines* outlines = change.add_outlines();
  outlines->set_job_id(1);
  outlines->set_first(1);
  outlines->set_last(2);
  for (int64_t number = 1; number <= 2; ++number) {
    *outlines->add_trials() = OutlineOf(store_->GetTrial(1, number).value(), /*with_curve=*/false);
  }
  ASSERT_OK(store_->Commit(&change));
  EXPECT_THAT(FindWrongOutlines(*store_).value(), IsEmpty());
  outlines->mutable_trials(1)->set_canonical_hash("another");
  ASSERT_OK(store_->Commit(&change));
  store_.reset();
  EXPECT_THAT(Check(data_).value(), ElementsAre(HasSubstr("job 1 trial 2 has a wrong outline")));
}

TEST_F(DataFolderTest, CompactsOnlyWhatNobodyUses) {
  EXPECT_EQ(GetErrorReason(Compact(data_).status()), v1::ERROR_REASON_DATABASE_LOCKED);
  store_.reset();
  ASSERT_OK_AND_ASSIGN(const Compaction done, Compact(data_));
  EXPECT_GT(done.bytes_after, 0);
  EXPECT_LE(done.bytes_after, done.bytes_before);
  Open();
  EXPECT_EQ(store_->ListTrials(1, 0, v1::TRIAL_STATE_UNSPECIFIED, 10, TrialParts::kAll)->size(),
            2u);
}

}  // namespace
}  // namespace frontier::coordinator
