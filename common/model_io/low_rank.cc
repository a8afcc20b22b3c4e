#include "common/model_io/low_rank.h"

#include <Eigen/Core>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <cstddef>

namespace frontier {

LowRank Factorize(absl::Span<const float> matrix, int rows, int columns, int rank) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Matrix> values(matrix.data(), rows, columns);
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(values.cast<double>(),
                                           Eigen::ComputeThinU | Eigen::ComputeThinV);
  LowRank factors;
  factors.left.resize(static_cast<size_t>(rows) * static_cast<size_t>(rank));
  factors.right.resize(static_cast<size_t>(rank) * static_cast<size_t>(columns));
  Eigen::Map<Matrix> left(factors.left.data(), rows, rank);
  Eigen::Map<Matrix> right(factors.right.data(), rank, columns);
  left.setZero();
  right.setZero();
  for (int k = 0; k < std::min({rank, rows, columns}); ++k) {
    const double value = svd.singularValues()[k];
    left.col(k) = (svd.matrixU().col(k) * std::sqrt(value)).cast<float>();
    // A direction without weight keeps its row, from which training may go on.
    const double scale = value > 0 ? std::sqrt(value) : 1;
    right.row(k) = (svd.matrixV().col(k).transpose() * scale).cast<float>();
  }
  return factors;
}

}  // namespace frontier
