#include "worker/trial/proxy.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/data/dataset.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/trial/trial_cases.h"
#include "worker/batching/batches.h"
#include "worker/engine/reference/network.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxFolder;
using ::frontier::testing::StatusIs;
using ::testing::_;

class ProxyTest : public ::testing::Test {
 protected:
  ProxyTest() {
    WriteStripes(folder_);
    samples_ = ReadSamples(folder_.path(), Part::kTrain, kTrialClasses).value();
    indices_.resize(static_cast<size_t>(samples_.size()));
    std::iota(indices_.begin(), indices_.end(), 0);
    model_ = Model(StripesTask(folder_).task().architecture());
  }

  v1::Model Model(const v1::Architecture& architecture) const {
    v1::Model model = InitialModel(architecture, 5).value();
    *model.mutable_normalization() = MeasureNormalization(samples_, indices_);
    return model;
  }

  double Score(v1::Proxy proxy, const v1::Model& model) const {
    return ScoreUntrained(proxy, model, samples_, indices_, {}).value();
  }

  // One convolution without batch norm, and a classifier.
  static v1::Architecture Plain(int width) {
    v1::Shape shape;
    shape.set_channels(1);
    shape.set_height(6);
    shape.set_width(6);
    ArchitectureBuilder b(shape, kTrialClasses);
    b.Linear("classifier",
             b.Relu("relu", b.Convolution("stem", b.input(), SquareConvolution(width, 3))),
             kTrialClasses);
    return b.Build().value();
  }

  IdxFolder folder_;
  Samples samples_;
  std::vector<int32_t> indices_;
  v1::Model model_;
};

TEST(LogDeterminantTest, IsThatOfTheCountsOfWhatIsAlike) {
  // K = (4 2; 2 4): 12.
  EXPECT_NEAR(LogDeterminant({{{true, true, false, false}, {true, false, true, false}}}),
              std::log(12.0), 1e-12);
  // Longer than a word: three of 130 differ.
  std::vector<bool> one(130, false), other(130, false);
  for (const size_t k : {0, 64, 129}) other[k] = true;
  EXPECT_NEAR(LogDeterminant({{one, other}}), std::log(130.0 * 130 - 127 * 127), 1e-9);
  // Equal codes: as good as nothing.
  EXPECT_LT(LogDeterminant({{{true, false}, {true, false}}}), -10);
}

TEST_F(ProxyTest, NaswotRisesWithWhatTellsSamplesApart) {
  EXPECT_GT(Score(v1::PROXY_NASWOT, Model(Plain(16))), Score(v1::PROXY_NASWOT, Model(Plain(2))));
  EXPECT_EQ(Score(v1::PROXY_NASWOT, model_), Score(v1::PROXY_NASWOT, model_));
}

TEST_F(ProxyTest, NaswotWantsRectifiers) {
  v1::Architecture linear = Plain(4);
  for (v1::Node& node : *linear.mutable_nodes()) {
    if (node.op() == v1::OPERATOR_RELU) node.set_op(v1::OPERATOR_SIGMOID);
  }
  EXPECT_THAT(ScoreUntrained(v1::PROXY_NASWOT, Model(linear), samples_, indices_, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, _));
}

TEST_F(ProxyTest, GradientNormIsThatOfPlainLoops) {
  std::vector<double> images;
  std::vector<uint8_t> labels;
  ASSERT_OK(ForEachBatch(samples_, absl::MakeConstSpan(indices_).first(64), model_.normalization(),
                         64, [&](const Batch& batch, int) {
                           images.assign(batch.images.begin(), batch.images.end());
                           labels = batch.labels;
                           return absl::OkStatus();
                         }));
  ASSERT_OK_AND_ASSIGN(const reference::Network network, reference::Network::Create(model_));
  double expected = 0;
  for (const auto& [key, gradient] : network.Gradients(images, labels)) {
    if (key.second != "weight") continue;
    expected +=
        std::sqrt(std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0));
  }
  EXPECT_NEAR(Score(v1::PROXY_GRADIENT_NORM, model_), expected, 1e-4 * expected);
}

// By the definition: each weight times the derivative of the sum of outputs by it.
TEST_F(ProxyTest, SynFlowIsTheSumOverAllWeights) {
  v1::Model model = Model(Plain(3));
  for (v1::Tensor& tensor : *model.mutable_tensors()) {
    std::vector<float> values = TensorValues(tensor);
    for (float& value : values) value = tensor.name() == "weight" ? std::abs(value) : 0;
    SetTensorValues(values, &tensor);
  }
  ASSERT_OK_AND_ASSIGN(reference::Network network, reference::Network::Create(model));
  const std::vector<double> ones(36, 1.0);
  const auto flow = [&] {
    const std::vector<double> outputs = network.Infer(ones, 1);
    return std::accumulate(outputs.begin(), outputs.end(), 0.0);
  };
  double sum = 0;
  for (const auto& [key, values] : reference::Network::Tensors(network.tensors())) {
    if (key.second != "weight") continue;
    reference::Vector* tensor = network.tensor(key.first, key.second);
    for (size_t i = 0; i < values.size(); ++i) {
      const double whole = flow();
      (*tensor)[i] = 0;  // R is linear in each weight
      sum += whole - flow();
      (*tensor)[i] = values[i];
    }
  }
  EXPECT_NEAR(Score(v1::PROXY_SYNFLOW, Model(Plain(3))), std::log(sum), 1e-3);
}

