// Identity of an architecture.
#ifndef FRONTIER_COMMON_ARCHITECTURE_CANONICAL_H_
#define FRONTIER_COMMON_ARCHITECTURE_CANONICAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/architecture/graph.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// SHA-256 (hex) of the canonical form: the graph folded by FoldGraph (folding.h: identities, zero
// summands), nodes that do not reach the output dropped, names left out, nodes in an order that
// does not depend on how they were listed. Two architectures have equal hashes exactly if their
// folded graphs are isomorphic (inputs of add and multiply are unordered, those of concat are
// ordered). Weights belong to nodes: a convolution added to itself differs from two equal
// convolutions added. Dropout is part of the identity, though it changes training alone.
//
// Exact: ties that colour refinement leaves are broken by search (McKay and Piperno 2014,
// "Practical graph isomorphism, II"). INVALID_ARGUMENT as AnalyzeGraph; RESOURCE_EXHAUSTED for a
// graph so regular that the search would take more than about a second.
absl::StatusOr<std::string> CanonicalHash(const v1::Architecture& architecture);
// With what AnalyzeGraph tells of it, if that is at hand.
absl::StatusOr<std::string> CanonicalHash(const v1::Architecture& architecture,
                                          const GraphCosts& costs);

// The hash, and the nodes of the folded graph in the order in which it was written down: between
// two architectures of one hash, order[i] to order[i] is an isomorphism (inputs of concat keep
// their order, others may not).
struct CanonicalForm {
  std::string hash;
  std::vector<int32_t> order;
};
absl::StatusOr<CanonicalForm> FindCanonicalForm(const v1::Architecture& architecture);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_CANONICAL_H_
