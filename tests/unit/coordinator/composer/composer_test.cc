#include "coordinator/composer/composer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "coordinator/space/staged_space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::IsOk;
using ::frontier::testing::MakeShape;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int kDrawn = 20;

DataFacts Facts(const v1::Shape& input, int classes, int64_t train_samples) {
  DataFacts facts;
  facts.input = input;
  facts.classes = classes;
  facts.train_samples = train_samples;
  facts.epochs = 10;
  facts.batch_size = 64;
  return facts;
}

// Sizes of random networks of the composed space, each valid.
std::vector<NetworkSize> Draw(const v1::StagedSpace& spec, const DataFacts& facts, int count) {
  const auto space = CreateStagedSpace(spec, facts.input, facts.classes);
  EXPECT_THAT(space.status(), IsOk());
  std::vector<NetworkSize> sizes;
  if (!space.ok()) return sizes;
  EXPECT_GE((*space)->Size().size(), 3U) << "a search needs something to choose from";
  Rng rng(7);
  for (int i = 0; i < count; ++i) {
    const auto architecture = (*space)->Lower((*space)->Sample(&rng));
    EXPECT_THAT(architecture.status(), IsOk());
    if (!architecture.ok()) continue;
    const auto costs = AnalyzeGraph(*architecture);
    EXPECT_THAT(costs.status(), IsOk());
    if (costs.ok()) sizes.push_back(SizeOf(*costs));
  }
  return sizes;
}

int CountMet(const std::vector<NetworkSize>& sizes, double most_parameters) {
  return static_cast<int>(std::count_if(sizes.begin(), sizes.end(), [&](const NetworkSize& size) {
    return size.parameters <= most_parameters;
  }));
}

std::vector<std::string> Reasons(const v1::Composition& composition) {
  return {composition.reasons().begin(), composition.reasons().end()};
}

TEST(ComposerTest, ServesSetsItHasNeverSeen) {
  std::vector<v1::Shape> shapes = {
      MakeShape(1, 1, 1),   MakeShape(1, 2, 3),   MakeShape(2, 3, 200),  MakeShape(1, 4, 4),
      MakeShape(1, 8, 8),   MakeShape(1, 28, 28), MakeShape(3, 32, 32),  MakeShape(4, 48, 40),
      MakeShape(3, 64, 64), MakeShape(2, 96, 95), MakeShape(3, 224, 224)};
  for (const int length : {2, 10, 64, 178, 1000, 16000}) shapes.push_back(MakeShape(1, 1, length));
  shapes.push_back(MakeShape(3, 1, 128));
  for (const v1::Shape& shape : shapes) {
    for (const int classes : {2, 10, 200}) {
      for (const int64_t samples : {0, 100, 5000, 100000}) {
        SCOPED_TRACE(absl::StrCat(ShapeText(shape), " ", classes, " ", samples));
        const DataFacts facts = Facts(shape, classes, samples);
        const auto composition = Compose(facts, {}, {});
        ASSERT_THAT(composition.status(), IsOk());
        ASSERT_FALSE(composition->reasons().empty());
        EXPECT_THAT(*composition->reasons().rbegin(), HasSubstr("genotypes"));
        EXPECT_EQ(Draw(composition->space(), facts, kDrawn).size(), size_t{kDrawn});
      }
    }
  }
}

TEST(ComposerTest, NearlyAllNetworksMeetCountedLimits) {
  for (const v1::Shape& shape : {MakeShape(1, 8, 8), MakeShape(1, 28, 28), MakeShape(3, 32, 32),
                                 MakeShape(3, 96, 96), MakeShape(2, 1, 500)}) {
    for (const double most : {6e3, 3e4, 1e5, 1e6}) {
      SCOPED_TRACE(absl::StrCat(ShapeText(shape), " ", most));
      const DataFacts facts = Facts(shape, 10, 4000);
      const std::vector<CostLimit> limits = {{Cost::kParameters, most, "constraints[0].bound"}};
      const auto composition = Compose(facts, limits, {});
      ASSERT_THAT(composition.status(), IsOk());
      EXPECT_GE(CountMet(Draw(composition->space(), facts, 200), most), 180)
          << composition->ShortDebugString();
    }
  }
}

