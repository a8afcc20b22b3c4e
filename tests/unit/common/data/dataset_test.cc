#include "common/data/dataset.h"

#include <filesystem>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "common/base/sha256.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/idx_files.h"
#include "tests/support/public_data.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::IdxBytes;
using ::frontier::testing::IdxFolder;
using ::frontier::testing::PublicData;
using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr char kTrainImages[] = "train-images-idx3-ubyte";
constexpr char kTrainLabels[] = "train-labels-idx1-ubyte";

// Two images of 2 x 3 with labels 1 and 0.
std::vector<uint8_t> TwelveValues() {
  std::vector<uint8_t> values(12);
  std::iota(values.begin(), values.end(), uint8_t{7});
  return values;
}

class DatasetTest : public ::testing::Test {
 protected:
  DatasetTest() {
    folder_.Write(kTrainImages, IdxBytes({2, 2, 3}, TwelveValues()));
    folder_.Write(kTrainLabels, IdxBytes({2}, {1, 0}));
  }
  absl::StatusOr<Samples> Read() { return ReadSamples(folder_.path(), Part::kTrain, 0); }

  IdxFolder folder_;
};

TEST_F(DatasetTest, ReadsPlainFiles) {
  ASSERT_OK_AND_ASSIGN(const Samples samples, Read());
  EXPECT_EQ(samples.size(), 2);
  EXPECT_EQ(samples.channels, 1);
  EXPECT_EQ(samples.height, 2);
  EXPECT_EQ(samples.width, 3);
  EXPECT_EQ(samples.images, TwelveValues());
  EXPECT_THAT(samples.labels, ::testing::ElementsAre(1, 0));
}

TEST_F(DatasetTest, TheDigestIsOfTheSamplesAndNotOfTheirFiles) {
  ASSERT_OK_AND_ASSIGN(const Samples samples, Read());
  IdxFolder folder;
  folder.WriteGzip("again-train-images-idx4-ubyte.gz", IdxBytes({2, 1, 2, 3}, TwelveValues()));
  folder.WriteGzip("again-train-labels-idx1-ubyte.gz", IdxBytes({2}, {1, 0}));
  ASSERT_OK_AND_ASSIGN(const Samples again, ReadSamples(folder.path(), Part::kTrain, 0));
  EXPECT_EQ(DigestOf(again), DigestOf(samples));
  EXPECT_TRUE(IsSha256Hex(DigestOf(samples)));

  Samples other = samples;
  other.labels = {0, 1};
  EXPECT_NE(DigestOf(other), DigestOf(samples));
  other = samples;
  ++other.images[11];
  EXPECT_NE(DigestOf(other), DigestOf(samples));
  other = samples;
  std::swap(other.height, other.width);
  EXPECT_NE(DigestOf(other), DigestOf(samples));
}

TEST_F(DatasetTest, ReadsGzipAndFourDimensions) {
  IdxFolder folder;
  folder.WriteGzip("rgb-train-images-idx4-ubyte.gz", IdxBytes({2, 3, 2, 1}, TwelveValues()));
  folder.WriteGzip("rgb-train-labels-idx1-ubyte.gz", IdxBytes({2}, {1, 0}));
  ASSERT_OK_AND_ASSIGN(const Samples samples, ReadSamples(folder.path(), Part::kTrain, 2));
  EXPECT_EQ(samples.channels, 3);
  EXPECT_EQ(samples.height, 2);
  EXPECT_EQ(samples.width, 1);
  EXPECT_EQ(samples.images, TwelveValues());
}

