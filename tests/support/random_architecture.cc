#include "tests/support/random_architecture.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/builder.h"

namespace frontier::testing {
namespace {

int Pick(const std::vector<int>& values, Rng* rng) { return values[rng->Uniform(values.size())]; }

v1::Convolution RandomConvolution(int in_channels, Rng* rng) {
  const int out_channels = Pick({4, 4, 4, 8}, rng);
  const int groups = in_channels % 4 == 0 ? Pick({1, 1, 2, 4}, rng) : 1;
  return SquareConvolution(out_channels, Pick({1, 3, 5}, rng), Pick({1, 1, 1, 2}, rng), groups);
}

// One of the layers that only OperatorSet::kAll has, on `x`; `other` has its shape.
int AddNewerLayer(const std::string& name, int x, int other, Rng* rng, ArchitectureBuilder* b) {
  switch (rng->Uniform(13)) {
    case 0:
      return b->Relu6(name, x);
    case 1:
      return b->LeakyRelu(name, x, 0.01f * static_cast<float>(1 + rng->Uniform(30)));
    case 2:
      return b->Sigmoid(name, x);
    case 3:
      return b->Silu(name, x);
    case 4:
      return b->HardSwish(name, x);
    case 5:
      return b->Gelu(name, x);
    case 6:
      return b->Multiply(name, x, b->Sigmoid(name + ".gate", other));
    case 7: {  // squeeze and excite
      const int pool = b->GlobalAveragePool(name + ".squeeze", other);
      const int gate =
          b->Convolution(name + ".excite", pool, SquareConvolution(b->shape(x).channels(), 1));
      return b->Multiply(name, b->Sigmoid(name + ".gate", gate), x);
    }
    case 8:
      return b->ChannelShuffle(name, x, Pick({1, 2, 4}, rng));
    case 9:
      return b->Dropout(name, x, 0.25f);
    case 10:
      return b->HardSigmoid(name, x);
    case 11: {  // channels stay a multiple of 4
      const int channels = b->shape(x).channels();
      return b->ChannelSlice(name, x, static_cast<int>(rng->Uniform(channels - 3)), 4);
    }
    default:
      return b->Add(name, {b->Zero(name + ".zero", x), other});
  }
}

}  // namespace

v1::Architecture RandomArchitecture(int layers, Rng* rng, OperatorSet operators) {
  v1::Shape shape;
  shape.set_channels(4);
  shape.set_height(8);
  shape.set_width(8);
  ArchitectureBuilder b(shape, 3);
  std::vector<int> nodes = {b.input()};
  for (int i = 0; i < layers; ++i) {
    const std::string name = absl::StrCat("layer", i);
    // Recent nodes more often, so that graphs grow deep as well as wide.
    const int x = rng->Uniform(3) == 0 ? Pick(nodes, rng) : nodes.back();
    std::vector<int> alike;
    for (int node : nodes) {
      if (b.shape(node).SerializeAsString() == b.shape(x).SerializeAsString()) {
        alike.push_back(node);
      }
    }
    if (operators == OperatorSet::kAll && rng->Uniform(2) == 0) {
      nodes.push_back(AddNewerLayer(name, x, Pick(alike, rng), rng, &b));
      continue;
    }
    switch (rng->Uniform(8)) {
      case 0:
        nodes.push_back(b.BatchNorm(name, x));
        break;
      case 1:
        nodes.push_back(b.Relu(name, x));
        break;
      case 2:
        nodes.push_back(b.MaxPool(name, x, SquarePool(Pick({3, 5}, rng), 1)));
        break;
      case 3:
        nodes.push_back(b.AveragePool(name, x, SquarePool(3, Pick({1, 2}, rng))));
        break;
      case 4:
        nodes.push_back(b.Add(name, {x, Pick(alike, rng), Pick(alike, rng)}));
        break;
      case 5:
        nodes.push_back(b.Concat(name, {Pick(alike, rng), x}));
        break;
      default:
        nodes.push_back(b.Convolution(name, x, RandomConvolution(b.shape(x).channels(), rng)));
    }
  }
  b.Classifier(nodes.back());
  return b.Build().value();
}

v1::Architecture Renumbered(const v1::Architecture& architecture, Rng* rng) {
  const int count = architecture.nodes_size();
  std::vector<int> open_inputs(count, 0);
  std::vector<std::vector<int>> consumers(count);
  for (int i = 0; i < count; ++i) {
    for (int input : architecture.nodes(i).inputs()) {
      ++open_inputs[i];
      consumers[input].push_back(i);
    }
  }
  v1::Architecture result = architecture;
  result.clear_nodes();
  std::vector<int> place(count, -1);
  std::vector<int> ready = {0};
  while (!ready.empty()) {
    const size_t pick = rng->Uniform(ready.size());
    const int i = ready[pick];
    ready.erase(ready.begin() + pick);
    // The output stays last; nothing reads it.
    if (i == count - 1 && !ready.empty()) {
      ready.push_back(i);
      continue;
    }
    place[i] = result.nodes_size();
    v1::Node* node = result.add_nodes();
    *node = architecture.nodes(i);
    node->set_name(absl::StrCat("renamed", place[i]));
    node->clear_inputs();
    std::vector<int> inputs;
    for (int input : architecture.nodes(i).inputs()) inputs.push_back(place[input]);
    const bool unordered = node->op() == v1::OPERATOR_ADD || node->op() == v1::OPERATOR_MULTIPLY;
    if (unordered) rng->Shuffle(&inputs);
    for (int input : inputs) node->add_inputs(input);
    for (int consumer : consumers[i]) {
      if (--open_inputs[consumer] == 0) ready.push_back(consumer);
    }
  }
  return result;
}

v1::Architecture Padded(const v1::Architecture& architecture, Rng* rng) {
  v1::Architecture result = architecture;
  result.clear_nodes();
  std::vector<int> place;
  const auto add = [&result](v1::Operator op, int input) {
    v1::Node* node = result.add_nodes();
    node->set_name(absl::StrCat("padding", result.nodes_size()));
    node->set_op(op);
    node->add_inputs(input);
    return result.nodes_size() - 1;
  };
  for (const v1::Node& source : architecture.nodes()) {
    std::vector<int> inputs;
    for (int input : source.inputs()) {
      int from = place[input];
      while (rng->Uniform(4) == 0) from = add(v1::OPERATOR_IDENTITY, from);
      if (rng->Uniform(4) == 0) add(v1::OPERATOR_RELU, from);
      inputs.push_back(from);
    }
    place.push_back(result.nodes_size());
    v1::Node* node = result.add_nodes();
    *node = source;
    node->clear_inputs();
    for (int input : inputs) node->add_inputs(input);
  }
  if (rng->Uniform(2) == 0) add(v1::OPERATOR_IDENTITY, place.back());
  return result;
}

}  // namespace frontier::testing
