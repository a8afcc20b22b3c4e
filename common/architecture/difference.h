// What differs between two architectures.
#ifndef FRONTIER_COMMON_ARCHITECTURE_DIFFERENCE_H_
#define FRONTIER_COMMON_ARCHITECTURE_DIFFERENCE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/architecture/graph.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// One thing of a node that is not as before: "op", "inputs", or an attribute by its name in the
// message, such as "convolution.groups". Operators are written as in the protocol, inputs as names
// ("node 7" where there is none) with commas.
struct FieldDifference {
  std::string field, a, b;
};

struct NodeDifference {
  int a = 0, b = 0;  // indices
  std::vector<FieldDifference> fields;
};

struct ArchitectureDifference {
  GraphCosts costs_a, costs_b;
  std::vector<std::pair<int, int>> pairs;  // nodes that stand for each other, by index in a
  std::vector<int> only_a, only_b;         // indices of the rest
  std::vector<NodeDifference> changed;     // pairs that differ in operator, attributes or inputs
  int reshaped = 0;                        // other pairs whose output shapes differ
  int renamed = 0;                         // pairs of different names
};

// Nodes are paired by name; those left, by what they are and what they read; those left still, from
// the output backwards. Inputs count as equal if they are paired. A heuristic: two architectures
// with the same CanonicalHash may differ here, in order and names and in nodes that do nothing.
// INVALID_ARGUMENT as AnalyzeGraph, with "a." or "b." before the field.
absl::StatusOr<ArchitectureDifference> CompareArchitectures(const v1::Architecture& a,
                                                            const v1::Architecture& b);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_DIFFERENCE_H_
