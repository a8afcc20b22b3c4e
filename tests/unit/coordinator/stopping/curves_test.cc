#include "coordinator/stopping/curves.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

void Add(Curves* curves, std::vector<double> curve, bool whole = true) {
  curves->Add(curve, whole);
}

TEST(CurvesTest, MediansAreOfTheMeansOfAsManyEpochs) {
  v1::EarlyStopping stopping;
  stopping.mutable_median()->set_min_trials(2);
  Curves curves(stopping);
  EXPECT_TRUE(curves.wanted());
  Add(&curves, {0.2, 0.4, 0.9});
  EXPECT_EQ(curves.Rule().least_accuracy_size(), 0);
  Add(&curves, {0.4, 0.8}, /*whole=*/false);
  EXPECT_THAT(curves.Rule().least_accuracy(),
              ElementsAre(DoubleNear(0.2, 1e-12), DoubleNear(0.3, 1e-12)));
  Add(&curves, {0.6, 0.6, 0.6});
  EXPECT_THAT(curves.Rule().least_accuracy(),
              ElementsAre(DoubleNear(0.4, 1e-12), DoubleNear(0.6, 1e-12), DoubleNear(0.5, 1e-12)));
}

TEST(CurvesTest, NobodyStopsTooEarly) {
  v1::EarlyStopping stopping;
  stopping.mutable_median()->set_min_trials(1);
  stopping.mutable_median()->set_min_epochs(3);
  Curves curves(stopping);
  Add(&curves, {0.2, 0.4, 0.6});
  EXPECT_THAT(curves.Rule().least_accuracy(), ElementsAre(0, 0, DoubleNear(0.4, 1e-12)));
}

TEST(CurvesTest, TheBestCurveIsAWholeOne) {
  v1::EarlyStopping stopping;
  stopping.mutable_extrapolation();
  Curves curves(stopping);
  EXPECT_EQ(curves.Rule().ByteSizeLong(), 0u);
  Add(&curves, {0.9}, /*whole=*/false);
  EXPECT_EQ(curves.Rule().ByteSizeLong(), 0u);
  Add(&curves, {0.1, 0.5});
  Add(&curves, {0.3, 0.4});
  EXPECT_THAT(curves.Rule().best_curve(), ElementsAre(0.1, 0.5));
  EXPECT_EQ(curves.Rule().extrapolation_epochs(), 4);
}

TEST(CurvesTest, OtherRulesNeedNoCurves) {
  v1::EarlyStopping stopping;
  stopping.mutable_patience();
  Curves curves(stopping);
  EXPECT_FALSE(curves.wanted());
  EXPECT_EQ(curves.Rule().patience_epochs(), 5);
  EXPECT_EQ(Curves(v1::EarlyStopping()).Rule().ByteSizeLong(), 0u);
}

}  // namespace
}  // namespace frontier::coordinator
