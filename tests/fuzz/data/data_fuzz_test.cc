// Mutated data sets: every one is read or refused with a typed error, never a crash.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/data/dataset.h"
#include "gtest/gtest.h"
#include "tests/support/idx_files.h"

namespace frontier {
namespace {

using ::frontier::testing::IdxBytes;
using ::frontier::testing::IdxFolder;

constexpr int kRounds = 3000;

std::string Mutate(std::string bytes, Rng* rng) {
  for (uint64_t n = 1 + rng->Uniform(4); n > 0; --n) {
    // Headers decide most; half of the mutations go there.
    const size_t bound = rng->Uniform(2) == 0 ? std::min<size_t>(bytes.size(), 20) : bytes.size();
    switch (rng->Uniform(5)) {
      case 0:
        if (bound > 0) bytes[rng->Uniform(bound)] ^= static_cast<char>(1 << rng->Uniform(8));
        break;
      case 1:
        if (bound > 0) bytes[rng->Uniform(bound)] = static_cast<char>(rng->Uniform(256));
        break;
      case 2:
        bytes.resize(rng->Uniform(bytes.size() + 1));
        break;
      case 3:
        bytes.insert(rng->Uniform(bytes.size() + 1), 1, static_cast<char>(rng->Uniform(256)));
        break;
      default:
        if (bound > 0) bytes.erase(rng->Uniform(bound), 1 + rng->Uniform(4));
        break;
    }
  }
  return bytes;
}

std::string Load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

void Fuzz(bool gzip, uint64_t seed) {
  Rng rng(seed);
  IdxFolder folder;
  const std::string images_name = "train-images-idx3-ubyte";
  const std::string labels_name = "train-labels-idx1-ubyte";
  std::vector<uint8_t> pixels(5 * 4 * 3);
  for (uint8_t& p : pixels) p = static_cast<uint8_t>(rng.Uniform(256));
  if (gzip) {
    folder.WriteGzip(images_name, IdxBytes({5, 4, 3}, pixels));
    folder.WriteGzip(labels_name, IdxBytes({5}, {0, 1, 2, 3, 1}));
  } else {
    folder.Write(images_name, IdxBytes({5, 4, 3}, pixels));
    folder.Write(labels_name, IdxBytes({5}, {0, 1, 2, 3, 1}));
  }
  const std::string images = Load(folder.File(images_name));
  const std::string labels = Load(folder.File(labels_name));
  int read = 0;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t which = rng.Uniform(3);
    folder.Write(images_name, which != 1 ? Mutate(images, &rng) : images);
    folder.Write(labels_name, which != 0 ? Mutate(labels, &rng) : labels);
    const absl::StatusOr<Samples> samples = ReadSamples(folder.path(), Part::kTrain, 4);
    if (samples.ok()) {
      ++read;
      ASSERT_EQ(samples->images.size(), static_cast<size_t>(samples->size()) * samples->channels *
                                            samples->height * samples->width);
      for (const uint8_t label : samples->labels) ASSERT_LT(label, 4);
    } else {
      ASSERT_TRUE(samples.status().code() == absl::StatusCode::kDataLoss ||
                  samples.status().code() == absl::StatusCode::kOutOfRange)
          << "seed " << seed << " round " << round << ": " << samples.status();
      ASSERT_NE(samples.status().message().find(folder.path()), absl::string_view::npos);
    }
  }
  ::testing::Test::RecordProperty("read", read);
  EXPECT_GT(read, 0) << "a reader that refuses everything does no harm either";
}

TEST(DataFuzz, PlainFiles) {
  const uint64_t seed = 20240601;
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  Fuzz(/*gzip=*/false, seed);
}

TEST(DataFuzz, GzipFiles) {
  const uint64_t seed = 20240602;
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  Fuzz(/*gzip=*/true, seed);
}

}  // namespace
}  // namespace frontier
