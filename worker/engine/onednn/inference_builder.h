// Turns an architecture into a program for inference.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_INFERENCE_BUILDER_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_INFERENCE_BUILDER_H_

#include <optional>
#include <string>
#include <vector>

#include "worker/engine/graph_view.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/kernels/number_format.h"
#include "worker/engine/onednn/eltwise.h"
#include "worker/engine/onednn/layer_weights.h"
#include "worker/engine/onednn/program.h"

namespace frontier::worker::onednn {

struct InferenceSettings {
  InferencePrecision precision = InferencePrecision::kF32;
  // False leaves activations and additions as steps of their own, so that every value but that of a
  // layer with a batch norm behind it is there to be looked at. f32 only.
  bool fuse = true;
  // Of kInt8: the quantized format of each node's value, the weights to be quantized, and the
  // multiply-accumulates from which on a layer behind an f32 value is quantized.
  std::vector<NumberFormat> formats;
  const ModelValues* model = nullptr;
  int64_t least_quantized_macs = 0;
};

// A value of the graph as the program holds it.
struct Value {
  Array array;  // batch x C x H x W, of the type of `format`
  NumberFormat format;
};

// Where the value of a node is to be found.
struct Observation {
  int node = 0;
  int step = 0;  // there after this step
  Array array;
};

// Functions throw as Program's. `view` is of the inference pass.
class InferenceBuilder {
 public:
  InferenceBuilder(const GraphView& view, int batch, const InferenceSettings& settings,
                   Program* program);

  Array input() const { return values_[0]->array; }
  // Adds all steps; returns the logits, plain f32, batch x classes x 1 x 1.
  Array Build();

  const std::vector<PackedLayer>& packed_layers() const { return packed_layers_; }
  const std::vector<NormLayer>& norm_layers() const { return norm_layers_; }
  const std::vector<Observation>& observations() const { return observations_; }

 private:
  // What is done within a convolution or linear layer beside the layer itself.
  struct Fusion {
    int batch_norm = -1;
    int add = -1;  // its other input is `addend`
    int addend = -1;
    int activation = -1;
    int last = 0;  // the node whose value comes out
  };
  // The numbers a layer computes with.
  struct LayerFormats {
    NumberFormat source, destination;
    std::vector<float> weight_scales;  // of a quantized layer
    bool quantized() const { return !weight_scales.empty(); }
  };
  // A way to run a layer; the first that is no plain loop of the library is taken.
  struct Candidate {
    NumberType type = NumberType::kF32;
    bool with_add = false;
    bool last = false;  // taken in any case
    bool winograd = false;
  };

  void AddLayer(int n);
  void AddBatchNorm(int n);
  void AddRelu(int n);
  void AddPool(int n);
  void AddSum(int n);
  void AddConcat(int n);
  void AddActivation(int n);
  void AddHardSigmoid(int n, const Array& x);  // which the library does not have
  void AddMultiply(int n);
  void AddGate(int n, int map, int gate);
  void AddShuffle(int n);
  void AddSlice(int n);
  void AddZero(int n);

  void AddWeighted(int n);  // convolution or linear
  bool TryConvolution(int n, const Candidate& candidate);
  // By our own kernel, where it can.
  bool TryDepthwise(int n);
  bool TryLinear(int n, const Candidate& candidate);
  std::vector<Candidate> Candidates(int n) const;
  // Whether Winograd's algorithm is worth a try for the convolution `n`.
  bool SuitsWinograd(int n) const;
  template <typename Make>
  static auto Choose(const Make& make, const Candidate& candidate, LayerFormats* formats,
                     std::optional<Eltwise>* activation)
      -> std::optional<decltype(make(*activation))>;
  LayerFormats FormatsOf(int n, const Fusion& fusion, const Candidate& candidate) const;
  // Attributes of a layer that adds `addend` (null = nothing) and runs `activation` inside.
  dnnl::primitive_attr LayerAttributes(const LayerFormats& formats, const NumberFormat* addend,
                                       const std::optional<Eltwise>& activation) const;
  PackedLayer PackLayer(int n, const Fusion& fusion, const LayerFormats& formats, const Md& weight,
                        const Md& plain, const std::optional<Md>& bias);

  Fusion FindFusion(int n, bool with_add) const;
  // Whether `n`'s sum may be left in the memory of `addend`: no other node needs that afterwards.
  bool MayOverwrite(int addend, int n, int add) const;
  std::optional<Eltwise> ActivationOf(const Fusion& fusion) const;
  // Settles whether the activation is part of the fusion, and marks its nodes as done.
  void Close(Fusion* fusion, bool with_activation);
  // A ReLU right behind `n` that is to run with it, marked as done; -1 = none.
  int FusedRelu(int n);

  bool quantizing() const { return settings_.precision == InferencePrecision::kInt8; }
  // Whether a consumer of `n` takes quantized numbers.
  bool WantsQuantized(int n) const;
  // The format for the value of `n` where it is not bound to one.
  NumberFormat OutputFormat(int n) const;

  const Value& value(int n) const { return *values_[static_cast<size_t>(n)]; }
  void SetValue(int n, const Array& array, const NumberFormat& format);
  // The value in the memory format `md`, whose type is that of `format`. Made once for all that
  // read it so.
  Array As(const std::string& label, const Value& from, const Md& md, const NumberFormat& format);
  Array Converted(const std::string& label, const Value& from, const Md& md,
                  const NumberFormat& format);
  // The value as f32, in its own order.
  Array AsFloat(const std::string& label, const Value& from);
  // The value with channels last.
  Value ChannelsLast(const std::string& label, const Value& from);
  std::string Label(int n) const;

  const GraphView& view_;
  const int batch_;
  const InferenceSettings& settings_;
  Program* const program_;
  std::vector<std::optional<Value>> values_;
  // Values in other formats, while neither they nor what they were made from are overwritten.
  struct Copy {
    Array from;
    Value to;
  };
  std::vector<Copy> copies_;
  std::vector<bool> fused_;
  std::vector<PackedLayer> packed_layers_;
  std::vector<NormLayer> norm_layers_;
  std::vector<Observation> observations_;
};

// Whether the map lies with channels last and without padding, in any type of number.
bool IsChannelsLast(const Md& md);
// Numbers of an array, padding included.
int64_t NumberCount(const Value& value);

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_INFERENCE_BUILDER_H_
