// Which channels of a network belong together, so that they can only be cut together.
#ifndef FRONTIER_COMMON_ARCHITECTURE_CHANNELS_H_
#define FRONTIER_COMMON_ARCHITECTURE_CHANNELS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/architecture/graph.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// A unit is a set of channels, of any nodes, that are one and the same for cutting: those which an
// addition adds up, those which a layer passes on (Fang et al. 2023, "DepGraph: Towards Any
// Structural Pruning", section 3). A group is the units made by the same convolutions and linear
// layers, its producers; any of a group's units may be cut, whatever becomes of other groups.
struct ChannelGroup {
  std::vector<int> producers;  // nodes in order; one that makes two channels of a unit stands twice
  std::vector<int> units;
};

struct ChannelMap {
  std::vector<std::vector<int>> units;  // by node, by channel of its output
  std::vector<int> group_of;            // by unit; -1 = it must stay
  std::vector<ChannelGroup> groups;     // by their first units
};

// What must stay: channels of the input and the output, of channel shuffles and slices, of grouped
// convolutions that are not depthwise, and of depthwise ones with more outputs than inputs.
// `costs` is AnalyzeGraph(architecture). INVALID_ARGUMENT for a network of more than kMaxChannels
// channels.
inline constexpr int64_t kMaxChannels = int64_t{1} << 20;
absl::StatusOr<ChannelMap> MapChannels(const v1::Architecture& architecture,
                                       const GraphCosts& costs);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_CHANNELS_H_
