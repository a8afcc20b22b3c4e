#include <algorithm>
#include <cmath>
#include <numbers>

#include "worker/engine/reference/layers.h"

namespace frontier::worker::reference {
namespace {

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Distribution function and density of the standard normal.
double NormalBelow(double x) { return 0.5 * (1 + std::erf(x / std::numbers::sqrt2)); }
double NormalDensity(double x) {
  return std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

double Activation(const v1::Node& node, double x) {
  switch (node.op()) {
    case v1::OPERATOR_RELU:
      return std::max(x, 0.0);
    case v1::OPERATOR_RELU6:
      return std::min(std::max(x, 0.0), 6.0);
    case v1::OPERATOR_LEAKY_RELU:
      return x > 0 ? x : double{node.leaky_relu().slope()} * x;
    case v1::OPERATOR_SIGMOID:
      return Sigmoid(x);
    case v1::OPERATOR_SILU:
      return x * Sigmoid(x);
    case v1::OPERATOR_HARD_SWISH:
      return x * std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case v1::OPERATOR_HARD_SIGMOID:
      return std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case v1::OPERATOR_GELU:
      return x * NormalBelow(x);
    default:
      return NAN;
  }
}

double Derivative(const v1::Node& node, double x) {
  switch (node.op()) {
    case v1::OPERATOR_RELU:
      return x > 0 ? 1 : 0;
    case v1::OPERATOR_RELU6:
      return x > 0 && x < 6 ? 1 : 0;
    case v1::OPERATOR_LEAKY_RELU:
      return x > 0 ? 1 : double{node.leaky_relu().slope()};
    case v1::OPERATOR_SIGMOID:
      return Sigmoid(x) * (1 - Sigmoid(x));
    case v1::OPERATOR_SILU:
      return Sigmoid(x) * (1 + x * (1 - Sigmoid(x)));
    case v1::OPERATOR_HARD_SWISH:
      if (x <= -3) return 0;
      return x >= 3 ? 1 : (2 * x + 3) / 6;
    case v1::OPERATOR_HARD_SIGMOID:
      return x > -3 && x < 3 ? 1.0 / 6 : 0;
    case v1::OPERATOR_GELU:
      return NormalBelow(x) + x * NormalDensity(x);
    default:
      return NAN;
  }
}

// Calls `visit(value, factor of a, factor of b)` with the row-major places of each product.
template <typename Visit>
void ForEachProduct(const Tensor& a, const Tensor& b, const Tensor& y, const Visit& visit) {
  const size_t positions = static_cast<size_t>(y.h) * static_cast<size_t>(y.w);
  const bool gate_a = a.v.size() != y.v.size(), gate_b = b.v.size() != y.v.size();
  for (size_t i = 0; i < y.v.size(); ++i) {
    visit(i, gate_a ? i / positions : i, gate_b ? i / positions : i);
  }
}

// Calls `visit(channel of the input, of the output)`.
template <typename Visit>
void ForEachChannel(int channels, int groups, const Visit& visit) {
  const int per_group = channels / groups;
  for (int i = 0; i < groups; ++i) {
    for (int j = 0; j < per_group; ++j) visit(i * per_group + j, j * groups + i);
  }
}

}  // namespace

void ActivationForward(const v1::Node& node, const Tensor& x, Tensor* y) {
  for (size_t i = 0; i < x.v.size(); ++i) y->v[i] = Activation(node, x.v[i]);
}

void ActivationBackward(const v1::Node& node, const Tensor& x, const Tensor& dy, Tensor* dx) {
  for (size_t i = 0; i < x.v.size(); ++i) dx->v[i] += dy.v[i] * Derivative(node, x.v[i]);
}

void MultiplyForward(const Tensor& a, const Tensor& b, Tensor* y) {
  ForEachProduct(a, b, *y, [&](size_t i, size_t ia, size_t ib) { y->v[i] = a.v[ia] * b.v[ib]; });
}

void MultiplyBackward(const Tensor& a, const Tensor& b, const Tensor& dy, Tensor* da, Tensor* db) {
  ForEachProduct(a, b, dy, [&](size_t i, size_t ia, size_t ib) {
    da->v[ia] += dy.v[i] * b.v[ib];
    db->v[ib] += dy.v[i] * a.v[ia];
  });
}

void ChannelShuffleForward(int groups, const Tensor& x, Tensor* y) {
  ForEachChannel(x.c, groups, [&](int from, int to) {
    for (int n = 0; n < x.n; ++n) {
      for (int h = 0; h < x.h; ++h) {
        for (int w = 0; w < x.w; ++w) y->at(n, to, h, w) = x.at(n, from, h, w);
      }
    }
  });
}

void ChannelShuffleBackward(int groups, const Tensor& dy, Tensor* dx) {
  ForEachChannel(dy.c, groups, [&](int from, int to) {
    for (int n = 0; n < dy.n; ++n) {
      for (int h = 0; h < dy.h; ++h) {
        for (int w = 0; w < dy.w; ++w) dx->at(n, from, h, w) += dy.at(n, to, h, w);
      }
    }
  });
}

void ChannelSliceForward(int first, const Tensor& x, Tensor* y) {
  for (int n = 0; n < y->n; ++n) {
    for (int c = 0; c < y->c; ++c) {
      for (int h = 0; h < y->h; ++h) {
        for (int w = 0; w < y->w; ++w) y->at(n, c, h, w) = x.at(n, first + c, h, w);
      }
    }
  }
}

void ChannelSliceBackward(int first, const Tensor& dy, Tensor* dx) {
  for (int n = 0; n < dy.n; ++n) {
    for (int c = 0; c < dy.c; ++c) {
      for (int h = 0; h < dy.h; ++h) {
        for (int w = 0; w < dy.w; ++w) dx->at(n, first + c, h, w) += dy.at(n, c, h, w);
      }
    }
  }
}

void DropoutForward(const DropoutMask& mask, const Tensor& x, Tensor* y) {
  for (size_t i = 0; i < x.v.size(); ++i) {
    y->v[i] = mask.Keeps(static_cast<uint32_t>(i)) ? x.v[i] * double{mask.scale()} : 0;
  }
}

void DropoutBackward(const DropoutMask& mask, const Tensor& dy, Tensor* dx) {
  for (size_t i = 0; i < dy.v.size(); ++i) {
    if (mask.Keeps(static_cast<uint32_t>(i))) dx->v[i] += dy.v[i] * double{mask.scale()};
  }
}

}  // namespace frontier::worker::reference
