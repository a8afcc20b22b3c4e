// What a network computes, node by node in double, with weights put where a test wants them.
#ifndef FRONTIER_TESTS_INTEGRATION_CELLS_CELL_FUNCTION_H_
#define FRONTIER_TESTS_INTEGRATION_CELLS_CELL_FUNCTION_H_

#include <cstdint>
#include <vector>

#include "common/architecture/folding.h"
#include "common/architecture/graph.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::testing {

// A seed for each node: nodes of one kind and shape with one seed have the same weights.
using WeightSeeds = std::vector<uint64_t>;

// Logits of `images` (batch x input) with random weights and batch-norm statistics. With
// `folding`, of the folded graph; without, of every node as it stands. Knows the operators of
// NAS-Bench-201 networks.
std::vector<double> Compute(const v1::Architecture& architecture, const GraphCosts& costs,
                            const WeightSeeds& seeds, const std::vector<double>& images, int batch,
                            const Folding* folding = nullptr);

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_INTEGRATION_CELLS_CELL_FUNCTION_H_
