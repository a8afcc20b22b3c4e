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

// `matrix` is rows x columns, row-major. The product of the factors is the nearest matrix of that
// rank (Eckart and Young 1936, "The approximation of one matrix by another of lower rank"), from
// the singular values and vectors. Column i of `left` and row i of `right` have equal norms, unless
// the matrix has no more rank; then one of them is zero, the other a unit vector. The same on every
// call.
LowRank Factorize(absl::Span<const float> matrix, int rows, int columns, int rank);

}  // namespace frontier

#endif  // FRONTIER_COMMON_MODEL_IO_LOW_RANK_H_
