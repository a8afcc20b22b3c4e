// The plain loops against central differences.
#include <cmath>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/engine/engine_cases.h"
#include "worker/engine/reference/network.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

void ExpectNumericGradients(const Case& c, uint64_t seed) {
  SCOPED_TRACE(c.text);
  const v1::Model model = InitialModel(c.architecture, seed).value();
  ASSERT_OK_AND_ASSIGN(reference::Network network, reference::Network::Create(model));
  Rng rng(seed, 4000);
  const Batch batch = RandomBatch(c.architecture.input(), c.architecture.classes(), c.batch, &rng);
  const std::vector<double> images = batch.DoubleImages();
  constexpr double kStep = 1e-6;
  int kinks = 0, checked = 0;
  for (const auto& [key, gradient] : network.Gradients(images, batch.labels)) {
    reference::Vector& weights = *network.tensor(key.first, key.second);
    for (int pick = 0; pick < 3; ++pick) {
      const size_t i = rng.Uniform(weights.size());
      const double kept = weights[i];
      weights[i] = kept + kStep;
      const double above = network.Loss(images, batch.labels);
      weights[i] = kept - kStep;
      const double below = network.Loss(images, batch.labels);
      weights[i] = kept;
      const double at = network.Loss(images, batch.labels);
      // Where the loss bends within the step (ReLU, maximum) there is no derivative to compare.
      const double right = (above - at) / kStep, left = (at - below) / kStep;
      if (std::fabs(right - left) > 1e-3 * (1 + std::fabs(gradient[i]))) {
        ++kinks;
        continue;
      }
      ++checked;
      EXPECT_NEAR((above - below) / (2 * kStep), gradient[i], 1e-5 * (1 + std::fabs(gradient[i])))
          << key.second << " of node " << key.first << ", element " << i;
    }
  }
  EXPECT_LE(kinks, 2 + checked / 5);
}

class ReferenceGradientTest : public ::testing::TestWithParam<Layer> {};

INSTANTIATE_TEST_SUITE_P(AllLayers, ReferenceGradientTest, ::testing::ValuesIn(AllLayers()),
                         [](const auto& test) {
                           return "Layer" + std::to_string(static_cast<int>(test.param));
                         });

TEST_P(ReferenceGradientTest, AgreesWithDifferences) {
  for (uint64_t seed = 101; seed <= 112; ++seed) {
    ExpectNumericGradients(RandomLayerCase(GetParam(), seed), seed);
    if (HasFailure()) return;
  }
}

TEST(ReferenceGradientTest, WholeNetworks) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Rng rng(seed);
    Case c;
    c.architecture = testing::RandomArchitecture(8, &rng);
    c.batch = 3;
    c.text = "seed " + std::to_string(seed) + "\n" + c.architecture.ShortDebugString();
    ExpectNumericGradients(c, seed);
    if (HasFailure()) return;
  }
}

TEST(ReferenceGradientTest, WholeNetworksOfAllOperators) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    Rng rng(seed, 7);
    Case c;
    c.architecture = testing::RandomArchitecture(8, &rng, testing::OperatorSet::kAll);
    c.batch = 3;
    c.text = "seed " + std::to_string(seed) + "\n" + c.architecture.ShortDebugString();
    ExpectNumericGradients(c, seed);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace frontier::worker
