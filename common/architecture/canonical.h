// Identity of an architecture.
#ifndef FRONTIER_COMMON_ARCHITECTURE_CANONICAL_H_
#define FRONTIER_COMMON_ARCHITECTURE_CANONICAL_H_

#include <string>

#include "absl/status/statusor.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// SHA-256 (hex) of the canonical form: nodes that do not reach the output dropped, identities
// folded, names left out, nodes in an order that does not depend on how they were listed. Two
// architectures have equal hashes if their folded graphs are isomorphic (inputs of add are
// unordered, those of concat are ordered). INVALID_ARGUMENT as AnalyzeGraph.
absl::StatusOr<std::string> CanonicalHash(const v1::Architecture& architecture);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_CANONICAL_H_
