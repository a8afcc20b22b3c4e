#include "common/architecture/folding.h"

#include <algorithm>
#include <cstddef>

namespace frontier {
namespace {

// Leaves out the zeros among the last `*count` inputs, those of the addition `node`. Returns what
// it stands for.
int32_t FoldAddition(const v1::Architecture& architecture, int32_t node,
                     std::vector<int32_t>* edges, int32_t* count) {
  const auto begin = edges->end() - *count;
  const int32_t first = *begin;
  edges->erase(std::remove_if(begin, edges->end(),
                              [&](int32_t input) {
                                return architecture.nodes(input).op() == v1::OPERATOR_ZERO;
                              }),
               edges->end());
  *count = static_cast<int32_t>(edges->end() - begin);
  if (*count == 0) return first;
  return *count == 1 ? *begin : node;
}

}  // namespace

Folding FoldGraph(const v1::Architecture& architecture, bool inference) {
  const size_t size = static_cast<size_t>(architecture.nodes_size());
  Folding folding;
  folding.stands_for.reserve(size);
  folding.first_edge.reserve(size);
  folding.edge_count.reserve(size);
  folding.edges.reserve(2 * size);
  folding.live.resize(size, false);
  for (int32_t i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    const size_t first = folding.edges.size();
    for (const int32_t input : node.inputs()) {
      folding.edges.push_back(folding.stands_for[static_cast<size_t>(input)]);
    }
    int32_t count = node.inputs_size();
    int32_t stands_for = i;
    switch (node.op()) {
      case v1::OPERATOR_IDENTITY:
        stands_for = folding.edges[first];
        break;
      case v1::OPERATOR_DROPOUT:
        if (inference || node.dropout().rate() == 0.0f) stands_for = folding.edges[first];
        break;
      case v1::OPERATOR_ZERO:
        folding.edges.resize(first);
        count = 0;
        break;
      case v1::OPERATOR_ADD:
        stands_for = FoldAddition(architecture, i, &folding.edges, &count);
        break;
      default:
        break;
    }
    folding.stands_for.push_back(stands_for);
    folding.first_edge.push_back(static_cast<int32_t>(first));
    folding.edge_count.push_back(count);
  }
  folding.output = folding.stands_for[size - 1];
  folding.live[static_cast<size_t>(folding.output)] = true;
  for (size_t i = size; i-- > 0;) {
    if (!folding.live[i]) continue;
    for (const int32_t input : folding.inputs(i)) folding.live[static_cast<size_t>(input)] = true;
  }
  return folding;
}

}  // namespace frontier
