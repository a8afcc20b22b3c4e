// Damaged compressions, compress spaces and parents: refused with a reason, or followed.
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "common/architecture/compression.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/model_io/inherit.h"
#include "common/model_io/model_file.h"
#include "common/model_io/parameters.h"
#include "coordinator/space/compress_space.h"
#include "gtest/gtest.h"
#include "tests/support/message_mutator.h"
#include "tests/support/random_architecture.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::MakeShape;
using ::frontier::testing::MutateMessage;
using ::frontier::testing::OperatorSet;
using ::frontier::testing::RandomArchitecture;

constexpr uint64_t kFirstSeed = 700'000;

v1::Model ModelOf(const v1::Architecture& architecture, Rng* rng) {
  v1::Model model;
  *model.mutable_architecture() = architecture;
  const GraphCosts costs = AnalyzeGraph(architecture).value();
  for (const TensorSpec& spec : TensorSpecs(architecture, costs)) {
    v1::Tensor* tensor = model.add_tensors();
    tensor->set_node(spec.node);
    tensor->set_name(spec.name);
    for (const int64_t d : spec.dimensions) tensor->add_dimensions(d);
    std::vector<float> values(static_cast<size_t>(spec.elements()));
    for (float& v : values) v = static_cast<float>(rng->UniformDouble());
    SetTensorValues(values, tensor);
  }
  return model;
}

v1::CompressSpace SpaceOf(const v1::Architecture& parent) {
  v1::CompressSpace spec;
  spec.mutable_parent()->set_job(1);
  spec.mutable_parent()->set_trial(1);
  *spec.mutable_parent()->mutable_architecture() = parent;
  for (const double share : {1.0, 0.5, 0.25}) spec.add_widths(share);
  spec.set_drop_blocks(true);
  spec.set_kernels(true);
  spec.set_separable(true);
  spec.add_spatial_ranks(0.5);
  spec.add_channel_ranks(0.5);
  spec.add_precisions(v1::INFERENCE_PRECISION_F32);
  spec.add_precisions(v1::INFERENCE_PRECISION_INT8);
  return spec;
}

TEST(CompressionFuzzTest, CompressionsAreFollowedOrRefused) {
  std::cout << "first seed " << kFirstSeed << "\n";
  int followed = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 400; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const v1::Architecture parent =
        RandomArchitecture(2 + static_cast<int>(rng.Uniform(12)), &rng, OperatorSet::kAll);
    const auto space =
        coordinator::CreateCompressSpace(SpaceOf(parent), parent.input(), parent.classes());
    ASSERT_OK(space);
    v1::Compression compression = (*space)->CompressionOf((*space)->Sample(&rng));
    for (uint64_t i = rng.Uniform(3); i > 0; --i) MutateMessage(&compression, &rng);
    const absl::StatusOr<v1::Model> child = InheritModel(ModelOf(parent, &rng), compression);
    if (child.ok()) {
      ++followed;
      EXPECT_OK(CheckTensors(*child));
    } else {
      EXPECT_EQ(GetErrorReason(child.status()), v1::ERROR_REASON_INVALID_FIELD) << child.status();
    }
  }
  EXPECT_GT(followed, 100);
}

TEST(CompressionFuzzTest, SpacesAreSearchedOrRefused) {
  std::cout << "first seed " << kFirstSeed << "\n";
  int searched = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 1000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    v1::SearchSpace spec;
    *spec.mutable_compress() =
        SpaceOf(RandomArchitecture(2 + static_cast<int>(rng.Uniform(12)), &rng));
    for (uint64_t i = 1 + rng.Uniform(3); i > 0; --i) {
      MutateMessage(spec.mutable_compress(), &rng);
    }
    const auto space = coordinator::CreateSpace(spec, MakeShape(4, 8, 8), 3);
    if (!space.ok()) {
      EXPECT_EQ(GetErrorReason(space.status()), v1::ERROR_REASON_INVALID_FIELD) << space.status();
      continue;
    }
    ++searched;
    v1::Genotype genotype = (*space)->Sample(&rng);
    for (int i = 0; i < 3; ++i) {
      const absl::StatusOr<v1::Architecture> lowered = (*space)->Lower(genotype);
      if (!lowered.ok()) {
        EXPECT_EQ(lowered.status().code(), absl::StatusCode::kInvalidArgument);
      }
      EXPECT_FALSE((*space)->Summarize(genotype).empty());
      (*space)->PrecisionOf(genotype);
      (*space)->CompressionOf(genotype);
      MutateMessage(&genotype, &rng);
    }
  }
  EXPECT_GT(searched, 100);
}

}  // namespace
}  // namespace frontier
