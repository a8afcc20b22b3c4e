// The spaces of NAS-Bench-201 and NAS-Bench-101 cells.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/architecture/nasbench101.h"
#include "common/base/random.h"
#include "coordinator/space/space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeShape;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

constexpr uint64_t kSeed = 20101;

v1::SearchSpace Space201(int channels = 2, int cells = 1) {
  v1::SearchSpace spec;
  spec.mutable_nasbench201()->set_channels(channels);
  spec.mutable_nasbench201()->set_cells_per_stage(cells);
  return spec;
}

v1::SearchSpace Space101(int vertices, int edges = 0) {
  v1::SearchSpace spec;
  spec.mutable_nasbench101()->set_stem_channels(8);
  spec.mutable_nasbench101()->set_modules_per_stack(1);
  spec.mutable_nasbench101()->set_max_vertices(vertices);
  spec.mutable_nasbench101()->set_max_edges(edges);
  return spec;
}

std::unique_ptr<Space> Create(const v1::SearchSpace& spec) {
  auto space = CreateSpace(spec, MakeShape(3, 8, 8), 4);
  EXPECT_OK(space);
  return *std::move(space);
}

std::vector<int> Options(const v1::Genotype& genotype) {
  return {genotype.options().begin(), genotype.options().end()};
}

int Differences(const v1::Genotype& a, const v1::Genotype& b) {
  int count = 0;
  for (int i = 0; i < a.options_size(); ++i) count += a.options(i) != b.options(i) ? 1 : 0;
  return count;
}

std::vector<std::vector<int>> Enumerate(const Space& space) {
  v1::Genotype genotype = space.First();
  std::vector<std::vector<int>> all = {Options(genotype)};
  while (space.Advance(&genotype)) all.push_back(Options(genotype));
  return all;
}

// Moves from random genotypes stay in the space and change what they may.
void CheckMoves(const Space& space, int rounds) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int i = 0; i < rounds; ++i) {
    const v1::Genotype a = space.Sample(&rng);
    const v1::Genotype b = space.Sample(&rng);
    const v1::Genotype mutant = space.Mutate(a, &rng);
    const v1::Genotype child = space.Cross(a, b, &rng);
    EXPECT_EQ(Differences(a, mutant), 1);
    const std::vector<v1::Genotype> neighbours = space.Neighbours(a);
    EXPECT_TRUE(std::any_of(neighbours.begin(), neighbours.end(),
                            [&](const v1::Genotype& n) { return Options(n) == Options(mutant); }));
    for (int d = 0; d < child.options_size(); ++d) {
      EXPECT_TRUE(child.options(d) == a.options(d) || child.options(d) == b.options(d));
    }
    const auto architecture = space.Lower(child);
    ASSERT_OK(architecture) << space.Summarize(child);
    EXPECT_OK(AnalyzeGraph(*architecture));
    EXPECT_OK(space.Lower(mutant));
    for (const v1::Genotype& n : neighbours) {
      EXPECT_EQ(Differences(a, n), 1);
      EXPECT_FALSE(space.Summarize(n).empty());
    }
    const std::vector<float> features = space.Features(child);
    EXPECT_EQ(features.size(), space.Features(v1::Genotype()).size());
    for (const float feature : features) EXPECT_TRUE(feature == 0 || feature == 1);
  }
}

void CheckStrangers(const Space& space) {
  Rng rng(kSeed);
  v1::Genotype wrong = space.First();
  for (const int value : {-1, 99, INT32_MAX, INT32_MIN}) {
    wrong.set_options(0, value);
    EXPECT_THAT(space.Lower(wrong), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("has no option " + std::to_string(value))));
    EXPECT_OK(space.Lower(space.Mutate(wrong, &rng)));
    EXPECT_EQ(Options(space.Cross(wrong, space.First(), &rng)), Options(space.First()));
    EXPECT_EQ(Options(space.Cross(space.First(), wrong, &rng)), Options(space.First()));
    EXPECT_TRUE(space.Neighbours(wrong).empty());
    for (const float feature : space.Features(wrong)) EXPECT_EQ(feature, 0);
    v1::Genotype next = wrong;
    EXPECT_FALSE(space.Advance(&next));
    EXPECT_EQ(space.Summarize(wrong).front(), '(');
  }
  EXPECT_FALSE(space.Lower(v1::Genotype()).ok());
}

