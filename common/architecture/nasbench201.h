// The cells of NAS-Bench-201 and the networks made of them (Dong and Yang 2020, "NAS-Bench-201:
// Extending the scope of reproducible neural architecture search").
#ifndef FRONTIER_COMMON_ARCHITECTURE_NASBENCH201_H_
#define FRONTIER_COMMON_ARCHITECTURE_NASBENCH201_H_

#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier {

struct CellEdge {
  int from = 0;
  int to = 0;
};

// Node 0 is the input of the cell, node 3 its output; edges in the order of the notation.
inline constexpr std::array<CellEdge, 6> kNasBench201Edges = {
    {{0, 1}, {0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}}};

// The operation of each edge. A node is the sum of the edges that end in it.
using NasBench201Cell = std::array<v1::CellOperation, kNasBench201Edges.size()>;

// "nor_conv_3x3"; empty for an operation that does not exist.
absl::string_view CellOperationName(v1::CellOperation operation);

// "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|avg_pool_3x3~1|none~2|": node by node the edges
// that end in it, each operation with the node it starts from. Every operation of `cell` exists.
std::string FormatNasBench201Cell(const NasBench201Cell& cell);

// The reverse. INVALID_ARGUMENT says at which character what was expected.
absl::StatusOr<NasBench201Cell> ParseNasBench201Cell(absl::string_view text);

struct NasBench201Skeleton {
  int channels = 16;        // of the first stage; twice and four times that in the others
  int cells_per_stage = 5;  // at least 1
};

// Stem (3 x 3 convolution, batch norm), three stages of cells with a residual block of stride 2
// between them, batch norm, ReLU, global average pooling, linear layer. Every edge is there with
// its operation: "none" as zeros, "skip_connect" as an identity. Maps of odd size are halved
// rounding up; samples of height 1 get kernels of height 1. INVALID_ARGUMENT as AnalyzeGraph, or
// for an operation that does not exist.
absl::StatusOr<v1::Architecture> LowerNasBench201(const NasBench201Cell& cell,
                                                  const NasBench201Skeleton& skeleton,
                                                  const v1::Shape& input, int classes);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_NASBENCH201_H_
