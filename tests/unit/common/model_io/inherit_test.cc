#include "common/model_io/inherit.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "common/architecture/builder.h"
#include "common/architecture/reference.h"
#include "common/base/random.h"
#include "common/model_io/low_rank.h"
#include "common/model_io/model_file.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"
#include "worker/engine/reference/network.h"

namespace frontier {
namespace {

using ::frontier::testing::MakeShape;

// A model whose every tensor is random, statistics included.
v1::Model RandomModel(const v1::Architecture& architecture, Rng* rng) {
  v1::Model model;
  *model.mutable_architecture() = architecture;
  const GraphCosts costs = AnalyzeGraph(architecture).value();
  for (const TensorSpec& spec : TensorSpecs(architecture, costs)) {
    v1::Tensor* tensor = model.add_tensors();
    tensor->set_node(spec.node);
    tensor->set_name(spec.name);
    for (const int64_t d : spec.dimensions) tensor->add_dimensions(d);
    const bool positive = spec.name == "variance" || spec.name == "scale";
    const double fan_in =
        static_cast<double>(spec.elements()) / static_cast<double>(spec.dimensions[0]);
    const double deviation = std::sqrt(1.0 / fan_in);
    std::vector<float> values(static_cast<size_t>(spec.elements()));
    for (float& v : values) {
      v = static_cast<float>(positive ? 0.5 + rng->UniformDouble() : deviation * rng->Normal());
    }
    SetTensorValues(values, tensor);
  }
  for (int c = 0; c < architecture.input().channels(); ++c) {
    model.mutable_normalization()->add_mean(0.5f);
    model.mutable_normalization()->add_deviation(0.25f);
  }
  return model;
}

int FindNode(const v1::Architecture& architecture, const std::string& name) {
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    if (architecture.nodes(i).name() == name) return i;
  }
  ADD_FAILURE() << "no node " << name;
  return 0;
}

// Changes a tensor in place.
void Edit(v1::Model* model, const std::string& node, const std::string& name,
          const std::function<void(std::vector<float>*)>& change) {
  const int index = FindNode(model->architecture(), node);
  for (v1::Tensor& tensor : *model->mutable_tensors()) {
    if (tensor.node() != index || tensor.name() != name) continue;
    std::vector<float> values = TensorValues(tensor);
    change(&values);
    return SetTensorValues(values, &tensor);
  }
  ADD_FAILURE() << "no tensor " << name << " of " << node;
}

std::vector<double> Logits(const v1::Model& model) {
  Rng rng(9);
  const v1::Shape& in = model.architecture().input();
  constexpr int kBatch = 2;
  std::vector<double> images(
      static_cast<size_t>(kBatch * in.channels() * in.height() * in.width()));
  for (double& v : images) v = rng.Normal();
  const auto network = worker::reference::Network::Create(model);
  EXPECT_OK(network);
  return network->Infer(images, kBatch);
}

void ExpectEqualLogits(const v1::Model& parent, const v1::Compression& compression,
                       double tolerance) {
  const absl::StatusOr<v1::Model> child = InheritModel(parent, compression);
  ASSERT_OK(child);
  ASSERT_OK(CheckModel(*child));
  const std::vector<double> before = Logits(parent);
  const std::vector<double> now = Logits(*child);
  ASSERT_EQ(before.size(), now.size());
  for (size_t i = 0; i < now.size(); ++i) EXPECT_NEAR(now[i], before[i], tolerance) << i;
}

// Stem, one residual block of 12 channels with 8 inside, one 5 x 5 convolution, classifier.
v1::Architecture SmallResidual() {
  ArchitectureBuilder b(MakeShape(2, 8, 8), 4);
  const int x = b.ConvolutionNormRelu("stem", b.input(), SquareConvolution(12, 3));
  v1::Convolution with_bias = SquareConvolution(8, 3);
  with_bias.set_bias(true);
  const int y = b.Relu("inside.relu", b.Convolution("inside", x, with_bias));
  const int z = b.ConvolutionNorm("outside", y, SquareConvolution(12, 3));
  const int sum = b.Relu("sum.relu", b.Add("block.add", {x, z}));
  b.Linear("classifier", b.ConvolutionNormRelu("last", sum, SquareConvolution(10, 5)), 4);
  return b.Build().value();
}

int GroupOf(const v1::Architecture& architecture, const std::string& producer) {
  const Compressor compressor = Compressor::Create(architecture).value();
  const int node = FindNode(architecture, producer);
  const int unit = compressor.channels().units[static_cast<size_t>(node)][0];
  return compressor.channels().group_of[static_cast<size_t>(unit)];
}

v1::Compression Narrow(const v1::Architecture& architecture, const std::string& producer,
                       double share) {
  v1::Compression compression;
  compression.add_widths()->set_group(GroupOf(architecture, producer));
  compression.mutable_widths(0)->set_share(share);
  return compression;
}

v1::Compression Changed(const v1::Architecture& architecture, const std::string& node,
                        const std::function<void(v1::ConvolutionChange*)>& set) {
  v1::Compression compression;
  compression.add_convolutions()->set_node(FindNode(architecture, node));
  set(compression.mutable_convolutions(0));
  return compression;
}

TEST(InheritTest, NothingCutIsTheSameModel) {
  Rng rng(1);
  const v1::Model parent =
      RandomModel(ReferenceArchitecture("resnet20", MakeShape(1, 12, 12), 10).value(), &rng);
  ASSERT_OK_AND_ASSIGN(const v1::Model child, InheritModel(parent, v1::Compression()));
  EXPECT_EQ(child.SerializeAsString(), parent.SerializeAsString());
}

TEST(InheritTest, ChannelsThatGiveNothingAreCutFirst) {
  Rng rng(2);
  v1::Model parent = RandomModel(SmallResidual(), &rng);
  // Two filters of eight are zero, so is what they give.
  for (const char* name : {"weight", "bias"}) {
    Edit(&parent, "inside", name, [](std::vector<float>* values) {
      const size_t each = values->size() / 8;
      for (const size_t filter : {3, 6}) {
        std::fill_n(values->begin() + static_cast<std::ptrdiff_t>(filter * each), each, 0.0f);
      }
    });
  }
  ExpectEqualLogits(parent, Narrow(parent.architecture(), "inside", 0.75), 1e-9);
}

TEST(InheritTest, ChannelsThatNobodyReadsAreCutFirst) {
  Rng rng(3);
  v1::Model parent = RandomModel(SmallResidual(), &rng);
  // Of the twelve channels of the trunk the classifier's side and the block read all but three.
  for (const char* reader : {"inside", "last"}) {
    Edit(&parent, reader, "weight", [reader](std::vector<float>* values) {
      const size_t window = reader == std::string("last") ? 25 : 9;
      for (size_t i = 0; i < values->size(); ++i) {
        if (i / window % 12 % 4 == 1) (*values)[i] = 0;
      }
    });
  }
  ExpectEqualLogits(parent, Narrow(parent.architecture(), "stem", 0.75), 1e-9);
}

TEST(InheritTest, ANormIsPartOfItsFilter) {
  Rng rng(4);
  v1::Model parent = RandomModel(SmallResidual(), &rng);
  for (const char* name : {"scale", "shift"}) {
    Edit(&parent, "last.norm", name, [](std::vector<float>* values) {
      for (const size_t c : {0, 2, 4, 5, 9}) (*values)[c] = 0;
    });
  }
  ExpectEqualLogits(parent, Narrow(parent.architecture(), "last", 0.5), 1e-9);
}

TEST(InheritTest, ADroppedBlockThatAddsNothingIsNotMissed) {
  Rng rng(5);
  v1::Model parent = RandomModel(SmallResidual(), &rng);
  for (const char* name : {"scale", "shift"}) {
    Edit(&parent, "outside.norm", name,
         [](std::vector<float>* values) { std::fill(values->begin(), values->end(), 0.0f); });
  }
  v1::Compression compression;
  compression.add_dropped(FindNode(parent.architecture(), "block.add"));
  ExpectEqualLogits(parent, compression, 1e-9);
}

TEST(InheritTest, AKernelWithAnEmptyBorderMayShrink) {
  Rng rng(6);
  v1::Model parent = RandomModel(SmallResidual(), &rng);
  Edit(&parent, "last", "weight", [](std::vector<float>* values) {
    for (size_t i = 0; i < values->size(); ++i) {
      const size_t y = i % 25 / 5, x = i % 5;
      if (y == 0 || y == 4 || x == 0 || x == 4) (*values)[i] = 0;
    }
  });
  ExpectEqualLogits(
      parent, Changed(parent.architecture(), "last", [](auto* c) { c->set_kernel(3); }), 1e-9);
}

TEST(InheritTest, AKernelOfRankOneMayBecomeTwo) {
  Rng rng(7);
  // weight[o][i][y][x] = a[o] b[x] c[i] d[y]: rank 1 in each of the three ways.
  v1::Model parent = RandomModel(SmallResidual(), &rng);
  Edit(&parent, "last", "weight", [&rng](std::vector<float>* values) {
    double a[10], b[5], c[12], d[5];
    for (double& v : a) v = rng.Normal();
    for (double& v : b) v = rng.Normal();
    for (double& v : c) v = rng.Normal();
    for (double& v : d) v = rng.Normal();
    for (size_t i = 0; i < values->size(); ++i) {
      (*values)[i] =
          static_cast<float>(0.1 * a[i / 300] * c[i / 25 % 12] * d[i / 5 % 5] * b[i % 5]);
    }
  });
  const v1::Architecture& network = parent.architecture();
  ExpectEqualLogits(parent, Changed(network, "last", [](auto* c) { c->set_separable(true); }),
                    1e-4);
  ExpectEqualLogits(parent, Changed(network, "last", [](auto* c) { c->set_spatial_rank(0.1); }),
                    1e-4);
  ExpectEqualLogits(parent, Changed(network, "last", [](auto* c) { c->set_channel_rank(0.1); }),
                    1e-4);
}

TEST(InheritTest, FullRankKeepsTheFunction) {
  Rng rng(8);
  // Fewer outputs than inputs, so that share 1 is all there is; a bias goes to the second.
  const v1::Model parent = RandomModel(SmallResidual(), &rng);
  ExpectEqualLogits(
      parent, Changed(parent.architecture(), "inside", [](auto* c) { c->set_channel_rank(1); }),
      1e-4);
}

TEST(InheritTest, IsTheSameOnEveryCall) {
  Rng rng(10);
  const v1::Model parent = RandomModel(SmallResidual(), &rng);
  v1::Compression compression = Narrow(parent.architecture(), "stem", 0.5);
  v1::ConvolutionChange* change = compression.add_convolutions();
  change->set_node(FindNode(parent.architecture(), "last"));
  change->set_spatial_rank(0.5);
  EXPECT_EQ(InheritModel(parent, compression).value().SerializeAsString(),
            InheritModel(parent, compression).value().SerializeAsString());
}

// Whatever is cut of whatever network, the child has all tensors it needs.
TEST(InheritTest, AnyMixOfChangesGivesAWholeModel) {
  constexpr uint64_t kSeed = 78;
  for (uint64_t i = 0; i < 100; ++i) {
    SCOPED_TRACE("Rng(" + std::to_string(kSeed) + ", " + std::to_string(i) + ")");
    Rng rng(kSeed, i);
    const v1::Model parent = RandomModel(
        frontier::testing::RandomArchitecture(12, &rng, frontier::testing::OperatorSet::kAll),
        &rng);
    const Compressor compressor = Compressor::Create(parent.architecture()).value();
    v1::Compression compression;
    for (const DroppableBlock& block : compressor.blocks()) {
      if (rng.Uniform(3) == 0) compression.add_dropped(block.addition);
    }
    for (size_t g = 0; g < compressor.channels().groups.size(); ++g) {
      if (rng.Uniform(2) == 0) continue;
      v1::WidthChange* change = compression.add_widths();
      change->set_group(static_cast<int>(g));
      change->set_share(0.5);
    }
    for (int node = 0; node < parent.architecture().nodes_size(); ++node) {
      if (!compressor.IsDense(node) || rng.Uniform(2) == 0) continue;
      v1::ConvolutionChange* change = compression.add_convolutions();
      change->set_node(node);
      if (compressor.HasSquareWindow(node) && rng.Uniform(2) == 0) {
        change->set_spatial_rank(0.5);
      } else if (compressor.HasWindow(node) && rng.Uniform(2) == 0) {
        change->set_separable(true);
      } else {
        change->set_channel_rank(0.5);
      }
    }
    ASSERT_OK_AND_ASSIGN(const v1::Model child, InheritModel(parent, compression));
    EXPECT_OK(CheckModel(child));
  }
}

class FactorizeTest : public ::testing::TestWithParam<std::pair<int, int>> {};
INSTANTIATE_TEST_SUITE_P(Shapes, FactorizeTest,
                         ::testing::Values(std::pair(20, 15), std::pair(15, 20), std::pair(8, 8)));

TEST_P(FactorizeTest, ComesCloseToTheBestOfItsRank) {
  // Singular values 1, 1/2, 1/4, ...: the best of rank 3 leaves sqrt(sum of the other squares).
  const auto [rows, columns] = GetParam();
  constexpr int kRank = 3;
  Rng rng(12);
  std::vector<double> exact(static_cast<size_t>(rows * columns));
  std::vector<std::vector<double>> us, vs;
  const auto orthonormal = [&rng](size_t size, std::vector<std::vector<double>>* basis) {
    std::vector<double> v(size);
    for (double& x : v) x = rng.Normal();
    for (const std::vector<double>& b : *basis) {
      double along = 0;
      for (size_t i = 0; i < size; ++i) along += b[i] * v[i];
      for (size_t i = 0; i < size; ++i) v[i] -= along * b[i];
    }
    double norm = 0;
    for (const double x : v) norm += x * x;
    for (double& x : v) x /= std::sqrt(norm);
    basis->push_back(v);
    return v;
  };
  double left_over = 0;
  for (int k = 0; k < 8; ++k) {
    const std::vector<double> u = orthonormal(rows, &us);
    const std::vector<double> v = orthonormal(columns, &vs);
    const double sigma = std::pow(0.5, k);
    if (k >= kRank) left_over += sigma * sigma;
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) exact[r * columns + c] += sigma * u[r] * v[c];
    }
  }
  const std::vector<float> matrix(exact.begin(), exact.end());
  const LowRank factors = Factorize(matrix, rows, columns, kRank);
  double error = 0;
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      double value = 0;
      for (int k = 0; k < kRank; ++k) {
        value += double{factors.left[r * kRank + k]} * factors.right[k * columns + c];
      }
      error += (value - exact[r * columns + c]) * (value - exact[r * columns + c]);
    }
  }
  EXPECT_NEAR(std::sqrt(error), std::sqrt(left_over), 1e-5);
  // Both sides carry the same weight.
  for (int k = 0; k < kRank; ++k) {
    double left = 0, right = 0;
    for (int r = 0; r < rows; ++r) left += std::pow(factors.left[r * kRank + k], 2);
    for (int c = 0; c < columns; ++c) right += std::pow(factors.right[k * columns + c], 2);
    EXPECT_NEAR(left, right, 1e-5);
    EXPECT_NEAR(left, std::pow(0.5, k), 1e-5);
  }
}

TEST_P(FactorizeTest, WithoutWeightOneSideStaysToTrainFrom) {
  const auto [rows, columns] = GetParam();
  const std::vector<float> zero(static_cast<size_t>(rows * columns));
  const LowRank factors = Factorize(zero, rows, columns, 2);
  const auto norm = [](const std::vector<float>& values) {
    return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  };
  EXPECT_EQ(std::min(norm(factors.left), norm(factors.right)), 0);
  EXPECT_NEAR(std::max(norm(factors.left), norm(factors.right)), 2, 1e-5);
}

}  // namespace
}  // namespace frontier
