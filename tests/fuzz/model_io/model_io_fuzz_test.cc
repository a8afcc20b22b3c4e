// Mutated model files: every one is a whole model or refused with a typed error.
#include <google/protobuf/stubs/logging.h>

#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/base/random.h"
#include "common/model_io/model_file.h"
#include "common/model_io/parameters.h"
#include "gtest/gtest.h"

namespace frontier {
namespace {

std::string ModelBytes() {
  v1::Shape shape;
  shape.set_channels(1);
  shape.set_height(3);
  shape.set_width(3);
  ArchitectureBuilder b(shape, 2);
  b.Classifier(b.ConvolutionNormRelu("stem", b.input(), SquareConvolution(2, 3)));
  v1::Model model;
  *model.mutable_architecture() = b.Build().value();
  const GraphCosts costs = AnalyzeGraph(model.architecture()).value();
  for (const TensorSpec& spec : TensorSpecs(model.architecture(), costs)) {
    v1::Tensor* tensor = model.add_tensors();
    tensor->set_node(spec.node);
    tensor->set_name(spec.name);
    for (const int64_t d : spec.dimensions) tensor->add_dimensions(d);
    SetTensorValues(std::vector<float>(static_cast<size_t>(spec.elements()), 0.5f), tensor);
  }
  model.mutable_normalization()->add_mean(0.5f);
  model.mutable_normalization()->add_deviation(0.25f);
  return SerializeModel(model).value();
}

TEST(ModelIoFuzz, MutatedFiles) {
  const uint64_t seed = 20240603;
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  const google::protobuf::LogSilencer silencer;  // of complaints about text that is not UTF-8
  Rng rng(seed);
  const std::string good = ModelBytes();
  int whole = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (uint64_t n = 1 + rng.Uniform(3); n > 0; --n) {
      const size_t at = rng.Uniform(bytes.size());
      switch (rng.Uniform(4)) {
        case 0:
          bytes[at] = static_cast<char>(rng.Uniform(256));
          break;
        case 1:
          bytes[at] ^= static_cast<char>(1 << rng.Uniform(8));
          break;
        case 2:
          bytes.erase(at, 1 + rng.Uniform(3));
          break;
        default:
          bytes.insert(at, 1, static_cast<char>(rng.Uniform(256)));
          break;
      }
    }
    const absl::StatusOr<v1::Model> model = ParseModel(bytes, "fuzzed.model");
    if (model.ok()) {
      ++whole;
      ASSERT_TRUE(CheckModel(*model).ok());
    } else {
      ASSERT_TRUE(model.status().code() == absl::StatusCode::kDataLoss ||
                  model.status().code() == absl::StatusCode::kInvalidArgument)
          << "round " << round << ": " << model.status();
    }
  }
  // A changed weight is still a weight, so some must have passed, and not all.
  EXPECT_GT(whole, 100);
  EXPECT_LT(whole, 19000);
}

}  // namespace
}  // namespace frontier
