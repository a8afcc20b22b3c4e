#include "coordinator/strategy/model/improvement.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <vector>

#include "common/base/random.h"
#include "common/pareto/hypervolume.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

constexpr uint64_t kSeed = 90125;

Predictor::Prediction Make(std::vector<double> mean, std::vector<double> deviation) {
  const auto count = static_cast<Eigen::Index>(mean.size());
  return {Eigen::Map<Eigen::VectorXd>(mean.data(), count),
          Eigen::Map<Eigen::VectorXd>(deviation.data(), count)};
}

TEST(ExpectedImprovementTest, IsTheMeanOverManyDraws) {
  std::cout << "seed " << kSeed << "\n";
  const std::vector<double> means = {0, 1, -1, 3};
  const std::vector<double> deviations = {1, 0.5, 2, 1};
  const std::vector<double> improvement = ExpectedImprovement(Make(means, deviations), 0.5);
  Rng rng(kSeed);
  constexpr int kDraws = 200'000;
  for (size_t i = 0; i < means.size(); ++i) {
    double sum = 0;
    for (int draw = 0; draw < kDraws; ++draw) {
      sum += std::max(0.0, 0.5 - (means[i] + deviations[i] * rng.Normal()));
    }
    EXPECT_NEAR(improvement[i], sum / kDraws, 0.02 * deviations[i]) << i;
  }
}

TEST(ExpectedImprovementTest, WithoutDoubtItIsTheImprovement) {
  const std::vector<double> improvement = ExpectedImprovement(Make({0.2, 0.9}, {1e-9, 1e-9}), 0.5);
  EXPECT_NEAR(improvement[0], 0.3, 1e-6);
  EXPECT_NEAR(improvement[1], 0, 1e-6);
}

TEST(ExpectedHypervolumeImprovementTest, WithoutDoubtItIsWhatThePointAdds) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (const size_t objectives : {2, 3, 4}) {
    const std::vector<double> reference(objectives, 1.0);
    std::vector<std::vector<double>> front;
    for (int i = 0; i < 5; ++i) {
      std::vector<double> point;
      for (size_t m = 0; m < objectives; ++m) point.push_back(rng.UniformDouble());
      front.push_back(point);
    }
    std::vector<Predictor::Prediction> predictions;
    std::vector<double> candidate;
    for (size_t m = 0; m < objectives; ++m) {
      candidate.push_back(0.5 * rng.UniformDouble());
      predictions.push_back(Make({candidate.back(), 2}, {1e-9, 1e-9}));
    }
    const std::vector<double> improvement =
        ExpectedHypervolumeImprovement(predictions, front, reference, &rng);
    EXPECT_NEAR(improvement[0], *ExclusiveHypervolume(candidate, front, reference), 1e-6);
    EXPECT_EQ(improvement[1], 0);
  }
}

TEST(ExpectedHypervolumeImprovementTest, DoubtCounts) {
  Rng rng(kSeed);
  const std::vector<std::vector<double>> front = {{0.2, 0.2}};
  // Dominated by what is known, surely or perhaps.
  const std::vector<double> improvement = ExpectedHypervolumeImprovement(
      std::vector<Predictor::Prediction>{Make({0.3, 0.3}, {1e-9, 0.2}),
                                         Make({0.3, 0.3}, {1e-9, 0.2})},
      front, std::vector<double>{1, 1}, &rng);
  EXPECT_EQ(improvement[0], 0);
  EXPECT_GT(improvement[1], 0.01);
}

TEST(ProbabilityAtMostTest, FollowsTheNormalDistribution) {
  const std::vector<double> probability = ProbabilityAtMost(Make({0, 0, 0, 5}, {1, 2, 1e-9, 1}), 1);
  EXPECT_NEAR(probability[0], 0.841345, 1e-6);
  EXPECT_NEAR(probability[1], 0.691462, 1e-6);
  EXPECT_NEAR(probability[2], 1, 1e-12);
  EXPECT_NEAR(probability[3], 3.167e-5, 1e-8);
}

}  // namespace
}  // namespace frontier::coordinator
