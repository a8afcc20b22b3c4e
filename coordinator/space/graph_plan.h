// A space written by its user, read and checked: what each node is for each choice.
#ifndef FRONTIER_COORDINATOR_SPACE_GRAPH_PLAN_H_
#define FRONTIER_COORDINATOR_SPACE_GRAPH_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

inline constexpr int kMaxGraphNodes = 512;
inline constexpr int kMaxGraphChoices = 256;
inline constexpr int kMaxGraphOptions = 256;      // of a choice
inline constexpr int kMaxGraphConstraints = 256;  // and of conditions in one
inline constexpr int kMaxGraphName = 64;          // characters
inline constexpr int kMaxRepeat = 64;

// Decisions and constraints of a space, in the order of the file. INVALID_ARGUMENT (reason
// INVALID_FIELD, path from within GraphSpace) names choice and value for: too many, names that are
// none or given twice, no options or one twice, conditions as ResolveConditions.
absl::StatusOr<std::vector<Decision>> ReadGraphChoices(const v1::GraphSpace& spec);
absl::StatusOr<std::vector<std::vector<Condition>>> ReadGraphConstraints(
    const v1::GraphSpace& spec, const std::vector<Decision>& decisions);

// A value that is written down or follows from a choice.
template <typename T>
struct GraphSetting {
  int choice = -1;        // -1 = written down
  std::vector<T> values;  // by option, or the one; empty = not given
  bool given() const { return !values.empty(); }
};

// Height and width of a kernel and the like, pixels.
struct GraphExtent {
  int height = 0;
  int width = 0;
  bool square = true;  // one number for both
};

// What an input may be, beside the index of a node.
inline constexpr int kGraphSample = -1;
inline constexpr int kGraphNoInput = -2;

struct GraphPlanNode {
  std::string name;
  GraphSetting<v1::Operator> op;
  std::vector<GraphSetting<int>> inputs;  // nodes, kGraphSample or kGraphNoInput
  std::vector<Condition> only_if;
  std::vector<GraphSetting<v1::Operator>> then;
  GraphSetting<int> repeat;
  GraphSetting<int> channels;
  GraphSetting<GraphExtent> kernel;
  GraphSetting<GraphExtent> stride;
  GraphSetting<GraphExtent> padding;
  GraphSetting<GraphExtent> dilation;
  GraphSetting<int> groups;  // 0 = depthwise
  GraphSetting<bool> bias;
  GraphSetting<int> features;
  GraphSetting<float> slope;
  GraphSetting<float> rate;
};

struct GraphPlan {
  std::vector<GraphPlanNode> nodes;  // in the order of the file; the last is the output
  std::vector<int> order;            // of their indices: inputs before what reads them
};

// INVALID_ARGUMENT (reason INVALID_FIELD, path such as "nodes[3].kernel") names the node, the value
// and the choice it comes from for: no nodes or too many, names that are none or given twice, an
// unknown operator, input or choice, a cycle, a value that is none of its attribute's, an attribute
// the operator does not have or lacks, a choice that nothing refers to.
absl::StatusOr<GraphPlan> ReadGraphPlan(const v1::GraphSpace& spec,
                                        const std::vector<Decision>& decisions);

// "max_pool" for OPERATOR_MAX_POOL.
std::string OperatorWord(v1::Operator op);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_GRAPH_PLAN_H_
