// Choices with conditions and constraints: counted, drawn and enumerated as a slow search finds
// them.
#include "coordinator/space/graph_choices.h"

#include <cmath>
#include <cstdint>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

struct Problem {
  std::vector<Decision> decisions;
  std::vector<Constraint> constraints;
};

std::vector<int32_t> SomeOptions(int options, Rng* rng) {
  std::vector<int32_t> some;
  while (some.empty()) {
    for (int32_t o = 0; o < options; ++o) {
      if (rng->Uniform(2) == 1) some.push_back(o);
    }
  }
  return some;
}

Problem RandomProblem(Rng* rng) {
  Problem problem;
  const auto count = static_cast<int>(1 + rng->Uniform(6));
  const auto condition_on = [&](int before) {
    Condition condition;
    condition.decision = static_cast<int>(rng->Uniform(before));
    condition.options =
        SomeOptions(static_cast<int>(problem.decisions[condition.decision].options.size()), rng);
    return condition;
  };
  for (int i = 0; i < count; ++i) {
    Decision decision;
    decision.name = absl::StrCat("c", i);
    const auto options = static_cast<int>(1 + rng->Uniform(4));
    for (int o = 0; o < options; ++o) decision.options.push_back(absl::StrCat("o", o));
    for (uint64_t c = rng->Uniform(3); i > 0 && c > 0; --c) {
      decision.conditions.push_back(condition_on(i));
    }
    problem.decisions.push_back(std::move(decision));
  }
  for (uint64_t c = rng->Uniform(5); c > 0; --c) {
    Constraint constraint;
    for (uint64_t k = 1 + rng->Uniform(3); k > 0; --k) constraint.push_back(condition_on(count));
    problem.constraints.push_back(std::move(constraint));
  }
  return problem;
}

bool Holds(const Condition& condition, const v1::Genotype& genotype,
           const std::vector<bool>& active) {
  bool named = false;
  for (const int32_t option : condition.options) {
    named = named || option == genotype.options(condition.decision);
  }
  return active[condition.decision] && named;
}

// All genotypes, by going through all lists of options.
std::vector<std::string> ListSlowly(const Problem& problem) {
  std::vector<std::string> found;
  v1::Genotype genotype;
  for (size_t i = 0; i < problem.decisions.size(); ++i) genotype.add_options(0);
  while (true) {
    std::vector<bool> active;
    bool fine = true;
    for (size_t i = 0; i < problem.decisions.size(); ++i) {
      bool all = true;
      for (const Condition& condition : problem.decisions[i].conditions) {
        all = all && Holds(condition, genotype, active);
      }
      active.push_back(all);
      fine = fine && (all || genotype.options(static_cast<int>(i)) == 0);
    }
    for (const Constraint& constraint : problem.constraints) {
      bool broken = true;
      for (const Condition& condition : constraint) {
        broken = broken && Holds(condition, genotype, active);
      }
      fine = fine && !broken;
    }
    if (fine) found.push_back(genotype.SerializeAsString());
    size_t i = problem.decisions.size();
    while (i > 0) {
      const auto index = static_cast<int>(--i);
      genotype.set_options(index, genotype.options(index) + 1);
      if (static_cast<size_t>(genotype.options(index)) < problem.decisions[i].options.size()) break;
      genotype.set_options(index, 0);
      if (i == 0) return found;
    }
  }
}

TEST(GraphChoicesTest, AgreesWithASlowSearch) {
  int empty = 0;
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Rng rng(seed);
    const Problem problem = RandomProblem(&rng);
    const std::vector<std::string> slow = ListSlowly(problem);
    const auto created = GraphChoices::Create(problem.decisions, problem.constraints);
    if (slow.empty()) {
      ++empty;
      EXPECT_THAT(created.status(),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("leaves no candidate")));
      continue;
    }
    ASSERT_OK(created);
    EXPECT_EQ(created->Size(), absl::StrCat(slow.size()));
    std::vector<std::string> listed;
    v1::Genotype genotype = created->First();
    const std::set<std::string> all(slow.begin(), slow.end());
    do {
      listed.push_back(genotype.SerializeAsString());
      ASSERT_OK(created->Check(genotype));
      // Neighbours are of the space, and differ in one decision that stays active.
      for (const v1::Genotype& neighbour : created->Neighbours(genotype)) {
        EXPECT_EQ(all.count(neighbour.SerializeAsString()), 1u);
        EXPECT_NE(neighbour.SerializeAsString(), genotype.SerializeAsString());
      }
    } while (created->Advance(&genotype));
    EXPECT_EQ(listed, slow);
    for (int i = 0; i < 20; ++i) {
      const v1::Genotype a = created->Sample(&rng);
      const v1::Genotype b = created->Mutate(a, &rng);
      EXPECT_EQ(all.count(a.SerializeAsString()), 1u);
      EXPECT_EQ(all.count(b.SerializeAsString()), 1u);
      EXPECT_EQ(all.count(created->Cross(a, b, &rng).SerializeAsString()), 1u);
      if (slow.size() > 1) {
        EXPECT_NE(a.SerializeAsString(), b.SerializeAsString());
      }
    }
  }
  EXPECT_GT(empty, 5);
}

