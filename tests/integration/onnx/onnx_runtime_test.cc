// Exported networks give in ONNX Runtime what they give in the engine.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/builder.h"
#include "common/architecture/reference.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "common/data/dataset.h"
#include "common/model_io/onnx_export.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/process.h"
#include "tests/support/random_architecture.h"
#include "tests/support/small_networks.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/engine/engine_cases.h"
#include "worker/engine/inference_plan.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::CommandResult;
using ::frontier::testing::OperatorSet;
using ::frontier::testing::RandomArchitecture;
using ::frontier::testing::RunCommand;
using ::frontier::testing::TempFolder;

constexpr uint64_t kSeed = 20240613;
// Of the largest logit of the image.
constexpr double kTolerance = 1e-4;
constexpr char kFashionMnist[] = "/usr/share/datasets/fashion-mnist";

// As after some training: no tensor is all zeros or ones.
v1::Model TrainedLike(const v1::Architecture& architecture, uint64_t seed) {
  v1::Model model = InitialModel(architecture, seed).value();
  Rng rng(seed, 1'000'000);
  for (v1::Tensor& tensor : *model.mutable_tensors()) {
    if (tensor.name() == "weight") continue;
    std::vector<float> values = TensorValues(tensor);
    const bool positive = tensor.name() == "scale" || tensor.name() == "variance";
    for (float& v : values) {
      v = static_cast<float>(positive ? 0.5 + rng.UniformDouble() : 0.3 * rng.Normal());
    }
    SetTensorValues(values, &tensor);
  }
  for (int c = 0; c < architecture.input().channels(); ++c) {
    model.mutable_normalization()->add_mean(0.25f + 0.05f * static_cast<float>(c));
    model.mutable_normalization()->add_deviation(0.35f - 0.03f * static_cast<float>(c));
  }
  model.set_dataset("test");
  return model;
}

std::string FloatBytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

class OnnxRuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const absl::StatusOr<CommandResult> check =
        RunCommand({"node", FRONTIER_RUN_MODELS, "--check"});
    if (!check.ok()) GTEST_SKIP() << "node is not installed: " << check.status().message();
    if (check->exit_code != 0) {
      GTEST_SKIP() << "no onnxruntime-node on NODE_PATH; install it by npm to compare with it";
    }
    std::cout << "seed " << kSeed << "\n";
  }

  // Exports `model`, to be run on `images` (batch x C x H x W bytes); `text` tells which it is.
  void Add(const v1::Model& model, const std::vector<uint8_t>& images, OnnxInput input,
           const std::string& text) {
    const v1::Shape& shape = model.architecture().input();
    const size_t plane = static_cast<size_t>(shape.height()) * static_cast<size_t>(shape.width());
    const size_t channels = static_cast<size_t>(shape.channels());
    Run run;
    run.text = text;
    run.batch = static_cast<int>(images.size() / plane / channels);
    run.classes = model.architecture().classes();
    std::vector<float> pixels, normalized;
    for (size_t i = 0; i < images.size(); ++i) {
      const int c = static_cast<int>(i / plane % channels);
      pixels.push_back(static_cast<float>(images[i]) / 255.0f);
      normalized.push_back((pixels.back() - model.normalization().mean(c)) /
                           model.normalization().deviation(c));
    }

    PlanOptions options;
    ASSERT_OK_AND_ASSIGN(const auto plan, InferencePlan::Create(model, run.batch, options));
    run.expected.resize(static_cast<size_t>(run.batch) * static_cast<size_t>(run.classes));
    ASSERT_OK(plan->Run(normalized, absl::MakeSpan(run.expected)));

    const std::string stem = folder_.File(absl::StrCat(runs_.size()));
    run.output = absl::StrCat(stem, ".logits");
    absl::StatusOr<std::string> onnx = ExportOnnx(model, input);
    ASSERT_OK(onnx.status()) << text;
    ASSERT_OK(WriteFileAtomically(absl::StrCat(stem, ".onnx"), *onnx));
    ASSERT_OK(WriteFileAtomically(absl::StrCat(stem, ".input"),
                                  FloatBytes(input == OnnxInput::kPixels ? pixels : normalized)));
    absl::StrAppend(&orders_, "{\"model\": \"", stem, ".onnx\", \"input\": \"", stem,
                    ".input\", \"output\": \"", run.output, "\", \"dimensions\": [", run.batch, ",",
                    shape.channels(), ",", shape.height(), ",", shape.width(), "]}\n");
    runs_.push_back(run);
  }

  void AddRandomImages(const v1::Model& model, int batch, uint64_t seed, const std::string& text,
                       OnnxInput input = OnnxInput::kPixels) {
    const v1::Shape& shape = model.architecture().input();
    Rng rng(seed, 7);
    std::vector<uint8_t> images(
        static_cast<size_t>(int64_t{batch} * shape.channels() * shape.height() * shape.width()));
    for (uint8_t& b : images) b = static_cast<uint8_t>(rng.Uniform(256));
    Add(model, images, input, text);
  }

  // Runs all in ONNX Runtime and compares.
  void Compare() {
    ASSERT_FALSE(runs_.empty());
    ASSERT_OK_AND_ASSIGN(const CommandResult result,
                         RunCommand({"node", FRONTIER_RUN_MODELS}, orders_));
    ASSERT_EQ(result.exit_code, 0) << result.errors << result.output;
    double worst = 0;
    for (const Run& run : runs_) {
      ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(run.output));
      ASSERT_EQ(bytes.size(), run.expected.size() * sizeof(float)) << run.text;
      std::vector<float> logits(run.expected.size());
      std::memcpy(logits.data(), bytes.data(), bytes.size());
      const size_t classes = static_cast<size_t>(run.classes);
      for (size_t i = 0; i < logits.size(); i += classes) {
        double largest = 0;
        double difference = 0;
        for (size_t k = i; k < i + classes; ++k) {
          largest = std::max(largest, std::abs(double{run.expected[k]}));
          difference = std::max(difference, std::abs(double{run.expected[k]} - logits[k]));
        }
        ASSERT_TRUE(std::isfinite(largest) && largest > 0) << run.text;
        EXPECT_LE(difference, kTolerance * largest) << "image " << i / classes << "\n" << run.text;
        worst = std::max(worst, difference / largest);
      }
    }
    std::cout << runs_.size() << " networks, largest relative difference " << worst << "\n";
  }

 private:
  struct Run {
    std::string text, output;
    int batch = 0, classes = 0;
    std::vector<float> expected;
  };

  TempFolder folder_;
  std::string orders_;
  std::vector<Run> runs_;
};

TEST_F(OnnxRuntimeTest, EveryLayer) {
  for (const Layer layer : AllLayers()) {
    for (uint64_t seed = kSeed; seed < kSeed + 6; ++seed) {
      const Case c = RandomLayerCase(layer, seed);
      AddRandomImages(TrainedLike(c.architecture, seed), c.batch, seed, c.text);
    }
  }
  Compare();
}

TEST_F(OnnxRuntimeTest, RandomNetworks) {
  for (uint64_t seed = kSeed; seed < kSeed + 12; ++seed) {
    Rng rng(seed);
    const v1::Architecture architecture = RandomArchitecture(15, &rng, OperatorSet::kAll);
    AddRandomImages(TrainedLike(architecture, seed), 1 + static_cast<int>(seed % 3), seed,
                    absl::StrCat("seed ", seed, "\n", architecture.ShortDebugString()),
                    seed % 2 == 0 ? OnnxInput::kPixels : OnnxInput::kNormalized);
  }
  Compare();
}

