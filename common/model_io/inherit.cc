#include "common/model_io/inherit.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/architecture/graph.h"
#include "common/base/status.h"
#include "common/model_io/low_rank.h"
#include "common/model_io/model_file.h"
#include "common/model_io/parameters.h"

namespace frontier {
namespace {

using Values = std::vector<float>;
using Indices = std::vector<int>;

constexpr double kNormEpsilon = 1e-5;  // of a batch norm, added to the variance

// The tensors of a model as numbers.
class TensorTable {
 public:
  explicit TensorTable(const v1::Model& model) {
    for (const v1::Tensor& tensor : model.tensors()) {
      values_[tensor.node()][tensor.name()] = TensorValues(tensor);
    }
  }
  const Values& Get(int node, absl::string_view name) const {
    return values_.at(node).at(std::string(name));
  }

 private:
  std::map<int, std::map<std::string, Values>> values_;
};

// A weight seen as outputs x inputs x window; of a linear layer the window is the map before it.
struct WeightShape {
  size_t outputs = 0;
  size_t inputs = 0;  // of one group
  size_t window = 0;
};

WeightShape ShapeOf(const v1::Node& node, const v1::Shape& input) {
  if (node.op() == v1::OPERATOR_LINEAR) {
    return {static_cast<size_t>(node.linear().out_features()),
            static_cast<size_t>(input.channels()),
            static_cast<size_t>(input.height()) * static_cast<size_t>(input.width())};
  }
  const v1::Convolution& c = node.convolution();
  return {static_cast<size_t>(c.out_channels()), static_cast<size_t>(input.channels() / c.groups()),
          static_cast<size_t>(c.kernel_height()) * static_cast<size_t>(c.kernel_width())};
}

bool IsProducer(const v1::Node& node) {
  return node.op() == v1::OPERATOR_LINEAR ||
         (node.op() == v1::OPERATOR_CONVOLUTION && node.convolution().groups() == 1);
}

// Adds norms by channel to the sums of the channels' units, relative to their mean.
void AddRelative(const std::vector<double>& norms, const Indices& units,
                 std::vector<double>* sums) {
  const double total = std::accumulate(norms.begin(), norms.end(), 0.0);
  if (!(total > 0)) return;
  const double scale = static_cast<double>(norms.size()) / total;
  for (size_t i = 0; i < norms.size(); ++i) {
    (*sums)[static_cast<size_t>(units[i])] += norms[i] * scale;
  }
}

const v1::Shape& InputShape(const Compressor& compressor, const v1::Node& node) {
  return compressor.costs().nodes[static_cast<size_t>(node.inputs(0))].output;
}

// The child's tensors, node by node.
class Heir {
 public:
  Heir(const Compressor& compressor, const v1::Model& parent, const CompressedNetwork& network,
       const std::vector<bool>& unit_stays)
      : compressor_(compressor),
        parent_(parent.architecture()),
        tensors_(parent),
        network_(network) {
    for (const Indices& units : compressor.channels().units) {
      Indices& stays = stays_.emplace_back();
      for (size_t c = 0; c < units.size(); ++c) {
        if (unit_stays[static_cast<size_t>(units[c])]) stays.push_back(static_cast<int>(c));
      }
    }
  }

  absl::StatusOr<v1::Model> Run() {
    ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(network_.architecture));
    v1::Model model;
    *model.mutable_architecture() = network_.architecture;
    for (const TensorSpec& spec : TensorSpecs(network_.architecture, costs)) {
      v1::Tensor* tensor = model.add_tensors();
      tensor->set_node(spec.node);
      tensor->set_name(spec.name);
      for (const int64_t d : spec.dimensions) tensor->add_dimensions(d);
      SetTensorValues(spec.name == "weight" ? Weight(spec.node) : Vector(spec), tensor);
    }
    return model;
  }

 private:
  const NodeOrigin& OriginOf(int node) const { return network_.origins[static_cast<size_t>(node)]; }

  // One number for each channel.
  Values Vector(const TensorSpec& spec) const {
    const int origin = OriginOf(spec.node).node;
    const Values& from = tensors_.Get(origin, spec.name);
    Values values;
    for (const int c : stays_[static_cast<size_t>(origin)]) {
      values.push_back(from[static_cast<size_t>(c)]);
    }
    return values;
  }

  Values Weight(int child) {
    const NodeOrigin& origin = OriginOf(child);
    const v1::Node& from = parent_.nodes(origin.node);
    WeightShape shape = ShapeOf(from, InputShape(compressor_, from));
    Values values = CutChannels(origin.node, &shape);
    if (from.op() == v1::OPERATOR_LINEAR) return values;
    const v1::Convolution& whole = from.convolution();
    const v1::Convolution& now = network_.architecture.nodes(child).convolution();
    switch (origin.part) {
      case NodeOrigin::Part::kWhole:
        return CropWindows(values, shape, whole, now);
      case NodeOrigin::Part::kFirst:
        return Split(origin.node, child, values, shape).first;
      case NodeOrigin::Part::kSecond:
        return Split(origin.node, child - 1, values, shape).second;
    }
    return values;
  }

