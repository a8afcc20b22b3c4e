// Decisions with conditions, against brute force on small random ones.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/space/encoding.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Options = std::vector<int>;

Options ToOptions(const v1::Genotype& genotype) {
  return {genotype.options().begin(), genotype.options().end()};
}

v1::Genotype ToGenotype(const Options& options) {
  v1::Genotype genotype;
  for (const int option : options) genotype.add_options(option);
  return genotype;
}

std::vector<Decision> RandomDecisions(Rng* rng) {
  std::vector<Decision> decisions(2 + rng->Uniform(5));
  for (size_t i = 0; i < decisions.size(); ++i) {
    decisions[i].name = "d" + std::to_string(i);
    decisions[i].options.assign(1 + rng->Uniform(3), "x");
    if (i == 0) continue;
    for (uint64_t n = rng->Uniform(4); n > 1; --n) {
      Condition condition;
      condition.decision = static_cast<int>(rng->Uniform(i));
      const auto options = decisions[condition.decision].options.size();
      // Unordered, some twice.
      for (uint64_t k = 1 + rng->Uniform(options); k > 0; --k) {
        condition.options.push_back(static_cast<int32_t>(rng->Uniform(options)));
      }
      decisions[i].conditions.push_back(condition);
    }
  }
  return decisions;
}

std::vector<bool> Active(const std::vector<Decision>& decisions, const Options& options) {
  std::vector<bool> active;
  for (const Decision& decision : decisions) {
    active.push_back(std::all_of(
        decision.conditions.begin(), decision.conditions.end(), [&](const Condition& condition) {
          const std::vector<int32_t>& allowed = condition.options;
          return active[condition.decision] &&
                 std::count(allowed.begin(), allowed.end(), options[condition.decision]) > 0;
        }));
  }
  return active;
}

bool Valid(const std::vector<Decision>& decisions, const Options& options) {
  const std::vector<bool> active = Active(decisions, options);
  for (size_t i = 0; i < options.size(); ++i) {
    if (!active[i] && options[i] != 0) return false;
  }
  return true;
}

// Every list of options, valid or not, in lexicographic order.
std::vector<Options> AllLists(const std::vector<Decision>& decisions) {
  std::vector<Options> lists = {{}};
  for (const Decision& decision : decisions) {
    std::vector<Options> longer;
    for (const Options& list : lists) {
      for (size_t option = 0; option < decision.options.size(); ++option) {
        longer.push_back(list);
        longer.back().push_back(static_cast<int>(option));
      }
    }
    lists = std::move(longer);
  }
  return lists;
}

std::vector<Options> AllGenotypes(const std::vector<Decision>& decisions) {
  std::vector<Options> all;
  for (const Options& list : AllLists(decisions)) {
    if (Valid(decisions, list)) all.push_back(list);
  }
  return all;
}

constexpr uint64_t kSeeds = 100;

// The decisions of a seed, and all their genotypes.
struct Sample {
  explicit Sample(uint64_t seed) : rng(seed), decisions(RandomDecisions(&rng)) {
    absl::StatusOr<Encoding> created = Encoding::Create(decisions);
    EXPECT_OK(created);
    if (created.ok()) encoding = *std::move(created);
    all = AllGenotypes(decisions);
  }

  Rng rng;
  const std::vector<Decision> decisions;
  Encoding encoding{std::vector<Decision>()};
  std::vector<Options> all;
};

// A failure prints the seed; to reproduce it, call `check` with that alone.
void ForAllSeeds(const std::function<void(Sample* sample)>& check) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Sample sample(seed);
    check(&sample);
  }
}

TEST(ConditionsTest, SizeEqualsEnumeration) {
  ForAllSeeds([](Sample* s) {
    EXPECT_EQ(s->encoding.Size(), std::to_string(s->all.size()));
    for (const Options& list : AllLists(s->decisions)) {
      EXPECT_EQ(s->encoding.Check(ToGenotype(list)).ok(), Valid(s->decisions, list));
    }
  });
}

TEST(ConditionsTest, AdvanceWalksTheGenotypesInOrder) {
  ForAllSeeds([](Sample* s) {
    std::vector<Options> walked;
    v1::Genotype genotype = s->encoding.First();
    do {
      walked.push_back(ToOptions(genotype));
      EXPECT_EQ(s->encoding.Active(genotype), Active(s->decisions, walked.back()));
    } while (s->encoding.Advance(&genotype));
    EXPECT_EQ(walked, s->all);
  });
}

TEST(ConditionsTest, SampleIsUniform) {
  ForAllSeeds([](Sample* s) {
    std::map<Options, int> counts;
    const int draws = 50 * static_cast<int>(s->all.size());
    for (int i = 0; i < draws; ++i) ++counts[ToOptions(s->encoding.Sample(&s->rng))];
    double chi_square = 0;
    for (const Options& options : s->all) {
      const double count = counts[options];
      chi_square += (count - 50) * (count - 50) / 50;
    }
    EXPECT_EQ(counts.size(), s->all.size());
    // Wilson and Hilferty 1931, at four standard deviations: once in 30,000.
    const double freedom = std::max<double>(1, static_cast<double>(s->all.size()) - 1);
    const double cube = 1 - 2 / (9 * freedom) + 4 * std::sqrt(2 / (9 * freedom));
    EXPECT_LT(chi_square, freedom * cube * cube * cube);
  });
}

