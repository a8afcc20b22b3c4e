// Batch normalization of values with channels last, with what follows it fused in.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_NORM_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_NORM_H_

#include <cstdint>

namespace frontier::worker {

// pixels x channels values, pixels = batch x height x width.
struct NormShape {
  int64_t pixels = 0;
  int64_t channels = 0;
  int threads = 1;
  bool portable = false;  // without code that is for some CPUs alone
};

// Floats of scratch memory a call needs.
int64_t NormScratch(const NormShape& shape);

// T is float, or uint16_t that holds a bf16. Arithmetic is f32, sums over many pixels are double.
// The same shape and values give the same bits on the same kind of CPU. Vector code for bf16 takes
// values too small for a normal number as 0.
template <typename T>
struct NormForward {
  const T* x = nullptr;
  const T* addend = nullptr;  // may be null
  const float* scale = nullptr;
  const float* shift = nullptr;
  float* mean = nullptr;      // out, by channel
  float* variance = nullptr;  // out: biased
  float* scratch = nullptr;
  T* y = nullptr;  // may be x or addend
  float epsilon = 0;
  bool relu = false;
};

// y = (x - mean) / sqrt(variance + epsilon) * scale + shift, plus the addend, negative values 0 if
// relu (Ioffe and Szegedy 2015, "Batch Normalization", algorithm 1). NaN stays.
template <typename T>
void RunNormForward(const NormShape& shape, const NormForward<T>& norm);

template <typename T>
struct NormBackward {
  const T* x = nullptr;
  const T* y = nullptr;  // output of the forward pass; read with relu alone
  // Of the forward pass, or null. Given if it had no addend: y is then a function of x, and vector
  // code computes its sign anew instead of reading it.
  const float* shift = nullptr;
  const T* dy = nullptr;        // derivative of the loss by y
  const T* other_dy = nullptr;  // a second term of it; may be null
  const float* scale = nullptr;
  const float* mean = nullptr;
  const float* variance = nullptr;
  float* scratch = nullptr;
  // Out: derivative before the ReLU, rounded, which is that by an addend. May be dy, may be null.
  T* masked = nullptr;
  T* dx = nullptr;  // may be masked or dy
  float* dscale = nullptr;
  float* dshift = nullptr;
  float epsilon = 0;
  bool relu = false;
};

template <typename T>
void RunNormBackward(const NormShape& shape, const NormBackward<T>& norm);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_NORM_H_
