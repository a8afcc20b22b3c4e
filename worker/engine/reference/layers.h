// Every layer as plain loops in double: slow, obvious, and what fast code is checked against.
#ifndef FRONTIER_WORKER_ENGINE_REFERENCE_LAYERS_H_
#define FRONTIER_WORKER_ENGINE_REFERENCE_LAYERS_H_

#include <cstdint>
#include <vector>

#include "frontier/v1/architecture.pb.h"
#include "worker/engine/kernels/dropout_mask.h"

namespace frontier::worker::reference {

// Batch x channels x height x width, row-major.
struct Tensor {
  Tensor() = default;
  Tensor(int batch, const v1::Shape& shape);
  int n = 0, c = 0, h = 0, w = 0;
  std::vector<double> v;

  double& at(int in, int ic, int ih, int iw) { return v[Index(in, ic, ih, iw)]; }
  double at(int in, int ic, int ih, int iw) const { return v[Index(in, ic, ih, iw)]; }

 private:
  size_t Index(int in, int ic, int ih, int iw) const {
    return static_cast<size_t>(((int64_t{in} * c + ic) * h + ih) * w + iw);
  }
};

using Vector = std::vector<double>;

// Forward functions write all of `y`, whose extent is set; backward functions *add* to the
// gradients they are given. Weights are laid out as in v1::Tensor; `bias` and `dbias` may be empty.
void ConvolutionForward(const v1::Convolution& a, const Tensor& x, const Vector& weight,
                        const Vector& bias, Tensor* y);
void ConvolutionBackward(const v1::Convolution& a, const Tensor& x, const Vector& weight,
                         const Tensor& dy, Tensor* dx, Vector* dweight, Vector* dbias);

void LinearForward(const Tensor& x, const Vector& weight, const Vector& bias, Tensor* y);
void LinearBackward(const Tensor& x, const Vector& weight, const Tensor& dy, Tensor* dx,
                    Vector* dweight, Vector* dbias);

// With the statistics of the batch, which go to `mean` and `variance` (biased).
void BatchNormForward(const Tensor& x, const Vector& scale, const Vector& shift, double epsilon,
                      Vector* mean, Vector* variance, Tensor* y);
void BatchNormBackward(const Tensor& x, const Vector& scale, const Vector& mean,
                       const Vector& variance, double epsilon, const Tensor& dy, Tensor* dx,
                       Vector* dscale, Vector* dshift);
// With given statistics.
void BatchNormInference(const Tensor& x, const Vector& scale, const Vector& shift,
                        const Vector& mean, const Vector& variance, double epsilon, Tensor* y);

// Activations without a weight, `node` telling which (RELU and those after it).
void ActivationForward(const v1::Node& node, const Tensor& x, Tensor* y);
void ActivationBackward(const v1::Node& node, const Tensor& x, const Tensor& dy, Tensor* dx);

// A factor of height and width 1 is broadcast; `da` and `db` may be one tensor if `a` and `b` are.
void MultiplyForward(const Tensor& a, const Tensor& b, Tensor* y);
void MultiplyBackward(const Tensor& a, const Tensor& b, const Tensor& dy, Tensor* da, Tensor* db);

void ChannelShuffleForward(int groups, const Tensor& x, Tensor* y);
void ChannelShuffleBackward(int groups, const Tensor& dy, Tensor* dx);

void ChannelSliceForward(int first, const Tensor& x, Tensor* y);
void ChannelSliceBackward(int first, const Tensor& dy, Tensor* dx);

void DropoutForward(const DropoutMask& mask, const Tensor& x, Tensor* y);
void DropoutBackward(const DropoutMask& mask, const Tensor& dy, Tensor* dx);

// Of equal largest values the first gets the gradient.
void MaxPoolForward(const v1::Pool& a, const Tensor& x, Tensor* y);
void MaxPoolBackward(const v1::Pool& a, const Tensor& x, const Tensor& dy, Tensor* dx);
// Padding is not counted.
void AveragePoolForward(const v1::Pool& a, const Tensor& x, Tensor* y);
void AveragePoolBackward(const v1::Pool& a, const Tensor& dy, Tensor* dx);

// What a batch should be classified as; the fields as in Targets and LossSettings of
// kernels/loss.h.
struct Wanted {
  std::vector<uint8_t> labels, others;
  Vector shares;
  double smoothing = 0;
  Vector class_weights;
};

// Mean softmax cross-entropy over the batch, by the formula of TargetCrossEntropy; logits are batch
// x classes x 1 x 1. `dlogits`, if not null, is overwritten.
double CrossEntropy(const Tensor& logits, const Wanted& wanted, Tensor* dlogits);

}  // namespace frontier::worker::reference

#endif  // FRONTIER_WORKER_ENGINE_REFERENCE_LAYERS_H_
