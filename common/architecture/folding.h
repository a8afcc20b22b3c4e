// What a graph computes, without the nodes that do nothing.
#ifndef FRONTIER_COMMON_ARCHITECTURE_FOLDING_H_
#define FRONTIER_COMMON_ARCHITECTURE_FOLDING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// Rules, in the order of the nodes:
//   - an identity, and a dropout of rate 0, stands for its input;
//   - a zero has no input: its shape is all that matters of it;
//   - an addition loses its zeros. With one input left it stands for that input; with none, for the
//     first of its zeros.
// Zeros that reach other layers stay (a zero times x, a convolution of zeros), and equal nodes are
// not merged.
struct Folding {
  // Of `node`, none of them folded.
  absl::Span<const int32_t> inputs(size_t node) const {
    return absl::MakeConstSpan(edges).subspan(static_cast<size_t>(first_edge[node]),
                                              static_cast<size_t>(edge_count[node]));
  }

  std::vector<int32_t> stands_for;  // by node: itself, unless it was folded
  std::vector<bool> live;           // reaches the output; never set for a folded node
  int32_t output = 0;
  std::vector<int32_t> edges;       // inputs of all nodes
  std::vector<int32_t> first_edge;  // by node, in `edges`
  std::vector<int32_t> edge_count;  // by node
};

// With `inference`, each dropout stands for its input. `architecture` is valid by AnalyzeGraph.
Folding FoldGraph(const v1::Architecture& architecture, bool inference = false);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_FOLDING_H_
