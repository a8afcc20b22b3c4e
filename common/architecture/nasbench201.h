// The cells of NAS-Bench-201 and the networks made of them (Dong and Yang 2020, "NAS-Bench-201:
// Extending the scope of reproducible neural architecture search").
#ifndef FRONTIER_COMMON_ARCHITECTURE_NASBENCH201_H_
#define FRONTIER_COMMON_ARCHITECTURE_NASBENCH201_H_

#include <array>
#include <string>
#include <vector>

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

// The networks made of cells: stem (3 x 3 convolution, batch norm), three stages of cells with a
// residual block of stride 2 between them, batch norm, ReLU, global average pooling, linear layer.
// Every edge is there with its operation: "none" as zeros, "skip_connect" as an identity. Maps of
// odd size are halved rounding up; samples of height 1 get kernels of height 1.
//
// Immutable. What is common to all cells is made and checked once, so that one more costs little.
class NasBench201Networks {
 public:
  // INVALID_ARGUMENT as AnalyzeGraph, if some cell makes no valid network.
  static absl::StatusOr<NasBench201Networks> Create(const NasBench201Skeleton& skeleton,
                                                    const v1::Shape& input, int classes);

  // Valid by AnalyzeGraph. An operation of `cell` that does not exist counts as "none".
  v1::Architecture Lower(const NasBench201Cell& cell) const;

 private:
  struct EdgeNames {
    std::string plain, relu, convolution, norm;
  };
  struct CellNames {
    std::array<EdgeNames, kNasBench201Edges.size()> edges;
    std::array<std::string, 4> sums;  // by node
  };
  struct Stage {
    v1::Convolution convolution1x1, convolution3x3;
    // Of the residual block before it; not in the first.
    v1::Convolution reducing;
    v1::Pool halving;
    EdgeNames first, second;
    std::string pool, shortcut, sum;
  };

  NasBench201Networks() = default;
  static int AddConvolution(const EdgeNames& names, int x, const v1::Convolution& attributes,
                            v1::Architecture* network);
  int AddCell(const CellNames& names, const NasBench201Cell& cell, const Stage& stage, int x,
              v1::Architecture* network) const;
  static int AddReduction(const Stage& stage, int x, v1::Architecture* network);

  NasBench201Skeleton skeleton_;
  v1::Shape input_;
  int classes_ = 0;
  v1::Convolution stem_;
  v1::Pool pool_;
  std::array<Stage, 3> stages_;
  std::vector<CellNames> cells_;
};

// The network of one cell. INVALID_ARGUMENT as NasBench201Networks::Create, or for an operation
// that does not exist.
absl::StatusOr<v1::Architecture> LowerNasBench201(const NasBench201Cell& cell,
                                                  const NasBench201Skeleton& skeleton,
                                                  const v1::Shape& input, int classes);

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_NASBENCH201_H_
