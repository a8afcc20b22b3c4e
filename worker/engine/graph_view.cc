#include "worker/engine/graph_view.h"

#include <utility>

#include "common/architecture/folding.h"
#include "common/base/status.h"

namespace frontier::worker {

int GraphView::SoleConsumer(int i, v1::Operator op) const {
  const std::vector<int>& users = consumers[static_cast<size_t>(i)];
  return i != output && users.size() == 1 && node(users[0]).op() == op ? users[0] : -1;
}

absl::StatusOr<GraphView> ViewGraph(const v1::Architecture& architecture, GraphPass pass) {
  GraphView view;
  ASSIGN_OR_RETURN(view.costs, AnalyzeGraph(architecture));
  view.architecture = architecture;
  Folding folding = FoldGraph(architecture, /*inference=*/pass == GraphPass::kInference);
  view.inputs.reserve(folding.live.size());
  for (size_t i = 0; i < folding.live.size(); ++i) {
    view.inputs.emplace_back(folding.inputs(i).begin(), folding.inputs(i).end());
  }
  view.live = std::move(folding.live);
  view.output = folding.output;
  const size_t count = view.inputs.size();
  view.consumers.resize(count);
  view.needs_gradient.resize(count, false);
  for (size_t i = 0; i < count; ++i) {
    const v1::Operator op = architecture.nodes(static_cast<int>(i)).op();
    bool needed = op == v1::OPERATOR_CONVOLUTION || op == v1::OPERATOR_LINEAR ||
                  op == v1::OPERATOR_BATCH_NORM;
    for (const int input : view.inputs[i]) {
      needed = needed || view.needs_gradient[static_cast<size_t>(input)];
    }
    view.needs_gradient[i] = needed;
  }
  for (size_t i = count; i-- > 0;) {
    if (!view.live[i]) continue;
    for (const int input : view.inputs[i]) {
      view.consumers[static_cast<size_t>(input)].push_back(static_cast<int>(i));
    }
  }
  return view;
}

}  // namespace frontier::worker
