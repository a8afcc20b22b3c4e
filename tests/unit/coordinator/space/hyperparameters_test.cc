// Hyperparameters: their values, the recipes that follow, and spaces with them.
#include "coordinator/space/hyperparameters.h"

#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coordinator/space/candidate.h"
#include "coordinator/space/space.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::FiveByFiveSpace;
using ::frontier::testing::MakeShape;
using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Hyperparameters::Specs Specs(const std::string& text) {
  v1::SearchSpace space;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &space)) << text;
  return space.hyperparameters();
}

std::vector<std::string> Options(const std::string& range) {
  const auto created = Hyperparameters::Create(Specs("hyperparameters { " + range + " }"));
  EXPECT_OK(created);
  return created.ok() ? created->encoding().decisions()[0].options : std::vector<std::string>();
}

constexpr char kConditional[] = R"(
  hyperparameters { name: "learning_rate" log { low: 0.001 high: 0.1 steps: 3 } }
  hyperparameters { name: "optimizer" categorical { values: "nesterov" values: "adamw" } }
  hyperparameters {
    name: "momentum" linear { low: 0.8 high: 0.9 steps: 2 }
    only_if { choice: "optimizer" options: "nesterov" }
  }
  hyperparameters {
    name: "beta2" categorical { values: "0.99" values: "0.999" values: "0.9999" }
    only_if { choice: "optimizer" options: "adamw" }
  })";

TEST(HyperparametersTest, RangesBecomeValues) {
  EXPECT_THAT(Options(R"(name: "learning_rate" log { low: 0.001 high: 0.1 steps: 5 })"),
              ElementsAre("0.001", "0.00316228", "0.01", "0.0316228", "0.1"));
  EXPECT_THAT(Options(R"(name: "momentum" linear { low: 0 high: 0.9 steps: 4 })"),
              ElementsAre("0", "0.3", "0.6", "0.9"));
  EXPECT_THAT(Options(R"(name: "batch_size" log { low: 16 high: 128 steps: 4 })"),
              ElementsAre("16", "32", "64", "128"));
  EXPECT_THAT(Options(R"(name: "crop_padding" integer { low: 0 high: 5 step: 2 })"),
              ElementsAre("0", "2", "4"));
  EXPECT_THAT(Options(R"(name: "epochs" integer { low: 3 high: 3 })"), ElementsAre("3"));
  EXPECT_THAT(Options(R"(name: "horizontal_flip" categorical { values: "true" values: "false" })"),
              ElementsAre("true", "false"));
  EXPECT_THAT(Options(R"(name: "schedule" categorical { values: "one_cycle" values: "cosine" })"),
              ElementsAre("one_cycle", "cosine"));
  EXPECT_THAT(Options(R"(name: "weight_decay" categorical { values: "5e-4" values: "0.00" })"),
              ElementsAre("0.0005", "0"));
}

