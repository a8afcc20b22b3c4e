// Weights of a model as a program for inference wants them.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_LAYER_WEIGHTS_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_LAYER_WEIGHTS_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "frontier/v1/model.pb.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/onednn/program.h"

namespace frontier::worker::onednn {

// Weights of a convolution or linear layer in a program, and where they come from.
struct PackedLayer {
  int node = 0;
  int batch_norm = -1;  // folded in; -1 = none
  Array weight;
  Md plain;                   // row-major f32
  std::optional<Array> bias;  // there if the layer has a bias or a folded batch norm
  // Of a quantized layer, else empty: what a stored weight of each output stands for, and what a
  // stored input does.
  std::vector<float> weight_scales;
  float input_scale = 1;
  // Of a layer of DepthwiseU8, whose weight array holds scales and biases, too: what a stored
  // output stands for.
  std::optional<float> depthwise_output_scale;
};

// A batch norm that could not be folded.
struct NormLayer {
  int node = 0;
  Array mean, variance, scale, shift;
};

struct LayerWeights {
  std::vector<float> weight;  // outputs first
  std::vector<float> bias;    // one for each output, or empty
};

// The tensors of a model that fits its architecture.
class ModelValues {
 public:
  explicit ModelValues(const v1::Model& model);

  // Empty if there is none of this name.
  const std::vector<float>& Get(int node, const std::string& name) const;

  // Of a layer with the batch norm y = (x - mean) / sqrt(variance + epsilon) * scale + shift of
  // node `batch_norm` (-1 = none) folded into weights and bias, in double (Jacob et al. 2018,
  // section 3.2).
  LayerWeights Folded(int node, int batch_norm) const;

 private:
  std::map<std::pair<int, std::string>, std::vector<float>> values_;
  const std::vector<float> none_;
};

// For each output the largest absolute weight / `limit`; 1 for an output without weights but zeros.
std::vector<float> WeightScales(absl::Span<const float> weight, size_t outputs, float limit);

// Puts the model's values into the arrays of `program`, which is finished.
void LoadWeights(const ModelValues& values, const GraphView& view,
                 const std::vector<PackedLayer>& packed_layers,
                 const std::vector<NormLayer>& norm_layers, Program* program);

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_LAYER_WEIGHTS_H_
