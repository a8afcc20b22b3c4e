// That the published networks are members of the spaces around them.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/architecture/reference.h"
#include "common/base/status.h"
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
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Picks = std::map<std::string, std::string>;

void ExpectMember(const std::string& name, const v1::SearchSpace& spec, const Picks& picks,
                  const v1::Shape& input, int classes) {
  SCOPED_TRACE(name);
  ASSERT_OK_AND_ASSIGN(const auto space, CreateSpace(spec, input, classes));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture member, space->Lower(PickGenotype(*space, picks)));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture published,
                       ReferenceArchitecture(name, input, classes));
  const GraphCosts costs = AnalyzeGraph(member).value();
  const GraphCosts expected = AnalyzeGraph(published).value();
  EXPECT_EQ(costs.parameters, expected.parameters);
  EXPECT_EQ(costs.macs, expected.macs);
  EXPECT_EQ(CanonicalHash(member).value(), CanonicalHash(published).value());
}

v1::Shape ImageNet() { return MakeShape(3, 224, 224); }

// --- mobile

v1::MobileUnit* AddUnit(v1::MobileSpace* space, std::initializer_list<int> widths, int stride) {
  v1::MobileUnit* unit = space->add_units();
  for (const int width : widths) unit->add_widths(width);
  for (const int depth : {1, 2, 3, 4}) unit->add_depths(depth);
  for (const int expansion : {1, 3, 6}) unit->add_expansions(expansion);
  unit->add_strides(stride);
  return unit;
}

// Holds MobileNetV2, MnasNet-B1 and ProxylessNAS-mobile.
v1::SearchSpace PublishedMobile(double dropout) {
  v1::SearchSpace spec;
  v1::MobileSpace* mobile = spec.mutable_mobile();
  mobile->add_stem_widths(32);
  mobile->add_activations(v1::ACTIVATION_RELU);
  mobile->add_activations(v1::ACTIVATION_RELU6);
  AddUnit(mobile, {16}, 1);
  AddUnit(mobile, {24, 32}, 2);
  AddUnit(mobile, {32, 40}, 2);
  AddUnit(mobile, {64, 80}, 2);
  AddUnit(mobile, {96}, 1);
  AddUnit(mobile, {160, 192}, 2);
  AddUnit(mobile, {320}, 1);
  mobile->add_head_widths(1280);
  mobile->set_dropout(dropout);
  return spec;
}

// "7e3 5e3": kernels and expansions of the blocks.
void PickUnit(int number, int width, const std::string& blocks, Picks* picks) {
  const std::string unit = absl::StrCat("unit", number);
  (*picks)[unit + ".width"] = absl::StrCat(width);
  int depth = 0;
  for (size_t at = 0; at < blocks.size(); at += 4) {
    const std::string block = absl::StrCat(unit, ".block", ++depth);
    (*picks)[block + ".kernel"] = blocks.substr(at, 1);
    (*picks)[block + ".expansion"] = blocks.substr(at + 2, 1);
  }
  (*picks)[unit + ".depth"] = absl::StrCat(depth);
}

TEST(MobileFamilyTest, MobileNetV2IsAMember) {
  Picks picks = {{"activation", "relu6"}};
  PickUnit(1, 16, "3e1", &picks);
  PickUnit(2, 24, "3e6 3e6", &picks);
  PickUnit(3, 32, "3e6 3e6 3e6", &picks);
  PickUnit(4, 64, "3e6 3e6 3e6 3e6", &picks);
  PickUnit(5, 96, "3e6 3e6 3e6", &picks);
  PickUnit(6, 160, "3e6 3e6 3e6", &picks);
  PickUnit(7, 320, "3e6", &picks);
  ExpectMember("mobilenetv2", PublishedMobile(0.2), picks, ImageNet(), 1000);
}

TEST(MobileFamilyTest, MnasNetB1IsAMember) {
  Picks picks = {{"activation", "relu"}};
  PickUnit(1, 16, "3e1", &picks);
  PickUnit(2, 24, "3e3 3e3 3e3", &picks);
  PickUnit(3, 40, "5e3 5e3 5e3", &picks);
  PickUnit(4, 80, "5e6 5e6 5e6", &picks);
  PickUnit(5, 96, "3e6 3e6", &picks);
  PickUnit(6, 192, "5e6 5e6 5e6 5e6", &picks);
  PickUnit(7, 320, "3e6", &picks);
  ExpectMember("mnasnet-b1", PublishedMobile(0.2), picks, ImageNet(), 1000);
}

