#include "coordinator/space/staged_space.h"

#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/space/space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/space_laws.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::BroadSpace;
using ::frontier::testing::FiveByFiveSpace;
using ::frontier::testing::MakeShape;
using ::frontier::testing::PickGenotype;
using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::unique_ptr<Space> Create(const v1::SearchSpace& spec, const v1::Shape& input) {
  absl::StatusOr<std::unique_ptr<Space>> space = CreateSpace(spec, input, 10);
  EXPECT_OK(space);
  return *std::move(space);
}

TEST(StagedSpaceTest, SizeEqualsEnumeration) {
  v1::SearchSpace spec = FiveByFiveSpace();
  v1::StageChoices* second = spec.mutable_staged()->add_stages();
  *second = spec.staged().stages(0);
  second->clear_kernels();
  second->add_kernels(3);
  second->add_blocks(v1::BLOCK_SKIP);
  const std::unique_ptr<Space> space = Create(spec, MakeShape(1, 12, 12));
  std::set<std::string> genotypes;
  std::set<std::string> hashes;
  v1::Genotype genotype = space->First();
  do {
    genotypes.insert(genotype.SerializeAsString());
    ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, space->Lower(genotype));
    ASSERT_OK_AND_ASSIGN(std::string hash, CanonicalHash(architecture));
    hashes.insert(std::move(hash));
  } while (space->Advance(&genotype));
  EXPECT_EQ(std::to_string(genotypes.size()), space->Size());
  EXPECT_EQ(space->Size(), "250");
  // No two are the same network: a skip is a 1 x 1 convolution, or nothing where widths agree.
  EXPECT_EQ(hashes.size(), 250u);
}

TEST(StagedSpaceTest, SizeOfTheBroadSpaceIsExact) {
  // 3 stems; a stage has 8 * 3 * 4 * 3 * 3 = 864 choices, times 1, 1, 2 and 3 connections
  const std::unique_ptr<Space> space = Create(BroadSpace(), MakeShape(1, 28, 28));
  EXPECT_EQ(space->Size(), std::to_string(3ULL * 864 * 864 * 864 * 864 * 6));
  ASSERT_EQ(space->decisions().size(), 25u);
  EXPECT_EQ(space->decisions()[0].name, "stem.width");
  EXPECT_EQ(space->decisions()[1].name, "stage1.block");
  EXPECT_EQ(space->decisions()[1].options[2], "bottleneck");
  EXPECT_EQ(space->decisions()[24].name, "stage4.connection");
  EXPECT_THAT(space->decisions()[24].options, ::testing::ElementsAre("none", "stage1", "stage2"));
}

TEST(StagedSpaceTest, EverySampleLowersOrSaysWhyNot) {
  constexpr uint64_t kSeed = 5150;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (const v1::Shape& input : {MakeShape(1, 28, 28), MakeShape(3, 32, 32), MakeShape(2, 1, 50),
                                 MakeShape(4, 5, 3), MakeShape(1, 1, 1)}) {
    const std::unique_ptr<Space> space = Create(BroadSpace(), input);
    int valid = 0;
    for (int i = 0; i < 400; ++i) {
      const v1::Genotype genotype = space->Sample(&rng);
      const absl::StatusOr<v1::Architecture> architecture = space->Lower(genotype);
      if (architecture.ok()) {
        ++valid;
        EXPECT_OK(AnalyzeGraph(*architecture)) << space->Summarize(genotype);
        EXPECT_OK(CanonicalHash(*architecture)) << space->Summarize(genotype);
      } else {
        EXPECT_THAT(architecture, StatusIs(absl::StatusCode::kInvalidArgument,
                                           AllOf(StartsWith("stage"), HasSubstr("stride"))));
      }
    }
    EXPECT_GT(valid, 0);
    if (input.width() >= 28) {
      EXPECT_GT(valid, 360);
    }
  }
}