TEST(NasBench201SpaceTest, HasThePublishedCells) {
  const auto space = Create(Space201());
  EXPECT_EQ(space->Size(), "15625");
  EXPECT_EQ(Enumerate(*space).size(), 15625u);
  EXPECT_EQ(space->decisions()[2].name, "edge1-2");
  EXPECT_EQ(space->decisions()[2].options[4], "avg_pool_3x3");
  EXPECT_EQ(space->Summarize(space->First()), "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|");
}

TEST(NasBench201SpaceTest, DefaultsAreThePublishedNetworks) {
  v1::SearchSpace spec;
  spec.mutable_nasbench201();
  const auto space = CreateSpace(spec, MakeShape(3, 32, 32), 10);
  ASSERT_OK(space);
  ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, (*space)->Lower((*space)->First()));
  EXPECT_EQ(AnalyzeGraph(architecture)->parameters, 73306);
}

TEST(NasBench201SpaceTest, OperationsMayBeFewer) {
  v1::SearchSpace spec = Space201();
  spec.mutable_nasbench201()->add_operations(v1::CELL_OPERATION_NOR_CONV_3X3);
  spec.mutable_nasbench201()->add_operations(v1::CELL_OPERATION_SKIP_CONNECT);
  const auto space = Create(spec);
  EXPECT_EQ(space->Size(), "64");
  EXPECT_THAT(space->decisions()[0].options,
              ::testing::ElementsAre("nor_conv_3x3", "skip_connect"));
  EXPECT_THAT(space->Summarize(space->First()), HasSubstr("|nor_conv_3x3~0|+"));
}

TEST(NasBench201SpaceTest, MovesStayInTheSpace) { CheckMoves(*Create(Space201()), 200); }
TEST(NasBench201SpaceTest, StrangersAreTold) { CheckStrangers(*Create(Space201())); }

TEST(NasBench201SpaceTest, NamesWhatMakesNoSpace) {
  const auto error = [](const v1::SearchSpace& spec, const std::string& what) {
    EXPECT_THAT(CreateSpace(spec, MakeShape(3, 8, 8), 4),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  error(Space201(-1), "nasbench201.channels: is -1, must be 0 (= 16) to 4096");
  error(Space201(INT32_MAX), "nasbench201.channels: is 2147483647");
  error(Space201(4, -5), "nasbench201.cells_per_stage: is -5, must be 0 (= 5) to 64");
  v1::SearchSpace spec = Space201();
  spec.mutable_nasbench201()->add_operations(v1::CELL_OPERATION_NONE);
  spec.mutable_nasbench201()->add_operations(static_cast<v1::CellOperation>(77));
  error(spec, "nasbench201.operations[1]: unknown operation 77");
  spec.mutable_nasbench201()->set_operations(1, v1::CELL_OPERATION_NONE);
  error(spec, "nasbench201.operations[1]: none is listed twice");
  EXPECT_THAT(CreateSpace(Space201(), MakeShape(3, 0, 8), 4),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("samples of 3x0x8")));
  EXPECT_THAT(CreateSpace(Space201(), MakeShape(3, 8, 8), -4),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-4 classes")));
}

TEST(NasBench101SpaceTest, SizeIsThatOfTheEnumeration) {
  for (int vertices = 2; vertices <= 5; ++vertices) {
    for (const int edges : {1, 4, 9}) {
      const auto space = Create(Space101(vertices, edges));
      std::vector<std::vector<int>> all = Enumerate(*space);
      EXPECT_EQ(std::to_string(all.size()), space->Size()) << vertices << " " << edges;
      EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
      EXPECT_EQ(std::set<std::vector<int>>(all.begin(), all.end()).size(), all.size());
    }
  }
}

// Every list of options that its own check admits is enumerated.
TEST(NasBench101SpaceTest, EnumerationMissesNothing) {
  const auto space = Create(Space101(4, 4));
  const std::vector<std::vector<int>> all = Enumerate(*space);
  const std::set<std::vector<int>> known(all.begin(), all.end());
  size_t valid = 0;
  for (int edges = 0; edges < 64; ++edges) {
    for (int operations = 0; operations < 9; ++operations) {
      v1::Genotype genotype;
      for (int i = 0; i < 6; ++i) genotype.add_options(edges >> i & 1);
      genotype.add_options(operations / 3);
      genotype.add_options(operations % 3);
      if (!space->Lower(genotype).ok()) continue;
      ++valid;
      EXPECT_EQ(known.count(Options(genotype)), 1u);
    }
  }
  EXPECT_EQ(valid, known.size());
}

TEST(NasBench101SpaceTest, SamplesAreUniformOverGenotypes) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  const auto space = Create(Space101(4, 3));
  const size_t size = Enumerate(*space).size();
  std::map<std::vector<int>, int> count;
  const int draws = 200 * static_cast<int>(size);
  for (int i = 0; i < draws; ++i) ++count[Options(space->Sample(&rng))];
  EXPECT_EQ(count.size(), size);
  // 200 on average, standard deviation 14.
  for (const auto& [options, times] : count) EXPECT_NEAR(times, 200, 75);
}

TEST(NasBench101SpaceTest, IsomorphicCellsAreOneNetwork) {
  std::cout << "seed " << kSeed << "\n";
  // All genotypes of up to four vertices: as many networks as the paper counts cells.
  const auto space = Create(Space101(4));
  std::set<std::string> hashes;
  v1::Genotype genotype = space->First();
  do {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, space->Lower(genotype));
    hashes.insert(*CanonicalHash(architecture));
  } while (space->Advance(&genotype));
  EXPECT_EQ(hashes.size(), 91u);
}

