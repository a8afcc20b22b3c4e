// Spaces written by their users: the networks that follow, and what is wrong, in words.
#include "coordinator/space/graph_space.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeShape;
using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::GraphSpace Parse(const std::string& text) {
  v1::GraphSpace spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
  return spec;
}

absl::StatusOr<std::unique_ptr<Space>> Create(const std::string& text,
                                              const v1::Shape& input = MakeShape(3, 16, 16)) {
  return CreateGraphSpace(Parse(text), input, 10);
}

// Layers without the input and the head: "conv:convolution".
std::vector<std::string> Layers(const Space& space, const std::vector<int>& options) {
  v1::Genotype genotype;
  for (const int option : options) genotype.add_options(option);
  const absl::StatusOr<v1::Architecture> architecture = space.Lower(genotype);
  EXPECT_OK(architecture);
  if (!architecture.ok()) return {};
  EXPECT_OK(AnalyzeGraph(*architecture));
  std::vector<std::string> layers;
  for (const v1::Node& node : architecture->nodes()) {
    if (node.op() == v1::OPERATOR_INPUT || node.name() == "pool" || node.name() == "head") continue;
    layers.push_back(node.name());
  }
  return layers;
}

constexpr char kHead[] = R"(
  nodes { name: "pool" op: "global_average_pool" }
  nodes { name: "head" op: "linear" })";

// Every kind of choice: of attributes, operators, inputs, presence, repetition and followers.
constexpr char kRich[] = R"(
  choices { name: "width" options: "8" options: "16" }
  choices { name: "op" options: "convolution" options: "max_pool" options: "identity" }
  choices { name: "kernel" options: "3" options: "5"
            only_if { choice: "op" options: "convolution" options: "max_pool" } }
  choices { name: "depth" options: "0" options: "1" options: "3" }
  choices { name: "act" options: "relu" options: "hard_swish" }
  choices { name: "joined" options: "none" options: "stem" options: "input" }
  choices { name: "extra" options: "no" options: "yes" }
  constraints { never { choice: "op" options: "identity" } never { choice: "extra" options: "yes" } }
  constraints { never { choice: "joined" options: "input" } }
  nodes { name: "stem" op: "convolution" channels: "$width" kernel: "3" then: "batch_norm" then: "$act" }
  nodes { name: "body" op: "$op" kernel: "$kernel" then: "batch_norm" }
  nodes { name: "deep" op: "convolution" kernel: "3" groups: "depthwise" repeat: "$depth" then: "$act" }
  nodes { name: "extra" op: "convolution" kernel: "1" only_if { choice: "extra" options: "yes" } }
  nodes { name: "join" op: "add" inputs: "extra" inputs: "$joined" }
  nodes { name: "pool" op: "global_average_pool" }
  nodes { name: "head" op: "linear" })";

TEST(GraphSpaceTest, ChoicesStandWhereTheyAreNamed) {
  const auto created = Create(kRich);
  ASSERT_OK(created);
  const Space& space = **created;
  // width 2 * act 2 * depth 3 * joined 2 * (op and kernel: 4 with either extra, 1 with none)
  EXPECT_EQ(space.Size(), "216");
  EXPECT_THAT(Layers(space, {0, 0, 1, 1, 1, 0, 0}),
              ElementsAre("stem", "stem.batch_norm", "stem.hard_swish", "body", "body.batch_norm",
                          "deep", "deep.hard_swish"));
  EXPECT_THAT(Layers(space, {0, 2, 0, 2, 0, 0, 0}),
              ElementsAre("stem", "stem.batch_norm", "stem.relu", "body.batch_norm", "deep.0",
                          "deep.0.relu", "deep.1", "deep.1.relu", "deep.2", "deep.2.relu"));
  EXPECT_THAT(Layers(space, {1, 1, 0, 0, 0, 1, 1}),
              ElementsAre("stem", "stem.batch_norm", "stem.relu", "body", "body.batch_norm",
                          "extra", "join"));
  // Without extra only the other input is left of the join.
  EXPECT_THAT(Layers(space, {1, 1, 0, 0, 0, 1, 0}),
              ElementsAre("stem", "stem.batch_norm", "stem.relu"));
  v1::Genotype genotype;
  for (const int option : {1, 1, 0, 0, 0, 1, 1}) genotype.add_options(option);
  EXPECT_EQ(space.Summarize(genotype),
            "width 16, op max_pool, kernel 3, depth 0, act relu, joined stem, extra yes");
}

