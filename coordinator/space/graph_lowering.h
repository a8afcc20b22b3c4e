// From the choices of a space written by its user to a network.
//
// A node that is absent stands for its first input: a chain closes over the gap. Where several
// inputs are written, those that are absent, "none", or by a choice that is not made are left out
// instead, unless nothing would be left. A node whose operator is a choice that is not made is
// absent. An add, concat or multiply left with one input, and an identity, are that input. Nodes
// that do not lead to the last one are left out.
//
// A node repeated n times is a chain of n: only the first has its stride and its inputs, each is
// followed by its `then`. Repeated 0 times it stands for its first input. Layers are named after
// their node: "body", or "body.0", "body.1"; those of `then` "body.relu".
//
// One number for kernel, stride, padding or dilation means both sides; for samples of height 1 it
// means the width alone. Padding left out is dilation * (kernel - 1) / 2.
#ifndef FRONTIER_COORDINATOR_SPACE_GRAPH_LOWERING_H_
#define FRONTIER_COORDINATOR_SPACE_GRAPH_LOWERING_H_

#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/space/graph_plan.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Most layers of one network.
inline constexpr int kMaxGraphLayers = 4096;

// `genotype` has an option for each decision and `active` says which count. INVALID_ARGUMENT names
// the node whose layer is not valid, and the problem as AnalyzeNode.
absl::StatusOr<v1::Architecture> LowerGraph(const GraphPlan& plan, const v1::Genotype& genotype,
                                            const std::vector<bool>& active, const v1::Shape& input,
                                            int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_GRAPH_LOWERING_H_
