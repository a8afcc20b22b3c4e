// The worker's folder: lock, name, outbox; and the catalog of data sets.
#include <filesystem>

#include "common/base/file.h"
#include "common/base/sha256.h"
#include "tests/support/idx_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "worker/agent/dataset_catalog.h"
#include "worker/agent/outbox.h"
#include "worker/agent/state_folder.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxBytes;
using ::frontier::testing::StatusIs;
using ::frontier::testing::TempFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::ReportRequest Report(int64_t token) {
  v1::ReportRequest report;
  report.set_request_id("r");
  report.mutable_key()->set_job_id(1);
  report.mutable_key()->set_trial(2);
  report.mutable_key()->set_attempt(3);
  report.set_token(token);
  report.mutable_failure()->set_cause(v1::FAILURE_CAUSE_CRASHED);
  return report;
}

TEST(StateFolderTest, IsHeldByOneDaemonAtATime) {
  TempFolder temp;
  const std::string path = temp.path() + "/a/b";
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StateFolder> first, StateFolder::Open(path));
  EXPECT_THAT(StateFolder::Open(path),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(path), HasSubstr("in use by another frontier-worker"),
                             HasSubstr("--state_dir"))));
  first.reset();
  EXPECT_OK(StateFolder::Open(path));
}

TEST(StateFolderTest, KeepsTheNameItMade) {
  TempFolder temp;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StateFolder> folder, StateFolder::Open(temp.path()));
  ASSERT_OK_AND_ASSIGN(const std::string id, folder->WorkerId("gate way.local", "1f2e"));
  EXPECT_EQ(id, "gate-way.local-1f2e");
  ASSERT_OK_AND_ASSIGN(const std::string again, folder->WorkerId("renamed", "ffff"));
  EXPECT_EQ(again, id);
}

TEST(StateFolderTest, WritesThatWereCutOffGo) {
  TempFolder temp;
  ASSERT_OK(WriteFileAtomically(temp.path() + "/picks.tmp.77", "half"));
  ASSERT_OK(StateFolder::Open(temp.path()));
  EXPECT_FALSE(std::filesystem::exists(temp.path() + "/picks.tmp.77"));
}

TEST(StateFolderTest, NamesFitWhateverTheHostIsCalled) {
  for (const std::string& host : {std::string(), std::string(300, 'x')}) {
    TempFolder temp;
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StateFolder> folder, StateFolder::Open(temp.path()));
    ASSERT_OK_AND_ASSIGN(const std::string id, folder->WorkerId(host, "1f2e"));
    EXPECT_OK(CheckWorkerId(id));
  }
}

TEST(StateFolderTest, ADamagedNameIsAnError) {
  TempFolder temp;
  ASSERT_OK(WriteFileAtomically(temp.path() + "/worker_id", "no id at all!\n"));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StateFolder> folder, StateFolder::Open(temp.path()));
  EXPECT_THAT(folder->WorkerId("host", "1"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no id at all!")));
}

TEST(StateFolderTest, ChecksWorkerIds) {
  EXPECT_OK(CheckWorkerId("a.B_9-z"));
  EXPECT_OK(CheckWorkerId(std::string(128, 'x')));
  for (const std::string& bad : {std::string(), std::string("a b"), std::string(129, 'x')}) {
    EXPECT_THAT(CheckWorkerId(bad), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(bad)));
  }
}

TEST(OutboxTest, KeepsReportsOverRestartsInOrder) {
  TempFolder temp;
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<Outbox> outbox, Outbox::Open(temp.path() + "/o"));
    ASSERT_OK(outbox->Put(Report(20)));
    ASSERT_OK(outbox->Put(Report(3)));
    ASSERT_OK(WriteFileAtomically(outbox->WeightsPath(Report(3).key(), 3), "w"));
    ASSERT_OK(WriteFileAtomically(outbox->WeightsPath(Report(4).key(), 4), "orphan"));
  }
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Outbox> outbox, Outbox::Open(temp.path() + "/o"));
  ASSERT_THAT(outbox->List(), SizeIs(2));
  EXPECT_EQ(outbox->List()[0].token(), 3);
  EXPECT_EQ(outbox->List()[1].token(), 20);
  EXPECT_OK(ReadFile(outbox->WeightsPath(Report(3).key(), 3)));
  EXPECT_FALSE(ReadFile(outbox->WeightsPath(Report(4).key(), 4)).ok());
  outbox->Remove(Report(3).key(), 3);
  outbox->Remove(Report(3).key(), 3);
  EXPECT_THAT(outbox->List(), SizeIs(1));
  EXPECT_FALSE(ReadFile(outbox->WeightsPath(Report(3).key(), 3)).ok());
}

TEST(OutboxTest, WritesThatWereCutOffGo) {
  TempFolder temp;
  const auto exists = [](const std::string& path) { return std::filesystem::exists(path); };
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Outbox> outbox, Outbox::Open(temp.path()));
  const std::string first = outbox->WeightsPath(Report(3).key(), 3) + ".tmp.77";
  const std::string second = outbox->WeightsPath(Report(4).key(), 4) + ".tmp.78";
  ASSERT_OK(WriteFileAtomically(first, "half"));
  ASSERT_OK(WriteFileAtomically(second, "half"));
  outbox->Remove(Report(3).key(), 3);
  EXPECT_FALSE(exists(first));
  EXPECT_TRUE(exists(second));  // may be being written
  ASSERT_OK(Outbox::Open(temp.path()));
  EXPECT_FALSE(exists(second));
}