TEST(GraphSpaceTest, SizeEqualsEnumeration) {
  const auto created = Create(kRich);
  ASSERT_OK(created);
  std::set<std::string> genotypes;
  v1::Genotype genotype = (*created)->First();
  do {
    genotypes.insert(genotype.SerializeAsString());
    ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, (*created)->Lower(genotype));
    EXPECT_OK(AnalyzeGraph(architecture)) << (*created)->Summarize(genotype);
  } while ((*created)->Advance(&genotype));
  EXPECT_EQ(absl::StrCat(genotypes.size()), (*created)->Size());
}

TEST(GraphSpaceTest, ConditionsAndConstraintsHoldInAHundredThousandSamples) {
  constexpr uint64_t kSeed = 5;
  std::cout << "seed " << kSeed << "\n";
  const auto created = Create(kRich);
  ASSERT_OK(created);
  Rng rng(kSeed);
  v1::Genotype parent = (*created)->Sample(&rng);
  for (int i = 0; i < 100'000; ++i) {
    const v1::Genotype genotype =
        i % 2 == 0 ? (*created)->Sample(&rng) : (*created)->Mutate(parent, &rng);
    const auto option = [&](int decision) { return genotype.options(decision); };
    const bool identity = option(1) == 2;
    ASSERT_TRUE(!identity || option(2) == 0) << (*created)->Summarize(genotype);
    ASSERT_TRUE(!identity || option(6) == 0) << (*created)->Summarize(genotype);
    ASSERT_NE(option(5), 2);
    parent = genotype;
  }
}

TEST(GraphSpaceTest, NodesMayStandInAnyOrder) {
  const auto created = Create(R"(
    nodes { name: "second" op: "relu" inputs: "first" }
    nodes { name: "first" op: "convolution" kernel: "3" channels: "8" inputs: "input" }
    nodes { name: "pool" op: "global_average_pool" inputs: "second" }
    nodes { name: "head" op: "linear" })");
  ASSERT_OK(created);
  EXPECT_THAT(Layers(**created, {}), ElementsAre("first", "second"));
}

TEST(GraphSpaceTest, ExtentsAndDefaults) {
  const auto created = Create(absl::StrCat(R"(
    nodes { name: "a" op: "convolution" kernel: "5" stride: "2" dilation: "2" channels: "6" }
    nodes { name: "b" op: "convolution" kernel: "3x1" padding: "1x0" bias: "true" groups: "3" }
    nodes { name: "c" op: "average_pool" kernel: "2" stride: "2" })",
                                           kHead));
  ASSERT_OK(created);
  ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, (*created)->Lower({}));
  const v1::Convolution& a = architecture.nodes(1).convolution();
  EXPECT_EQ(a.kernel_height(), 5);
  EXPECT_EQ(a.padding_width(), 4);
  EXPECT_EQ(a.dilation_height(), 2);
  EXPECT_EQ(a.stride_width(), 2);
  EXPECT_EQ(a.groups(), 1);
  EXPECT_FALSE(a.bias());
  const v1::Convolution& b = architecture.nodes(2).convolution();
  EXPECT_EQ(b.out_channels(), 6);
  EXPECT_EQ(b.kernel_height(), 3);
  EXPECT_EQ(b.kernel_width(), 1);
  EXPECT_EQ(b.groups(), 3);
  EXPECT_TRUE(b.bias());
  EXPECT_EQ(architecture.nodes(3).pool().padding_height(), 0);
  EXPECT_TRUE(architecture.nodes(5).linear().bias());
  EXPECT_EQ(architecture.nodes(5).linear().out_features(), 10);
}

TEST(GraphSpaceTest, SignalsTakeOneNumberAlongTheirLength) {
  const auto created = Create(
      absl::StrCat(R"(nodes { name: "a" op: "convolution" kernel: "9" stride: "4" channels: "4" })",
                   kHead),
      MakeShape(2, 1, 128));
  ASSERT_OK(created);
  ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, (*created)->Lower({}));
  const v1::Convolution& a = architecture.nodes(1).convolution();
  EXPECT_EQ(a.kernel_height(), 1);
  EXPECT_EQ(a.kernel_width(), 9);
  EXPECT_EQ(a.padding_height(), 0);
  EXPECT_EQ(a.padding_width(), 4);
  EXPECT_EQ(a.stride_height(), 1);
}