TEST(MobileFamilyTest, ProxylessNasMobileIsAMember) {
  Picks picks = {{"activation", "relu6"}};
  PickUnit(1, 16, "3e1", &picks);
  PickUnit(2, 32, "5e3 3e3", &picks);
  PickUnit(3, 40, "7e3 3e3 5e3 5e3", &picks);
  PickUnit(4, 80, "7e6 5e3 5e3 5e3", &picks);
  PickUnit(5, 96, "5e6 5e3 5e3 5e3", &picks);
  PickUnit(6, 192, "7e6 7e6 7e3 7e3", &picks);
  PickUnit(7, 320, "7e6", &picks);
  ExpectMember("proxylessnas-mobile", PublishedMobile(0), picks, ImageNet(), 1000);
}

// --- fire

TEST(FireFamilyTest, SqueezeNetsAreMembersOfTheDefault) {
  v1::SearchSpace spec;
  v1::FireSpace* fire = spec.mutable_fire();
  for (const int width : {64, 96}) fire->add_stem_widths(width);
  for (const int kernel : {3, 7}) fire->add_stem_kernels(kernel);
  fire->add_norms(false);
  fire->set_dropout(0.5);
  Picks picks = {{"stage1.squeeze", "16"}, {"stage1.expand", "64"},  {"stage1.depth", "2"},
                 {"stage2.squeeze", "32"}, {"stage2.expand", "128"}, {"stage3.squeeze", "32"},
                 {"stage3.expand", "128"}, {"stage4.squeeze", "48"}, {"stage4.expand", "192"},
                 {"stage4.depth", "2"},    {"stage5.squeeze", "64"}, {"stage5.expand", "256"},
                 {"stage6.squeeze", "64"}, {"stage6.expand", "256"}};
  Picks older = picks;
  older.insert({{"stem.width", "96"},
                {"stem.kernel", "7"},
                {"stage2.stride", "1"},
                {"stage3.stride", "2"},
                {"stage4.stride", "1"},
                {"stage6.stride", "2"}});
  ExpectMember("squeezenet-1.0", spec, older, ImageNet(), 1000);
  Picks newer = picks;
  newer.insert({{"stem.width", "64"},
                {"stem.kernel", "3"},
                {"stage2.stride", "2"},
                {"stage3.stride", "1"},
                {"stage4.stride", "2"},
                {"stage6.stride", "1"}});
  ExpectMember("squeezenet-1.1", spec, newer, ImageNet(), 1000);
  // At small inputs as well: the same halvings are left out.
  for (const v1::Shape& input : {MakeShape(1, 28, 28), MakeShape(3, 32, 32)}) {
    ExpectMember("squeezenet-1.1", spec, newer, input, 10);
  }
}

// --- residual

v1::SearchSpace PublishedResNets() {
  v1::SearchSpace spec;
  v1::ResidualSpace* residual = spec.mutable_residual();
  residual->add_blocks(v1::RESIDUAL_BLOCK_BASIC);
  residual->add_blocks(v1::RESIDUAL_BLOCK_BOTTLENECK);
  residual->add_stem_widths(64);
  residual->add_stem_kernels(7);
  for (const int width : {64, 128, 256, 512}) {
    v1::ResidualStage* stage = residual->add_stages();
    stage->add_widths(width);
    for (const int depth : {2, 3, 4, 6}) stage->add_depths(depth);
    stage->add_strides(width == 64 ? 1 : 2);
  }
  return spec;
}

TEST(ResidualFamilyTest, ResNet18IsAMember) {
  ExpectMember("resnet-18", PublishedResNets(), {}, ImageNet(), 1000);
}

TEST(ResidualFamilyTest, ResNet50IsAMember) {
  ExpectMember("resnet-50", PublishedResNets(),
               {{"block", "bottleneck"},
                {"stage1.depth", "3"},
                {"stage2.depth", "4"},
                {"stage3.depth", "6"},
                {"stage4.depth", "3"}},
               ImageNet(), 1000);
}

TEST(ResidualFamilyTest, ResNet20IsAMember) {
  v1::SearchSpace spec;
  spec.mutable_residual()->add_stem_strides(1);
  spec.mutable_residual()->add_stem_pools(1);
  for (const int width : {16, 32, 64}) {
    v1::ResidualStage* stage = spec.mutable_residual()->add_stages();
    stage->add_widths(width);
    stage->add_strides(width == 16 ? 1 : 2);
  }
  ExpectMember("resnet20", spec,
               {{"stage1.depth", "3"}, {"stage2.depth", "3"}, {"stage3.depth", "3"}},
               MakeShape(3, 32, 32), 10);
}

