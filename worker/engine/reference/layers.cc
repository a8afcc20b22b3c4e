#include "worker/engine/reference/layers.h"

#include <algorithm>
#include <cmath>

namespace frontier::worker::reference {
namespace {

// Calls `visit(n, o, oh, ow, i, ih, iw, index of the weight)` for each product of a convolution.
template <typename Visit>
void ForEachProduct(const v1::Convolution& a, const Tensor& x, const Tensor& y,
                    const Visit& visit) {
  const int in_per_group = x.c / a.groups(), out_per_group = y.c / a.groups();
  for (int n = 0; n < y.n; ++n) {
    for (int o = 0; o < y.c; ++o) {
      for (int oh = 0; oh < y.h; ++oh) {
        for (int ow = 0; ow < y.w; ++ow) {
          for (int i = 0; i < in_per_group; ++i) {
            for (int kh = 0; kh < a.kernel_height(); ++kh) {
              for (int kw = 0; kw < a.kernel_width(); ++kw) {
                const int ih =
                    oh * a.stride_height() - a.padding_height() + kh * a.dilation_height();
                const int iw = ow * a.stride_width() - a.padding_width() + kw * a.dilation_width();
                if (ih < 0 || ih >= x.h || iw < 0 || iw >= x.w) continue;
                const size_t weight = static_cast<size_t>(
                    ((int64_t{o} * in_per_group + i) * a.kernel_height() + kh) * a.kernel_width() +
                    kw);
                visit(n, o, oh, ow, o / out_per_group * in_per_group + i, ih, iw, weight);
              }
            }
          }
        }
      }
    }
  }
}

// Calls `visit(n, c, oh, ow, h0, h1, w0, w1)` for each window of a pool, cut to the input.
template <typename Visit>
void ForEachWindow(const v1::Pool& a, const Tensor& x, const Tensor& y, const Visit& visit) {
  for (int n = 0; n < y.n; ++n) {
    for (int c = 0; c < y.c; ++c) {
      for (int oh = 0; oh < y.h; ++oh) {
        for (int ow = 0; ow < y.w; ++ow) {
          const int h = oh * a.stride_height() - a.padding_height();
          const int w = ow * a.stride_width() - a.padding_width();
          visit(n, c, oh, ow, std::max(h, 0), std::min(h + a.kernel_height(), x.h), std::max(w, 0),
                std::min(w + a.kernel_width(), x.w));
        }
      }
    }
  }
}

size_t Size(int i) { return static_cast<size_t>(i); }

}  // namespace

Tensor::Tensor(int batch, const v1::Shape& shape)
    : n(batch),
      c(shape.channels()),
      h(shape.height()),
      w(shape.width()),
      v(Size(batch) * Size(c) * Size(h) * Size(w), 0.0) {}

void ConvolutionForward(const v1::Convolution& a, const Tensor& x, const Vector& weight,
                        const Vector& bias, Tensor* y) {
  for (int n = 0; n < y->n; ++n) {
    for (int o = 0; o < y->c; ++o) {
      for (int h = 0; h < y->h; ++h) {
        for (int w = 0; w < y->w; ++w) y->at(n, o, h, w) = bias.empty() ? 0 : bias[Size(o)];
      }
    }
  }
  ForEachProduct(a, x, *y, [&](int n, int o, int oh, int ow, int i, int ih, int iw, size_t k) {
    y->at(n, o, oh, ow) += weight[k] * x.at(n, i, ih, iw);
  });
}

void ConvolutionBackward(const v1::Convolution& a, const Tensor& x, const Vector& weight,
                         const Tensor& dy, Tensor* dx, Vector* dweight, Vector* dbias) {
  ForEachProduct(a, x, dy, [&](int n, int o, int oh, int ow, int i, int ih, int iw, size_t k) {
    (*dweight)[k] += dy.at(n, o, oh, ow) * x.at(n, i, ih, iw);
    dx->at(n, i, ih, iw) += dy.at(n, o, oh, ow) * weight[k];
  });
  if (dbias->empty()) return;
  for (int n = 0; n < dy.n; ++n) {
    for (int o = 0; o < dy.c; ++o) {
      for (int h = 0; h < dy.h; ++h) {
        for (int w = 0; w < dy.w; ++w) (*dbias)[Size(o)] += dy.at(n, o, h, w);
      }
    }
  }
}

void LinearForward(const Tensor& x, const Vector& weight, const Vector& bias, Tensor* y) {
  const size_t inputs = x.v.size() / Size(x.n), outputs = Size(y->c);
  for (size_t n = 0; n < Size(x.n); ++n) {
    for (size_t o = 0; o < outputs; ++o) {
      double sum = bias.empty() ? 0 : bias[o];
      for (size_t i = 0; i < inputs; ++i) sum += weight[o * inputs + i] * x.v[n * inputs + i];
      y->v[n * outputs + o] = sum;
    }
  }
}

void LinearBackward(const Tensor& x, const Vector& weight, const Tensor& dy, Tensor* dx,
                    Vector* dweight, Vector* dbias) {
  const size_t inputs = x.v.size() / Size(x.n), outputs = Size(dy.c);
  for (size_t n = 0; n < Size(x.n); ++n) {
    for (size_t o = 0; o < outputs; ++o) {
      const double d = dy.v[n * outputs + o];
      for (size_t i = 0; i < inputs; ++i) {
        (*dweight)[o * inputs + i] += d * x.v[n * inputs + i];
        dx->v[n * inputs + i] += d * weight[o * inputs + i];
      }
      if (!dbias->empty()) (*dbias)[o] += d;
    }
  }
}

void BatchNormForward(const Tensor& x, const Vector& scale, const Vector& shift, double epsilon,
                      Vector* mean, Vector* variance, Tensor* y) {
  const double count = double{1} * x.n * x.h * x.w;
  mean->assign(Size(x.c), 0);
  variance->assign(Size(x.c), 0);
  for (int c = 0; c < x.c; ++c) {
    double& m = (*mean)[Size(c)];
    double& s = (*variance)[Size(c)];
    for (int n = 0; n < x.n; ++n) {
      for (int h = 0; h < x.h; ++h) {
        for (int w = 0; w < x.w; ++w) m += x.at(n, c, h, w) / count;
      }
    }
    for (int n = 0; n < x.n; ++n) {
      for (int h = 0; h < x.h; ++h) {
        for (int w = 0; w < x.w; ++w) {
          s += (x.at(n, c, h, w) - m) * (x.at(n, c, h, w) - m) / count;
        }
      }
    }
  }
  BatchNormInference(x, scale, shift, *mean, *variance, epsilon, y);
}

void BatchNormInference(const Tensor& x, const Vector& scale, const Vector& shift,
                        const Vector& mean, const Vector& variance, double epsilon, Tensor* y) {
  for (int n = 0; n < x.n; ++n) {
    for (int c = 0; c < x.c; ++c) {
      const size_t i = Size(c);
      for (int h = 0; h < x.h; ++h) {
        for (int w = 0; w < x.w; ++w) {
          y->at(n, c, h, w) =
              (x.at(n, c, h, w) - mean[i]) / std::sqrt(variance[i] + epsilon) * scale[i] + shift[i];
        }
      }
    }
  }
}

void BatchNormBackward(const Tensor& x, const Vector& scale, const Vector& mean,
                       const Vector& variance, double epsilon, const Tensor& dy, Tensor* dx,
                       Vector* dscale, Vector* dshift) {
  const double count = double{1} * x.n * x.h * x.w;
  for (int c = 0; c < x.c; ++c) {
    const size_t i = Size(c);
    const double inverse = 1 / std::sqrt(variance[i] + epsilon);
    double sum = 0, product = 0;  // of dy, and of dy with the normalized input
    for (int n = 0; n < x.n; ++n) {
      for (int h = 0; h < x.h; ++h) {
        for (int w = 0; w < x.w; ++w) {
          sum += dy.at(n, c, h, w);
          product += dy.at(n, c, h, w) * (x.at(n, c, h, w) - mean[i]) * inverse;
        }
      }
    }
    (*dscale)[i] += product;
    (*dshift)[i] += sum;
    for (int n = 0; n < x.n; ++n) {
      for (int h = 0; h < x.h; ++h) {
        for (int w = 0; w < x.w; ++w) {
          const double normalized = (x.at(n, c, h, w) - mean[i]) * inverse;
          dx->at(n, c, h, w) +=
              scale[i] * inverse * (dy.at(n, c, h, w) - sum / count - normalized * product / count);
        }
      }
    }
  }
}

void MaxPoolForward(const v1::Pool& a, const Tensor& x, Tensor* y) {
  ForEachWindow(a, x, *y, [&](int n, int c, int oh, int ow, int h0, int h1, int w0, int w1) {
    double best = -HUGE_VAL;
    for (int h = h0; h < h1; ++h) {
      for (int w = w0; w < w1; ++w) best = std::max(best, x.at(n, c, h, w));
    }
    y->at(n, c, oh, ow) = best;
  });
}

void MaxPoolBackward(const v1::Pool& a, const Tensor& x, const Tensor& dy, Tensor* dx) {
  ForEachWindow(a, x, dy, [&](int n, int c, int oh, int ow, int h0, int h1, int w0, int w1) {
    int best_h = h0, best_w = w0;
    for (int h = h0; h < h1; ++h) {
      for (int w = w0; w < w1; ++w) {
        if (x.at(n, c, h, w) > x.at(n, c, best_h, best_w)) best_h = h, best_w = w;
      }
    }
    dx->at(n, c, best_h, best_w) += dy.at(n, c, oh, ow);
  });
}

void AveragePoolForward(const v1::Pool& a, const Tensor& x, Tensor* y) {
  ForEachWindow(a, x, *y, [&](int n, int c, int oh, int ow, int h0, int h1, int w0, int w1) {
    double sum = 0;
    for (int h = h0; h < h1; ++h) {
      for (int w = w0; w < w1; ++w) sum += x.at(n, c, h, w);
    }
    y->at(n, c, oh, ow) = sum / ((h1 - h0) * (w1 - w0));
  });
}

void AveragePoolBackward(const v1::Pool& a, const Tensor& dy, Tensor* dx) {
  ForEachWindow(a, *dx, dy, [&](int n, int c, int oh, int ow, int h0, int h1, int w0, int w1) {
    const double share = dy.at(n, c, oh, ow) / ((h1 - h0) * (w1 - w0));
    for (int h = h0; h < h1; ++h) {
      for (int w = w0; w < w1; ++w) dx->at(n, c, h, w) += share;
    }
  });
}

double CrossEntropy(const Tensor& logits, const Wanted& wanted, Tensor* dlogits) {
  const auto weight = [&wanted](int c) {
    return wanted.class_weights.empty() ? 1.0 : wanted.class_weights[Size(c)];
  };
  const auto given = [&wanted](int n, int c) {
    const double share = wanted.shares.empty() ? 1.0 : wanted.shares[Size(n)];
    double q = wanted.labels[Size(n)] == c ? share : 0;
    if (!wanted.others.empty() && wanted.others[Size(n)] == c) q += 1 - share;
    return q;
  };
  double loss = 0, divisor = 0;
  for (int n = 0; n < logits.n; ++n) {
    for (int c = 0; c < logits.c; ++c) divisor += weight(c) * given(n, c);
  }
  for (int n = 0; n < logits.n; ++n) {
    double total = 0, largest = -HUGE_VAL, mass = 0;
    for (int c = 0; c < logits.c; ++c) largest = std::max(largest, logits.at(n, c, 0, 0));
    for (int c = 0; c < logits.c; ++c) total += std::exp(logits.at(n, c, 0, 0) - largest);
    Vector target(Size(logits.c));
    for (int c = 0; c < logits.c; ++c) {
      target[Size(c)] =
          weight(c) * ((1 - wanted.smoothing) * given(n, c) + wanted.smoothing / logits.c);
      mass += target[Size(c)];
      loss += target[Size(c)] * (std::log(total) + largest - logits.at(n, c, 0, 0));
    }
    if (dlogits == nullptr) continue;
    for (int c = 0; c < logits.c; ++c) {
      const double probability = std::exp(logits.at(n, c, 0, 0) - largest) / total;
      dlogits->at(n, c, 0, 0) = (mass * probability - target[Size(c)]) / divisor;
    }
  }
  return loss / divisor;
}

}  // namespace frontier::worker::reference