TEST(HyperparametersTest, WhatMakesNoneIsNamed) {
  struct Bad {
    std::string text;
    std::string field;
    std::string problem;
  };
  const std::vector<Bad> bad = {
      {R"(name: "rate" integer {})", "name", "'rate' is no hyperparameter; known are: epochs"},
      {R"(name: "class_weights" integer {})", "name", "no hyperparameter"},
      {R"(name: "momentum")", "range", "no values given for momentum"},
      {R"(name: "momentum" linear { low: 0.5 high: 0.5 steps: 2 })", "linear.high", "above 0.5"},
      {R"(name: "momentum" linear { low: nan high: 0.5 steps: 2 })", "linear.low", "nan"},
      {R"(name: "momentum" linear { low: 0 high: inf steps: 2 })", "linear.high", "inf"},
      {R"(name: "momentum" linear { low: 0 high: 1 steps: 1 })", "linear.steps", "is 1"},
      {R"(name: "momentum" linear { low: 0 high: 1 steps: 1001 })", "linear.steps", "is 1001"},
      {R"(name: "learning_rate" log { low: 0 high: 1 steps: 2 })", "log.low", "above 0"},
      {R"(name: "learning_rate" log { low: -1 high: 1 steps: 2 })", "log.low", "above 0"},
      {R"(name: "batch_size" linear { low: 1 high: 2 steps: 5 })", "range", "value 1 twice"},
      {R"(name: "weight_decay" integer { low: 2147483646 high: 2147483647 })", "range",
       "2.14748e+09 twice, since it is rounded"},
      {R"(name: "optimizer" linear { low: 1 high: 2 steps: 2 })", "linear.low", "no number"},
      {R"(name: "batch_size" integer { low: 1 high: 0 })", "integer.high", "is 0"},
      {R"(name: "batch_size" integer { low: 1 high: 9223372036854775807 })", "integer.high",
       "9223372036854775807"},
      {R"(name: "batch_size" integer { low: -9223372036854775808 high: 0 })", "integer.low",
       "-9223372036854775808"},
      {R"(name: "batch_size" integer { low: 1 high: 9 step: -1 })", "integer.step", "is -1"},
      {R"(name: "batch_size" integer { low: 0 high: 1000 })", "integer.step", "more than 1000"},
      {R"(name: "optimizer" categorical {})", "categorical.values", "empty"},
      {R"(name: "optimizer" categorical { values: "adam" })", "categorical.values[0]",
       "'adam' is no value of optimizer, expected one of nesterov, sgd, adamw"},
      {R"(name: "optimizer" categorical { values: "sgd" values: "sgd" })", "categorical.values[1]",
       "sgd twice"},
      {R"(name: "momentum" categorical { values: "0.9" values: "0.90" })", "categorical.values[1]",
       "0.9 twice"},
      {R"(name: "momentum" categorical { values: "nan" })", "categorical.values[0]", "'nan'"},
      {R"(name: "batch_size" categorical { values: "1.5" })", "categorical.values[0]",
       "a whole number"},
      {R"(name: "horizontal_flip" categorical { values: "yes" })", "categorical.values[0]",
       "true or false"},
      {R"(name: "momentum" categorical { values: "0" } only_if { choice: "optimizer" options: "sgd" })",
       "only_if[0].choice", "'optimizer' is no earlier hyperparameter"},
      {R"(name: "momentum" categorical { values: "0" } only_if { choice: "momentum" options: "0" })",
       "only_if[0].choice", "'momentum' is no earlier"},
  };
  for (const Bad& each : bad) {
    const absl::Status status =
        Hyperparameters::Create(Specs("hyperparameters { " + each.text + " }")).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(each.problem)))
        << each.text;
    ASSERT_TRUE(GetErrorDetail(status).has_value()) << each.text;
    EXPECT_EQ(GetErrorDetail(status)->field(), "hyperparameters[0]." + each.field) << each.text;
  }
  std::string twice = R"(hyperparameters { name: "epochs" integer { low: 1 high: 2 } })";
  EXPECT_THAT(Hyperparameters::Create(Specs(twice + twice)).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("epochs is given twice")));
  EXPECT_THAT(Hyperparameters::Create(
                  Specs(twice + R"(hyperparameters { name: "momentum" categorical { values: "0" }
                                   only_if { choice: "epochs" options: "3" } })"))
                  .status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("hyperparameters[1].only_if[0].options[0]: hyperparameter epochs "
                                 "has no option '3', only 1, 2")));
}

TEST(HyperparametersTest, RecipesTakeWhatIsActive) {
  ASSERT_OK_AND_ASSIGN(const Hyperparameters h, Hyperparameters::Create(Specs(kConditional)));
  EXPECT_EQ(h.encoding().Size(), "15");  // 3 * (2 + 3)
  v1::TrainingRecipe base;
  base.set_epochs(7);
  base.set_learning_rate(9);
  base.set_momentum(0.5);
  base.set_beta2(0.5);
  std::set<std::string> recipes;
  v1::Genotype genotype = h.encoding().First();
  do {
    const v1::TrainingRecipe recipe = h.Apply(genotype, base);
    recipes.insert(recipe.SerializeAsString());
    EXPECT_EQ(recipe.epochs(), 7);
    if (recipe.optimizer() == v1::OPTIMIZER_ADAMW) {
      EXPECT_EQ(recipe.momentum(), 0.5);  // as the job has it
      EXPECT_GE(recipe.beta2(), 0.99);
      EXPECT_EQ(h.Values(genotype).back().name(), "beta2");
    } else {
      EXPECT_EQ(recipe.optimizer(), v1::OPTIMIZER_NESTEROV);
      EXPECT_GE(recipe.momentum(), 0.8);
      EXPECT_EQ(recipe.beta2(), 0) << "of adamw alone";
    }
  } while (h.encoding().Advance(&genotype));
  EXPECT_EQ(recipes.size(), 15u);
}

