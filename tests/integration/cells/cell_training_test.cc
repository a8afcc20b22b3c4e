// Whatever the spaces of cells emit is valid, trains a step and exports.
#include <iostream>
#include <memory>
#include <string>

#include "common/base/random.h"
#include "coordinator/space/space.h"
#include "gtest/gtest.h"
#include "tests/support/one_training_step.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

constexpr uint64_t kSeed = 7;
constexpr int kDraws = 12;

void ExpectMembersTrain(const v1::SearchSpace& spec) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (const v1::Shape& input : {testing::MakeShape(1, 9, 9), testing::MakeShape(3, 1, 24)}) {
    const auto space = coordinator::CreateSpace(spec, input, 4);
    ASSERT_OK(space);
    v1::Genotype genotype = (*space)->First();
    for (int i = 0; i < kDraws; ++i) {
      SCOPED_TRACE((*space)->Summarize(genotype));
      ASSERT_OK_AND_ASSIGN(const v1::Architecture network, (*space)->Lower(genotype));
      testing::ExpectTrainsAndExports(network, 2);
      genotype = (*space)->Sample(&rng);
    }
  }
}

TEST(CellTrainingTest, NasBench201) {
  v1::SearchSpace spec;
  spec.mutable_nasbench201()->set_channels(4);
  spec.mutable_nasbench201()->set_cells_per_stage(1);
  ExpectMembersTrain(spec);
}

TEST(CellTrainingTest, NasBench101) {
  v1::SearchSpace spec;
  spec.mutable_nasbench101()->set_stem_channels(7);
  spec.mutable_nasbench101()->set_modules_per_stack(1);
  ExpectMembersTrain(spec);
}

}  // namespace
}  // namespace frontier
