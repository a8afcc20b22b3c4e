// Turns an architecture into a program that does one forward and one backward pass.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_TRAINING_BUILDER_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_TRAINING_BUILDER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/kernels/channel_layout.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/pass_picker.h"
#include "worker/engine/onednn/program.h"

namespace frontier::worker::onednn {

// A tensor of the model inside a program.
struct ModelArray {
  Array array;  // in the format of the forward primitive
  Md plain;
  std::optional<Array> gradient;  // of trained ones: format of `array`
  std::optional<Array> velocity;
};

// What the masks of dropout are made from; read by each step of the program.
struct DropoutState {
  uint64_t seed = 0;
  int64_t step = 0;
};

// Functions throw as Program's. Each layer adds its forward steps at once and leaves behind what
// adds its backward steps, which is called in the opposite order.
class TrainingBuilder {
 public:
  // `dropout` and `picker` outlive the program. With `mixed` maps are bf16 with channels last, and
  // weights f32 and plain; without all is f32 in the formats that oneDNN chooses.
  TrainingBuilder(const GraphView& view, int batch, int threads, bool mixed,
                  const DropoutState* dropout, PassPicker* picker, Program* program);

  // Fixed array that the images of a batch are copied to: plain, batch x C x H x W.
  Array input() const { return value(0); }
  // Adds the forward steps; returns the logits, plain, batch x classes x 1 x 1.
  Array BuildForward();
  // After BuildForward: adds steps that give each activation's output, plain f32, to `observe`,
  // which outlives the program.
  using Observer = std::function<void(int node, absl::Span<const float> values)>;
  void ObserveActivations(const Observer& observe);
  // Adds the backward steps, given the derivative of the loss by the logits.
  void BuildBackward(const Array& logits_gradient);

  // By (node, name of tensor); dead nodes have none.
  std::map<std::pair<int, std::string>, ModelArray> TakeModelArrays() {
    return std::move(model_arrays_);
  }

 private:
  void AddLayer(int n);
  void AddConvolution(int n);
  void AddLinear(int n);
  void AddBatchNorm(int n);
  void AddRelu(int n);
  // Batch norm `n` by our own kernel, with the sum with node `addend` (-1 = none) and a ReLU that
  // follow; the result is the value of `out`.
  void AddFusedNorm(int n, int addend, bool relu, int out);
  void AddPool(int n);
  void AddMaxPool(int n, const PoolGeometry& g);  // of bf16 with channels last
  void AddSum(int n);
  void AddConcat(int n);
  void AddActivation(int n);
  void AddEltwise(int n);
  void AddMultiply(int n);
  void AddGate(int n, int in, int gate);  // `gate` is C x 1 x 1
  void AddShuffle(int n);
  void AddSlice(int n);
  void AddDropout(int n);
  void AddZero(int n);

  const Array& value(int n) const { return *values_[static_cast<size_t>(n)]; }
  void SetValue(int n, const Array& array) { values_[static_cast<size_t>(n)] = array; }
  // The derivative of the loss by the output of `n`: the sum of what its consumers added.
  Array gradient(int n) { return GradientTerms(n, 1).front(); }
  // The same as at most `most` arrays of one format, which are still to be added.
  std::vector<Array> GradientTerms(int n, size_t most);
  void AddGradient(int n, const Array& gradient);
  bool NeedsGradient(int n) const { return view_.needs_gradient[static_cast<size_t>(n)]; }

  Array NewParameter(int n, const std::string& name, const Md& md, const Md& plain);
  const ModelArray& parameter(int n, const std::string& name) const {
    return model_arrays_.at({n, name});
  }
  // Where the gradient of a parameter is written in the format `md`, and afterwards the copy to its
  // own format if that differs.
  Array GradientTarget(const ModelArray& parameter, const Md& md);
  void FinishGradient(const std::string& label, const ModelArray& parameter, const Array& target);

  // Whether all passes of convolution `n` have vector code in bf16.
  bool HasFastBf16(int n, const ConvolutionGeometry& g) const;
  // Of an activation: oneDNN's choice, or bf16 with channels last.
  Md MapMd(const Dims& dims) const;
  // `from` as the steps without a bf16 form want it: f32 in the same order.
  Array InFloat(const std::string& label, const Array& from);
  // `from` in format `md`; each format is made once.
  Array InFormat(const std::string& label, const Array& from, const Md& md);
  // `from` in a format our kernels know: its own, or plain.
  std::pair<Array, ChannelLayout> InKnownLayout(const std::string& label, const Array& from);
  void AddSumKernel(const std::string& label, const std::vector<Array>& terms, bool relu,
                    const Array& out);
  Array ReluGradient(const std::string& label, const Array& output, const Array& gradient);
  std::string Label(int n) const;

  const GraphView& view_;
  const int batch_;
  const int threads_;
  const bool mixed_;
  const DropoutState* const dropout_;
  PassPicker* const picker_;
  Program* const program_;
  std::vector<std::optional<Array>> values_;
  std::vector<std::vector<Array>> gradients_;  // terms, not yet added
  std::vector<bool> fused_;                    // done by the layer before
  std::map<int, int> pending_norms_;           // by the sum that they are done with
  std::vector<std::function<void()>> backward_;
  std::map<std::pair<int, std::string>, ModelArray> model_arrays_;
  std::vector<std::pair<Array, Array>> reordered_;  // from, to
};

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_TRAINING_BUILDER_H_