TEST(ComposerTest, NamesTheLimitThatNothingMeets) {
  const std::vector<CostLimit> limits = {{Cost::kMacs, 1e12, "constraints[0].bound"},
                                         {Cost::kParameters, 10, "constraints[1].bound"}};
  const auto composition = Compose(Facts(MakeShape(1, 28, 28), 10, 4000), limits, {});
  EXPECT_EQ(composition.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(composition.status().message()),
              AllOf(HasSubstr("constraints[1].bound"), HasSubstr("parameters <= 10"),
                    HasSubstr("the least is ")));
}

TEST(ComposerTest, TakesTheSmallestIfOnlySomeMeetTheLimit) {
  const DataFacts facts = Facts(MakeShape(1, 28, 28), 10, 4000);
  // Just above the least there is.
  double least = 1e300;
  const auto smallest = OutlineSpace(facts, 0, {.frugal = true});
  for (const NetworkSize& size : Draw(smallest, facts, 100)) {
    least = std::min(least, size.parameters);
  }
  const std::vector<CostLimit> limits = {{Cost::kParameters, 1.3 * least, "constraints[0].bound"}};
  const auto composition = Compose(facts, limits, {});
  ASSERT_THAT(composition.status(), IsOk());
  EXPECT_THAT(Reasons(*composition), Contains(HasSubstr("only ")));
  EXPECT_EQ(composition->space().SerializeAsString(), smallest.SerializeAsString());
}

TEST(ComposerTest, SmallerLimitsGiveSmallerNetworks) {
  const DataFacts facts = Facts(MakeShape(1, 28, 28), 10, 4000);
  int last = 0;
  for (const double most : {1e4, 5e4, 2e5, 1e7}) {
    const std::vector<CostLimit> limits = {{Cost::kParameters, most, "f"}};
    const auto composition = Compose(facts, limits, {});
    ASSERT_THAT(composition.status(), IsOk());
    const int width = composition->space().stages(0).widths(0);
    EXPECT_GE(width, last) << most;
    last = width;
  }
  EXPECT_EQ(last, Compose(facts, {}, {})->space().stages(0).widths(0));
}

TEST(ComposerTest, MoreDataMakesLargerNetworksOfMoreKinds) {
  const v1::Shape shape = MakeShape(3, 32, 32);
  const v1::StagedSpace few = Compose(Facts(shape, 10, 500), {}, {})->space();
  const v1::StagedSpace many = Compose(Facts(shape, 10, 50000), {}, {})->space();
  EXPECT_LT(few.stages(0).widths(0), many.stages(0).widths(0));
  EXPECT_LT(few.stages(0).blocks_size(), many.stages(0).blocks_size());
}

TEST(ComposerTest, ManyClassesAskForWidthAtTheEnd) {
  const v1::StagedSpace space = Compose(Facts(MakeShape(1, 16, 16), 200, 5000), {}, {})->space();
  EXPECT_GE(space.stages(space.stages_size() - 1).widths(0), 100);
}

TEST(ComposerTest, LargeImagesMayBeHalved) {
  const v1::StagedSpace space = Compose(Facts(MakeShape(3, 97, 64), 10, 5000), {}, {})->space();
  EXPECT_THAT(space.resolutions(), ::testing::ElementsAre(97, 48));
  EXPECT_TRUE(
      Compose(Facts(MakeShape(3, 64, 64), 10, 5000), {}, {})->space().resolutions().empty());
}

TEST(ComposerTest, SignalsGetLongKernelsAndStrides) {
  const v1::StagedSpace space = Compose(Facts(MakeShape(1, 1, 4096), 5, 5000), {}, {})->space();
  EXPECT_THAT(space.stages(0).kernels(), ::testing::ElementsAre(5, 9));
  EXPECT_THAT(space.stages(0).strides(), ::testing::ElementsAre(2, 4));
}