TEST(StagedSpaceTest, SummaryIsOneLine) {
  const std::unique_ptr<Space> space = Create(BroadSpace(), MakeShape(1, 28, 28));
  v1::Genotype genotype = space->First();
  EXPECT_EQ(space->Summarize(genotype),
            "stem1 | conv1x1 w1 d1 s1 | conv1x1 w1 d1 s1 | conv1x1 w1 d1 s1 | conv1x1 w1 d1 s1");
  genotype.set_options(1, 7);
  genotype.set_options(7, 5);
  genotype.set_options(19, 3);
  genotype.set_options(23, 1);
  genotype.set_options(24, 2);
  EXPECT_EQ(space->Summarize(genotype),
            "stem1 | skip w1 s1 | maxpool1x1 w1 s1 | conv1x1 w1 d1 s1 | residual1x1 w1 d1 s2 "
            "+stage2");
  genotype.clear_options();
  EXPECT_THAT(space->Summarize(genotype), HasSubstr("0 options"));
}

// Two stages of 1 and 3 blocks, with each list that may be empty.
v1::SearchSpace SpaceWithAllLists() {
  v1::SearchSpace spec;
  spec.mutable_staged()->add_stem_widths(4);
  for (const bool broad : {false, true}) {
    v1::StageChoices* stage = spec.mutable_staged()->add_stages();
    stage->add_blocks(v1::BLOCK_INVERTED_BOTTLENECK);
    if (broad) stage->add_blocks(v1::BLOCK_CONVOLUTION);
    if (broad) stage->add_blocks(v1::BLOCK_MAX_POOL);
    stage->add_kernels(3);
    stage->add_widths(6);
    stage->add_depths(1);
    stage->add_strides(1);
    stage->add_connections(0);
    for (const int expansion : {1, 3, 4}) stage->add_expansions(expansion);
    for (const int reduction : {0, 2}) stage->add_squeeze_excite(reduction);
    stage->add_activations(v1::ACTIVATION_RELU);
    if (broad) stage->add_activations(v1::ACTIVATION_HARD_SWISH);
  }
  return spec;
}

TEST(StagedSpaceTest, ExpansionsAndGatesCountOnlyWhereABlockHasThem) {
  const std::unique_ptr<Space> space = Create(SpaceWithAllLists(), MakeShape(1, 8, 8));
  // first stage 3 * 2; second: bottleneck 3 * 2 * 2, convolution 2 * 2, pool 2
  EXPECT_EQ(space->Size(), std::to_string(6 * (12 + 4 + 2)));
  std::set<std::string> genotypes;
  std::set<std::string> hashes;
  v1::Genotype genotype = space->First();
  do {
    genotypes.insert(genotype.SerializeAsString());
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network, space->Lower(genotype));
    ASSERT_OK_AND_ASSIGN(std::string hash, CanonicalHash(network));
    hashes.insert(std::move(hash));
  } while (space->Advance(&genotype));
  EXPECT_EQ(genotypes.size(), 108u);
  // A pool between equal widths has no activation: 6 pairs of the same network.
  EXPECT_EQ(hashes.size(), 102u);
  EXPECT_EQ(space->Summarize(PickGenotype(*space, {{"stage1.expansion", "3"},
                                                   {"stage1.squeeze_excite", "2"},
                                                   {"stage2.block", "conv"},
                                                   {"stage2.activation", "hard_swish"}})),
            "stem4 | bottleneck3x3 w6 d1 s1 e3 se2 | conv3x3 w6 d1 s1 hard_swish");
}

TEST(StagedSpaceTest, EmptyListsMeanWhatTheyMeantBefore) {
  v1::SearchSpace plain = SpaceWithAllLists();
  for (v1::StageChoices& stage : *plain.mutable_staged()->mutable_stages()) {
    stage.clear_expansions();
    stage.clear_squeeze_excite();
    stage.clear_activations();
  }
  const std::unique_ptr<Space> before = Create(plain, MakeShape(1, 8, 8));
  EXPECT_EQ(before->decisions().size(), 13u);
  const std::unique_ptr<Space> space = Create(SpaceWithAllLists(), MakeShape(1, 8, 8));
  EXPECT_EQ(
      CanonicalHash(before->Lower(before->First()).value()).value(),
      CanonicalHash(
          space->Lower(PickGenotype(*space, {{"stage1.expansion", "4"}, {"stage2.expansion", "4"}}))
              .value())
          .value());
}