TEST_F(DatasetTest, ReadsSignalsOfOneAndOfMoreChannels) {
  IdxFolder folder;
  folder.Write("train-signals-idx2-ubyte", IdxBytes({2, 6}, TwelveValues()));
  folder.Write("train-labels-idx1-ubyte", IdxBytes({2}, {1, 0}));
  folder.WriteGzip("t10k-signals-idx2-ubyte.gz", IdxBytes({1, 6}, {1, 2, 3, 4, 5, 6}));
  folder.WriteGzip("t10k-labels-idx1-ubyte.gz", IdxBytes({1}, {2}));
  ASSERT_OK_AND_ASSIGN(const Samples samples, ReadSamples(folder.path(), Part::kTrain, 2));
  EXPECT_EQ(samples.channels, 1);
  EXPECT_EQ(samples.height, 1);
  EXPECT_EQ(samples.width, 6);
  EXPECT_EQ(samples.images, TwelveValues());
  ASSERT_OK_AND_ASSIGN(const v1::Dataset described, DescribeDataset(folder.path(), "pulse"));
  EXPECT_EQ(described.height(), 1);
  EXPECT_EQ(described.width(), 6);
  EXPECT_EQ(described.classes(), 3);
  EXPECT_EQ(described.test_samples(), 1);

  folder.Write("imu-train-signals-idx3-ubyte", IdxBytes({2, 3, 2}, TwelveValues()));
  folder.Write("imu-train-labels-idx1-ubyte", IdxBytes({2}, {1, 0}));
  ASSERT_OK_AND_ASSIGN(const Samples three, ReadSamples(folder.File("imu"), Part::kTrain, 2));
  EXPECT_EQ(three.channels, 3);
  EXPECT_EQ(three.height, 1);
  EXPECT_EQ(three.width, 2);
}

TEST_F(DatasetTest, PicksOneOfSeveralDataSetsByName) {
  folder_.Write("a-train-images-idx3-ubyte", IdxBytes({1, 1, 1}, {5}));
  folder_.Write("a-train-labels-idx1-ubyte", IdxBytes({1}, {3}));
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds several")));
  ASSERT_OK_AND_ASSIGN(const Samples samples, ReadSamples(folder_.File("a"), Part::kTrain, 0));
  EXPECT_THAT(samples.labels, ::testing::ElementsAre(3));
}

TEST_F(DatasetTest, MissingFilesAreNamed) {
  EXPECT_THAT(ReadSamples(folder_.path(), Part::kTest, 0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("t10k-images-idx3-ubyte")));
  EXPECT_THAT(ReadSamples("/no/such/folder", Part::kTrain, 0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/folder")));
  std::filesystem::remove(folder_.File(kTrainLabels));
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kNotFound, HasSubstr(kTrainLabels)));
}

TEST_F(DatasetTest, BadHeadersAreDataLoss) {
  std::string bytes = IdxBytes({2, 2, 3}, TwelveValues());
  const struct {
    size_t at;
    char value;
    const char* message;
  } cases[] = {
      {0, 1, "magic number 0x01000803 is none of IDX"},
      {2, 0x0d, "element type 0x0d is not unsigned byte (0x08)"},
      {3, 1, "has 1 dimensions, expected 3"},
      {7, 3, "need 18 bytes, more than a file of 28 bytes can hold"},
      {7, 1, "has bytes after the last of 6 elements"},
      {11, 0, "dimension 1 is 0"},
      {4, 127, "need 12784238604 bytes"},
  };
  for (const auto& c : cases) {
    std::string damaged = bytes;
    damaged[c.at] = c.value;
    folder_.Write(kTrainImages, damaged);
    folder_.Write(kTrainLabels, IdxBytes({static_cast<uint32_t>(damaged[7])},
                                         std::vector<uint8_t>(static_cast<size_t>(damaged[7]), 0)));
    const auto result = Read();
    EXPECT_EQ(result.status().code(), absl::StatusCode::kDataLoss) << c.message;
    if (c.at != 4) {
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kDataLoss,
                                   AllOf(HasSubstr(kTrainImages), HasSubstr(c.message))));
    }
  }
}

TEST_F(DatasetTest, HugeDimensionsAreRefusedBeforeAllocation) {
  folder_.WriteGzip("train-labels-idx1-ubyte", IdxBytes({0xffffffff}, {1}));
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss,
                               AllOf(HasSubstr("4294967295"), HasSubstr("can hold"))));
  folder_.Write(kTrainLabels, IdxBytes({2}, {0, 1}));
  folder_.Write(kTrainImages, IdxBytes({0xffffffff, 0xffffffff, 0xffffffff}, {1}));
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("4294967295x4294967295 exceed the limit of 4294967296")));
}

TEST_F(DatasetTest, EveryTruncationIsDataLoss) {
  const std::string bytes = IdxBytes({2, 2, 3}, TwelveValues());
  for (size_t n = 0; n < bytes.size(); ++n) {
    folder_.Write(kTrainImages, bytes.substr(0, n));
    EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kTrainImages))) << n;
  }
}

