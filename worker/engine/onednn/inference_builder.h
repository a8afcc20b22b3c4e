// Turns an architecture into a program for inference.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_INFERENCE_BUILDER_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_INFERENCE_BUILDER_H_

#include <optional>
#include <string>
#include <vector>

#include "worker/engine/graph_view.h"
#include "worker/engine/onednn/eltwise.h"
#include "worker/engine/onednn/program.h"

namespace frontier::worker::onednn {

// Weights of a convolution or linear layer as the program wants them, and where they come from.
struct PackedLayer {
  int node = 0;
  int batch_norm = -1;  // folded in; -1 = none
  Array weight;
  Md plain;                   // row-major
  std::optional<Array> bias;  // there if the layer has a bias or a folded batch norm
};

// A batch norm that could not be folded.
struct NormLayer {
  int node = 0;
  Array mean, variance, scale, shift;
};

// Functions throw as Program's. `view` is of the inference pass.
class InferenceBuilder {
 public:
  InferenceBuilder(const GraphView& view, int batch, Program* program);

  Array input() const { return *values_[0]; }
  // Adds all steps; returns the logits, plain, batch x classes x 1 x 1.
  Array Build();

  const std::vector<PackedLayer>& packed_layers() const { return packed_layers_; }
  const std::vector<NormLayer>& norm_layers() const { return norm_layers_; }

 private:
  // What is done within a convolution or linear layer beside the layer itself.
  struct Fusion {
    int batch_norm = -1;
    int add = -1;  // its other input is `addend`
    int addend = -1;
    int activation = -1;
    int last = 0;  // the node whose value comes out
  };

  void AddLayer(int n);
  void AddConvolution(int n);
  void AddLinear(int n);
  void AddBatchNorm(int n);
  void AddRelu(int n);
  void AddPool(int n);
  void AddSum(int n);
  void AddConcat(int n);
  void AddActivation(int n);
  void AddHardSigmoid(int n, const Array& x);  // which the library does not have
  void AddMultiply(int n);
  void AddShuffle(int n);
  void AddSlice(int n);
  void AddZero(int n);

  Fusion FindFusion(int n, bool with_add) const;
  // Whether `n`'s sum may be left in the memory of `addend`: no other node needs that afterwards.
  bool MayOverwrite(int addend, int n, int add) const;
  std::optional<Eltwise> ActivationOf(const Fusion& fusion) const;
  // Settles whether the activation is part of the fusion, and marks its nodes as done.
  void Close(Fusion* fusion, bool with_activation);
  const Array& value(int n) const { return *values_[static_cast<size_t>(n)]; }
  void SetValue(int n, const Array& array) { values_[static_cast<size_t>(n)] = array; }
  std::string Label(int n) const;

  const GraphView& view_;
  const int batch_;
  Program* const program_;
  std::vector<std::optional<Array>> values_;
  std::vector<bool> fused_;
  std::vector<PackedLayer> packed_layers_;
  std::vector<NormLayer> norm_layers_;
};

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_INFERENCE_BUILDER_H_
