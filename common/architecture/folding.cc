#include "common/architecture/folding.h"

#include <cstddef>

namespace frontier {
namespace {

// Leaves out the zeros among the inputs of an addition. Returns what it stands for.
int32_t FoldAddition(const v1::Architecture& architecture, int32_t node,
                     std::vector<int32_t>* inputs) {
  const int32_t first = inputs->front();
  std::erase_if(*inputs,
                [&](int32_t input) { return architecture.nodes(input).op() == v1::OPERATOR_ZERO; });
  if (inputs->empty()) return first;
  return inputs->size() == 1 ? inputs->front() : node;
}

}  // namespace

Folding FoldGraph(const v1::Architecture& architecture, bool inference) {
  const int32_t count = architecture.nodes_size();
  const size_t size = static_cast<size_t>(count);
  Folding folding;
  folding.stands_for.resize(size);
  folding.inputs.resize(size);
  folding.live.resize(size, false);
  for (int32_t i = 0; i < count; ++i) {
    const v1::Node& node = architecture.nodes(i);
    std::vector<int32_t>& inputs = folding.inputs[static_cast<size_t>(i)];
    for (const int32_t input : node.inputs()) {
      inputs.push_back(folding.stands_for[static_cast<size_t>(input)]);
    }
    int32_t& stands_for = folding.stands_for[static_cast<size_t>(i)];
    stands_for = i;
    switch (node.op()) {
      case v1::OPERATOR_IDENTITY:
        stands_for = inputs[0];
        break;
      case v1::OPERATOR_DROPOUT:
        if (inference || node.dropout().rate() == 0.0f) stands_for = inputs[0];
        break;
      case v1::OPERATOR_ZERO:
        inputs.clear();
        break;
      case v1::OPERATOR_ADD:
        stands_for = FoldAddition(architecture, i, &inputs);
        break;
      default:
        break;
    }
  }
  folding.output = folding.stands_for[size - 1];
  folding.live[static_cast<size_t>(folding.output)] = true;
  for (size_t i = size; i-- > 0;) {
    if (!folding.live[i]) continue;
    for (const int32_t input : folding.inputs[i]) folding.live[static_cast<size_t>(input)] = true;
  }
  return folding;
}

}  // namespace frontier
