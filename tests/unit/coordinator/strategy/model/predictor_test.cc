#include "coordinator/strategy/model/predictor.h"

#include <cmath>
#include <cstdint>
#include <iostream>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

constexpr uint64_t kSeed = 5150;
constexpr int kDecisions = 8;

OptionMatrix RandomGenotypes(int count, Rng* rng) {
  OptionMatrix genotypes(kDecisions, count);
  for (int i = 0; i < count; ++i) {
    for (int d = 0; d < kDecisions; ++d) genotypes(d, i) = static_cast<int32_t>(rng->Uniform(4));
  }
  return genotypes;
}

// Three decisions matter, two of them together.
double Value(const OptionMatrix& genotypes, Eigen::Index i) {
  return 10 + 3 * genotypes(0, i) + (genotypes(1, i) == genotypes(2, i) ? 2 : 0);
}

Eigen::VectorXd Values(const OptionMatrix& genotypes) {
  Eigen::VectorXd values(genotypes.cols());
  for (Eigen::Index i = 0; i < genotypes.cols(); ++i) values(i) = Value(genotypes, i);
  return values;
}

double RootMeanSquare(const Eigen::VectorXd& v) {
  return std::sqrt(v.squaredNorm() / static_cast<double>(v.size()));
}

TEST(PredictorTest, LearnsFromExamples) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  const OptionMatrix asked = RandomGenotypes(200, &rng);
  const Eigen::VectorXd truth = Values(asked);
  const double spread = RootMeanSquare(truth.array() - truth.mean());
  struct Step {
    int examples;
    double error;  // at most, as a share of the spread
  };
  for (const auto& [count, most] : {Step{20, 0.5}, Step{80, 0.3}, Step{300, 0.25}}) {
    const OptionMatrix known = RandomGenotypes(count, &rng);
    const Predictor::Prediction prediction = Predictor::Fit(known, Values(known)).Predict(asked);
    const Eigen::VectorXd error = prediction.mean - truth;
    std::cout << count << " examples: error " << RootMeanSquare(error) << " of " << spread << "\n";
    EXPECT_LT(RootMeanSquare(error), most * spread);
    // Its doubt is of the size of its error.
    const double ratio = RootMeanSquare(error.array() / prediction.deviation.array());
    EXPECT_GT(ratio, 0.3);
    EXPECT_LT(ratio, 2.5);
  }
}

TEST(PredictorTest, KnowsWhatItHasSeen) {
  Rng rng(kSeed);
  const OptionMatrix known = RandomGenotypes(60, &rng);
  const Predictor predictor = Predictor::Fit(known, Values(known));
  const Predictor::Prediction at_known = predictor.Predict(known);
  const Predictor::Prediction elsewhere = predictor.Predict(RandomGenotypes(60, &rng));
  EXPECT_LT(RootMeanSquare(at_known.mean - Values(known)), 0.5);
  EXPECT_LT(at_known.deviation.mean(), 0.5 * elsewhere.deviation.mean());
}

TEST(PredictorTest, MembersOfAnotherServeAsWell) {
  Rng rng(kSeed);
  const OptionMatrix few = RandomGenotypes(60, &rng);
  const OptionMatrix more = RandomGenotypes(80, &rng);
  const Predictor chosen = Predictor::Fit(few, Values(few));
  const OptionMatrix asked = RandomGenotypes(100, &rng);
  const Eigen::VectorXd truth = Values(asked);
  const double own = RootMeanSquare(Predictor::Fit(more, Values(more)).Predict(asked).mean - truth);
  const double likewise =
      RootMeanSquare(Predictor::Fit(more, Values(more), &chosen).Predict(asked).mean - truth);
  EXPECT_NEAR(own, likewise, 0.5 * own);
}

TEST(PredictorTest, UnitsDoNotMatter) {
  Rng rng(kSeed);
  const OptionMatrix known = RandomGenotypes(50, &rng);
  const OptionMatrix asked = RandomGenotypes(20, &rng);
  const Eigen::VectorXd values = Values(known);
  const Predictor::Prediction one = Predictor::Fit(known, values).Predict(asked);
  const Predictor::Prediction other =
      Predictor::Fit(known, 1e6 * values.array() + 5e6).Predict(asked);
  EXPECT_LT(((1e6 * one.mean.array() + 5e6) - other.mean.array()).abs().maxCoeff(), 1);
  EXPECT_LT((1e6 * one.deviation - other.deviation).cwiseAbs().maxCoeff(), 1);
}

TEST(PredictorTest, EqualValuesAndEqualGenotypesAreFine) {
  Rng rng(kSeed);
  const OptionMatrix known = RandomGenotypes(12, &rng);
  const Predictor::Prediction flat =
      Predictor::Fit(known, Eigen::VectorXd::Constant(12, 3.0)).Predict(known);
  EXPECT_NEAR(flat.mean(0), 3, 1e-6);
  const OptionMatrix same = known.col(0).replicate(1, 12);
  Eigen::VectorXd values(12);
  for (int i = 0; i < 12; ++i) values(i) = i;
  const Predictor::Prediction average = Predictor::Fit(same, values).Predict(same);
  EXPECT_NEAR(average.mean(0), 5.5, 1);
}

}  // namespace
}  // namespace frontier::coordinator
