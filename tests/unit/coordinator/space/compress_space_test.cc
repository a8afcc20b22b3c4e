#include "coordinator/space/compress_space.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <string>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/architecture/reference.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeShape;
using ::testing::ElementsAre;

v1::SearchSpace ResNet20Space() {
  v1::SearchSpace spec;
  spec.mutable_compress()->mutable_parent()->set_network("resnet20");
  return spec;
}

v1::SearchSpace FullSpace() {
  v1::SearchSpace spec = ResNet20Space();
  v1::CompressSpace* compress = spec.mutable_compress();
  for (const double share : {1.0, 0.75, 0.5, 0.25}) compress->add_widths(share);
  compress->set_drop_blocks(true);
  compress->set_kernels(true);
  compress->set_separable(true);
  compress->add_spatial_ranks(0.5);
  compress->add_channel_ranks(0.25);
  return spec;
}

std::unique_ptr<Space> Create(const v1::SearchSpace& spec) {
  absl::StatusOr<std::unique_ptr<Space>> space = CreateSpace(spec, MakeShape(1, 28, 28), 10);
  EXPECT_OK(space);
  return *std::move(space);
}

TEST(CompressSpaceTest, WithoutAnythingTheParentIsTheOnlyNetwork) {
  const std::unique_ptr<Space> space = Create(ResNet20Space());
  EXPECT_EQ(space->Size(), "1");
  EXPECT_TRUE(space->decisions().empty());
  v1::Genotype genotype = space->First();
  ASSERT_OK_AND_ASSIGN(const v1::Architecture network, space->Lower(genotype));
  EXPECT_EQ(network.SerializeAsString(),
            ReferenceArchitecture("resnet20", MakeShape(1, 28, 28), 10)->SerializeAsString());
  EXPECT_EQ(space->Summarize(genotype), "resnet20 | whole");
  EXPECT_FALSE(space->Advance(&genotype));
}

TEST(CompressSpaceTest, ListsBlocksWidthsAndForms) {
  const std::unique_ptr<Space> space = Create(FullSpace());
  // 9 blocks; 12 groups of channels; 21 convolutions, of which the stem has one channel before it
  // and two shortcuts are 1 x 1.
  ASSERT_EQ(space->decisions().size(), 9u + 12u + 21u);
  EXPECT_EQ(space->decisions()[0].name, "stage1.block0.block");
  EXPECT_THAT(space->decisions()[0].options, ElementsAre("keep", "drop"));
  EXPECT_EQ(space->decisions()[9].name, "stem.width");
  EXPECT_THAT(space->decisions()[9].options, ElementsAre("1", "0.75", "0.5", "0.25"));
  EXPECT_EQ(space->decisions()[21].name, "stem.form");
  EXPECT_THAT(space->decisions()[21].options, ElementsAre("dense", "kernel1"));
  EXPECT_EQ(space->decisions()[22].name, "stage1.block0.conv1.form");
  EXPECT_THAT(space->decisions()[22].options,
              ElementsAre("dense", "kernel1", "separable", "spatial0.5", "channel0.25"));
}

TEST(CompressSpaceTest, SizeEqualsEnumeration) {
  v1::SearchSpace spec;
  spec.mutable_compress()->mutable_parent()->set_network("small-cnn");
  for (const double share : {1.0, 0.5}) spec.mutable_compress()->add_widths(share);
  spec.mutable_compress()->set_kernels(true);
  const std::unique_ptr<Space> space = Create(spec);
  EXPECT_EQ(space->Size(), "64");
  std::set<std::string> hashes;
  v1::Genotype genotype = space->First();
  do {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network, space->Lower(genotype));
    ASSERT_OK_AND_ASSIGN(std::string hash, CanonicalHash(network));
    hashes.insert(std::move(hash));
  } while (space->Advance(&genotype));
  EXPECT_EQ(hashes.size(), 64u);
}

TEST(CompressSpaceTest, EverySampleIsAValidNetworkAndSaysWhatItIs) {
  constexpr uint64_t kSeed = 4711;
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  const std::unique_ptr<Space> space = Create(FullSpace());
  ASSERT_OK_AND_ASSIGN(const v1::Architecture parent, space->Lower(space->First()));
  const int64_t whole = AnalyzeGraph(parent)->macs;
  v1::Genotype genotype = space->Sample(&rng);
  for (int i = 0; i < 300; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network, space->Lower(genotype));
    ASSERT_OK_AND_ASSIGN(const GraphCosts costs, AnalyzeGraph(network));
    EXPECT_LE(costs.macs, whole);
    EXPECT_THAT(space->Summarize(genotype), ::testing::StartsWith("resnet20 | "));
    genotype = i % 2 == 0 ? space->Mutate(genotype, &rng) : space->Sample(&rng);
  }
}

