// That the published networks are members of the spaces around them.
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/architecture/reference.h"
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

}  // namespace
}  // namespace frontier::coordinator