TEST(ComposerTest, ShortTrialsGetSmallNetworks) {
  DataFacts facts = Facts(MakeShape(3, 64, 64), 10, 50000);
  const v1::StagedSpace free = Compose(facts, {}, {})->space();
  const std::vector<CostLimit> limits = {{Cost::kWallSeconds, 300, "limits.wall_seconds", true}};
  const auto bound = Compose(facts, limits, {});
  ASSERT_THAT(bound.status(), IsOk());
  EXPECT_LT(bound->space().stages(0).widths(0), free.stages(0).widths(0));
  EXPECT_THAT(Reasons(*bound), Contains(HasSubstr("wall_seconds <= 300")));
  // An assumption alone refuses nothing.
  const std::vector<CostLimit> hopeless = {
      {Cost::kWallSeconds, 0.001, "limits.wall_seconds", true}};
  EXPECT_THAT(Compose(facts, hopeless, {}).status(), IsOk());
}

TEST(ComposerTest, WithoutAModelAMeasuredLimitIsLeftOut) {
  const std::vector<CostLimit> limits = {{Cost::kLatencyMs, 1, "constraints[0].bound"}};
  const auto composition = Compose(Facts(MakeShape(1, 28, 28), 10, 4000), limits, {});
  ASSERT_THAT(composition.status(), IsOk());
  EXPECT_THAT(Reasons(*composition), Contains(HasSubstr("latency_ms <= 1 is not fitted")));
}

// Milliseconds of a made-up machine.
double Latency(const NetworkSize& size) { return 0.005 * size.layers + 1e-7 * size.macs; }

TEST(ComposerTest, ProbesThenModelsMeetAMeasuredLimit) {
  for (const v1::Shape& shape :
       {MakeShape(1, 28, 28), MakeShape(3, 64, 64), MakeShape(1, 1, 256)}) {
    for (const double most : {0.15, 0.5, 5.0}) {
      SCOPED_TRACE(absl::StrCat(ShapeText(shape), " ", most));
      const DataFacts facts = Facts(shape, 10, 4000);
      const std::vector<CostLimit> limits = {{Cost::kLatencyMs, most, "constraints[0].bound"}};
      const auto probes = ChooseProbes(facts, limits, 5);
      ASSERT_THAT(probes.status(), IsOk());
      ASSERT_EQ(probes->size(), 5U);
      std::vector<CostSample> samples;
      for (const v1::Architecture& probe : *probes) {
        const NetworkSize size = SizeOf(*AnalyzeGraph(probe));
        samples.push_back({size, Latency(size)});
      }
      EXPECT_LT(samples.front().size.macs, samples.back().size.macs);
      CostModels models;
      models.emplace(Cost::kLatencyMs, *CostModel::Fit(Cost::kLatencyMs, samples));
      const auto composition = Compose(facts, limits, models);
      ASSERT_THAT(composition.status(), IsOk());
      const std::vector<NetworkSize> sizes = Draw(composition->space(), facts, 200);
      const auto met = std::count_if(sizes.begin(), sizes.end(), [&](const NetworkSize& size) {
        return Latency(size) <= most;
      });
      EXPECT_GE(met, 180) << composition->ShortDebugString();
    }
  }
}

TEST(ComposerTest, ProbesMeetCountedLimits) {
  const DataFacts facts = Facts(MakeShape(1, 28, 28), 10, 4000);
  const std::vector<CostLimit> limits = {{Cost::kParameters, 2e4, "constraints[0].bound"}};
  const auto probes = ChooseProbes(facts, limits, 5);
  ASSERT_THAT(probes.status(), IsOk());
  EXPECT_GE(probes->size(), 2U);
  for (const v1::Architecture& probe : *probes) EXPECT_LE(AnalyzeGraph(probe)->parameters, 20000);
}

TEST(ComposerTest, SaysTheSameEachTime) {
  const DataFacts facts = Facts(MakeShape(3, 32, 32), 10, 4000);
  const std::vector<CostLimit> limits = {{Cost::kParameters, 5e4, "constraints[0].bound"}};
  EXPECT_EQ(Compose(facts, limits, {})->SerializeAsString(),
            Compose(facts, limits, {})->SerializeAsString());
}

}  // namespace
}  // namespace frontier::coordinator