  // The weight of `node` for the channels that stay; `shape` becomes its shape.
  Values CutChannels(int node, WeightShape* shape) const {
    const Values& from = tensors_.Get(node, "weight");
    const Indices& outputs = stays_[static_cast<size_t>(node)];
    const bool dense = IsProducer(parent_.nodes(node));
    Indices inputs;
    if (dense) {
      inputs = stays_[static_cast<size_t>(parent_.nodes(node).inputs(0))];
    } else {
      inputs.resize(shape->inputs);
      std::iota(inputs.begin(), inputs.end(), 0);
    }
    Values values;
    values.reserve(outputs.size() * inputs.size() * shape->window);
    for (const int o : outputs) {
      for (const int i : inputs) {
        const auto begin =
            from.begin() +
            static_cast<std::ptrdiff_t>(
                (static_cast<size_t>(o) * shape->inputs + static_cast<size_t>(i)) * shape->window);
        values.insert(values.end(), begin, begin + static_cast<std::ptrdiff_t>(shape->window));
      }
    }
    shape->outputs = outputs.size();
    shape->inputs = inputs.size();
    return values;
  }

  static Values CropWindows(const Values& values, const WeightShape& shape,
                            const v1::Convolution& whole, const v1::Convolution& now) {
    if (whole.kernel_height() == now.kernel_height() &&
        whole.kernel_width() == now.kernel_width()) {
      return values;
    }
    const int top = (whole.kernel_height() - now.kernel_height()) / 2;
    const int left = (whole.kernel_width() - now.kernel_width()) / 2;
    Values cropped;
    for (size_t filter = 0; filter < shape.outputs * shape.inputs; ++filter) {
      for (int y = 0; y < now.kernel_height(); ++y) {
        for (int x = 0; x < now.kernel_width(); ++x) {
          cropped.push_back(
              values[filter * shape.window +
                     static_cast<size_t>((top + y) * whole.kernel_width() + left + x)]);
        }
      }
    }
    return cropped;
  }

  // The two weights that convolution `node`, cut to `values`, becomes; `first` is the child's node
  // of the first. Kept, since they are asked for one after the other.
  const std::pair<Values, Values>& Split(int node, int first, const Values& values,
                                         const WeightShape& shape) {
    if (split_of_ == node) return split_;
    split_of_ = node;
    const v1::Convolution& now = network_.architecture.nodes(first).convolution();
    const v1::Convolution& next = network_.architecture.nodes(first + 1).convolution();
    // Of one input channel the two are the same.
    if (now.groups() > 1) {
      split_ = SplitSeparable(values, shape);
    } else if (next.kernel_height() == 1 && next.kernel_width() == 1) {
      split_ = SplitChannels(values, shape, now.out_channels());
    } else {
      split_ =
          SplitSpatial(values, shape, now.kernel_height(), next.kernel_width(), now.out_channels());
    }
    return split_;
  }

  static std::pair<Values, Values> SplitSeparable(const Values& values, const WeightShape& shape) {
    Values depthwise(shape.inputs * shape.window);
    Values pointwise(shape.outputs * shape.inputs);
    Values slice(shape.outputs * shape.window);
    for (size_t i = 0; i < shape.inputs; ++i) {
      for (size_t o = 0; o < shape.outputs; ++o) {
        std::copy_n(
            values.begin() + static_cast<std::ptrdiff_t>((o * shape.inputs + i) * shape.window),
            shape.window, slice.begin() + static_cast<std::ptrdiff_t>(o * shape.window));
      }
      const LowRank factors = Factorize(slice, static_cast<int>(shape.outputs),
                                        static_cast<int>(shape.window), /*rank=*/1);
      std::copy(factors.right.begin(), factors.right.end(),
                depthwise.begin() + static_cast<std::ptrdiff_t>(i * shape.window));
      for (size_t o = 0; o < shape.outputs; ++o) pointwise[o * shape.inputs + i] = factors.left[o];
    }
    return {std::move(depthwise), std::move(pointwise)};
  }

  static std::pair<Values, Values> SplitChannels(const Values& values, const WeightShape& shape,
                                                 int rank) {
    LowRank factors = Factorize(values, static_cast<int>(shape.outputs),
                                static_cast<int>(shape.inputs * shape.window), rank);
    return {std::move(factors.right), std::move(factors.left)};
  }

