#include "common/architecture/architecture_argument.h"

#include <google/protobuf/util/json_util.h>

#include "common/architecture/graph.h"
#include "common/architecture/reference.h"
#include "common/base/file.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/model.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::frontier::testing::TempFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

v1::Architecture Network() {
  v1::Shape shape;
  shape.set_channels(2);
  shape.set_height(9);
  shape.set_width(12);
  return ReferenceArchitecture("small-cnn", shape, 5).value();
}

std::string Json(const google::protobuf::Message& message) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &json).ok());
  return json;
}

TEST(ArchitectureArgumentTest, ShapesAreThreeExtents) {
  ASSERT_OK_AND_ASSIGN(const v1::Shape shape, ParseShape("3x32x31"));
  EXPECT_EQ(shape.channels(), 3);
  EXPECT_EQ(shape.height(), 32);
  EXPECT_EQ(shape.width(), 31);
  EXPECT_EQ(ShapeText(shape), "3x32x31");
  for (const char* text :
       {"", "3x32", "3x32x32x1", "3x0x32", "-1x2x3", "axbxc", "1x1x99999", "x"}) {
    EXPECT_THAT(ParseShape(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)));
  }
}

TEST(ArchitectureArgumentTest, ReferenceNetworksHaveDefaults) {
  ASSERT_OK_AND_ASSIGN(const v1::Architecture plain, FindArchitecture("vgg-like", "", 0));
  EXPECT_EQ(ShapeText(plain.input()), "1x28x28");
  EXPECT_EQ(plain.classes(), 10);
  ASSERT_OK_AND_ASSIGN(const v1::Architecture other, FindArchitecture("vgg-like", "3x8x16", 7));
  EXPECT_EQ(ShapeText(other.input()), "3x8x16");
  EXPECT_EQ(other.classes(), 7);
  ASSERT_OK_AND_ASSIGN(const v1::Architecture published,
                       FindArchitecture("resnet-18", "", 0, {"3x224x224", 1000}));
  EXPECT_EQ(ShapeText(published.input()), "3x224x224");
  EXPECT_EQ(published.classes(), 1000);
}

TEST(ArchitectureArgumentTest, ReadsEveryForm) {
  const v1::Architecture network = Network();
  v1::GetTrialResponse response;
  response.mutable_trial()->set_number(3);
  *response.mutable_trial()->mutable_architecture() = network;
  TempFolder temp;
  ASSERT_OK(WriteFileAtomically(temp.File("plain.json"), Json(network)));
  ASSERT_OK(WriteFileAtomically(temp.File("trial.json"), "\n" + Json(response)));
  ASSERT_OK(WriteFileAtomically(temp.File("text"), network.DebugString()));
  v1::Model model;
  *model.mutable_architecture() = network;
  model.mutable_normalization()->add_mean(0.5f);
  ASSERT_OK(WriteFileAtomically(temp.File("model.pb"), model.SerializeAsString()));
  for (const char* name : {"plain.json", "trial.json", "text", "model.pb"}) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(const v1::Architecture read, FindArchitecture(temp.File(name), "", 0));
    EXPECT_EQ(read.SerializeAsString(), network.SerializeAsString());
  }
}

TEST(ArchitectureArgumentTest, SaysWhatIsWrong) {
  TempFolder temp;
  const auto read = [&temp](const std::string& content, absl::string_view input, int classes) {
    EXPECT_OK(WriteFileAtomically(temp.File("file"), content));
    return FindArchitecture(temp.File("file"), input, classes).status();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  const std::string good = Network().DebugString();
  EXPECT_THAT(
      FindArchitecture("resnet21", "", 0),
      StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr("'resnet21'"), HasSubstr("resnet20"))));
  EXPECT_THAT(FindArchitecture("resnet20", "28", 0), StatusIs(kInvalid, HasSubstr("'28'")));
  EXPECT_THAT(read("", "", 0), StatusIs(kInvalid, HasSubstr("is empty")));
  EXPECT_THAT(read("{\"nodes\": 3}", "", 0), StatusIs(kInvalid, HasSubstr("JSON")));
  EXPECT_THAT(read("layers: 3", "", 0), StatusIs(kInvalid, HasSubstr("line 1:")));
  EXPECT_THAT(read("classes: 3", "", 0), StatusIs(kInvalid, HasSubstr("input.channels")));
  EXPECT_THAT(read(good, "1x9x12", 0), StatusIs(kInvalid, HasSubstr("2x9x12, not of 1x9x12")));
  EXPECT_THAT(read(good, "2x9x12", 6), StatusIs(kInvalid, HasSubstr("5 classes, not 6")));
}

}  // namespace
}  // namespace frontier
