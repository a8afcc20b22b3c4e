#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "common/base/status.h"
#include "common/data/dataset.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

// 600 samples of class 0, 300 of 1, 100 of 3, interleaved.
Samples Unbalanced() {
  Samples samples;
  samples.channels = samples.height = samples.width = 1;
  for (int i = 0; i < 1000; ++i) {
    samples.labels.push_back(static_cast<uint8_t>(i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 3));
  }
  samples.images.assign(1000, 0);
  return samples;
}

std::map<int, int> Count(const Samples& samples, const std::vector<int32_t>& indices) {
  std::map<int, int> counts;
  for (const int32_t i : indices) ++counts[samples.labels[static_cast<size_t>(i)]];
  return counts;
}

TEST(SplitTrainingTest, IsStratifiedAndComplete) {
  const Samples samples = Unbalanced();
  v1::DatasetSpec spec;
  spec.set_validation_fraction(0.2);
  ASSERT_OK_AND_ASSIGN(const Split split, SplitTraining(samples, spec));
  EXPECT_EQ(Count(samples, split.train), (std::map<int, int>{{0, 480}, {1, 240}, {3, 80}}));
  EXPECT_EQ(Count(samples, split.validation), (std::map<int, int>{{0, 120}, {1, 60}, {3, 20}}));
  std::set<int32_t> all(split.train.begin(), split.train.end());
  all.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(all.size(), 1000u);
}

TEST(SplitTrainingTest, DefaultIsASixth) {
  ASSERT_OK_AND_ASSIGN(const Split split, SplitTraining(Unbalanced(), v1::DatasetSpec()));
  EXPECT_EQ(split.validation.size(), 167u);
}

TEST(SplitTrainingTest, DependsOnSeedAndIsTheSameEverywhere) {
  const Samples samples = Unbalanced();
  v1::DatasetSpec spec;
  ASSERT_OK_AND_ASSIGN(const Split a, SplitTraining(samples, spec));
  ASSERT_OK_AND_ASSIGN(const Split b, SplitTraining(samples, spec));
  EXPECT_EQ(a.validation, b.validation);
  spec.set_split_seed(1);
  ASSERT_OK_AND_ASSIGN(const Split c, SplitTraining(samples, spec));
  EXPECT_NE(a.validation, c.validation);
  // Recorded once; another platform, compiler or release must give the same.
  EXPECT_THAT(std::vector<int32_t>(a.validation.begin(), a.validation.begin() + 6),
              ::testing::ElementsAre(14, 15, 22, 29, 39, 40));
}

TEST(SplitTrainingTest, LimitsAreStratifiedSubsets) {
  const Samples samples = Unbalanced();
  v1::DatasetSpec spec;
  spec.set_validation_fraction(0.2);
  ASSERT_OK_AND_ASSIGN(const Split full, SplitTraining(samples, spec));
  spec.set_train_samples(100);
  spec.set_validation_samples(11);
  ASSERT_OK_AND_ASSIGN(const Split part, SplitTraining(samples, spec));
  EXPECT_EQ(Count(samples, part.train), (std::map<int, int>{{0, 60}, {1, 30}, {3, 10}}));
  EXPECT_EQ(Count(samples, part.validation), (std::map<int, int>{{0, 7}, {1, 3}, {3, 1}}));
  EXPECT_TRUE(
      std::includes(full.train.begin(), full.train.end(), part.train.begin(), part.train.end()));
}

TEST(SplitTrainingTest, BadSpecsNameTheirField) {
  const Samples samples = Unbalanced();
  v1::DatasetSpec spec;
  for (const double fraction : {-0.1, 1.0, 1.5}) {
    spec.set_validation_fraction(fraction);
    const auto result = SplitTraining(samples, spec);
    EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not between")));
    EXPECT_EQ(GetErrorDetail(result.status())->field(), "validation_fraction");
  }
  spec.set_validation_fraction(1e-4);
  EXPECT_THAT(SplitTraining(samples, spec),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("none for validation")));
  spec.set_validation_fraction(0.9999);
  EXPECT_THAT(SplitTraining(samples, spec),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("none to train on")));
  spec.set_validation_fraction(0.5);
  spec.set_train_samples(501);
  EXPECT_THAT(SplitTraining(samples, spec),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("train_samples: 501 are more than the 500")));
  spec.set_train_samples(-1);
  EXPECT_THAT(SplitTraining(samples, spec),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1 is negative")));
  EXPECT_THAT(SplitTraining(Samples(), v1::DatasetSpec()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("of 0 samples")));
}

}  // namespace
}  // namespace frontier