  static std::pair<Values, Values> SplitSpatial(const Values& values, const WeightShape& shape,
                                                int height, int width, int rank) {
    const auto h = static_cast<size_t>(height);
    const auto w = static_cast<size_t>(width);
    const auto r = static_cast<size_t>(rank);
    // Rows (output, column), columns (input, row): the longer side is most often the first.
    Values matrix(values.size());
    for (size_t o = 0; o < shape.outputs; ++o) {
      for (size_t i = 0; i < shape.inputs; ++i) {
        for (size_t y = 0; y < h; ++y) {
          for (size_t x = 0; x < w; ++x) {
            matrix[((o * w + x) * shape.inputs + i) * h + y] =
                values[((o * shape.inputs + i) * h + y) * w + x];
          }
        }
      }
    }
    LowRank factors = Factorize(matrix, static_cast<int>(shape.outputs * w),
                                static_cast<int>(shape.inputs * h), rank);
    // `right` is rank x (input, row), as the first weight wants it.
    Values second(shape.outputs * r * w);
    for (size_t o = 0; o < shape.outputs; ++o) {
      for (size_t k = 0; k < r; ++k) {
        for (size_t x = 0; x < w; ++x) {
          second[(o * r + k) * w + x] = factors.left[(o * w + x) * r + k];
        }
      }
    }
    return {std::move(factors.right), std::move(second)};
  }

  const Compressor& compressor_;
  const v1::Architecture& parent_;
  const TensorTable tensors_;
  const CompressedNetwork& network_;
  std::vector<Indices> stays_;  // by node of the parent: channels
  int split_of_ = -1;
  std::pair<Values, Values> split_;
};

std::vector<bool> ChooseUnits(const Compressor& compressor, const v1::Model& parent,
                              const v1::Compression& compression) {
  const ChannelMap& map = compressor.channels();
  std::vector<bool> stays(map.group_of.size(), true);
  if (compression.widths().empty()) return stays;
  const std::vector<double> importance = UnitImportance(compressor, parent);
  for (const v1::WidthChange& change : compression.widths()) {
    Indices units = map.groups[static_cast<size_t>(change.group())].units;
    std::stable_sort(units.begin(), units.end(), [&](int a, int b) {
      return importance[static_cast<size_t>(a)] > importance[static_cast<size_t>(b)];
    });
    const size_t kept =
        static_cast<size_t>(KeptChannels(static_cast<int>(units.size()), change.share()));
    for (size_t i = kept; i < units.size(); ++i) stays[static_cast<size_t>(units[i])] = false;
  }
  return stays;
}

}  // namespace

std::vector<double> UnitImportance(const Compressor& compressor, const v1::Model& parent) {
  const v1::Architecture& architecture = compressor.parent();
  const ChannelMap& map = compressor.channels();
  const TensorTable tensors(parent);
  // Batch norms right behind a producer.
  std::map<int, int> norm_of;
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    if (node.op() == v1::OPERATOR_BATCH_NORM) norm_of.emplace(node.inputs(0), i);
  }
  std::vector<double> made(map.group_of.size());
  std::vector<double> read(map.group_of.size());
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    if (!IsProducer(node)) continue;
    const WeightShape shape = ShapeOf(node, InputShape(compressor, node));
    const Values& weight = tensors.Get(i, "weight");
    std::vector<double> outputs(shape.outputs);
    std::vector<double> inputs(shape.inputs);
    for (size_t o = 0; o < shape.outputs; ++o) {
      for (size_t c = 0; c < shape.inputs; ++c) {
        for (size_t k = 0; k < shape.window; ++k) {
          const double w = weight[(o * shape.inputs + c) * shape.window + k];
          outputs[o] += w * w;
          inputs[c] += w * w;
        }
      }
    }
    for (double& norm : outputs) norm = std::sqrt(norm);
    for (double& norm : inputs) norm = std::sqrt(norm);
    if (const auto norm = norm_of.find(i); norm != norm_of.end()) {
      const Values& scale = tensors.Get(norm->second, "scale");
      const Values& variance = tensors.Get(norm->second, "variance");
      for (size_t o = 0; o < shape.outputs; ++o) {
        outputs[o] *= std::abs(scale[o]) / std::sqrt(variance[o] + kNormEpsilon);
      }
    }
    AddRelative(outputs, map.units[static_cast<size_t>(i)], &made);
    AddRelative(inputs, map.units[static_cast<size_t>(node.inputs(0))], &read);
  }
  for (size_t u = 0; u < made.size(); ++u) made[u] *= read[u];
  return made;
}

absl::StatusOr<v1::Model> InheritModel(const v1::Model& parent,
                                       const v1::Compression& compression) {
  RETURN_IF_ERROR(CheckTensors(parent));
  ASSIGN_OR_RETURN(const Compressor compressor, Compressor::Create(parent.architecture()));
  ASSIGN_OR_RETURN(const CompressedNetwork network, compressor.Compress(compression));
  const std::vector<bool> stays = ChooseUnits(compressor, parent, compression);
  ASSIGN_OR_RETURN(v1::Model child, Heir(compressor, parent, network, stays).Run());
  *child.mutable_normalization() = parent.normalization();
  child.set_dataset(parent.dataset());
  return child;
}

}  // namespace frontier
