#include "common/model_io/low_rank.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "common/base/random.h"

namespace frontier {
namespace {

constexpr int kIterations = 8;
constexpr double kTiny = 1e-12;  // of a row's norm, relative to that before its projections

using Rows = std::vector<std::vector<double>>;

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Makes the rows orthonormal (Gram and Schmidt, each row twice). A row that depends on those before
// it is drawn anew.
void Orthonormalize(Rng* rng, Rows* rows) {
  for (size_t r = 0; r < rows->size(); ++r) {
    std::vector<double>& row = (*rows)[r];
    for (;;) {
      const double before = std::sqrt(Dot(row, row));
      for (int pass = 0; pass < 2; ++pass) {
        for (size_t q = 0; q < r; ++q) {
          const double along = Dot((*rows)[q], row);
          for (size_t i = 0; i < row.size(); ++i) row[i] -= along * (*rows)[q][i];
        }
      }
      const double norm = std::sqrt(Dot(row, row));
      if (norm > kTiny * before) {
        for (double& v : row) v /= norm;
        break;
      }
      for (double& v : row) v = rng->Normal();
    }
  }
}

// basis (rank x columns) times the transposed matrix: rank x rows.
Rows Project(absl::Span<const float> matrix, size_t rows, size_t columns, const Rows& basis) {
  Rows product(basis.size(), std::vector<double>(rows));
  for (size_t k = 0; k < basis.size(); ++k) {
    for (size_t r = 0; r < rows; ++r) {
      const float* row = matrix.data() + r * columns;
      double sum = 0;
      for (size_t c = 0; c < columns; ++c) sum += basis[k][c] * row[c];
      product[k][r] = sum;
    }
  }
  return product;
}

// coordinates (rank x rows) times the matrix: rank x columns.
Rows Expand(absl::Span<const float> matrix, size_t rows, size_t columns, const Rows& coordinates) {
  Rows product(coordinates.size(), std::vector<double>(columns));
  for (size_t k = 0; k < coordinates.size(); ++k) {
    for (size_t r = 0; r < rows; ++r) {
      const float* row = matrix.data() + r * columns;
      for (size_t c = 0; c < columns; ++c) product[k][c] += coordinates[k][r] * row[c];
    }
  }
  return product;
}

}  // namespace

LowRank Factorize(absl::Span<const float> matrix, int rows, int columns, int rank) {
  const auto m = static_cast<size_t>(rows);
  const auto n = static_cast<size_t>(columns);
  const auto wanted = static_cast<size_t>(rank);
  // More rows than columns cannot be independent; the rest is zero.
  Rng rng(/*seed=*/1);
  Rows basis(std::min(wanted, n), std::vector<double>(n));
  for (std::vector<double>& row : basis) {
    for (double& v : row) v = rng.Normal();
  }
  Orthonormalize(&rng, &basis);
  // A basis of the whole space is found already.
  for (int i = 0; basis.size() < n && i < kIterations; ++i) {
    basis = Expand(matrix, m, n, Project(matrix, m, n, basis));
    Orthonormalize(&rng, &basis);
  }
  const Rows left = Project(matrix, m, n, basis);
  LowRank factors;
  factors.left.resize(m * wanted);
  factors.right.resize(wanted * n);
  for (size_t k = 0; k < basis.size(); ++k) {
    const double norm = std::sqrt(Dot(left[k], left[k]));
    // A direction without weight keeps its row, from which training may go on.
    const double scale = norm > 0 ? std::sqrt(norm) : 1;
    for (size_t r = 0; r < m; ++r) {
      factors.left[r * wanted + k] = static_cast<float>(left[k][r] / scale);
    }
    for (size_t c = 0; c < n; ++c) {
      factors.right[k * n + c] = static_cast<float>(basis[k][c] * scale);
    }
  }
  return factors;
}

}  // namespace frontier