TEST(GraphChoicesTest, DrawsAreUniform) {
  constexpr uint64_t kSeed = 11;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  Problem problem;
  do {
    problem = RandomProblem(&rng);
  } while (ListSlowly(problem).size() < 40 || problem.constraints.size() < 2);
  const auto choices = GraphChoices::Create(problem.decisions, problem.constraints);
  ASSERT_OK(choices);
  const size_t size = ListSlowly(problem).size();
  std::map<std::string, int> counts;
  const int draws = static_cast<int>(size) * 400;
  for (int i = 0; i < draws; ++i) ++counts[choices->Sample(&rng).SerializeAsString()];
  EXPECT_EQ(counts.size(), size);
  double chi_square = 0;
  for (const auto& [genotype, count] : counts) {
    chi_square += (count - 400.0) * (count - 400.0) / 400;
  }
  // Mean size - 1, standard deviation sqrt(2 (size - 1)).
  EXPECT_NEAR(chi_square, static_cast<double>(size - 1), 5 * std::sqrt(2.0 * (size - 1)));
}

Decision MakeDecision(const std::string& name, int options) {
  Decision decision;
  decision.name = name;
  for (int o = 0; o < options; ++o) decision.options.push_back(absl::StrCat("v", o));
  return decision;
}

TEST(GraphChoicesTest, NoChoicesAreOneGenotype) {
  const auto choices = GraphChoices::Create({}, {});
  ASSERT_OK(choices);
  EXPECT_EQ(choices->Size(), "1");
  v1::Genotype genotype = choices->First();
  EXPECT_FALSE(choices->Advance(&genotype));
  Rng rng(1);
  EXPECT_EQ(choices->Mutate(genotype, &rng).options_size(), 0);
}

TEST(GraphChoicesTest, CountsBeyondMachineWords) {
  std::vector<Decision> decisions;
  for (int i = 0; i < 256; ++i) decisions.push_back(MakeDecision(absl::StrCat("c", i), 10));
  // One combination of all of them is ruled out.
  Constraint all;
  for (int i = 0; i < 256; ++i) all.push_back({i, {9}});
  const auto choices = GraphChoices::Create(decisions, {all});
  ASSERT_OK(choices);
  EXPECT_EQ(choices->Size(), std::string(256, '9'));
}

TEST(GraphChoicesTest, TheConstraintThatLeavesNothingIsNamed) {
  const std::vector<Decision> decisions = {MakeDecision("a", 2), MakeDecision("b", 2)};
  EXPECT_THAT(
      GraphChoices::Create(decisions, {{{0, {0}}, {1, {1}}}, {{1, {0, 1}}}}).status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("constraints[1]: leaves no candidate: it rules out b = v0 or v1, which "
                         "is all there is")));
  const absl::Status together =
      GraphChoices::Create(decisions,
                           {{{0, {0}}, {1, {1}}}, {{0, {0}}}, {{0, {1}}, {1, {0}}}, {{1, {1}}}})
          .status();
  EXPECT_THAT(together,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       ::testing::AllOf(HasSubstr("constraints[1]"), HasSubstr("constraints[2]"),
                                        HasSubstr("constraints[3]"))));
  EXPECT_THAT(std::string(together.message()), ::testing::Not(HasSubstr("constraints[0]")));
}

TEST(GraphChoicesTest, TooMuchToRememberIsRefused) {
  std::vector<Decision> decisions;
  for (int i = 0; i < 80; ++i) decisions.push_back(MakeDecision(absl::StrCat("c", i), 2));
  std::vector<Constraint> constraints;
  // Pairs that stand far apart, so that all first halves must be remembered.
  for (int i = 0; i < 40; ++i) constraints.push_back({{i, {1}}, {i + 40, {1}}});
  EXPECT_THAT(GraphChoices::Create(decisions, constraints).status(),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("choice 'c")));
}

TEST(GraphChoicesTest, WhatIsNoGenotypeIsNamed) {
  std::vector<Decision> decisions = {MakeDecision("a", 2), MakeDecision("b", 3)};
  decisions[1].conditions.push_back({0, {1}});
  const auto choices = GraphChoices::Create(decisions, {{{0, {1}}, {1, {2}}}});
  ASSERT_OK(choices);
  EXPECT_EQ(choices->Size(), "3");
  const auto check = [&](const std::vector<int>& options) {
    v1::Genotype genotype;
    for (const int option : options) genotype.add_options(option);
    EXPECT_THAT(choices->Neighbours(genotype), ::testing::IsEmpty());
    EXPECT_THAT(choices->Features(genotype), ::testing::Each(0));
    return std::string(choices->Check(genotype).message());
  };
  EXPECT_THAT(check({0}), HasSubstr("1 options, the space has 2 decisions"));
  EXPECT_THAT(check({2, 0}), HasSubstr("a has no option 2"));
  EXPECT_THAT(check({-1, 0}), HasSubstr("a has no option -1"));
  EXPECT_THAT(check({0, 1}), HasSubstr("b is inactive, since a is v0"));
  EXPECT_THAT(check({1, 2}), HasSubstr("constraints[0] rules out a = v1 with b = v2"));
}

}  // namespace
}  // namespace frontier::coordinator
