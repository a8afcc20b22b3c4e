#include "coordinator/space/mobile_space.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/space/mobile_lowering.h"
#include "coordinator/space/space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/space_laws.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeShape;
using ::frontier::testing::PickGenotype;
using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::unique_ptr<Space> Create(const v1::MobileSpace& mobile, const v1::Shape& input) {
  v1::SearchSpace spec;
  *spec.mutable_mobile() = mobile;
  absl::StatusOr<std::unique_ptr<Space>> space = CreateSpace(spec, input, 10);
  EXPECT_OK(space);
  return *std::move(space);
}

TEST(MobileSpaceTest, FiveUnitsHaveTheCountOfOnceForAll) {
  // (9^2 + 9^3 + 9^4)^5, over 2 * 10^19: Cai et al. 2020, section 3.2.
  const std::unique_ptr<Space> space = Create({}, MakeShape(3, 224, 224));
  EXPECT_EQ(space->Size(), "21758655492572485851");
  v1::MobileSpace choices;
  choices.add_width_multipliers(1);
  choices.add_width_multipliers(0.75);
  for (const int resolution : {224, 112}) choices.add_resolutions(resolution);
  EXPECT_EQ(Create(choices, MakeShape(3, 224, 224))->Size(), "87034621970289943404");
}

TEST(MobileSpaceTest, SizeEqualsEnumeration) {
  v1::MobileSpace spec;
  spec.add_stem_widths(8);
  spec.add_head_widths(0);
  for (const bool uniform : {false, true}) {
    v1::MobileUnit* unit = spec.add_units();
    unit->add_widths(uniform ? 12 : 8);
    for (const int depth : {1, 2}) unit->add_depths(depth);
    for (const int kernel : {3, 5}) unit->add_kernels(kernel);
    for (const int expansion : {1, 3}) unit->add_expansions(expansion);
    unit->set_uniform(uniform);
  }
  const std::unique_ptr<Space> space = Create(spec, MakeShape(1, 12, 12));
  EXPECT_EQ(space->Size(), std::to_string((4 + 16) * (2 * 4)));
  std::set<std::string> genotypes;
  std::set<std::string> hashes;
  v1::Genotype genotype = space->First();
  do {
    genotypes.insert(genotype.SerializeAsString());
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network, space->Lower(genotype));
    hashes.insert(CanonicalHash(network).value());
  } while (space->Advance(&genotype));
  EXPECT_EQ(genotypes.size(), 160u);
  EXPECT_EQ(hashes.size(), 160u);  // no two are the same network
}

TEST(MobileSpaceTest, DefaultsFollowTheSample) {
  const v1::MobileSpace large = FillMobileSpace({}, MakeShape(3, 224, 224));
  const v1::MobileSpace small = FillMobileSpace({}, MakeShape(1, 28, 28));
  const auto strides = [](const v1::MobileSpace& spec) {
    std::vector<int> all = {spec.stem_strides(0)};
    for (const v1::MobileUnit& unit : spec.units()) all.push_back(unit.strides(0));
    return all;
  };
  EXPECT_THAT(strides(large), ElementsAre(2, 1, 2, 2, 2, 1, 2));
  EXPECT_THAT(strides(small), ElementsAre(1, 1, 1, 2, 2, 1, 2));
  // What is given stays.
  v1::MobileSpace given;
  given.add_stem_strides(3);
  given.add_units()->add_widths(7);
  const v1::MobileSpace full = FillMobileSpace(given, MakeShape(1, 28, 28));
  EXPECT_THAT(full.stem_strides(), ElementsAre(3));
  EXPECT_EQ(full.units_size(), 1);
  EXPECT_THAT(full.units(0).depths(), ElementsAre(2, 3, 4));
}

TEST(MobileSpaceTest, DecisionsOfBlocksDependOnTheDepth) {
  const std::unique_ptr<Space> space = Create({}, MakeShape(1, 28, 28));
  int conditional = 0;
  for (const Decision& decision : space->decisions()) {
    if (decision.conditions.empty()) continue;
    ++conditional;
    EXPECT_THAT(decision.name, ::testing::MatchesRegex("unit[1-6].block[1-4].(kernel|expansion)"));
    const Decision& depth = space->decisions()[decision.conditions[0].decision];
    EXPECT_EQ(depth.name, decision.name.substr(0, 5) + ".depth");
    std::vector<std::string> deep_enough;
    for (const int32_t option : decision.conditions[0].options) {
      deep_enough.push_back(depth.options[option]);
    }
    for (const std::string& option : depth.options) {
      EXPECT_EQ(std::count(deep_enough.begin(), deep_enough.end(), option),
                option[0] >= decision.name[11] ? 1 : 0)
          << decision.name;
    }
  }
  EXPECT_EQ(conditional, 2 + 5 * 4 * 2);
  // A kernel for a block that is not there is refused.
  v1::Genotype genotype =
      PickGenotype(*space, {{"unit2.depth", "2"}, {"unit2.block3.kernel", "5"}});
  EXPECT_THAT(space->Lower(genotype),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("unit2.block3.kernel is inactive, since unit2.depth is 2")));
}