TEST(StagedSpaceTest, HasADefaultWhateverTheData) {
  v1::SearchSpace spec;
  spec.mutable_staged();
  const std::unique_ptr<Space> space = Create(spec, MakeShape(1, 28, 28));
  // Of each stage: 5 blocks, 2 kernels, 2 widths, 2 depths; the first has 2 strides.
  EXPECT_EQ(space->Size(), "128000");
  EXPECT_EQ(Create(spec, MakeShape(3, 1, 64))->Size(), "128000");
  EXPECT_OK(space->Lower(space->First()));
  spec.mutable_staged()->add_stem_widths(4);
  spec.mutable_staged()->add_stem_widths(8);
  EXPECT_EQ(Create(spec, MakeShape(1, 28, 28))->Size(), "256000");
}

TEST(StagedSpaceTest, SamplesMayBeAveragedDown) {
  v1::SearchSpace spec = FiveByFiveSpace();
  const std::unique_ptr<Space> plain = Create(spec, MakeShape(1, 8, 12));
  spec.mutable_staged()->add_resolutions(12);
  spec.mutable_staged()->add_resolutions(6);
  const std::unique_ptr<Space> space = Create(spec, MakeShape(1, 8, 12));
  EXPECT_EQ(space->Size(), "50");
  const v1::Genotype half = PickGenotype(*space, {{"resolution", "6"}});
  EXPECT_EQ(space->Summarize(half), "stem4 r6 | conv1x1 w2 d1 s1");
  EXPECT_EQ(AnalyzeGraph(space->Lower(half).value())->macs * 4,
            AnalyzeGraph(space->Lower(space->First()).value())->macs + 3 * 20);
  EXPECT_EQ(CanonicalHash(space->Lower(space->First()).value()).value(),
            CanonicalHash(plain->Lower(plain->First()).value()).value());
}

