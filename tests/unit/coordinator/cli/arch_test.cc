// frontier arch.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/architecture/reference.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/coordinator/cli/app_fixture.h"

namespace frontier::cli {
namespace {

using ::frontier::testing::ExpectGolden;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using ArchTest = AppTest;

// Two channels of one.
v1::Shape Pixel() {
  v1::Shape shape;
  shape.set_channels(2);
  shape.set_height(1);
  shape.set_width(1);
  return shape;
}

TEST_F(ArchTest, ShowsReferenceNetworks) {
  coordinator_.error = absl::UnavailableError("this needs no coordinator");
  const Outcome table = Run({"arch", "show", "small-cnn", "--input", "1x9x12", "--classes", "5"});
  EXPECT_EQ(table.code, 0) << table.err;
  ExpectGolden("cli/arch_show.txt", table.out);
  const Outcome dot =
      Run({"arch", "show", "small-cnn", "--input", "1x9x12", "--classes", "5", "--dot"});
  EXPECT_EQ(dot.code, 0) << dot.err;
  ExpectGolden("cli/arch_show.dot", dot.out);
  EXPECT_THAT(Run({"arch", "show", "resnet-50"}).out,
              AllOf(HasSubstr("input 3 x 224 x 224, 1,000 classes"),
                    HasSubstr("25,557,032 parameters, 4,089,184,256 MACs")));
}

TEST_F(ArchTest, ShowReadsWhatItPrints) {
  for (const std::string& name : ReferenceNames()) {
    const Outcome json = Run({"arch", "show", name, "--input", "3x32x32", "--json"});
    ASSERT_EQ(json.code, 0) << json.err;
    const std::string file = WriteTemporary("network.json", json.out);
    EXPECT_EQ(Run({"arch", "show", file, "--json"}).out, json.out);
    for (const auto& [a, b] : {std::pair(name, file), std::pair(file, name)}) {
      const Outcome diff = Run({"arch", "diff", a, b});
      EXPECT_EQ(diff.code, 0) << diff.err;
      EXPECT_THAT(diff.out, AllOf(HasSubstr("The same architecture"), Not(HasSubstr("Changed"))));
    }
  }
}

TEST_F(ArchTest, ComparesNetworks) {
  const Outcome same_kind = Run({"arch", "diff", "squeezenet-1.0", "squeezenet-1.1"});
  EXPECT_EQ(same_kind.code, 0) << same_kind.err;
  ExpectGolden("cli/arch_diff.txt", same_kind.out);
  v1::Architecture network = ReferenceArchitecture("small-cnn", Pixel(), 2).value();
  frontier::testing::TempFolder folder;
  const std::string files[] = {folder.File("parent.json"), folder.File("child.json")};
  for (const std::string& file : files) {
    std::string json;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(network, &json).ok());
    ASSERT_OK(WriteFileAtomically(file, json));
    // The child has another activation, no last norm, and a wider convolution.
    network.mutable_nodes(3)->set_op(v1::OPERATOR_SILU);
    network.mutable_nodes(5)->mutable_convolution()->set_out_channels(65);
    v1::Node* dropout = network.mutable_nodes(10);
    dropout->set_op(v1::OPERATOR_DROPOUT);
    dropout->set_name("new");
    dropout->mutable_dropout()->set_rate(0.5f);
  }
  const Outcome parent_child = Run({"arch", "diff", files[0], files[1]});
  EXPECT_EQ(parent_child.code, 0) << parent_child.err;
  ExpectGolden("cli/arch_diff_child.txt", parent_child.out);
}

TEST_F(ArchTest, RefusesWhatIsNoArchitecture) {
  std::string text;
  const struct {
    std::string name, content;
    int code;
  } files[] = {
      {"empty.json", "", 3},
      {"words.txt", "hello there", 3},
      {"broken.json", "{\"nodes\": [", 3},
      {"cycle.json",
       R"({"input": {"channels": 1, "height": 1, "width": 1}, "classes": 1, "nodes":
           [{"op": "OPERATOR_INPUT"}, {"op": "OPERATOR_RELU", "inputs": [1]}]})",
       3},
      {"other.json",
       R"({"input": {"channels": 1, "height": 1, "width": 1}, "classes": 1, "nodes":
           [{"op": "OPERATOR_INPUT"}]})",
       3},
  };
  for (const auto& file : files) {
    const std::string path = WriteTemporary(file.name, file.content);
    const Outcome outcome = Run({"arch", "show", path, "--classes", "7"});
    EXPECT_EQ(outcome.code, file.code) << file.name;
    EXPECT_THAT(outcome.out, IsEmpty());
    absl::StrAppend(&text, absl::StrReplaceAll(outcome.err, {{path, file.name}}));
  }
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"arch", "show", "resnet18"},
        std::vector<std::string>{"arch", "show", "no/such.json"},
        std::vector<std::string>{"arch", "diff", "resnet-18", "resnet-19"}}) {
    const Outcome outcome = Run(line);
    EXPECT_EQ(outcome.code, 4);
    absl::StrAppend(&text, outcome.err);
  }
  EXPECT_EQ(Run({"arch", "show", ::testing::TempDir()}).code, 3);
  const Outcome small = Run({"arch", "show", "vgg-like", "--input", "1x4x4"});
  EXPECT_EQ(small.code, 3);
  absl::StrAppend(&text, small.err);
  ExpectGolden("cli/arch_errors.txt", text);
}

}  // namespace
}  // namespace frontier::cli