// --- vgg

TEST(VggFamilyTest, Vgg16IsAMember) {
  v1::SearchSpace spec;
  v1::VggSpace* vgg = spec.mutable_vgg();
  vgg->add_norms(true);
  vgg->add_norms(false);
  vgg->add_hidden_layers(0);
  vgg->add_hidden_layers(2);
  vgg->add_hidden_widths(4096);
  vgg->set_dropout(0.5);
  for (const int width : {64, 128, 256, 512, 512}) vgg->add_stages()->add_widths(width);
  const Picks picks = {{"norm", "no"},        {"hidden_layers", "2"}, {"stage1.depth", "2"},
                       {"stage2.depth", "2"}, {"stage3.depth", "3"},  {"stage4.depth", "3"},
                       {"stage5.depth", "3"}};
  ExpectMember("vgg-16", spec, picks, ImageNet(), 1000);
}

// --- all of them

std::string Size(const v1::SearchSpace& spec) {
  absl::StatusOr<std::unique_ptr<Space>> space = CreateSpace(spec, MakeShape(1, 16, 16), 10);
  EXPECT_OK(space);
  v1::Genotype genotype = (*space)->First();
  std::set<std::string> genotypes;
  do genotypes.insert(genotype.SerializeAsString());
  while (genotypes.size() < 100000 && (*space)->Advance(&genotype));
  EXPECT_EQ((*space)->Size(), std::to_string(genotypes.size()));
  return (*space)->Size();
}

TEST(FamiliesTest, SizeEqualsEnumeration) {
  v1::SearchSpace fire;
  fire.mutable_fire()->add_norms(true);
  fire.mutable_fire()->add_norms(false);
  for (const int width : {3, 4, 5}) fire.mutable_fire()->add_stages()->add_squeezes(width);
  for (v1::FireStage& stage : *fire.mutable_fire()->mutable_stages()) {
    for (const int width : {8, 9}) stage.add_expands(width);
    for (const int stride : {1, 2}) stage.add_strides(stride);
  }
  EXPECT_EQ(Size(fire), "128");  // 2 * 4^3

  v1::SearchSpace residual;
  residual.mutable_residual()->add_blocks(v1::RESIDUAL_BLOCK_BASIC);
  residual.mutable_residual()->add_blocks(v1::RESIDUAL_BLOCK_BOTTLENECK);
  for (const int width : {8, 16}) residual.mutable_residual()->add_stages()->add_widths(width);
  EXPECT_EQ(Size(residual), "36");  // 2 blocks, 2 stems, 3 depths twice

  v1::SearchSpace vgg;
  for (const int layers : {0, 1, 2}) vgg.mutable_vgg()->add_hidden_layers(layers);
  vgg.mutable_vgg()->add_stages()->add_widths(8);
  EXPECT_EQ(Size(vgg), "15");  // 3 depths; no hidden layers, or 1 or 2 of either width
  vgg.mutable_vgg()->clear_hidden_layers();
  vgg.mutable_vgg()->add_hidden_layers(0);
  EXPECT_EQ(Size(vgg), "3");
}

TEST(FamiliesTest, SummariesAreOneLine) {
  const auto summary = [](const v1::SearchSpace& spec, const Picks& picks) {
    const auto space = CreateSpace(spec, MakeShape(1, 28, 28), 10).value();
    v1::Genotype foreign;
    EXPECT_THAT(space->Summarize(foreign), HasSubstr("(genotype: 0 options"));
    return space->Summarize(PickGenotype(*space, picks));
  };
  v1::SearchSpace spec;
  spec.mutable_fire();
  EXPECT_THAT(summary(spec, {}), StartsWith("stem64 k3 s1 norm | fire8+2x32 d1 k3 s2 | fire16"));
  spec.mutable_residual();
  EXPECT_EQ(summary(spec, {{"stage2.depth", "3"}}),
            "basic relu | stem16 k3 s1 | w16 d1 k3 s1 | w32 d3 k3 s2 | w64 d1 k3 s2 | w128 d1 k3 "
            "s2");
  spec.mutable_vgg();
  EXPECT_EQ(summary(spec, {{"hidden_layers", "1"}}),
            "norm | w16 d1 k3 s1 | w32 d1 k3 s1 | w64 d1 k3 s2 | w128 d1 k3 s2 | w128 d1 k3 s2 | "
            "hidden1x256");
}

