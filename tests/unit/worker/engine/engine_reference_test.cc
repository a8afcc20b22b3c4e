// The engine against plain loops in double.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "common/architecture/reference.h"
#include "common/base/random.h"
#include "common/model_io/parameters.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/small_networks.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/engine/engine_cases.h"
#include "tests/unit/worker/engine/model_cases.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/reference/network.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

// Largest difference, relative to the largest value.
double Difference(const std::vector<float>& got, const std::vector<double>& wanted) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::fabs(wanted[i]));
    const double d = std::fabs(got[i] - wanted[i]);
    difference = std::isfinite(d) ? std::max(difference, d) : HUGE_VAL;
  }
  return difference / std::max(largest, 1e-2);
}

void ExpectSameTraining(const Case& c, uint64_t seed, int steps, int threads, double tolerance,
                        const OptimizerSettings& settings) {
  SCOPED_TRACE(c.text);
  const v1::Shape& input = c.architecture.input();
  const v1::Model initial = RandomModel(c.architecture, seed);
  ASSERT_OK_AND_ASSIGN(auto plan,
                       TrainingPlan::Create(c.architecture, c.batch, PlanOptions{threads}));
  ASSERT_OK(plan->ImportModel(initial));
  ASSERT_OK_AND_ASSIGN(reference::Network network, reference::Network::Create(initial));
  plan->SeedDropout(seed, /*step=*/3);
  network.SeedDropout(seed, /*step=*/3);
  Rng rng(seed, 2000);
  for (int s = 0; s < steps; ++s) {
    const Batch batch = RandomBatch(input, c.architecture.classes(), c.batch, &rng);
    ASSERT_OK_AND_ASSIGN(const StepStats stats, plan->Step(batch.images, batch.labels, settings));
    const double loss = network.Step(batch.DoubleImages(), batch.labels, settings);
    ASSERT_NEAR(stats.loss, loss, tolerance * (1 + std::fabs(loss))) << "step " << s;
  }
  v1::Model trained;
  ASSERT_OK(plan->ExportModel(&trained));
  for (int i = 0; i < trained.tensors_size(); ++i) {
    const v1::Tensor& tensor = trained.tensors(i);
    // What the steps changed is compared, so that a wrong gradient does not hide in the weight.
    std::vector<float> got = TensorValues(tensor);
    std::vector<double> wanted = *network.tensor(tensor.node(), tensor.name());
    const std::vector<float> before = TensorValues(initial.tensors(i));
    for (size_t k = 0; k < got.size(); ++k) {
      got[k] -= before[k];
      wanted[k] -= before[k];
    }
    EXPECT_LT(Difference(got, wanted), tolerance)
        << tensor.name() << " of node " << tensor.node() << " ("
        << c.architecture.nodes(tensor.node()).name() << ")";
  }
}

void ExpectSameInference(const Case& c, uint64_t seed, int threads, double tolerance) {
  SCOPED_TRACE(c.text);
  const v1::Model model = RandomModel(c.architecture, seed);
  ASSERT_OK_AND_ASSIGN(auto plan, InferencePlan::Create(model, c.batch, InferenceOptions{threads}));
  ASSERT_OK_AND_ASSIGN(const reference::Network network, reference::Network::Create(model));
  Rng rng(seed, 3000);
  for (int run = 0; run < 2; ++run) {
    const Batch batch =
        RandomBatch(c.architecture.input(), c.architecture.classes(), c.batch, &rng);
    std::vector<float> logits(static_cast<size_t>(c.batch * c.architecture.classes()));
    ASSERT_OK(plan->Run(batch.images, absl::MakeSpan(logits)));
    EXPECT_LT(Difference(logits, network.Infer(batch.DoubleImages(), c.batch)), tolerance);
  }
}

// Layers with a window or a weight have more shapes to go wrong with.
uint64_t Cases(Layer layer) {
  if (layer <= Layer::kIdentity) return 40;
  return layer <= Layer::kGelu ? 12 : 20;
}

class LayerTest : public ::testing::TestWithParam<Layer> {};

INSTANTIATE_TEST_SUITE_P(AllLayers, LayerTest, ::testing::ValuesIn(AllLayers()),
                         [](const auto& test) {
                           return "Layer" + std::to_string(static_cast<int>(test.param));
                         });