TEST(OutboxTest, PutsDamagedReportsAside) {
  TempFolder temp;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Outbox> outbox, Outbox::Open(temp.path()));
  ASSERT_OK(WriteFileAtomically(temp.path() + "/x.report", "\xff\xff garbage"));
  ASSERT_OK(WriteFileAtomically(temp.path() + "/y.report", ""));
  EXPECT_THAT(outbox->List(), IsEmpty());
  EXPECT_OK(ReadFile(temp.path() + "/x.report.damaged"));
  EXPECT_OK(ReadFile(temp.path() + "/y.report.damaged"));
}

TEST(OutboxTest, DigestsFilesInPieces) {
  TempFolder temp;
  const std::string content(1 << 20, 'z');
  ASSERT_OK(WriteFileAtomically(temp.path() + "/f", content));
  ASSERT_OK_AND_ASSIGN(const std::string digest, FileSha256(temp.path() + "/f"));
  EXPECT_EQ(digest, Sha256Hex(content));
  EXPECT_THAT(FileSha256(temp.path() + "/g"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/g")));
}

class DatasetCatalogTest : public ::testing::Test {
 protected:
  std::string MakeDataset(const std::string& name) {
    const std::string folder = root_.path() + "/" + name;
    std::filesystem::create_directories(folder);
    for (const std::string part : {"train", "t10k"}) {
      root_.Write(name + "/" + part + "-images-idx3-ubyte", IdxBytes({2, 1, 1}, {1, 2}));
      root_.Write(name + "/" + part + "-labels-idx1-ubyte", IdxBytes({2}, {0, 1}));
    }
    return folder;
  }
  testing::IdxFolder root_;
};

TEST_F(DatasetCatalogTest, OffersNamedOnesAndThoseUnderTheRoot) {
  const std::string first = MakeDataset("first");
  const std::string second = MakeDataset("second");
  std::filesystem::create_directories(root_.path() + "/empty");
  ASSERT_OK_AND_ASSIGN(const DatasetCatalog catalog,
                       DatasetCatalog::Create({.datasets = {"mine=" + first, "second=" + first},
                                               .root = root_.path()}));
  ASSERT_THAT(catalog.datasets(), SizeIs(3));
  EXPECT_EQ(catalog.datasets()[0].name(), "first");
  EXPECT_EQ(catalog.datasets()[1].name(), "mine");
  EXPECT_EQ(catalog.datasets()[1].train_samples(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string folder, catalog.FindFolder("second"));
  EXPECT_EQ(folder, first);
  EXPECT_THAT(catalog.FindFolder("third"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("it has: first, mine, second")));
}

TEST_F(DatasetCatalogTest, ADamagedOneUnderTheRootIsLeftOut) {
  MakeDataset("good");
  MakeDataset("bad");
  root_.Write("bad/train-labels-idx1-ubyte", "junk");
  ASSERT_OK_AND_ASSIGN(const DatasetCatalog catalog,
                       DatasetCatalog::Create({.datasets = {}, .root = root_.path()}));
  ASSERT_THAT(catalog.datasets(), SizeIs(1));
  EXPECT_EQ(catalog.datasets()[0].name(), "good");
}

TEST_F(DatasetCatalogTest, DamageInTheImagesShowsAtTheStart) {
  const std::string folder = MakeDataset("torn");
  root_.Write("torn/train-images-idx3-ubyte", IdxBytes({2, 1, 1}, {1, 2}) + "trailing");
  EXPECT_THAT(DatasetCatalog::Create({.datasets = {"torn=" + folder}, .root = ""}),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("data set 'torn'"), HasSubstr("train-images"))));
}

TEST_F(DatasetCatalogTest, ANamedOneMustBeReadable) {
  const std::string good = MakeDataset("good");
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(DatasetCatalog::Create({.datasets = {"x=/nowhere"}, .root = ""}),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("data set 'x'"), HasSubstr("nowhere"))));
  for (const char* bad : {"x", "=folder", "x="}) {
    EXPECT_THAT(DatasetCatalog::Create({.datasets = {bad}, .root = ""}),
                StatusIs(kInvalid, HasSubstr("name=folder")));
  }
  EXPECT_THAT(DatasetCatalog::Create({.datasets = {"x=" + good, "x=" + good}, .root = ""}),
              StatusIs(kInvalid, HasSubstr("'x' is given twice")));
}

TEST_F(DatasetCatalogTest, ARootThatIsNotThereIsEmpty) {
  ASSERT_OK_AND_ASSIGN(const DatasetCatalog catalog,
                       DatasetCatalog::Create({.datasets = {}, .root = "/nowhere"}));
  EXPECT_THAT(catalog.datasets(), IsEmpty());
  EXPECT_THAT(catalog.FindFolder("x"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("it has: none")));
}

}  // namespace
}  // namespace frontier::worker