TEST(GraphSpaceTest, WhatIsWrongIsSaidExactly) {
  struct Bad {
    std::string text;
    std::string field;
    std::string problem;
  };
  const std::string conv = R"(nodes { name: "a" op: "convolution" kernel: "3" channels: "8" })";
  const std::string tail = kHead;
  const std::vector<Bad> bad = {
      {"", "nodes", "empty"},
      {R"(nodes { name: "" op: "relu" })", "nodes[0].name", "node ''"},
      {R"(nodes { name: "a.b" op: "relu" })", "nodes[0].name", "'a.b'"},
      {R"(nodes { name: "input" op: "relu" })", "nodes[0].name", "is the sample"},
      {conv + conv + tail, "nodes[1].name", "'a' is nodes[0] already"},
      {R"(nodes { name: "a" })", "nodes[0].op", "has no operator"},
      {R"(nodes { name: "a" op: "conv" })" + tail, "nodes[0].op",
       "node 'a': 'conv' is no operator; known are: convolution, linear"},
      {R"(nodes { name: "a" op: "RELU" })" + tail, "nodes[0].op", "'RELU' is no operator"},
      {R"(nodes { name: "a" op: "input" })" + tail, "nodes[0].op", "'input' is no operator"},
      {R"(nodes { name: "a" op: "$x" })" + tail, "nodes[0].op", "there is no choice 'x'"},
      {R"(choices { name: "x" options: "relu" options: "gleu" }
          nodes { name: "a" op: "$x" })" +
           tail,
       "nodes[0].op", "node 'a': choice 'x': 'gleu' is no operator"},
      {R"(nodes { name: "a" op: "relu" kernel: "3" })" + tail, "nodes[0].kernel",
       "relu has no kernel"},
      {R"(nodes { name: "a" op: "convolution" })" + tail, "nodes[0].kernel",
       "convolution needs a kernel"},
      {R"(choices { name: "x" options: "relu" options: "max_pool" }
          nodes { name: "a" op: "$x" })" +
           tail,
       "nodes[0].kernel", "max_pool needs a kernel"},
      {R"(nodes { name: "a" op: "convolution" kernel: "0" })" + tail, "nodes[0].kernel", "'0'"},
      {R"(nodes { name: "a" op: "convolution" kernel: "3x" })" + tail, "nodes[0].kernel", "'3x'"},
      {R"(nodes { name: "a" op: "convolution" kernel: "99999999999999999999" })" + tail,
       "nodes[0].kernel", "must be a whole number from 1 to 64"},
      {R"(nodes { name: "a" op: "convolution" kernel: "3" channels: "-1" })" + tail,
       "nodes[0].channels", "node 'a': '-1' must be a whole number from 1 to 8192"},
      {R"(nodes { name: "a" op: "relu" repeat: "65" })" + tail, "nodes[0].repeat", "'65'"},
      {R"(nodes { name: "a" op: "relu" repeat: "2.5" })" + tail, "nodes[0].repeat", "'2.5'"},
      {R"(nodes { name: "a" op: "leaky_relu" slope: "nan" })" + tail, "nodes[0].slope", "'nan'"},
      {R"(nodes { name: "a" op: "leaky_relu" })" + tail, "nodes[0].slope", "needs a slope"},
      {R"(nodes { name: "a" op: "relu" then: "dropout" })" + tail, "nodes[0].then[0]",
       "must be a node of its own"},
      {R"(nodes { name: "a" op: "relu" then: "" })" + tail, "nodes[0].then[0]",
       "names no operator"},
      {R"(nodes { name: "a" op: "relu" inputs: "b" })" + tail, "nodes[0].inputs[0]",
       "node 'a': 'b' is no node"},
      {R"(nodes { name: "a" op: "relu" inputs: "none" })" + tail, "nodes[0].inputs[0]",
       "'none' is no node"},
      {R"(nodes { name: "a" op: "relu" inputs: "input" inputs: "input" })" + tail,
       "nodes[0].inputs", "node 'a': relu has one input, not 2"},
      {R"(nodes { name: "a" op: "relu" inputs: "a" })" + tail, "nodes[0].inputs",
       "nodes read each other in a cycle: a reads a"},
      {R"(choices { name: "x" options: "input" options: "c" }
          nodes { name: "a" op: "relu" inputs: "$x" } nodes { name: "b" op: "relu" }
          nodes { name: "c" op: "relu" })" +
           tail,
       "nodes[0].inputs",
       "nodes read each other in a cycle: a reads c reads b reads a; 'a' by choice 'x'"},
      {R"(choices { name: "x" options: "1" })" + conv + tail, "choices[0]",
       "choice 'x' is used by no node; write $x"},
      {R"(choices { name: "x y" options: "1" })" + conv + tail, "choices[0].name", "'x y'"},
      {R"(choices { name: "x" })" + conv + tail, "choices[0].options", "has none"},
      {R"(choices { name: "x" options: "1" options: "1" })" + conv + tail, "choices[0].options[1]",
       "choice x has 1 twice"},
      {R"(choices { name: "x" options: "" })" + conv + tail, "choices[0].options[0]", "''"},
      {R"(choices { name: "x" options: "1" } choices { name: "x" options: "1" })" + conv + tail,
       "choices[1].name", "given twice"},
      {R"(choices { name: "x" options: "1" only_if { choice: "x" options: "1" } })" + conv + tail,
       "choices[0].only_if[0].choice", "'x' is no earlier choice"},
      {R"(choices { name: "x" options: "8" }
          nodes { name: "a" op: "relu" only_if { choice: "x" options: "9" } })" +
           tail,
       "nodes[0].only_if[0].options[0]", "choice x has no option '9', only 8"},
      {R"(constraints {})" + conv + tail, "constraints[0].never", "empty"},
      {R"(constraints { never { choice: "x" options: "1" } })" + conv + tail,
       "constraints[0].never[0].choice", "'x' is no earlier choice"},
      {R"(choices { name: "x" options: "8" options: "9" }
          constraints { never { choice: "x" options: "8" options: "9" } }
          nodes { name: "a" op: "convolution" kernel: "3" channels: "$x" })" +
           tail,
       "constraints[0]", "leaves no candidate: it rules out x = 8 or 9"},
      {conv + R"(nodes { name: "b" op: "add" inputs: "a" inputs: "input" })" + tail, "nodes",
       "no network of the space is valid, say: node 'b' (add): inputs"},
      {conv, "nodes", "node 'a'"},
      {R"(choices { name: "from" options: "input" options: "wide" }
          nodes { name: "wide" op: "convolution" kernel: "1" channels: "5" }
          nodes { name: "a" op: "convolution" kernel: "3" channels: "5" }
          nodes { name: "b" op: "add" inputs: "a" inputs: "$from" })" +
           tail,
       "choices[0].options[0]",
       "choice 'from': with input no network is valid, say: node 'b' (add)"},
      {R"(choices { name: "g" options: "2" options: "3" }
          nodes { name: "a" op: "convolution" kernel: "3" channels: "8" }
          nodes { name: "b" op: "convolution" kernel: "3" groups: "$g" })" +
           tail,
       "choices[0].options[1]",
       "choice 'g': with 3 no network is valid, say: node 'b' (convolution): convolution.groups"},
  };
  for (const Bad& each : bad) {
    const absl::Status status = Create(each.text).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(each.problem)))
        << each.text;
    ASSERT_TRUE(GetErrorDetail(status).has_value()) << each.text;
    EXPECT_EQ(GetErrorDetail(status)->field(), each.field) << each.text << "\n" << status;
  }
}

TEST(GraphSpaceTest, HugeSpecsAreRefused) {
  v1::GraphSpace nodes;
  for (int i = 0; i < 513; ++i) {
    v1::GraphNode* node = nodes.add_nodes();
    node->set_name(absl::StrCat("n", i));
    node->set_op("relu");
  }
  EXPECT_THAT(CreateGraphSpace(nodes, MakeShape(1, 8, 8), 2).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("513 nodes")));
  nodes.mutable_nodes()->RemoveLast();
  for (v1::GraphNode& node : *nodes.mutable_nodes()) node.set_repeat("64");
  EXPECT_THAT(CreateGraphSpace(nodes, MakeShape(1, 8, 8), 2).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 4096 layers")));
  v1::GraphSpace choices;
  for (int i = 0; i < 257; ++i) choices.add_choices()->set_name(absl::StrCat("c", i));
  EXPECT_THAT(CreateGraphSpace(choices, MakeShape(1, 8, 8), 2).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("257 choices")));
}

}  // namespace
}  // namespace frontier::coordinator