class HyperparameterSpaceTest : public ::testing::Test {
 protected:
  HyperparameterSpaceTest() {
    v1::SearchSpace spec = FiveByFiveSpace();
    *spec.mutable_hyperparameters() = Specs(kConditional);
    space_ = CreateSpace(spec, MakeShape(1, 12, 12), 10).value();
  }
  std::unique_ptr<Space> space_;
};

TEST_F(HyperparameterSpaceTest, SizeEqualsEnumeration) {
  EXPECT_EQ(space_->Size(), "375");
  std::set<std::string> genotypes;
  std::set<std::string> candidates;
  v1::Genotype genotype = space_->First();
  do {
    genotypes.insert(genotype.SerializeAsString());
    ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, space_->Lower(genotype));
    candidates.insert(CandidateHash(*space_, genotype, architecture.SerializeAsString()));
    ASSERT_OK(space_->Recipe(genotype, {}));
  } while (space_->Advance(&genotype));
  EXPECT_EQ(genotypes.size(), 375u);
  EXPECT_EQ(candidates.size(), 375u);
}

TEST_F(HyperparameterSpaceTest, MovesStayInTheSpace) {
  constexpr uint64_t kSeed = 7;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  v1::Genotype parent = space_->Sample(&rng);
  int architecture_moves = 0;
  for (int i = 0; i < 2000; ++i) {
    const v1::Genotype child = space_->Mutate(parent, &rng);
    const auto same = [&](const v1::Genotype& other) {
      return space_->Lower(child)->SerializeAsString() == space_->Lower(other)->SerializeAsString();
    };
    ASSERT_NE(child.SerializeAsString(), parent.SerializeAsString());
    architecture_moves += same(parent) ? 0 : 1;
    const v1::Genotype mixed = space_->Cross(parent, space_->Sample(&rng), &rng);
    ASSERT_OK(space_->Recipe(mixed, {}));
    ASSERT_OK(space_->Lower(mixed));
    parent = child;
  }
  // Two of six decisions with more than one option are the architecture's.
  EXPECT_NEAR(architecture_moves, 2000 / 3, 100);
}

TEST_F(HyperparameterSpaceTest, NeighboursAndFeaturesCoverBothHalves) {
  const v1::Genotype first = space_->First();
  // 4 kernels, 4 widths, 2 rates, 1 optimizer, 1 momentum.
  EXPECT_EQ(space_->Neighbours(first).size(), 12u);
  size_t options = 0;
  for (const Decision& decision : space_->decisions()) options += decision.options.size();
  EXPECT_EQ(space_->Features(first).size(), options);
  EXPECT_EQ(space_->Summarize(first).substr(space_->Summarize(first).rfind('|')),
            "| learning_rate 0.001, optimizer nesterov, momentum 0.8");
}

TEST_F(HyperparameterSpaceTest, GenotypesOfOthersAreRefused) {
  for (const std::vector<int>& options :
       std::vector<std::vector<int>>{{},
                                     {0},
                                     {0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0},
                                     {99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                                     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}}) {
    v1::Genotype genotype;
    for (const int option : options) genotype.add_options(option);
    EXPECT_FALSE(space_->Lower(genotype).ok());
    EXPECT_FALSE(space_->Recipe(genotype, {}).ok());
    EXPECT_THAT(space_->HyperparameterValues(genotype), ::testing::IsEmpty());
    EXPECT_THAT(space_->Neighbours(genotype), ::testing::IsEmpty());
    EXPECT_THAT(space_->Features(genotype), ::testing::Each(0));
    EXPECT_FALSE(space_->Advance(&genotype));
    Rng rng(1);
    EXPECT_OK(space_->Lower(space_->Mutate(genotype, &rng)));
    EXPECT_OK(space_->Lower(space_->Cross(genotype, genotype, &rng)));
  }
}

}  // namespace
}  // namespace frontier::coordinator