TEST_P(LayerTest, GradientsOfOneStep) {
  // Rate 1 and no momentum: the change of a weight is its gradient.
  for (uint64_t seed = 1; seed <= Cases(GetParam()); ++seed) {
    ExpectSameTraining(RandomLayerCase(GetParam(), seed), seed, /*steps=*/1, Threads(seed), 2e-4,
                       {1.0f, 0.0f, 0.0f});
    if (HasFailure()) return;
  }
}

TEST_P(LayerTest, Inference) {
  for (uint64_t seed = 1; seed <= Cases(GetParam()); ++seed) {
    ExpectSameInference(RandomLayerCase(GetParam(), seed), seed, Threads(seed), 5e-5);
    if (HasFailure()) return;
  }
}

class NetworkTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Reference, NetworkTest, ::testing::ValuesIn(testing::SmallNetworks()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

Case ReferenceCase(const std::string& name) {
  Case c;
  c.architecture = ReferenceArchitecture(name, MakeShape(3, 11, 9), 6).value();
  c.batch = 4;
  c.text = name;
  return c;
}

TEST_P(NetworkTest, SeveralSteps) {
  ExpectSameTraining(ReferenceCase(GetParam()), 5, /*steps=*/3, /*threads=*/2, 5e-3,
                     {0.01f, 0.9f, 1e-3f});
}

TEST_P(NetworkTest, Inference) { ExpectSameInference(ReferenceCase(GetParam()), 6, 2, 1e-4); }

// Formats pad 24 channels to whole blocks. What an activation leaves in the padding must not come
// back as inputs of the next convolution, whose padded weights would learn from it.
TEST(PaddedChannelsTest, SeveralStepsWithEachActivation) {
  using Activation = int (ArchitectureBuilder::*)(absl::string_view, int);
  const std::pair<const char*, Activation> activations[] = {
      {"relu", &ArchitectureBuilder::Relu},
      {"relu6", &ArchitectureBuilder::Relu6},
      {"sigmoid", &ArchitectureBuilder::Sigmoid},
      {"silu", &ArchitectureBuilder::Silu},
      {"hard swish", &ArchitectureBuilder::HardSwish},
      {"hard sigmoid", &ArchitectureBuilder::HardSigmoid},
      {"gelu", &ArchitectureBuilder::Gelu}};
  for (const auto& [name, activation] : activations) {
    ArchitectureBuilder b(MakeShape(3, 9, 9), 5);
    int x = b.Convolution("first", b.input(), SquareConvolution(24, 3));
    x = (b.*activation)("act", x);
    x = b.Convolution("second", x, SquareConvolution(24, 3));
    x = (b.*activation)("act2", x);
    b.Classifier(b.Convolution("third", x, SquareConvolution(40, 1)));
    Case c;
    c.architecture = b.Build().value();
    c.batch = 4;
    c.text = name;
    ExpectSameTraining(c, 11, /*steps=*/4, /*threads=*/1, 5e-3, {0.1f, 0.9f, 0.0f});
    ExpectSameInference(c, 11, /*threads=*/1, 1e-4);
  }
}

// Layers large enough for Winograd's algorithm, of odd and even sizes, read once and more often.
TEST(WinogradTest, Inference) {
  for (const auto& [height, width] : {std::pair(28, 28), std::pair(15, 21)}) {
    ArchitectureBuilder b(MakeShape(3, height, width), 5);
    const int x = b.ConvolutionNormRelu("stem", b.input(), SquareConvolution(16, 3));
    const int wide = b.ConvolutionNormRelu("wide", x, SquareConvolution(32, 3));
    const int y = b.ConvolutionNorm("back", wide, SquareConvolution(16, 3));
    const int sum = b.Relu("relu", b.Add("add", {x, y}));
    const int half = b.ConvolutionNormRelu("half", sum, SquareConvolution(32, 3, 2));
    const int twice = b.ConvolutionNorm("twice", half, SquareConvolution(32, 3));
    const int shortcut = b.ConvolutionNorm("shortcut", sum, SquareConvolution(32, 1, 2));
    const int end = b.Concat("concat", {b.Add("add2", {twice, shortcut}), half, twice});
    b.Classifier(b.Silu("act", b.ConvolutionNorm("last", end, SquareConvolution(48, 3))));
    for (const int batch : {1, 2}) {
      Case c;
      c.architecture = b.Build().value();
      c.batch = batch;
      c.text = "height " + std::to_string(height) + " batch " + std::to_string(batch);
      ExpectSameInference(c, 9, /*threads=*/batch, 5e-5);
    }
  }
}

TEST(RandomNetworkTest, TrainingAndInference) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    Case c;
    c.architecture = testing::RandomArchitecture(3 + static_cast<int>(seed % 12), &rng);
    c.batch = 1 + static_cast<int>(seed % 4);
    c.text = "seed " + std::to_string(seed) + " batch " + std::to_string(c.batch) + "\n" +
             c.architecture.ShortDebugString();
    const int threads = Threads(seed);
    ExpectSameTraining(c, seed, /*steps=*/2, threads, 5e-3, {0.01f, 0.9f, 1e-3f});
    ExpectSameInference(c, seed, threads, 1e-4);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(RandomNetworkTest, TrainingAndInferenceOfAllOperators) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Rng rng(seed, 7);
    Case c;
    c.architecture = testing::RandomArchitecture(3 + static_cast<int>(seed % 12), &rng,
                                                 testing::OperatorSet::kAll);
    c.batch = 1 + static_cast<int>(seed % 4);
    c.text = "seed " + std::to_string(seed) + " batch " + std::to_string(c.batch) + "\n" +
             c.architecture.ShortDebugString();
    const int threads = Threads(seed);
    ExpectSameTraining(c, seed, /*steps=*/2, threads, 5e-3, {0.01f, 0.9f, 1e-3f});
    ExpectSameInference(c, seed, threads, 1e-4);
    if (::testing::Test::HasFailure()) return;
  }
}