// Vectors from linear layers meet maps, and layers that want maps.
TEST_F(OnnxRuntimeTest, LinearLayersInTheMiddle) {
  ArchitectureBuilder b(MakeShape(3, 6, 5), 4);
  const int features = b.Linear("features", b.input(), 8);
  const int pooled = b.GlobalAveragePool(
      "pooled", b.Convolution("convolution", b.input(), SquareConvolution(8, 3)));
  const int normed = b.BatchNorm("normed", b.Relu("relu", features));
  const int sum = b.Add("sum", {features, pooled, normed});
  const int vectors = b.Concat("vectors", {features, normed});
  const int mixed = b.Concat("mixed", {pooled, vectors, b.Identity("same", sum)});
  const int shuffled = b.ChannelShuffle("shuffled", b.Gelu("gelu", vectors), 4);
  const int gates = b.Convolution("gates", shuffled, SquareConvolution(32, 1));
  const int all = b.Add("all", {b.Multiply("product", mixed, gates), b.Zero("zero", mixed), gates});
  b.Convolution("classifier", b.MaxPool("pool", all, SquarePool(1, 1)), SquareConvolution(4, 1));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, b.Build());
  AddRandomImages(TrainedLike(architecture, kSeed), 3, kSeed, architecture.ShortDebugString());
  Compare();
}

// One network of all operators.
v1::Architecture AllOperators(const v1::Shape& input, int classes) {
  ArchitectureBuilder b(input, classes);
  int x = b.Convolution("stem", b.input(), SquareConvolution(16, 3, 2));
  x = b.LeakyRelu("leaky", b.BatchNorm("norm", x), 0.1f);
  x = b.MaxPool("maximum", x, SquarePool(3, 2));
  const int left = b.Relu6("relu6", b.Convolution("left", x, SquareConvolution(16, 3, 1, 4)));
  const int right = b.Gelu("gelu", b.Convolution("right", x, SquareConvolution(16, 5, 1, 0)));
  x = b.ChannelShuffle("shuffle", b.Concat("concat", {left, right}), 2);
  x = b.HardSwish("swish", b.AveragePool("mean", x, SquarePool(3, 1)));
  const int squeezed = b.Relu("relu", b.Linear("squeeze", b.GlobalAveragePool("pooled", x), 8));
  const int gate = b.Sigmoid("sigmoid", b.Linear("excite", squeezed, 32));
  x = b.Silu("silu", b.Multiply("gated", x, gate));
  const int hard = b.HardSigmoid("hard_sigmoid", b.ChannelSlice("slice", x, 5, 20));
  x = b.Concat("joined", {hard, b.ChannelSlice("rest", x, 12, 20)});
  x = b.Add("sum", {x, b.Identity("same", x), b.Zero("zero", x)});
  b.Classifier(b.Dropout("dropout", x, 0.2f));
  return b.Build().value();
}

TEST(AllOperatorsTest, LeavesNoneOut) {
  const v1::Architecture architecture = AllOperators(MakeShape(1, 28, 28), 10);
  std::set<v1::Operator> used;
  for (const v1::Node& node : architecture.nodes()) used.insert(node.op());
  const auto* operators = v1::Operator_descriptor();
  for (int i = 0; i < operators->value_count(); ++i) {
    const auto op = static_cast<v1::Operator>(operators->value(i)->number());
    EXPECT_EQ(used.contains(op), op != v1::OPERATOR_UNSPECIFIED) << v1::Operator_Name(op);
  }
}

// On images of the test part.
TEST_F(OnnxRuntimeTest, RealImages) {
  if (!std::filesystem::exists(kFashionMnist)) {
    GTEST_SKIP() << kFashionMnist << " is not there: install dataset-fashion-mnist";
  }
  ASSERT_OK_AND_ASSIGN(const Samples samples, ReadSamples(kFashionMnist, Part::kTest, 10));
  constexpr int kImages = 16;
  const v1::Shape shape = MakeShape(samples.channels, samples.height, samples.width);
  const std::vector<uint8_t> images(samples.images.begin(),
                                    samples.images.begin() + int64_t{kImages} * shape.channels() *
                                                                 shape.height() * shape.width());
  Add(TrainedLike(AllOperators(shape, 10), kSeed), images, OnnxInput::kPixels, "all operators");
  std::vector<std::string> names = testing::SmallNetworks();
  for (const char* name : {"mobilenetv3-small", "shufflenetv2-x1.0", "squeezenet-1.1"}) {
    names.push_back(name);
  }
  for (const std::string& name : names) {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture,
                         ReferenceArchitecture(name, shape, 10));
    Add(TrainedLike(architecture, kSeed), images, OnnxInput::kPixels, name);
  }
  Compare();
}

}  // namespace
}  // namespace frontier::worker
