#include "worker/batching/batches.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Samples of 2 x 1 x 2 whose pixels and label tell their number.
Samples Numbered(int count) {
  Samples samples;
  samples.channels = 2;
  samples.height = 1;
  samples.width = 2;
  for (int i = 0; i < count; ++i) {
    for (const int v : {i, i + 1, 100, 100}) samples.images.push_back(static_cast<uint8_t>(v));
    samples.labels.push_back(static_cast<uint8_t>(i));
  }
  return samples;
}

std::vector<int32_t> All(int count) {
  std::vector<int32_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

v1::Normalization Bytes() {
  v1::Normalization normalization;
  for (int c = 0; c < 2; ++c) {
    normalization.add_mean(0);
    normalization.add_deviation(1.0f / 255.0f);
  }
  return normalization;
}

TEST(MeasureNormalizationTest, IsThatOfTheChosenSamples) {
  Samples samples = Numbered(4);
  const v1::Normalization n = MeasureNormalization(samples, std::vector<int32_t>{0, 2});
  // Channel 0 holds 0, 1, 2, 3; channel 1 is constant.
  EXPECT_FLOAT_EQ(n.mean(0), 1.5f / 255.0f);
  EXPECT_FLOAT_EQ(n.deviation(0), std::sqrt(1.25f) / 255.0f);
  EXPECT_FLOAT_EQ(n.mean(1), 100.0f / 255.0f);
  EXPECT_FLOAT_EQ(n.deviation(1), 1.0f);
}

TEST(TrainingBatchesTest, EachEpochIsAPermutation) {
  const Samples samples = Numbered(10);
  TrainingBatchesOptions options;
  options.batch_size = 3;
  options.seed = 5;
  ASSERT_OK_AND_ASSIGN(const auto batches,
                       TrainingBatches::Create(samples, All(10), Bytes(), options));
  EXPECT_EQ(batches->batches_per_epoch(), 3);
  std::set<std::vector<int>> orders;
  std::set<int> ever;
  for (int epoch = 0; epoch < 8; ++epoch) {
    std::vector<int> order;
    for (int b = 0; b < 3; ++b) {
      const Batch& batch = batches->Next();
      ASSERT_EQ(batch.images.size(), 12u);
      for (size_t i = 0; i < 3; ++i) {
        const int number = batch.labels[i];
        order.push_back(number);
        EXPECT_NEAR(batch.images[4 * i], number, 1e-4);
        EXPECT_NEAR(batch.images[4 * i + 1], number + 1, 1e-4);
        EXPECT_NEAR(batch.images[4 * i + 2], 100, 1e-4);
      }
    }
    ever.insert(order.begin(), order.end());
    EXPECT_EQ(std::set<int>(order.begin(), order.end()).size(), 9u);  // one is dropped
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 8u);
  EXPECT_EQ(ever.size(), 10u);  // not always the same one
}

TEST(TrainingBatchesTest, SeedDecidesOrderAndFlips) {
  const Samples samples = Numbered(8);
  TrainingBatchesOptions options;
  options.batch_size = 4;
  options.augmentation.horizontal_flip = true;
  std::vector<std::vector<float>> runs;
  for (const uint64_t seed : {1u, 1u, 2u}) {
    options.seed = seed;
    ASSERT_OK_AND_ASSIGN(const auto batches,
                         TrainingBatches::Create(samples, All(8), Bytes(), options));
    std::vector<float> images;
    for (int i = 0; i < 20; ++i) {
      const Batch& batch = batches->Next();
      images.insert(images.end(), batch.images.begin(), batch.images.end());
    }
    runs.push_back(std::move(images));
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
  int flipped = 0;
  for (size_t i = 0; i < runs[0].size(); i += 4) flipped += runs[0][i] > runs[0][i + 1] ? 1 : 0;
  EXPECT_GT(flipped, 20);  // of 80
  EXPECT_LT(flipped, 60);
}

TrainingBatchesOptions Everything() {
  TrainingBatchesOptions options;
  options.batch_size = 3;
  options.seed = 4;
  options.augmentation.horizontal_flip = true;
  options.augmentation.crop_padding = 1;
  options.augmentation.cutout_size = 1;
  options.augmentation.erasing_probability = 0.5;
  options.augmentation.mixup_alpha = 0.4;
  return options;
}

TEST(TrainingBatchesTest, GoesOnInTheMiddleToTheSameBits) {
  const Samples samples = Numbered(10);
  for (const int64_t first : {1, 2, 3, 7, 9}) {
    TrainingBatchesOptions options = Everything();
    ASSERT_OK_AND_ASSIGN(const auto whole,
                         TrainingBatches::Create(samples, All(10), Bytes(), options));
    options.first_batch = first;
    ASSERT_OK_AND_ASSIGN(const auto late,
                         TrainingBatches::Create(samples, All(10), Bytes(), options));
    for (int64_t i = 0; i < first; ++i) whole->Next();
    for (int i = 0; i < 8; ++i) {
      const Batch& wanted = whole->Next();
      const Batch& got = late->Next();
      EXPECT_EQ(got.images, wanted.images) << first << "+" << i;
      EXPECT_EQ(got.labels, wanted.labels);
      EXPECT_EQ(got.others, wanted.others);
      EXPECT_EQ(got.shares, wanted.shares);
    }
  }
}

TEST(TrainingBatchesTest, MixupMixesEachSampleWithTheNext) {
  const Samples samples = Numbered(9);
  TrainingBatchesOptions options;
  options.batch_size = 4;
  options.augmentation.mixup_alpha = 1;
  ASSERT_OK_AND_ASSIGN(const auto batches,
                       TrainingBatches::Create(samples, All(9), Bytes(), options));
  for (int b = 0; b < 6; ++b) {
    const Batch& batch = batches->Next();
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(batch.others[i], batch.labels[(i + 1) % 4]);
      EXPECT_GE(batch.shares[i], 0.5f);
      EXPECT_LE(batch.shares[i], 1.0f);
      const double mixed =
          batch.shares[i] * batch.labels[i] + (1 - batch.shares[i]) * batch.others[i];
      EXPECT_NEAR(batch.images[4 * i], mixed, 1e-4);
      EXPECT_NEAR(batch.images[4 * i + 2], 100, 1e-3);
    }
  }
}

TEST(TrainingBatchesTest, CropMovesAndFillsWithBlack) {
  const Samples samples = Numbered(1);  // a row of 0, 1 and one of 100, 100
  TrainingBatchesOptions options;
  options.augmentation.crop_padding = 1;
  ASSERT_OK_AND_ASSIGN(const auto batches,
                       TrainingBatches::Create(samples, All(1), Bytes(), options));
  std::set<std::vector<float>> seen;
  for (int b = 0; b < 100; ++b) {
    std::vector<float> image = batches->Next().images;
    for (float& v : image) v = std::round(v);
    seen.insert(image);
  }
  // Along the width alone: moved upwards or downwards a row is gone.
  EXPECT_EQ(seen, (std::set<std::vector<float>>{{0, 1, 100, 100}, {1, 0, 100, 0}, {0, 0, 0, 100}}));
}

// One sample of 1 x height x width, all white.
Samples White(int height, int width) {
  Samples samples;
  samples.channels = 1;
  samples.height = height;
  samples.width = width;
  samples.images.assign(static_cast<size_t>(height * width), 255);
  samples.labels.push_back(0);
  return samples;
}

TEST(TrainingBatchesTest, OfASignalSomethingIsAlwaysLeft) {
  for (const auto& [height, width] : {std::pair{1, 9}, {1, 3}, {9, 1}, {1, 1}, {3, 3}}) {
    const Samples samples = White(height, width);
    TrainingBatchesOptions options;
    options.augmentation.crop_padding = std::min(4, std::max(height, width));
    ASSERT_OK_AND_ASSIGN(const auto batches,
                         TrainingBatches::Create(samples, All(1), Bytes(), options));
    std::set<std::vector<float>> seen;
    for (int b = 0; b < 500; ++b) {
      const std::vector<float>& image = batches->Next().images;
      EXPECT_GT(*std::max_element(image.begin(), image.end()), 0) << height << "x" << width;
      seen.insert(image);
    }
    const auto moves = [&](int side) {
      return 2 * std::min(options.augmentation.crop_padding, side - 1) + 1;
    };
    EXPECT_EQ(seen.size(), static_cast<size_t>(moves(height) * moves(width)));
  }
}

TEST(AugmentationTest, CropsOfImagesMoveAsTheirPaddingSays) {
  for (const int padding : {1, 4, 27}) {
    Rng rng(6), expected(6);
    for (int i = 0; i < 100; ++i) {
      const int drawn = static_cast<int>(expected.Uniform(2 * static_cast<uint64_t>(padding) + 1));
      EXPECT_EQ(CropMove(padding, 28, &rng), drawn - padding);
    }
  }
}

TEST(AugmentationTest, SignalsAreErasedInPart) {
  Rng rng(5);
  for (const int side : {2, 3, 16, 1000}) {
    std::set<int> firsts;
    for (int i = 0; i < 500; ++i) {
      const Box row = ErasingBox(1, side, &rng), column = ErasingBox(side, 1, &rng);
      EXPECT_EQ(row.top, 0);
      EXPECT_EQ(row.height, 1);
      EXPECT_EQ(column.left, 0);
      EXPECT_EQ(column.width, 1);
      for (const auto& [first, length] :
           {std::pair{row.left, row.width}, {column.top, column.height}}) {
        EXPECT_GE(length, std::max(1.0, std::floor(0.02 * side)));
        EXPECT_LE(length, std::max(1.0, std::ceil(0.33 * side)));
        EXPECT_LT(length, side);
        EXPECT_GE(first, 0);
        EXPECT_LE(first + length, side);
        firsts.insert(first);
      }
    }
    EXPECT_GT(firsts.size(), 1u) << side;
  }
  EXPECT_EQ(ErasingBox(1, 1, &rng).height, 0);
}

// Squares are erased as before signals were: by the draws of the paper's algorithm.
TEST(AugmentationTest, ImagesAreErasedByTheirDraws) {
  Rng rng(9), draws(9);
  for (int i = 0; i < 200; ++i) {
    Box expected;
    for (int k = 0; k < 10 && expected.height == 0; ++k) {
      const double area = (0.02 + 0.31 * draws.UniformDouble()) * 12 * 12;
      const double aspect = std::exp((2 * draws.UniformDouble() - 1) * std::log(1 / 0.3));
      const int height = static_cast<int>(std::lround(std::sqrt(area * aspect)));
      const int width = static_cast<int>(std::lround(std::sqrt(area / aspect)));
      if (height < 1 || width < 1 || height >= 12 || width >= 12) continue;
      const int top = static_cast<int>(draws.Uniform(static_cast<uint64_t>(13 - height)));
      const int left = static_cast<int>(draws.Uniform(static_cast<uint64_t>(13 - width)));
      expected = Box{top, left, height, width};
    }
    const Box box = ErasingBox(12, 12, &rng);
    EXPECT_THAT((std::array{box.top, box.left, box.height, box.width}),
                ElementsAre(expected.top, expected.left, expected.height, expected.width));
  }
}

TEST(TrainingBatchesTest, BadAugmentation) {
  const Samples samples = Numbered(3);
  TrainingBatchesOptions options;
  options.augmentation.crop_padding = 3;
  EXPECT_THAT(TrainingBatches::Create(samples, All(3), Bytes(), options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("crop_padding: 3 is not between 0 and 2")));
  options.augmentation.crop_padding = 0;
  options.augmentation.cutout_size = 5;
  EXPECT_THAT(TrainingBatches::Create(samples, All(3), Bytes(), options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("cutout_size: 5 is not between 0 and 4")));
}

TEST(AugmentationTest, BoxesLieInTheImage) {
  Rng rng(3);
  int empty = 0;
  for (int i = 0; i < 2000; ++i) {
    const int height = 1 + static_cast<int>(rng.Uniform(20));
    const int width = 1 + static_cast<int>(rng.Uniform(20));
    const Box boxes[] = {CutoutBox(1 + i % 9, height, width, &rng),
                         ErasingBox(height, width, &rng)};
    for (const Box& box : boxes) {
      EXPECT_GE(box.top, 0);
      EXPECT_GE(box.left, 0);
      EXPECT_LE(box.top + box.height, height);
      EXPECT_LE(box.left + box.width, width);
    }
    EXPECT_GT(boxes[0].height * boxes[0].width, 0);
    if (height > 9 && width > 9 && boxes[1].height == 0) ++empty;
  }
  EXPECT_LT(empty, 5);
}

TEST(AugmentationTest, EraseSetsTheBoxOfEveryPlane) {
  std::vector<float> image(2 * 2 * 3, 1.0f);
  Erase(Box{1, 1, 1, 2}, 2, 2, 3, image.data());
  EXPECT_THAT(image, ElementsAre(1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0));
}

TEST(AugmentationTest, BetaHasItsMoments) {
  for (const double alpha : {0.1, 0.4, 1.0, 3.0}) {
    Rng rng(8);
    double sum = 0, squares = 0;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      const double x = SampleBeta(alpha, &rng) - 0.5;
      sum += x;
      squares += x * x;
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    EXPECT_NEAR(sum / kDraws, 0, 0.02) << alpha;
    EXPECT_NEAR(squares / kDraws, variance, 0.05 * variance) << alpha;
  }
}

TEST(TrainingBatchesTest, EndsWhileBatchesWait) {
  const Samples samples = Numbered(8);
  TrainingBatchesOptions options;
  options.batch_size = 2;
  for (int taken = 0; taken < 4; ++taken) {
    ASSERT_OK_AND_ASSIGN(const auto batches,
                         TrainingBatches::Create(samples, All(8), Bytes(), options));
    for (int i = 0; i < taken; ++i) batches->Next();
  }
}

TEST(TrainingBatchesTest, BadBatchSizes) {
  const Samples samples = Numbered(3);
  TrainingBatchesOptions options;
  options.batch_size = 4;
  EXPECT_THAT(TrainingBatches::Create(samples, All(3), Bytes(), options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("batch_size: 4 is more than the 3 training samples")));
  options.batch_size = 0;
  EXPECT_THAT(TrainingBatches::Create(samples, All(3), Bytes(), options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 is below 1")));
}

TEST(ForEachBatchTest, CoversEverySampleAndPadsTheLastBatch) {
  const Samples samples = Numbered(9);
  std::vector<int> labels, counts;
  ASSERT_OK(ForEachBatch(samples, std::vector<int32_t>{8, 1, 6, 3, 4}, Bytes(), 3,
                         [&](const Batch& batch, int count) {
                           counts.push_back(count);
                           for (int i = 0; i < count; ++i) {
                             labels.push_back(batch.labels[static_cast<size_t>(i)]);
                           }
                           EXPECT_EQ(batch.images.size(), 12u);
                           for (size_t i = static_cast<size_t>(count) * 4; i < 12; ++i) {
                             EXPECT_EQ(batch.images[i], 0);
                           }
                           return absl::OkStatus();
                         }));
  EXPECT_THAT(labels, ElementsAre(8, 1, 6, 3, 4));
  EXPECT_THAT(counts, ElementsAre(3, 2));
}

TEST(ForEachBatchTest, StopsAtTheFirstError) {
  const Samples samples = Numbered(9);
  int calls = 0;
  EXPECT_THAT(ForEachBatch(samples, All(9), Bytes(), 2,
                           [&](const Batch&, int) {
                             return ++calls == 2 ? absl::InternalError("second") : absl::OkStatus();
                           }),
              StatusIs(absl::StatusCode::kInternal, "second"));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace frontier::worker