TEST(StagedSpaceTest, ForeignGenotypesAreRefused) {
  const std::unique_ptr<Space> space = Create(FiveByFiveSpace(), MakeShape(1, 12, 12));
  v1::Genotype genotype = space->First();
  genotype.set_options(2, 5);
  EXPECT_THAT(space->Lower(genotype), StatusIs(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("stage1.kernel has no option 5")));
  genotype.clear_options();
  EXPECT_THAT(space->Lower(genotype),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 options")));
}

TEST(StagedSpaceTest, RefusesAndNamesWhatIsWrong) {
  struct BadCase {
    const char* field;
    const char* problem;
    std::function<void(v1::StagedSpace*)> damage;
  };
  const std::vector<BadCase> cases = {
      {"stem_widths[1]", "is 0", [](auto* s) { s->add_stem_widths(0); }},
      {"stem_widths[1]", "4 is listed twice", [](auto* s) { s->add_stem_widths(4); }},
      {"stem_widths[1]", "2147483647", [](auto* s) { s->add_stem_widths(2147483647); }},
      {"resolutions[0]", "can be averaged down to", [](auto* s) { s->add_resolutions(5); }},
      {"stages", "33 stages",
       [](auto* s) {
         while (s->stages_size() < 33) *s->add_stages() = v1::StageChoices(s->stages(0));
       }},
      {"stages[0].blocks", "empty", [](auto* s) { s->mutable_stages(0)->clear_blocks(); }},
      {"stages[0].blocks[1]", "unknown block 0",
       [](auto* s) { s->mutable_stages(0)->add_blocks(v1::BLOCK_UNSPECIFIED); }},
      {"stages[0].blocks[1]", "unknown block 99",
       [](auto* s) { s->mutable_stages(0)->add_blocks(static_cast<v1::Block>(99)); }},
      {"stages[0].blocks[1]", "listed twice",
       [](auto* s) { s->mutable_stages(0)->add_blocks(v1::BLOCK_CONVOLUTION); }},
      {"stages[0].kernels", "empty", [](auto* s) { s->mutable_stages(0)->clear_kernels(); }},
      {"stages[0].kernels[5]", "is 4, must be odd",
       [](auto* s) { s->mutable_stages(0)->add_kernels(4); }},
      {"stages[0].kernels[5]", "is -3", [](auto* s) { s->mutable_stages(0)->add_kernels(-3); }},
      {"stages[0].kernels[5]", "is 33", [](auto* s) { s->mutable_stages(0)->add_kernels(33); }},
      {"stages[0].widths", "empty", [](auto* s) { s->mutable_stages(0)->clear_widths(); }},
      {"stages[0].widths[5]", "is -1", [](auto* s) { s->mutable_stages(0)->add_widths(-1); }},
      {"stages[0].depths", "empty", [](auto* s) { s->mutable_stages(0)->clear_depths(); }},
      {"stages[0].depths[1]", "is 65", [](auto* s) { s->mutable_stages(0)->add_depths(65); }},
      {"stages[0].strides", "empty", [](auto* s) { s->mutable_stages(0)->clear_strides(); }},
      {"stages[0].strides[1]", "is 0", [](auto* s) { s->mutable_stages(0)->add_strides(0); }},
      {"stages[0].connections", "0 = none",
       [](auto* s) { s->mutable_stages(0)->clear_connections(); }},
      {"stages[0].connections[1]", "stage 1 may have only 0",
       [](auto* s) { s->mutable_stages(0)->add_connections(1); }},
      {"stages[0].connections[1]", "is -1",
       [](auto* s) { s->mutable_stages(0)->add_connections(-1); }},
      {"stages[0].expansions", "without effect on all blocks",
       [](auto* s) { s->mutable_stages(0)->add_expansions(4); }},
      {"stages[0].expansions[0]", "is 65, must be 1 to 64",
       [](auto* s) { s->mutable_stages(0)->add_expansions(65); }},
      {"stages[0].squeeze_excite", "without effect on all blocks",
       [](auto* s) {
         s->mutable_stages(0)->set_blocks(0, v1::BLOCK_SKIP);
         s->mutable_stages(0)->add_squeeze_excite(4);
       }},
      {"stages[0].squeeze_excite[0]", "is -1, must be 0 to 1024",
       [](auto* s) { s->mutable_stages(0)->add_squeeze_excite(-1); }},
      {"stages[0].activations[0]", "unknown activation 6",
       [](auto* s) { s->mutable_stages(0)->add_activations(static_cast<v1::Activation>(6)); }},
      {"stages[2].connections[1]", "is 2, stage 3 may have 0 (none) to 1",
       [](auto* s) {
         while (s->stages_size() < 3) *s->add_stages() = v1::StageChoices(s->stages(0));
         s->mutable_stages(2)->add_connections(2);
       }},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.field);
    v1::SearchSpace spec = FiveByFiveSpace();
    c.damage(spec.mutable_staged());
    const absl::Status status = CreateSpace(spec, MakeShape(1, 8, 8), 10).status();
    const std::string field = std::string("staged.") + c.field;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 AllOf(StartsWith(field), HasSubstr(c.problem))));
    EXPECT_EQ(GetErrorDetail(status).value_or(v1::ErrorDetail()).field(), field);
  }
}

TEST(StagedSpaceTest, RefusesNoKindAndBadInput) {
  EXPECT_THAT(CreateSpace(v1::SearchSpace(), MakeShape(1, 8, 8), 10),
              StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("kind")));
  EXPECT_THAT(CreateSpace(FiveByFiveSpace(), MakeShape(0, 8, 8), 10),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0x8x8")));
  EXPECT_THAT(CreateSpace(FiveByFiveSpace(), MakeShape(1, 8, 8), 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 classes")));
}

TEST(StagedSpaceTest, HugeSamplesAreRefusedWhenLowered) {
  constexpr int kMax = 2147483647;
  const std::unique_ptr<Space> space = Create(BroadSpace(), MakeShape(kMax, kMax, kMax));
  Rng rng(1);
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(space->Lower(space->Sample(&rng)),
                StatusIs(absl::StatusCode::kInvalidArgument, ::testing::_));
  }
}

}  // namespace
}  // namespace frontier::coordinator
