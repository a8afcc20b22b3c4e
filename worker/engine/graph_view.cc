#include "worker/engine/graph_view.h"

#include "common/base/status.h"

namespace frontier::worker {

int GraphView::SoleConsumer(int i, v1::Operator op) const {
  const std::vector<int>& users = consumers[static_cast<size_t>(i)];
  return i != output && users.size() == 1 && node(users[0]).op() == op ? users[0] : -1;
}

absl::StatusOr<GraphView> ViewGraph(const v1::Architecture& architecture) {
  GraphView view;
  ASSIGN_OR_RETURN(view.costs, AnalyzeGraph(architecture));
  view.architecture = architecture;
  const size_t count = static_cast<size_t>(architecture.nodes_size());
  view.inputs.resize(count);
  view.consumers.resize(count);
  view.live.resize(count, false);
  view.needs_gradient.resize(count, false);
  std::vector<int> stands_for(count);
  for (size_t i = 0; i < count; ++i) {
    const v1::Node& node = architecture.nodes(static_cast<int>(i));
    bool needed = node.op() == v1::OPERATOR_CONVOLUTION || node.op() == v1::OPERATOR_LINEAR ||
                  node.op() == v1::OPERATOR_BATCH_NORM;
    for (const int input : node.inputs()) {
      const int source = stands_for[static_cast<size_t>(input)];
      view.inputs[i].push_back(source);
      needed = needed || view.needs_gradient[static_cast<size_t>(source)];
    }
    view.needs_gradient[i] = needed;
    stands_for[i] = node.op() == v1::OPERATOR_IDENTITY ? view.inputs[i][0] : static_cast<int>(i);
  }
  view.output = stands_for[count - 1];
  view.live[static_cast<size_t>(view.output)] = true;
  for (size_t i = count; i-- > 0;) {
    if (!view.live[i]) continue;
    for (const int input : view.inputs[i]) {
      view.live[static_cast<size_t>(input)] = true;
      view.consumers[static_cast<size_t>(input)].push_back(static_cast<int>(i));
    }
  }
  return view;
}

}  // namespace frontier::worker
