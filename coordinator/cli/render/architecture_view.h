// Architectures for people and for Graphviz.
#ifndef FRONTIER_COORDINATOR_CLI_RENDER_ARCHITECTURE_VIEW_H_
#define FRONTIER_COORDINATOR_CLI_RENDER_ARCHITECTURE_VIEW_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/architecture/difference.h"
#include "coordinator/cli/render/text.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::cli {

// Layers with shapes and costs.
std::string RenderArchitecture(const Look& look, const v1::Architecture& architecture);

// The same under a title, and the canonical hash.
std::string RenderNamedArchitecture(const Look& look, const std::string& name,
                                    const v1::Architecture& architecture);

// A graph in Graphviz's language, from the input down. INVALID_ARGUMENT as AnalyzeGraph.
absl::StatusOr<std::string> ArchitectureDot(const v1::Architecture& architecture);

// Two architectures by the names the user gave: totals side by side, nodes that only one of them
// has, and what changed in the others. Without a hash (CanonicalHash gave up) it says so.
struct ComparedArchitecture {
  std::string name;
  const v1::Architecture* architecture = nullptr;
  absl::StatusOr<std::string> hash;
};
std::string RenderDifference(const Look& look, const ComparedArchitecture& a,
                             const ComparedArchitecture& b,
                             const ArchitectureDifference& difference);

// What a convolution, pool or other layer with attributes is in a few words: "3x3, stride 2".
std::string AttributesText(const v1::Node& node);

// "64 x 56 x 56"
std::string SpacedShape(const v1::Shape& shape);

// A node's name, or "node 7" if it has none.
std::string NodeName(const v1::Architecture& architecture, int node);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_RENDER_ARCHITECTURE_VIEW_H_
