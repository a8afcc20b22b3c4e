#include "common/model_io/low_rank.h"

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace frontier {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Singular values, largest first, and the singular vectors of the shorter side as columns, from the
// Gram matrix of that side. Exact to about 1e-8 of the largest value, less than a float keeps.
struct ShortSide {
  Eigen::VectorXd values;
  Eigen::MatrixXd vectors;
};

ShortSide Decompose(const Eigen::MatrixXd& gram) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
  const Eigen::VectorXd squares = solver.eigenvalues().reverse();
  const double noise = std::numeric_limits<double>::epsilon() * static_cast<double>(gram.rows()) *
                       std::max(squares[0], 0.0);
  return {(squares.array() > noise).select(squares.array().max(0.0).sqrt(), 0.0).matrix(),
          solver.eigenvectors().rowwise().reverse()};
}

}  // namespace

LowRank Factorize(absl::Span<const float> matrix, int rows, int columns, int rank) {
  const Eigen::MatrixXd values =
      Eigen::Map<const Matrix>(matrix.data(), rows, columns).cast<double>();
  const bool wide = rows < columns;
  const ShortSide side = Decompose(wide ? Eigen::MatrixXd(values * values.transpose())
                                        : Eigen::MatrixXd(values.transpose() * values));
  LowRank factors;
  factors.left.resize(static_cast<size_t>(rows) * static_cast<size_t>(rank));
  factors.right.resize(static_cast<size_t>(rank) * static_cast<size_t>(columns));
  Eigen::Map<Matrix> left(factors.left.data(), rows, rank);
  Eigen::Map<Matrix> right(factors.right.data(), rank, columns);
  left.setZero();
  right.setZero();
  for (int k = 0; k < std::min({rank, rows, columns}); ++k) {
    const Eigen::VectorXd vector = side.vectors.col(k);
    // A direction without weight keeps its vector on one side, from which training may go on.
    const double scale = side.values[k] > 0 ? std::sqrt(side.values[k]) : 1;
    const bool weighs = side.values[k] > 0;
    if (wide) {
      left.col(k) = (vector * scale).cast<float>();
      if (weighs) right.row(k) = (vector.transpose() * values / scale).cast<float>();
    } else {
      right.row(k) = (vector.transpose() * scale).cast<float>();
      if (weighs) left.col(k) = (values * vector / scale).cast<float>();
    }
  }
  return factors;
}

}  // namespace frontier
