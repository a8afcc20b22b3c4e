// The cells of NAS-Bench-101 and the networks made of them (Ying et al. 2019, "NAS-Bench-101:
// Towards reproducible neural architecture search").
#ifndef FRONTIER_COMMON_ARCHITECTURE_NASBENCH101_H_
#define FRONTIER_COMMON_ARCHITECTURE_NASBENCH101_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

inline constexpr int kNasBench101MaxVertices = 7;

enum class VertexOperation : uint8_t { kConvolution3x3, kConvolution1x1, kMaxPool3x3 };
inline constexpr int kVertexOperations = 3;

// "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3".
absl::string_view VertexOperationName(VertexOperation operation);

// Vertex 0 is the input, the last one the output; those between have operations. Edges lead to
// later vertices only.
struct NasBench101Cell {
  int vertices = 2;  // 2 to 7
  // By vertex: bit i tells of an edge to vertex i.
  std::array<uint8_t, kNasBench101MaxVertices> edges{};
  std::array<VertexOperation, kNasBench101MaxVertices> operations{};  // of input and output: unread

  bool HasEdge(int from, int to) const { return (edges[from] >> to & 1) != 0; }
  int EdgeCount() const;
  friend bool operator==(const NasBench101Cell&, const NasBench101Cell&) = default;
};

// Bit i tells whether vertex i is on a path from the input to the output; 0 if there is none.
unsigned VerticesOnPaths(const NasBench101Cell& cell);
// Edges between those.
int EdgesOnPaths(const NasBench101Cell& cell);

// Without the vertices that are on no path from the input to the output; nothing if there is no
// such path.
std::optional<NasBench101Cell> PruneNasBench101Cell(const NasBench101Cell& cell);

// One of all cells that differ in the order of the vertices alone: the one with the smallest
// written form. Input and output keep their places.
NasBench101Cell CanonicalNasBench101Cell(const NasBench101Cell& cell);

// "111/01/1 conv3x3-bn-relu maxpool3x3": row by row the edges of the vertices to all later ones,
// then the operations.
std::string FormatNasBench101Cell(const NasBench101Cell& cell);

struct NasBench101Skeleton {
  int stem_channels = 128;    // at least as many as the cell has inner vertices
  int modules_per_stack = 3;  // at least 1
};

// Stem (3 x 3 convolution), three stacks of modules with a 2 x 2 max pool before the second and the
// third, each of which doubles the channels; global average pooling, linear layer. All convolutions
// are without bias and followed by batch norm and ReLU.
//
// In a module the outputs of the vertices that lead to the output are concatenated in the order of
// the vertices, so they share its channels: the first ones get one more where these do not divide.
// A vertex that does not lead to the output has as many channels as the widest it leads to; where
// it leads to a narrower one, the first channels count. Vertices sum their inputs; the input of the
// module comes to vertices and output through a 1 x 1 convolution of its own for each
// (nasbench/lib/model_builder.py of the paper's code).
//
// `cell` is pruned. The concatenation makes the network depend on the order of the vertices: lower
// canonical cells where isomorphic ones shall be one. Maps of odd size are halved rounding up;
// samples of height 1 get kernels of height 1. INVALID_ARGUMENT as AnalyzeGraph, or for a cell that
// is not pruned.
absl::StatusOr<v1::Architecture> LowerNasBench101(const NasBench101Cell& cell,
                                                  const NasBench101Skeleton& skeleton,
                                                  const v1::Shape& input, int classes);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_NASBENCH101_H_