TEST(NasBench101SpaceTest, MovesStayInTheSpace) {
  CheckMoves(*Create(Space101(7)), 60);
  CheckMoves(*Create(Space101(5, 4)), 60);
}

TEST(NasBench101SpaceTest, AMutantCanBeAnyNeighbour) {
  Rng rng(kSeed);
  const auto space = Create(Space101(4, 3));
  const v1::Genotype parent = space->Sample(&rng);
  std::set<std::vector<int>> reached;
  for (int i = 0; i < 500; ++i) reached.insert(Options(space->Mutate(parent, &rng)));
  std::set<std::vector<int>> neighbours;
  for (const v1::Genotype& n : space->Neighbours(parent)) neighbours.insert(Options(n));
  EXPECT_EQ(reached, neighbours);
}

TEST(NasBench101SpaceTest, ASingleCellHasNowhereToGo) {
  Rng rng(kSeed);
  const auto space = Create(Space101(2));
  EXPECT_EQ(space->Size(), "1");
  EXPECT_EQ(Options(space->Mutate(space->First(), &rng)), Options(space->First()));
  EXPECT_TRUE(space->Neighbours(space->First()).empty());
  EXPECT_EQ(Options(space->Sample(&rng)), Options(space->First()));
}

TEST(NasBench101SpaceTest, FeaturesLeaveOutWhatIsDropped) {
  const auto space = Create(Space101(4));
  // Input to output; vertex 1 hangs on the input, vertex 2 on nothing.
  v1::Genotype genotype;
  for (const int option : {1, 0, 1, 0, 0, 1, 2, 1}) genotype.add_options(option);
  const std::vector<float> features = space->Features(genotype);
  ASSERT_EQ(features.size(), 6u + 6u);
  for (size_t i = 0; i < features.size(); ++i) EXPECT_EQ(features[i], i == 2 ? 1 : 0) << i;
}

TEST(NasBench101SpaceTest, StrangersAreTold) {
  CheckStrangers(*Create(Space101(5)));
  const auto space = Create(Space101(4, 3));
  v1::Genotype genotype;
  genotype.mutable_options()->Resize(8, 0);
  EXPECT_THAT(space->Lower(genotype), StatusIs(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("no path from the input to the output")));
  for (int i = 0; i < 6; ++i) genotype.set_options(i, 1);
  EXPECT_THAT(space->Lower(genotype),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("6 edges between input and output, at most 3")));
}

TEST(NasBench101SpaceTest, NamesWhatMakesNoSpace) {
  const auto error = [](const v1::SearchSpace& spec, const std::string& what) {
    EXPECT_THAT(CreateSpace(spec, MakeShape(3, 8, 8), 4),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  error(Space101(1), "nasbench101.max_vertices: is 1, must be 0 (= 7) or 2 to 7");
  error(Space101(INT32_MIN), "nasbench101.max_vertices: is -2147483648");
  error(Space101(4, -1), "nasbench101.max_edges: is -1, must be 0 (= 9) or 1 to 21");
  v1::SearchSpace spec = Space101(7);
  spec.mutable_nasbench101()->set_stem_channels(4);
  error(spec, "nasbench101.stem_channels: is 4, must be 0 (= 128) or 5 to 2048");
  spec = Space101(3);
  spec.mutable_nasbench101()->set_modules_per_stack(1000);
  error(spec, "nasbench101.modules_per_stack: is 1000");
  EXPECT_THAT(CreateSpace(Space101(3), MakeShape(0, 8, 8), 4),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("samples of 0x8x8")));
}

}  // namespace
}  // namespace frontier::coordinator