TEST(FamiliesTest, RefuseAndNameWhatIsWrong) {
  struct BadCase {
    const char* field;
    const char* problem;
    std::function<void(v1::SearchSpace*)> damage;
  };
  const auto fire_stage = [](v1::SearchSpace* s) {
    v1::FireStage* stage = s->mutable_fire()->add_stages();
    stage->add_squeezes(4);
    stage->add_expands(8);
    return stage;
  };
  const auto residual_stage = [](v1::SearchSpace* s) {
    v1::ResidualStage* stage = s->mutable_residual()->add_stages();
    stage->add_widths(8);
    return stage;
  };
  const auto vgg_stage = [](v1::SearchSpace* s) {
    v1::VggStage* stage = s->mutable_vgg()->add_stages();
    stage->add_widths(8);
    return stage;
  };
  const std::vector<BadCase> cases = {
      {"fire.stem_widths[0]", "is -5", [](auto* s) { s->mutable_fire()->add_stem_widths(-5); }},
      {"fire.stem_kernels[0]", "is 2, must be odd",
       [](auto* s) { s->mutable_fire()->add_stem_kernels(2); }},
      {"fire.stages[0].squeezes", "empty", [](auto* s) { s->mutable_fire()->add_stages(); }},
      {"fire.stages[0].expands", "empty",
       [](auto* s) { s->mutable_fire()->add_stages()->add_squeezes(3); }},
      {"fire.stages[0].strides[0]", "is 3, must be 1 to 2",
       [&](auto* s) { fire_stage(s)->add_strides(3); }},
      {"fire.norms[1]", "true is listed twice",
       [](auto* s) {
         s->mutable_fire()->add_norms(true);
         s->mutable_fire()->add_norms(true);
       }},
      {"fire.dropout", "is -0.5", [](auto* s) { s->mutable_fire()->set_dropout(-0.5); }},
      {"residual.blocks[0]", "unknown block 0",
       [](auto* s) { s->mutable_residual()->add_blocks(v1::RESIDUAL_BLOCK_UNSPECIFIED); }},
      {"residual.blocks[1]", "1 is listed twice",
       [](auto* s) {
         s->mutable_residual()->add_blocks(v1::RESIDUAL_BLOCK_BASIC);
         s->mutable_residual()->add_blocks(v1::RESIDUAL_BLOCK_BASIC);
       }},
      {"residual.stem_pools[0]", "is 0", [](auto* s) { s->mutable_residual()->add_stem_pools(0); }},
      {"residual.stages", "33 stages, at most 32",
       [&](auto* s) {
         for (int i = 0; i < 33; ++i) residual_stage(s);
       }},
      {"residual.stages[1].widths", "empty",
       [&](auto* s) {
         residual_stage(s);
         s->mutable_residual()->add_stages();
       }},
      {"residual.stages[0].squeeze_excite[0]", "is 2000",
       [&](auto* s) { residual_stage(s)->add_squeeze_excite(2000); }},
      {"vgg.stages[0].depths[0]", "is 2147483647",
       [&](auto* s) { vgg_stage(s)->add_depths(2147483647); }},
      {"vgg.stages[0].kernels[0]", "is 33", [&](auto* s) { vgg_stage(s)->add_kernels(33); }},
      {"vgg.hidden_layers[0]", "is 9, must be 0 to 8",
       [](auto* s) { s->mutable_vgg()->add_hidden_layers(9); }},
      {"vgg.hidden_widths[0]", "is 0", [](auto* s) { s->mutable_vgg()->add_hidden_widths(0); }},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.field);
    v1::SearchSpace spec;
    c.damage(&spec);
    const absl::Status status = CreateSpace(spec, MakeShape(1, 24, 24), 10).status();
    EXPECT_THAT(status,
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(StartsWith(absl::StrCat(c.field, ": ")), HasSubstr(c.problem))));
    EXPECT_EQ(GetErrorDetail(status).value_or(v1::ErrorDetail()).field(), c.field);
  }
}

TEST(FamiliesTest, PoolsThatLeaveNothingAreRefused) {
  v1::SearchSpace spec;
  for (int i = 0; i < 3; ++i) {
    spec.mutable_vgg()->add_stages()->add_widths(4);
  }
  const auto space = CreateSpace(spec, MakeShape(1, 4, 4), 10).value();
  EXPECT_THAT(space->Lower(space->First()),
              StatusIs(absl::StatusCode::kInvalidArgument, "stage3: stride 2 on a map of 1 x 1"));
}

}  // namespace
}  // namespace frontier::coordinator
