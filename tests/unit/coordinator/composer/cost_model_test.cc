#include "coordinator/composer/cost_model.h"

#include <optional>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

NetworkSize Size(double layers, double parameters, double macs, double activation_bytes) {
  NetworkSize size;
  size.layers = layers;
  size.parameters = parameters;
  size.macs = macs;
  size.activation_bytes = activation_bytes;
  return size;
}

const std::vector<NetworkSize>& Sizes() {
  static const auto* sizes = new std::vector<NetworkSize>{
      Size(5, 2e3, 4e5, 3e4),  Size(11, 9e3, 2e6, 7e4), Size(9, 4e4, 5e6, 2e5),
      Size(18, 8e4, 3e7, 3e5), Size(14, 3e5, 9e7, 9e5),
  };
  return *sizes;
}

TEST(CostModelTest, RecoversAFixedPartAndMacs) {
  std::vector<CostSample> samples;
  for (const NetworkSize& size : Sizes()) samples.push_back({size, 3 + 2e-7 * size.macs});
  const std::optional<CostModel> model = CostModel::Fit(Cost::kWallSeconds, samples);
  ASSERT_TRUE(model.has_value());
  EXPECT_NEAR(model->Predict(Size(1, 1, 5e7, 1)), 13, 1e-6);
  EXPECT_LT(model->spread(), 1e-6);
}

TEST(CostModelTest, RecoversLayersAndActivations) {
  std::vector<CostSample> samples;
  for (const NetworkSize& size : Sizes()) {
    samples.push_back({size, 0.01 * size.layers + 1e-6 * size.activation_bytes});
  }
  const std::optional<CostModel> model = CostModel::Fit(Cost::kLatencyMs, samples);
  ASSERT_TRUE(model.has_value());
  EXPECT_NEAR(model->Predict(Size(20, 0, 0, 1e6)), 1.2, 1e-6);
  EXPECT_LT(model->spread(), 1e-6);
}

TEST(CostModelTest, RecoversMemoryOfActivationsAndParameters) {
  std::vector<CostSample> samples;
  for (const NetworkSize& size : Sizes()) {
    samples.push_back({size, 128 * size.activation_bytes + 12 * size.parameters});
  }
  const std::optional<CostModel> model = CostModel::Fit(Cost::kMemoryBytes, samples);
  ASSERT_TRUE(model.has_value());
  EXPECT_NEAR(model->Predict(Size(1, 1e6, 0, 1e6)), 140e6, 1);
}

TEST(CostModelTest, NoiseWidensTheSpread) {
  Rng rng(3);
  std::vector<CostSample> samples;
  for (const NetworkSize& size : Sizes()) {
    samples.push_back({size, (3 + 2e-7 * size.macs) * (0.9 + 0.2 * rng.UniformDouble())});
  }
  const std::optional<CostModel> model = CostModel::Fit(Cost::kCpuSeconds, samples);
  ASSERT_TRUE(model.has_value());
  EXPECT_GT(model->spread(), 0.01);
  EXPECT_LE(model->spread(), 0.5);
  EXPECT_NEAR(model->Predict(Size(1, 1, 5e7, 1)), 13, 4);
}

TEST(CostModelTest, NeverPredictsLessForLargerNetworks) {
  // Falls with size: nothing that a sum of coefficients above 0 could follow.
  std::vector<CostSample> samples;
  double value = 10;
  for (const NetworkSize& size : Sizes()) samples.push_back({size, value -= 1.5});
  const std::optional<CostModel> model = CostModel::Fit(Cost::kEnergyJ, samples);
  ASSERT_TRUE(model.has_value());
  EXPECT_LE(model->Predict(Sizes().front()), model->Predict(Sizes().back()));
  EXPECT_GT(model->Predict(Sizes().front()), 0);
}

TEST(CostModelTest, OneSampleGivesAWideModelOfMacs) {
  const std::vector<CostSample> samples = {{Size(5, 1e3, 1e6, 1e4), 2}};
  const std::optional<CostModel> model = CostModel::Fit(Cost::kLatencyMs, samples);
  ASSERT_TRUE(model.has_value());
  EXPECT_NEAR(model->Predict(Size(5, 1e3, 2e6, 1e4)), 4, 1e-9);
  EXPECT_EQ(model->spread(), 0.5);
}

TEST(CostModelTest, NothingIsKnownFromFiguresThatAreNone) {
  const std::vector<CostSample> samples = {{Sizes()[0], 0}, {Sizes()[1], -1}};
  EXPECT_FALSE(CostModel::Fit(Cost::kEnergyJ, samples).has_value());
  EXPECT_FALSE(CostModel::Fit(Cost::kEnergyJ, {}).has_value());
}

}  // namespace
}  // namespace frontier::coordinator
