#include "worker/batching/augmentation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace frontier::worker {
namespace {

int Draw(int bound, Rng* rng) {
  return static_cast<int>(rng->Uniform(static_cast<uint64_t>(bound)));
}

// Share of the area that is erased.
double DrawShare(Rng* rng) { return 0.02 + 0.31 * rng->UniformDouble(); }

// Logarithm of a gamma variate, which does not vanish for a small `alpha`.
double LogGamma(double alpha, Rng* rng) {
  double boost = 0;
  if (alpha < 1) {
    boost = std::log(1 - rng->UniformDouble()) / alpha;
    alpha += 1;
  }
  const double d = alpha - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = rng->Normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = 1 - rng->UniformDouble();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return std::log(d * v) + boost;
    }
  }
}

}  // namespace

int CropMove(int padding, int side, Rng* rng) {
  const int most = std::min(padding, side - 1);
  return Draw(2 * most + 1, rng) - most;
}

Box CutoutBox(int size, int height, int width, Rng* rng) {
  const int top = Draw(height, rng) - size / 2;
  const int left = Draw(width, rng) - size / 2;
  Box box;
  box.top = std::max(top, 0);
  box.left = std::max(left, 0);
  box.height = std::max(std::min(top + size, height) - box.top, 0);
  box.width = std::max(std::min(left + size, width) - box.left, 0);
  return box;
}

Box ErasingBox(int height, int width, Rng* rng) {
  if (height == 1 || width == 1) {
    const int side = std::max(height, width);
    if (side == 1) return Box();
    const int length =
        std::clamp(static_cast<int>(std::lround(DrawShare(rng) * side)), 1, side - 1);
    const int first = Draw(side - length + 1, rng);
    return height == 1 ? Box{0, first, 1, length} : Box{first, 0, length, 1};
  }
  const double log_aspect = std::log(1 / 0.3);
  for (int i = 0; i < 10; ++i) {
    const double area = DrawShare(rng) * height * width;
    const double aspect = std::exp((2 * rng->UniformDouble() - 1) * log_aspect);
    Box box;
    box.height = static_cast<int>(std::lround(std::sqrt(area * aspect)));
    box.width = static_cast<int>(std::lround(std::sqrt(area / aspect)));
    if (box.height < 1 || box.width < 1 || box.height >= height || box.width >= width) continue;
    box.top = Draw(height - box.height + 1, rng);
    box.left = Draw(width - box.width + 1, rng);
    return box;
  }
  return Box();
}

void Erase(const Box& box, int channels, int height, int width, float* image) {
  for (int c = 0; c < channels; ++c) {
    for (int y = box.top; y < box.top + box.height; ++y) {
      float* row = image + (static_cast<ptrdiff_t>(c) * height + y) * width + box.left;
      std::fill(row, row + box.width, 0.0f);
    }
  }
}

double SampleBeta(double alpha, Rng* rng) {
  const double x = LogGamma(alpha, rng);
  const double y = LogGamma(alpha, rng);
  return 1 / (1 + std::exp(y - x));
}

}  // namespace frontier::worker
