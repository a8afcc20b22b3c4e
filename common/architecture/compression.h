// Networks that follow from a parent by making it smaller.
#ifndef FRONTIER_COMMON_ARCHITECTURE_COMPRESSION_H_
#define FRONTIER_COMMON_ARCHITECTURE_COMPRESSION_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/architecture/channels.h"
#include "common/architecture/graph.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/compression.pb.h"

namespace frontier {

// Where a node of a compressed network comes from.
struct NodeOrigin {
  enum class Part { kWhole, kFirst, kSecond };  // of a convolution that became two: which
  int node = 0;                                 // of the parent
  Part part = Part::kWhole;
};

struct CompressedNetwork {
  v1::Architecture architecture;
  std::vector<NodeOrigin> origins;  // by node
};

// An addition of the parent that may lose a branch: a residual block that may be dropped.
struct DroppableBlock {
  int addition = 0;  // node
  int input = 0;     // index of the branch among the addition's inputs
  std::string name;  // of the addition, without ".add"
};

// Finds out once what may be done to a network, then does it any number of times. Immutable.
class Compressor {
 public:
  // INVALID_ARGUMENT as AnalyzeGraph and MapChannels.
  static absl::StatusOr<Compressor> Create(const v1::Architecture& parent);

  const v1::Architecture& parent() const { return parent_; }
  const GraphCosts& costs() const { return costs_; }
  const ChannelMap& channels() const { return channels_; }

  // Additions with a branch that nothing else uses and that has multiply-accumulates; of several
  // such branches the one with the most. All in the order of the nodes.
  const std::vector<DroppableBlock>& blocks() const { return blocks_; }

  // Odd sides up to 31 that the kernel of convolution `node` may be cropped to, largest first:
  // those for which less padding leaves the output's shape as it is. None for a node of another
  // kind.
  std::vector<int> SmallerKernels(int node) const;
  // Whether a node is a convolution that sums over all its input channels, and its kernel has more
  // than one pixel, or more than one on both axes.
  bool IsDense(int node) const;
  bool HasWindow(int node) const;
  bool HasSquareWindow(int node) const;

  // Channels of the output of `node` if so many units stay of each group.
  int Width(int node, absl::Span<const int> kept) const;

  // INVALID_ARGUMENT (reason INVALID_FIELD, path from within Compression) for a node or group that
  // is not there, is named twice or cannot be changed so, and for a number that is out of range.
  absl::StatusOr<CompressedNetwork> Compress(const v1::Compression& compression) const;

 private:
  // The channels of a node's output.
  struct Composition {
    int fixed = 0;                            // that must stay
    std::vector<std::pair<int, int>> groups;  // and how often each unit of a group is among them
  };

  Compressor() = default;

  v1::Architecture parent_;
  GraphCosts costs_;
  ChannelMap channels_;
  std::vector<DroppableBlock> blocks_;
  std::vector<Composition> compositions_;  // by node
};

// How many of `channels` a share keeps: the nearest number, at least 1.
int KeptChannels(int channels, double share);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_COMPRESSION_H_