TEST_F(DatasetTest, TruncatedAndCorruptGzip) {
  IdxFolder folder;
  folder.WriteGzip("train-labels-idx1-ubyte.gz", IdxBytes({2}, {1, 0}));
  const std::string images = "train-images-idx3-ubyte.gz";
  folder.WriteGzip(images, IdxBytes({2, 2, 3}, TwelveValues()));
  std::ifstream in(folder.File(images), std::ios::binary);
  const std::string packed((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (size_t n = 0; n < packed.size(); ++n) {
    folder.Write(images, packed.substr(0, n));
    EXPECT_THAT(ReadSamples(folder.path(), Part::kTrain, 0),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(images)))
        << n;
  }
  std::string damaged = packed;
  damaged[packed.size() - 5] ^= 1;  // of the checksum
  folder.Write(images, damaged);
  EXPECT_THAT(ReadSamples(folder.path(), Part::kTrain, 0),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("gzip data is corrupt: incorrect data check")));
}

TEST_F(DatasetTest, CountsThatDiffer) {
  folder_.Write(kTrainLabels, IdxBytes({3}, {0, 1, 0}));
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kDataLoss,
                               AllOf(HasSubstr("has 2 images"), HasSubstr("has 3 labels"))));
  EXPECT_THAT(DescribeDataset(folder_.path(), "x"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("has 3 labels")));
}

TEST_F(DatasetTest, LabelsOutOfRange) {
  EXPECT_THAT(ReadSamples(folder_.path(), Part::kTrain, 1),
              StatusIs(absl::StatusCode::kOutOfRange,
                       EndsWith("label 1 of sample 0 is not below 1 classes")));
}

TEST_F(DatasetTest, DescribesWithAndWithoutTestPart) {
  ASSERT_OK_AND_ASSIGN(v1::Dataset dataset, DescribeDataset(folder_.path(), "tiny"));
  EXPECT_EQ(dataset.name(), "tiny");
  EXPECT_EQ(dataset.width(), 3);
  EXPECT_EQ(dataset.classes(), 2);
  EXPECT_EQ(dataset.train_samples(), 2);
  EXPECT_EQ(dataset.test_samples(), 0);
  folder_.Write("t10k-images-idx3-ubyte", IdxBytes({1, 2, 3}, std::vector<uint8_t>(6)));
  folder_.Write("t10k-labels-idx1-ubyte", IdxBytes({1}, {4}));
  ASSERT_OK_AND_ASSIGN(dataset, DescribeDataset(folder_.path(), "tiny"));
  EXPECT_EQ(dataset.classes(), 5);
  EXPECT_EQ(dataset.test_samples(), 1);
  folder_.Write("t10k-images-idx3-ubyte", IdxBytes({1, 3, 2}, std::vector<uint8_t>(6)));
  EXPECT_THAT(DescribeDataset(folder_.path(), "tiny"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("1x3x2")));
}

TEST(InstalledDatasetTest, FashionMnist) {
  const std::string folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  ASSERT_OK_AND_ASSIGN(const v1::Dataset dataset, DescribeDataset(folder, "fashion-mnist"));
  EXPECT_EQ(dataset.train_samples(), 60000);
  EXPECT_EQ(dataset.test_samples(), 10000);
  EXPECT_EQ(dataset.classes(), 10);
  EXPECT_EQ(dataset.channels(), 1);
  EXPECT_EQ(dataset.height(), 28);
  ASSERT_OK_AND_ASSIGN(const Samples samples, ReadSamples(folder, Part::kTest, 10));
  EXPECT_EQ(samples.size(), 10000);
}

TEST(InstalledDatasetTest, OthersByName) {
  const std::string root = PublicData("images");
  if (!std::filesystem::exists(root)) GTEST_SKIP() << root << " is not there";
  int found = 0;
  for (const char* name : {"digits8", "fsdd_logmel32", "mnist18k", "signdigits32", "trashnet32"}) {
    const std::string folder = root + "/" + name;
    const auto dataset = DescribeDataset(folder, name);
    if (absl::IsNotFound(dataset.status())) continue;
    ASSERT_OK(dataset);
    ++found;
    for (const Part part : {Part::kTrain, Part::kTest}) {
      ASSERT_OK_AND_ASSIGN(const Samples samples, ReadSamples(folder, part, dataset->classes()));
      EXPECT_EQ(samples.size(),
                part == Part::kTrain ? dataset->train_samples() : dataset->test_samples());
      EXPECT_EQ(samples.channels, dataset->channels());
    }
  }
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace frontier
