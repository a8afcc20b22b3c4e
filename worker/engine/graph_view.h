// An architecture as the engine walks it: folded by FoldGraph, dead nodes left out.
#ifndef FRONTIER_WORKER_ENGINE_GRAPH_VIEW_H_
#define FRONTIER_WORKER_ENGINE_GRAPH_VIEW_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/architecture/graph.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::worker {

// In inference dropouts are folded, too.
enum class GraphPass { kTraining, kInference };

struct GraphView {
  v1::Architecture architecture;
  GraphCosts costs;
  // By node. A folded node (identity, addition of one) stands for another: nothing below names it.
  std::vector<std::vector<int>> inputs;
  std::vector<std::vector<int>> consumers;  // live ones, once for each use
  std::vector<bool> live;                   // reaches the output; never set for folded nodes
  std::vector<bool> needs_gradient;         // depends on a trained parameter
  int output = 0;

  const v1::Node& node(int i) const { return architecture.nodes(i); }
  const v1::Shape& shape(int i) const { return costs.nodes[static_cast<size_t>(i)].output; }
  // The only consumer of `i` if that is one node of kind `op` using it once; -1 otherwise.
  int SoleConsumer(int i, v1::Operator op) const;
};

// Errors as AnalyzeGraph.
absl::StatusOr<GraphView> ViewGraph(const v1::Architecture& architecture,
                                    GraphPass pass = GraphPass::kTraining);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_GRAPH_VIEW_H_