TEST(ConditionsTest, MutateChangesOneActiveDecision) {
  ForAllSeeds([](Sample* s) {
    for (int i = 0; i < 300; ++i) {
      const Options parent = s->all[s->rng.Uniform(s->all.size())];
      const Options child = ToOptions(s->encoding.Mutate(ToGenotype(parent), &s->rng));
      ASSERT_TRUE(Valid(s->decisions, child));
      const std::vector<bool> before = Active(s->decisions, parent);
      const std::vector<bool> after = Active(s->decisions, child);
      int changed = 0;
      bool open = false;
      for (size_t d = 0; d < parent.size(); ++d) {
        open = open || (before[d] && s->decisions[d].options.size() > 1);
        if (before[d] && after[d] && parent[d] != child[d]) ++changed;
      }
      EXPECT_EQ(changed, open ? 1 : 0);
    }
  });
}

TEST(ConditionsTest, MutateReachesEverything) {
  ForAllSeeds([](Sample* s) {
    std::set<Options> reached;
    Options at = s->all[0];
    for (size_t i = 0; i < 200 * s->all.size() && reached.size() < s->all.size(); ++i) {
      at = ToOptions(s->encoding.Mutate(ToGenotype(at), &s->rng));
      reached.insert(at);
    }
    EXPECT_EQ(reached.size(), s->all.size());
  });
}

TEST(ConditionsTest, CrossTakesWhatIsActiveFromAParent) {
  ForAllSeeds([](Sample* s) {
    for (int i = 0; i < 300; ++i) {
      const Options first = s->all[s->rng.Uniform(s->all.size())];
      const Options second = s->all[s->rng.Uniform(s->all.size())];
      const Options child =
          ToOptions(s->encoding.Cross(ToGenotype(first), ToGenotype(second), &s->rng));
      ASSERT_TRUE(Valid(s->decisions, child));
      const std::vector<bool> active = Active(s->decisions, child);
      const std::vector<bool> in_first = Active(s->decisions, first);
      const std::vector<bool> in_second = Active(s->decisions, second);
      for (size_t d = 0; d < child.size(); ++d) {
        if (!active[d] || (!in_first[d] && !in_second[d])) continue;
        EXPECT_TRUE((in_first[d] && child[d] == first[d]) ||
                    (in_second[d] && child[d] == second[d]));
      }
      if (first == second) {
        EXPECT_EQ(child, first);
      }
    }
  });
}

TEST(ConditionsTest, NeighboursDifferInOneActiveDecision) {
  ForAllSeeds([](Sample* s) {
    for (const Options& options : s->all) {
      std::vector<Options> expected;
      const std::vector<bool> before = Active(s->decisions, options);
      for (size_t d = 0; d < options.size(); ++d) {
        if (!before[d]) continue;
        for (size_t option = 0; option < s->decisions[d].options.size(); ++option) {
          if (static_cast<int>(option) == options[d]) continue;
          Options neighbour = options;
          neighbour[d] = static_cast<int>(option);
          for (size_t later = d + 1; later < options.size(); ++later) {
            const std::vector<bool> after = Active(s->decisions, neighbour);
            if (after[later] != before[later]) neighbour[later] = 0;
          }
          expected.push_back(neighbour);
        }
      }
      std::vector<Options> neighbours;
      for (const v1::Genotype& each : s->encoding.Neighbours(ToGenotype(options))) {
        neighbours.push_back(ToOptions(each));
        EXPECT_TRUE(Valid(s->decisions, neighbours.back()));
      }
      EXPECT_EQ(neighbours, expected);
      EXPECT_EQ(std::set<Options>(expected.begin(), expected.end()).size(), expected.size());
    }
  });
}

TEST(ConditionsTest, FeaturesTellGenotypesApart) {
  ForAllSeeds([](Sample* s) {
    size_t length = 0;
    for (const Decision& decision : s->decisions) length += decision.options.size();
    std::set<std::vector<float>> seen;
    for (const Options& options : s->all) {
      const std::vector<float> features = s->encoding.Features(ToGenotype(options));
      EXPECT_EQ(features.size(), length);
      const std::vector<bool> active = Active(s->decisions, options);
      EXPECT_EQ(std::count(features.begin(), features.end(), 1.0f),
                std::count(active.begin(), active.end(), true));
      seen.insert(features);
    }
    EXPECT_EQ(seen.size(), s->all.size());
  });
}

Decision Make(const std::string& name, int options, std::vector<Condition> conditions = {}) {
  return {name, std::vector<std::string>(options, "x"), std::move(conditions)};
}

