// Properties of the spaces: whatever one emits validates and hashes, or says why it has no shape;
// what has a network trains and exports.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/space/space.h"
#include "gtest/gtest.h"
#include "tests/support/one_training_step.h"
#include "tests/support/space_laws.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::ExpectSpaceLaws;
using ::frontier::testing::ExpectTrainsAndExports;
using ::frontier::testing::MakeShape;

// By name: small specs with every list of the message, and the defaults.
std::map<std::string, v1::SearchSpace> Specs() {
  std::map<std::string, v1::SearchSpace> specs;
  specs["staged"] = frontier::testing::BroadSpace();
  for (v1::StageChoices& stage : *specs["staged"].mutable_staged()->mutable_stages()) {
    for (const int expansion : {1, 2, 6}) stage.add_expansions(expansion);
    for (const int reduction : {0, 4, 1000}) stage.add_squeeze_excite(reduction);
    for (int i = 1; i <= v1::Activation_MAX; ++i) {
      stage.add_activations(static_cast<v1::Activation>(i));
    }
  }
  specs["mobile default"].mutable_mobile();
  v1::MobileSpace* mobile = specs["mobile"].mutable_mobile();
  for (const int width : {3, 8}) mobile->add_stem_widths(width);
  for (const int stride : {1, 2}) mobile->add_stem_strides(stride);
  for (const int width : {0, 24}) mobile->add_head_widths(width);
  for (const double multiplier : {1.0, 0.5, 1.4}) mobile->add_width_multipliers(multiplier);
  mobile->set_dropout(0.1);
  for (int number = 0; number < 3; ++number) {
    v1::MobileUnit* unit = mobile->add_units();
    for (const int width : {8, 12}) unit->add_widths(width);
    for (const int depth : {1, 2, 3}) unit->add_depths(depth);
    for (const int expansion : {1, 2}) unit->add_expansions(expansion);
    for (const int stride : {1, 2, 3}) unit->add_strides(stride);
    for (const int reduction : {0, 4}) unit->add_squeeze_excite(reduction);
    for (int i = 1; number > 0 && i <= v1::Activation_MAX; ++i) {
      unit->add_activations(static_cast<v1::Activation>(i));
    }
    unit->set_uniform(number == 1);
  }
  specs["fire default"].mutable_fire();
  v1::FireSpace* fire = specs["fire"].mutable_fire();
  for (const int width : {3, 8}) fire->add_stem_widths(width);
  for (const int kernel : {3, 5}) fire->add_stem_kernels(kernel);
  for (const int stride : {1, 2}) fire->add_stem_strides(stride);
  for (const bool norm : {true, false}) fire->add_norms(norm);
  fire->set_dropout(0.5);
  for (int number = 0; number < 3; ++number) {
    v1::FireStage* stage = fire->add_stages();
    for (const int width : {1, 4}) stage->add_squeezes(width);
    for (const int width : {3, 8}) stage->add_expands(width);
    for (const int depth : {1, 2}) stage->add_depths(depth);
    for (const int kernel : {1, 3, 5}) stage->add_kernels(kernel);
    for (const int stride : {1, 2}) stage->add_strides(stride);
  }
  specs["residual default"].mutable_residual();
  v1::ResidualSpace* residual = specs["residual"].mutable_residual();
  residual->add_blocks(v1::RESIDUAL_BLOCK_BASIC);
  residual->add_blocks(v1::RESIDUAL_BLOCK_BOTTLENECK);
  for (const int kernel : {3, 7}) residual->add_stem_kernels(kernel);
  for (const int pool : {1, 2}) residual->add_stem_pools(pool);
  residual->add_activations(v1::ACTIVATION_SILU);
  residual->add_activations(v1::ACTIVATION_GELU);
  for (int number = 0; number < 3; ++number) {
    v1::ResidualStage* stage = residual->add_stages();
    for (const int width : {5, 8}) stage->add_widths(width);
    for (const int kernel : {1, 3, 5}) stage->add_kernels(kernel);
    for (const int stride : {1, 2, 3}) stage->add_strides(stride);
    for (const int reduction : {0, 2}) stage->add_squeeze_excite(reduction);
  }
  specs["vgg default"].mutable_vgg();
  v1::VggSpace* vgg = specs["vgg"].mutable_vgg();
  for (const bool norm : {true, false}) vgg->add_norms(norm);
  for (const int layers : {0, 1, 2}) vgg->add_hidden_layers(layers);
  for (const int width : {7, 16}) vgg->add_hidden_widths(width);
  vgg->set_dropout(0.5);
  for (int number = 0; number < 3; ++number) {
    v1::VggStage* stage = vgg->add_stages();
    for (const int width : {5, 8}) stage->add_widths(width);
    for (const int kernel : {1, 3, 5}) stage->add_kernels(kernel);
    for (const int stride : {1, 2}) stage->add_strides(stride);
  }
  return specs;
}

class SpacePropertyTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Spaces, SpacePropertyTest,
                         ::testing::Values("staged", "mobile default", "mobile", "fire default",
                                           "fire", "residual default", "residual", "vgg default",
                                           "vgg"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) c = c == ' ' ? '_' : c;
                           return name;
                         });

TEST_P(SpacePropertyTest, KeepsTheLaws) {
  const v1::SearchSpace spec = Specs().at(GetParam());
  const bool is_default = GetParam().find("default") != std::string::npos;
  uint64_t seed = 20261;
  for (const v1::Shape& input : {MakeShape(1, 28, 28), MakeShape(3, 32, 32), MakeShape(2, 1, 64),
                                 MakeShape(4, 5, 3), MakeShape(1, 1, 1), MakeShape(3, 97, 40)}) {
    SCOPED_TRACE(input.ShortDebugString());
    ASSERT_OK_AND_ASSIGN(const auto space, CreateSpace(spec, input, 10));
    const int samples = is_default ? 6 : 12;
    const auto networks = ExpectSpaceLaws(*space, ++seed, samples);
    // The defaults fit the sample.
    if (is_default && input.width() > 3) {
      EXPECT_EQ(networks.size(), static_cast<size_t>(samples));
    }
  }
}

// The defaults give larger networks.
class TrainableSpaceTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Spaces, TrainableSpaceTest,
                         ::testing::Values("staged", "mobile", "fire", "residual", "vgg"),
                         [](const auto& test) { return test.param; });

TEST_P(TrainableSpaceTest, NetworksTrainAndExport) {
  uint64_t seed = 7;
  for (const v1::Shape& input : {MakeShape(1, 12, 12), MakeShape(2, 1, 32)}) {
    SCOPED_TRACE(input.ShortDebugString());
    ASSERT_OK_AND_ASSIGN(const auto space, CreateSpace(Specs().at(GetParam()), input, 3));
    std::cout << "seed " << ++seed << "\n";
    Rng rng(seed);
    int trained = 0;
    for (int i = 0; i < 60 && trained < 3; ++i) {
      const v1::Genotype genotype = space->Sample(&rng);
      const absl::StatusOr<v1::Architecture> network = space->Lower(genotype);
      if (!network.ok()) continue;
      SCOPED_TRACE(space->Summarize(genotype));
      ExpectTrainsAndExports(*network, 3);
      ++trained;
    }
    EXPECT_EQ(trained, 3);
  }
}

}  // namespace
}  // namespace frontier::coordinator
