// Matrices as products of two thin ones.
#ifndef FRONTIER_COMMON_MODEL_IO_LOW_RANK_H_
#define FRONTIER_COMMON_MODEL_IO_LOW_RANK_H_

#include <vector>

#include "absl/types/span.h"

namespace frontier {

struct LowRank {
  std::vector<float> left;   // rows x rank, row-major
  std::vector<float> right;  // rank x columns
};

// `matrix` is rows x columns, row-major. The product of the factors is close to the nearest matrix
// of that rank: `right` spans the subspace found by subspace iteration (Halko, Martinsson and Tropp
// 2011, "Finding structure with randomness", algorithm 4.4), exactly for a matrix whose rank is not
// larger. Column i of `left` and row i of `right` have equal norms. The same on every call.
LowRank Factorize(absl::Span<const float> matrix, int rows, int columns, int rank);

}  // namespace frontier

#endif  // FRONTIER_COMMON_MODEL_IO_LOW_RANK_H_