TEST(EncodingCreateTest, StructureFirstAndDetailsLastNeedFewStates) {
  std::vector<Decision> decisions;
  for (int i = 0; i < 200; ++i) decisions.push_back(Make("root" + std::to_string(i), 2));
  for (int i = 0; i < 200; ++i) {
    decisions.push_back(Make("detail" + std::to_string(i), 2, {{i, {1}}}));
  }
  ASSERT_OK_AND_ASSIGN(const Encoding encoding, Encoding::Create(decisions));
  // 3^200: each pair is off, or on in two ways.
  EXPECT_EQ(
      encoding.Size(),
      "265613988875874769338781322035779626829233452653394495974574961739092490901302182994384"
      "699044001");
}

TEST(EncodingCreateTest, TwoHundredOptionalLayersAreDrawnUniformly) {
  // depth 0 to 200, and two kernels for each layer: 2^201 - 1 genotypes, half of them the deepest.
  std::vector<Decision> decisions = {Make("depth", 201)};
  for (int layer = 1; layer <= 200; ++layer) {
    Condition deep_enough{0, {}};
    for (int depth = layer; depth <= 200; ++depth) deep_enough.options.push_back(depth);
    decisions.push_back(Make("kernel" + std::to_string(layer), 2, {deep_enough}));
  }
  ASSERT_OK_AND_ASSIGN(const Encoding encoding, Encoding::Create(decisions));
  Rng rng(11);
  int deepest = 0;
  for (int i = 0; i < 400; ++i) {
    if (encoding.Sample(&rng).options(0) == 200) ++deepest;
  }
  EXPECT_NEAR(deepest, 200, 50);
}

TEST(EncodingCreateTest, TooManyOpenConditionsAreRefused) {
  std::vector<Decision> decisions;
  for (int i = 0; i < 30; ++i) decisions.push_back(Make("root" + std::to_string(i), 2));
  for (int i = 0; i < 30; ++i) {
    for (int j = 0; j < i; ++j) {
      decisions.push_back(Make("pair" + std::to_string(i), 2, {{i, {1}}, {j, {1}}}));
    }
  }
  EXPECT_THAT(Encoding::Create(decisions),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("decision 'pair"), HasSubstr("too many combinations"))));
}

TEST(EncodingCreateTest, RefusesAndNamesWhatIsWrong) {
  const auto refused = [](const std::vector<Decision>& decisions, const std::string& problem) {
    EXPECT_THAT(Encoding::Create(decisions),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(problem)));
  };
  refused({Make("empty", 0)}, "decision 'empty': has no options");
  refused({Make("self", 2, {{0, {1}}})}, "decision 'self': depends on decision 0, but is itself");
  refused({Make("a", 2, {{1, {1}}}), Make("b", 2)}, "'a': depends on decision 1");
  refused({Make("a", 2), Make("b", 2, {{-1, {1}}})}, "'b': depends on decision -1");
  refused({Make("a", 2), Make("b", 2, {{2147483647, {1}}})}, "depends on decision 2147483647");
  refused({Make("a", 2), Make("b", 2, {{0, {}}})}, "'b': can never be active: no option of 'a'");
  refused({Make("a", 2), Make("b", 2, {{0, {0, 2}}})},
          "'b': depends on option 2 of 'a', which has only 0 to 1");
  refused({Make("a", 2), Make("b", 2, {{0, {-1}}})}, "'b': depends on option -1 of 'a'");
}

TEST(EncodingCheckTest, SaysWhyADecisionIsInactive) {
  std::vector<Decision> decisions = {Make("depth", 2), Make("layer", 2, {{0, {1}}}),
                                     Make("kernel", 2, {{1, {1}}})};
  decisions[0].options = {"two", "three"};
  ASSERT_OK_AND_ASSIGN(const Encoding encoding, Encoding::Create(decisions));
  EXPECT_EQ(encoding.Size(), "4");
  EXPECT_OK(encoding.Check(ToGenotype({1, 1, 1})));
  EXPECT_THAT(encoding.Check(ToGenotype({0, 1, 0})).message(),
              HasSubstr("layer is inactive, since depth is two; its option must be 0, not 1"));
  EXPECT_THAT(encoding.Check(ToGenotype({0, 0, 1})).message(),
              HasSubstr("kernel is inactive, since layer is inactive"));
  // A parent that breaks a condition is none.
  Rng rng(3);
  v1::Genotype broken = ToGenotype({0, 1, 0});
  EXPECT_OK(encoding.Check(encoding.Mutate(broken, &rng)));
  EXPECT_EQ(ToOptions(encoding.Cross(broken, ToGenotype({1, 1, 1}), &rng)), (Options{1, 1, 1}));
  EXPECT_TRUE(encoding.Neighbours(broken).empty());
  EXPECT_FALSE(encoding.Advance(&broken));
  EXPECT_EQ(encoding.Features(broken), std::vector<float>(6, 0));
}

}  // namespace
}  // namespace frontier::coordinator