TEST(MobileSpaceTest, WidthsAreMultipliedToMultiplesOfEight) {
  EXPECT_EQ(MultiplyWidth(33, 1), 33);
  EXPECT_EQ(MultiplyWidth(32, 0.5), 16);
  EXPECT_EQ(MultiplyWidth(24, 0.75), 24);  // 18: down to 16 would be more than 10 %
  EXPECT_EQ(MultiplyWidth(16, 0.35), 8);
  EXPECT_EQ(MultiplyWidth(8, 0.1), 8);
  EXPECT_EQ(MultiplyWidth(96, 1.4), 136);
  v1::MobileSpace spec;
  spec.add_width_multipliers(0.5);
  spec.add_width_multipliers(2);
  const std::unique_ptr<Space> space = Create(spec, MakeShape(1, 28, 28));
  EXPECT_THAT(space->Summarize(PickGenotype(*space, {{"width_multiplier", "0.5"}})),
              AllOf(StartsWith("stem8 s1 relu | w8 d1 s1 k3 e1 | w16 d2 s1 k3,3 e3,3 |"),
                    HasSubstr("| w80 d2 s2"), HasSubstr("| head960")));
  EXPECT_THAT(space->Summarize(PickGenotype(*space, {{"width_multiplier", "2"}})),
              HasSubstr("| head1920"));
}

TEST(MobileSpaceTest, ResolutionsAreAveragedDownInFront) {
  v1::MobileSpace spec;
  for (const int resolution : {28, 14, 9}) spec.add_resolutions(resolution);
  const std::unique_ptr<Space> space = Create(spec, MakeShape(1, 28, 20));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture whole, space->Lower(space->First()));
  EXPECT_EQ(whole.nodes(1).op(), v1::OPERATOR_CONVOLUTION);
  ASSERT_OK_AND_ASSIGN(const v1::Architecture third,
                       space->Lower(PickGenotype(*space, {{"resolution", "9"}})));
  EXPECT_EQ(third.nodes(1).op(), v1::OPERATOR_AVERAGE_POOL);
  ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(third));
  EXPECT_EQ(costs.nodes[1].output.height(), 9);
  EXPECT_EQ(costs.nodes[1].output.width(), 6);
  EXPECT_THAT(space->Summarize(PickGenotype(*space, {{"resolution", "14"}})), HasSubstr(" r14 |"));

  v1::MobileSpace signal;
  signal.add_resolutions(32);
  const std::unique_ptr<Space> signals = Create(signal, MakeShape(2, 1, 64));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture half, signals->Lower(signals->First()));
  EXPECT_EQ(AnalyzeGraph(half).value().nodes[1].output.width(), 32);
}

TEST(MobileSpaceTest, GatesAndActivationsOfUnits) {
  v1::MobileSpace spec;
  spec.add_activations(v1::ACTIVATION_RELU6);
  v1::MobileUnit* unit = spec.add_units();
  unit->add_widths(8);
  for (const int reduction : {0, 4}) unit->add_squeeze_excite(reduction);
  unit->add_activations(v1::ACTIVATION_HARD_SWISH);
  const std::unique_ptr<Space> space = Create(spec, MakeShape(1, 28, 28));
  const v1::Genotype gated = PickGenotype(*space, {{"unit1.squeeze_excite", "4"}});
  EXPECT_THAT(space->Summarize(gated), HasSubstr("| w8 d2 s1 k3,3 e3,3 se4 hard_swish |"));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture network, space->Lower(gated));
  int gates = 0;
  for (const v1::Node& node : network.nodes()) {
    if (node.op() == v1::OPERATOR_MULTIPLY) ++gates;
    if (node.op() == v1::OPERATOR_RELU6) {
      EXPECT_THAT(node.name(), ::testing::AnyOf("stem.relu6", "head.relu6"));
    }
    // 3 * 16 and 3 * 8 hidden channels
    if (node.name() == "unit1.block0.se.squeeze") {
      EXPECT_EQ(node.convolution().out_channels(), 12);
    } else if (node.name() == "unit1.block1.se.squeeze") {
      EXPECT_EQ(node.convolution().out_channels(), 6);
    }
  }
  EXPECT_EQ(gates, 2);
}

TEST(MobileSpaceTest, StridesThatLeaveNothingAreRefused) {
  v1::MobileSpace spec;
  spec.add_stem_strides(1);
  for (int i = 0; i < 2; ++i) {
    spec.add_units()->add_widths(8);
    spec.mutable_units(i)->add_strides(4);
  }
  const std::unique_ptr<Space> space = Create(spec, MakeShape(1, 4, 4));
  EXPECT_THAT(space->Lower(space->First()),
              StatusIs(absl::StatusCode::kInvalidArgument, "unit2: stride 4 on a map of 1 x 1"));
}