TEST_F(ProxyTest, SynFlowTakesEveryRectifierForAnIdentity) {
  v1::Model model = Model(Plain(3));
  const double expected = Score(v1::PROXY_SYNFLOW, model);
  v1::Node* rectifier = model.mutable_architecture()->mutable_nodes(2);
  ASSERT_EQ(rectifier->op(), v1::OPERATOR_RELU);
  for (const v1::Operator op : {v1::OPERATOR_RELU6, v1::OPERATOR_LEAKY_RELU, v1::OPERATOR_SILU,
                                v1::OPERATOR_HARD_SWISH, v1::OPERATOR_GELU}) {
    rectifier->set_op(op);
    rectifier->clear_attributes();
    if (op == v1::OPERATOR_LEAKY_RELU) rectifier->mutable_leaky_relu()->set_slope(0.1f);
    const absl::StatusOr<double> score =
        ScoreUntrained(v1::PROXY_SYNFLOW, model, samples_, indices_, {});
    ASSERT_OK(score) << v1::Operator_Name(op);
    EXPECT_EQ(*score, expected) << v1::Operator_Name(op);
  }
}

// As in squeeze-and-excite: what the gate lets through is halved, whatever its own weights.
TEST_F(ProxyTest, SynFlowCountsGatesAsHalfAndNoProductOfMaps) {
  v1::Shape shape;
  shape.set_channels(1);
  shape.set_height(6);
  shape.set_width(6);
  const auto network = [&](bool gated) {
    ArchitectureBuilder b(shape, kTrialClasses);
    const int stem = b.Convolution("stem", b.input(), SquareConvolution(3, 3));
    const int gate = b.Sigmoid("gate", b.GlobalAveragePool("squeeze", stem));
    b.Linear("classifier", gated ? b.Multiply("product", stem, gate) : stem, kTrialClasses);
    return Model(b.Build().value());
  };
  v1::Model plain = network(false), gated = network(true);
  ASSERT_EQ(plain.tensors_size(), gated.tensors_size());
  for (int i = 0; i < plain.tensors_size(); ++i) {
    *gated.mutable_tensors(i)->mutable_data() = plain.tensors(i).data();
  }
  EXPECT_NEAR(Score(v1::PROXY_SYNFLOW, gated), Score(v1::PROXY_SYNFLOW, plain) - std::log(2.0),
              1e-6);

  ArchitectureBuilder b(shape, kTrialClasses);
  const int stem = b.Convolution("stem", b.input(), SquareConvolution(3, 3));
  b.Linear("classifier", b.Multiply("square", stem, stem), kTrialClasses);
  EXPECT_THAT(ScoreUntrained(v1::PROXY_SYNFLOW, Model(b.Build().value()), samples_, indices_, {}),
              StatusIs(absl::StatusCode::kOutOfRange, _));
}

TEST_F(ProxyTest, SynFlowOfADeepNetworkIsFinite) {
  v1::Shape shape;
  shape.set_channels(1);
  shape.set_height(6);
  shape.set_width(6);
  ArchitectureBuilder b(shape, kTrialClasses);
  int node = b.input();
  for (int i = 0; i < 60; ++i)
    node = b.ConvolutionNormRelu(absl::StrCat("c", i), node, SquareConvolution(64, 3));
  b.Linear("classifier", node, kTrialClasses);
  const double score = Score(v1::PROXY_SYNFLOW, Model(b.Build().value()));
  // Far beyond what a float holds.
  EXPECT_GT(score, std::log(1e40));
  EXPECT_LT(score, 1e4);
}

TEST_F(ProxyTest, OnlyKnownProxies) {
  EXPECT_THAT(ScoreUntrained(v1::PROXY_UNSPECIFIED, model_, samples_, indices_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, _));
}

TEST_F(ProxyTest, MemoryIsLimited) {
  for (const v1::Proxy proxy : {v1::PROXY_NASWOT, v1::PROXY_SYNFLOW, v1::PROXY_GRADIENT_NORM}) {
    EXPECT_THAT(ScoreUntrained(proxy, model_, samples_, indices_, {1, 1}),
                StatusIs(absl::StatusCode::kResourceExhausted, _))
        << ProxyName(proxy);
  }
}

}  // namespace
}  // namespace frontier::worker
