#include "coordinator/space/candidate.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeShape;

class CandidateTest : public ::testing::Test {
 protected:
  CandidateTest() {
    v1::CompressSpace* compress = spec_.mutable_compress();
    compress->mutable_parent()->set_network("small-cnn");
    compress->add_precisions(v1::INFERENCE_PRECISION_F32);
    compress->add_precisions(v1::INFERENCE_PRECISION_INT8);
  }

  void SearchMomentum() {
    v1::Hyperparameter* momentum = spec_.add_hyperparameters();
    momentum->set_name("momentum");
    momentum->mutable_categorical()->add_values("0.9");
    momentum->mutable_categorical()->add_values("0.8");
  }

  // Of the genotype with these options.
  std::string Hash(std::initializer_list<int> options) {
    const std::unique_ptr<Space> space = CreateSpace(spec_, MakeShape(1, 28, 28), 10).value();
    v1::Genotype genotype;
    for (const int option : options) genotype.add_options(option);
    EXPECT_OK(space->Lower(genotype));
    return CandidateHash(*space, genotype, kArchitecture);
  }

  const std::string kArchitecture = std::string(64, 'a');
  v1::SearchSpace spec_;
};

// Stored in jobs: none of these may change.
TEST_F(CandidateTest, IsTheArchitectureUnlessThereIsMore) {
  EXPECT_EQ(Hash({0}), kArchitecture);
  EXPECT_EQ(Hash({1}), "92a391018c1ddd5e4b5a271f040bd297f4a4701dd84572e4720ee1b36f82ae83");
}

TEST_F(CandidateTest, HyperparametersAndPrecisionCount) {
  SearchMomentum();
  EXPECT_EQ(Hash({0, 0}), "744d5a8fc25f6d7829282a68ece7aa91a427741437810271645595f2c1bb2f36");
  EXPECT_EQ(Hash({1, 0}), "67a82be16e53d0f65361aa81ad4d538205f0a7fd3f9bcd6366fde448f0cedee6");
  EXPECT_NE(Hash({0, 1}), Hash({0, 0}));
}

}  // namespace
}  // namespace frontier::coordinator