TEST(CompressSpaceTest, SumsUpWhatIsDone) {
  const std::unique_ptr<Space> space = Create(FullSpace());
  v1::Genotype genotype = space->First();
  genotype.set_options(1, 1);
  genotype.set_options(10, 2);
  genotype.set_options(11, 2);
  genotype.set_options(22, 3);
  EXPECT_EQ(space->Summarize(genotype), "resnet20 | block dropped | spatial0.5 | 2 x width 0.5");
}

TEST(CompressSpaceTest, APrecisionLeavesTheNetworkAsItIs) {
  v1::SearchSpace spec = FullSpace();
  spec.mutable_compress()->add_precisions(v1::INFERENCE_PRECISION_F32);
  spec.mutable_compress()->add_precisions(v1::INFERENCE_PRECISION_INT8);
  const std::unique_ptr<Space> space = Create(spec);
  EXPECT_EQ(space->decisions()[0].name, "precision");
  EXPECT_THAT(space->decisions()[0].options, ElementsAre("f32", "int8"));
  v1::Genotype genotype = space->First();
  EXPECT_EQ(space->PrecisionOf(genotype), v1::INFERENCE_PRECISION_F32);
  EXPECT_EQ(space->Summarize(genotype), "resnet20 | whole");
  ASSERT_OK_AND_ASSIGN(const v1::Architecture whole, space->Lower(genotype));
  genotype.set_options(0, 1);
  EXPECT_EQ(space->PrecisionOf(genotype), v1::INFERENCE_PRECISION_INT8);
  EXPECT_EQ(space->Summarize(genotype), "resnet20 | int8");
  EXPECT_EQ(space->Lower(genotype)->SerializeAsString(), whole.SerializeAsString());
  const std::unique_ptr<Space> without = Create(FullSpace());
  EXPECT_EQ(without->PrecisionOf(without->First()), v1::INFERENCE_PRECISION_UNSPECIFIED);
  genotype.set_options(0, 9);
  EXPECT_EQ(space->PrecisionOf(genotype), v1::INFERENCE_PRECISION_UNSPECIFIED);
}

TEST(CompressSpaceTest, SaysWhatMakesNoSpace) {
  const auto refusal = [](const std::function<void(v1::CompressSpace*)>& change) {
    v1::SearchSpace spec = FullSpace();
    change(spec.mutable_compress());
    const absl::Status status = CreateSpace(spec, MakeShape(1, 28, 28), 10).status();
    EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_INVALID_FIELD) << status;
    return std::string(status.message());
  };
  EXPECT_EQ(refusal([](auto* s) { s->clear_parent(); }),
            "compress.parent: is missing; name a network, or a job and a trial");
  EXPECT_EQ(refusal([](auto* s) { s->mutable_parent()->set_job(3); }),
            "compress.parent: names a network and a trial, must be one of them");
  EXPECT_THAT(refusal([](auto* s) { s->mutable_parent()->set_network("resnet21"); }),
              ::testing::HasSubstr("compress.parent.network: reference network 'resnet21'"));
  EXPECT_EQ(refusal([](auto* s) { s->set_widths(1, 0); }),
            "compress.widths[1]: is 0, must be above 0 and at most 1");
  EXPECT_EQ(refusal([](auto* s) { s->set_widths(1, 1); }), "compress.widths[1]: 1 is listed twice");
  EXPECT_THAT(refusal([](auto* s) { s->add_spatial_ranks(std::nan("")); }),
              ::testing::HasSubstr("compress.spatial_ranks[1]: is nan"));
  EXPECT_EQ(refusal([](auto* s) { s->add_channel_ranks(-1); }),
            "compress.channel_ranks[1]: is -1, must be above 0 and at most 1");
  EXPECT_EQ(refusal([](auto* s) { s->add_precisions(v1::INFERENCE_PRECISION_UNSPECIFIED); }),
            "compress.precisions[0]: unknown precision 0");
  EXPECT_EQ(refusal([](auto* s) {
              s->add_precisions(v1::INFERENCE_PRECISION_INT8);
              s->add_precisions(v1::INFERENCE_PRECISION_INT8);
            }),
            "compress.precisions[1]: int8 is listed twice");
  EXPECT_EQ(refusal([](auto* s) {
              for (int i = 0; i < 40; ++i) s->add_widths(0.001 * (i + 1));
            }),
            "compress.widths: 44 shares, at most 32");
  EXPECT_EQ(refusal([](auto* s) {
              *s->mutable_parent()->mutable_architecture() =
                  ReferenceArchitecture("small-cnn", MakeShape(3, 32, 32), 10).value();
            }),
            "compress.parent: takes samples of 3x32x32 and 10 classes, the data set has 1x28x28 "
            "and 10");
}

}  // namespace
}  // namespace frontier::coordinator
