#include "common/model_io/model_file.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/base/file.h"
#include "common/model_io/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

v1::Model SmallModel() {
  v1::Shape shape;
  shape.set_channels(2);
  shape.set_height(4);
  shape.set_width(4);
  ArchitectureBuilder b(shape, 3);
  v1::Convolution grouped = SquareConvolution(4, 3, 1, 2);
  grouped.set_bias(true);
  b.Classifier(b.ConvolutionNormRelu("stem", b.input(), grouped));
  v1::Model model;
  *model.mutable_architecture() = b.Build().value();
  const GraphCosts costs = AnalyzeGraph(model.architecture()).value();
  float next = 0.25f;
  for (const TensorSpec& spec : TensorSpecs(model.architecture(), costs)) {
    v1::Tensor* tensor = model.add_tensors();
    tensor->set_node(spec.node);
    tensor->set_name(spec.name);
    for (const int64_t d : spec.dimensions) tensor->add_dimensions(d);
    std::vector<float> values(static_cast<size_t>(spec.elements()));
    for (float& v : values) v = next += 0.5f;
    SetTensorValues(values, tensor);
  }
  for (int c = 0; c < 2; ++c) {
    model.mutable_normalization()->add_mean(0.5f);
    model.mutable_normalization()->add_deviation(0.25f);
  }
  model.set_dataset("tiny");
  return model;
}

TEST(TensorSpecsTest, ListsEveryTensorByNodeAndName) {
  const v1::Model model = SmallModel();
  const GraphCosts costs = AnalyzeGraph(model.architecture()).value();
  std::vector<std::string> names;
  int64_t trained = 0;
  for (const TensorSpec& spec : TensorSpecs(model.architecture(), costs)) {
    names.push_back(std::to_string(spec.node) + spec.name);
    if (spec.trained) trained += spec.elements();
  }
  EXPECT_THAT(names, ::testing::ElementsAre("1bias", "1weight", "2mean", "2scale", "2shift",
                                            "2variance", "5bias", "5weight"));
  EXPECT_EQ(trained, costs.parameters);
}

TEST(TensorValuesTest, AreLittleEndian) {
  v1::Tensor tensor;
  SetTensorValues({1.0f, -2.5f}, &tensor);
  EXPECT_EQ(tensor.data(), std::string("\x00\x00\x80\x3f\x00\x00\x20\xc0", 8));
  EXPECT_THAT(TensorValues(tensor), ::testing::ElementsAre(1.0f, -2.5f));
}

TEST(ModelFileTest, RoundTripsAndIsDeterministic) {
  const v1::Model model = SmallModel();
  const testing::TempFolder temp;
  const std::string path = temp.File("model");
  ASSERT_OK(WriteModel(path, model));
  ASSERT_OK_AND_ASSIGN(const v1::Model read, ReadModel(path));
  ASSERT_OK_AND_ASSIGN(const std::string a, SerializeModel(model));
  ASSERT_OK_AND_ASSIGN(const std::string b, SerializeModel(read));
  EXPECT_EQ(a, b);
  ASSERT_OK_AND_ASSIGN(const std::string file, ReadFile(path));
  EXPECT_EQ(file, a);
}

TEST(ModelFileTest, BadFiles) {
  EXPECT_THAT(ReadModel("/no/such/model"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/model")));
  EXPECT_THAT(ParseModel("\xff\xff", "x.model"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("'x.model' is no model file")));
  ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeModel(SmallModel()));
  // The format cannot tell that the last field, the name of the data set, was cut off whole.
  for (size_t n = 0; n + 6 < bytes.size(); ++n) {
    EXPECT_FALSE(ParseModel(bytes.substr(0, n), "x.model").ok()) << n;
  }
}

TEST(CheckModelTest, NamesWhatIsWrong) {
  const struct {
    void (*change)(v1::Model*);
    const char* message;
  } cases[] = {
      {[](v1::Model* m) { m->mutable_tensors()->RemoveLast(); },
       "tensor 'weight' of node 5 ('classifier') is missing: the model has 7 tensors of 8"},
      {[](v1::Model* m) { m->mutable_tensors()->SwapElements(0, 1); },
       "tensor 'bias' of node 1 ('stem') is missing: found tensor 'weight' of node 1"},
      {[](v1::Model* m) { *m->add_tensors() = m->tensors(0); },
       "tensor 'bias' of node 1 is none of the architecture's"},
      {[](v1::Model* m) { m->mutable_tensors(1)->set_dimensions(1, 2); },
       "has dimensions 4x2x3x3, expected 4x1x3x3"},
      {[](v1::Model* m) { m->mutable_tensors(1)->mutable_data()->pop_back(); },
       "has 143 bytes of data, expected 144"},
      {[](v1::Model* m) {
         SetTensorValues({1, 1, std::numeric_limits<float>::quiet_NaN(), 1}, m->mutable_tensors(0));
       },
       "tensor 'bias' of node 1 ('stem'): element 2 is nan"},
      {[](v1::Model* m) {
         SetTensorValues({1, -1, 1, 1}, m->mutable_tensors(5));
       },
       "element 1 is negative: -1"},
      {[](v1::Model* m) { m->mutable_normalization()->mutable_mean()->RemoveLast(); },
       "normalization has 1 means and 2 deviations for 2 input channels"},
      {[](v1::Model* m) { m->mutable_normalization()->set_deviation(1, 0); },
       "normalization of channel 1 has mean 0.5 and deviation 0"},
  };
  for (const auto& c : cases) {
    v1::Model model = SmallModel();
    c.change(&model);
    EXPECT_THAT(CheckModel(model),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)));
    EXPECT_FALSE(SerializeModel(model).ok());
  }
}

}  // namespace
}  // namespace frontier