// An inverted residual with squeeze-and-excite (Howard et al. 2019, figure 4), then a unit with
// channel shuffle (Zhang et al. 2018, figure 2 b).
Case GatedNetwork() {
  ArchitectureBuilder b(MakeShape(3, 11, 9), 6);
  int x =
      b.HardSwish("stem.act", b.ConvolutionNorm("stem", b.input(), SquareConvolution(12, 3, 2)));
  const int in = x;
  x = b.Relu6("expand.act", b.ConvolutionNorm("expand", x, SquareConvolution(40, 1)));
  x = b.Silu("depth.act", b.ConvolutionNorm("depth", x, SquareConvolution(40, 5, 1, 0)));
  int gate = b.GlobalAveragePool("squeeze", x);
  gate = b.LeakyRelu("reduce.act", b.Linear("reduce", gate, 10), 0.05f);
  gate = b.Sigmoid("gate", b.Linear("excite", gate, 40));
  x = b.Multiply("scale", x, gate);
  x = b.ConvolutionNorm("project", x, SquareConvolution(12, 1));
  x = b.Add("residual", {x, in, b.Zero("zero", in)});
  const int unit = x;
  x = b.Gelu("reduce2.act", b.ConvolutionNorm("reduce2", x, SquareConvolution(18, 1, 1, 3)));
  x = b.ChannelShuffle("shuffle", x, 3);
  x = b.ConvolutionNorm("depth2", x, SquareConvolution(18, 3, 1, 0));
  x = b.ConvolutionNorm("expand2", x, SquareConvolution(12, 1, 1, 3));
  x = b.Relu("unit", b.Add("unit.sum", {x, b.Dropout("path", unit, 0.1f)}));
  x = b.Dropout("dropout", b.GlobalAveragePool("pool", x), 0.4f);
  b.Linear("classifier", x, 6);
  Case c;
  c.architecture = b.Build().value();
  c.batch = 4;
  c.text = "gated network";
  return c;
}

TEST(GatedNetworkTest, SeveralSteps) {
  for (const int threads : {1, 2}) {
    ExpectSameTraining(GatedNetwork(), 5, /*steps=*/4, threads, 5e-3, {0.01f, 0.9f, 1e-3f});
  }
}

TEST(GatedNetworkTest, Inference) { ExpectSameInference(GatedNetwork(), 6, 2, 1e-4); }

}  // namespace
}  // namespace frontier::worker
