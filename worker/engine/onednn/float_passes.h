// Passes of a convolution computed in f32 between maps of bf16.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_FLOAT_PASSES_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_FLOAT_PASSES_H_

#include <optional>

#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/own_pass.h"

namespace frontier::worker::onednn {

// What names of these passes begin with.
inline constexpr char kFloatPass[] = "f32:";

// Of a convolution without bias: maps are converted before and after, weights and their gradient
// are plain f32. Pays where the library is slow in bf16, as with few channels. A pass that the
// library has as plain loops only, or not at all, is absent.
class FloatPasses {
 public:
  // `x` and `y` are the maps' formats.
  FloatPasses(const ConvolutionGeometry& geometry, const Md& x, const Md& y,
              const dnnl::engine& engine);

  std::optional<OwnPass> Forward(bool relu) const;
  std::optional<OwnPass> BackwardData() const;
  std::optional<OwnPass> BackwardWeights() const;

 private:
  dnnl::convolution_forward::desc ForwardDesc() const;

  const ConvolutionGeometry geometry_;
  const Md x_, y_;
  const dnnl::engine engine_;
};

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_FLOAT_PASSES_H_