TEST(MobileSpaceTest, RefusesAndNamesWhatIsWrong) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  struct BadCase {
    const char* field;
    const char* problem;
    std::function<void(v1::MobileSpace*)> damage;
  };
  const std::vector<BadCase> cases = {
      {"stem_widths[0]", "is 0, must be 1 to 8192", [](auto* s) { s->add_stem_widths(0); }},
      {"stem_strides[0]", "is 17", [](auto* s) { s->add_stem_strides(17); }},
      {"activations[0]", "unknown activation 0",
       [](auto* s) { s->add_activations(v1::ACTIVATION_UNSPECIFIED); }},
      {"activations[0]", "unknown activation 77",
       [](auto* s) { s->add_activations(static_cast<v1::Activation>(77)); }},
      {"units", "33 units, at most 32",
       [](auto* s) {
         while (s->units_size() < 33) s->add_units()->add_widths(8);
       }},
      {"units[0].widths", "empty", [](auto* s) { s->add_units(); }},
      {"units[0].widths[1]", "8 is listed twice",
       [](auto* s) {
         s->add_units()->add_widths(8);
         s->mutable_units(0)->add_widths(8);
       }},
      {"units[0].depths[0]", "is 0, must be 1 to 64",
       [](auto* s) {
         s->add_units()->add_widths(8);
         s->mutable_units(0)->add_depths(0);
       }},
      {"units[0].kernels[0]", "is 4, must be odd",
       [](auto* s) {
         s->add_units()->add_widths(8);
         s->mutable_units(0)->add_kernels(4);
       }},
      {"units[0].expansions[0]", "is -2147483648",
       [](auto* s) {
         s->add_units()->add_widths(8);
         s->mutable_units(0)->add_expansions(std::numeric_limits<int32_t>::min());
       }},
      {"units[0].squeeze_excite[0]", "is 2147483647, must be 0 to 1024",
       [](auto* s) {
         s->add_units()->add_widths(8);
         s->mutable_units(0)->add_squeeze_excite(std::numeric_limits<int32_t>::max());
       }},
      {"head_widths[0]", "is -1, must be 0 to 8192", [](auto* s) { s->add_head_widths(-1); }},
      {"width_multipliers[0]", "is 0, must be more than 0, at most 8",
       [](auto* s) { s->add_width_multipliers(0); }},
      {"width_multipliers[0]", "is nan", [](auto* s) { s->add_width_multipliers(kNan); }},
      {"width_multipliers[1]", "0.5 is listed twice",
       [](auto* s) {
         s->add_width_multipliers(0.5);
         s->add_width_multipliers(0.5);
       }},
      {"resolutions[0]",
       "is 20, samples of 24 x 24 can be averaged down to 24, 12, 8, 6, 4, 4, 3, 3",
       [](auto* s) { s->add_resolutions(20); }},
      {"resolutions[0]", "is 48, must be 1 to 24", [](auto* s) { s->add_resolutions(48); }},
      {"resolutions[0]", "is 0", [](auto* s) { s->add_resolutions(0); }},
      {"dropout", "is 1, must be at least 0 and less than 1", [](auto* s) { s->set_dropout(1); }},
      {"dropout", "is nan", [](auto* s) { s->set_dropout(kNan); }},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.field);
    v1::SearchSpace spec;
    c.damage(spec.mutable_mobile());
    const absl::Status status = CreateSpace(spec, MakeShape(1, 24, 24), 10).status();
    const std::string field = std::string("mobile.") + c.field;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 AllOf(StartsWith(field + ": "), HasSubstr(c.problem))));
    EXPECT_EQ(GetErrorDetail(status).value_or(v1::ErrorDetail()).field(), field);
  }
}

TEST(MobileSpaceTest, TheLargestSpecIsCountedAndTheLargestSamplesAreRefused) {
  constexpr int kMax = std::numeric_limits<int32_t>::max();
  v1::MobileSpace spec;
  spec.add_stem_widths(8192);
  spec.add_width_multipliers(8);
  for (int i = 0; i < 32; ++i) {
    v1::MobileUnit* unit = spec.add_units();
    unit->add_widths(8192);
    for (int depth = 1; depth <= 64; ++depth) unit->add_depths(depth);
    unit->add_expansions(64);
    unit->add_strides(1);
  }
  const std::unique_ptr<Space> space = Create(spec, MakeShape(kMax, kMax, kMax));
  EXPECT_GT(space->Size().size(), 900u);  // digits
  Rng rng(4);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(space->Lower(space->Sample(&rng)),
                StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
  }
}

}  // namespace
}  // namespace frontier::coordinator
