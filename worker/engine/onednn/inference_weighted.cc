// Convolutions and linear layers of a program for inference.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/strings/match.h"
#include "worker/engine/kernels/depthwise_u8.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/inference_builder.h"
#include "worker/engine/onednn/quantization.h"

namespace frontier::worker::onednn {
namespace {

using Argument = Program::Argument;

// Activations that may as well be applied to stored numbers of a quantized format.
bool KeepsScale(dnnl::algorithm algorithm) {
  return algorithm == dnnl::algorithm::eltwise_relu ||
         algorithm == dnnl::algorithm::eltwise_clip_v2;
}

Md AnyMdOf(const Dims& dims, const NumberFormat& format) {
  return OfType(AnyMd(dims), DataType(format.type));
}

// With AVX2 the library gives wrong sums for depthwise convolutions of bytes with kernels of an
// even size or with gaps; such layers are rare.
bool MayQuantize(const v1::Node& node) {
  const v1::Convolution& c = node.convolution();
  if (node.op() != v1::OPERATOR_CONVOLUTION || c.groups() == 1 || c.groups() != c.out_channels()) {
    return true;
  }
  return c.kernel_height() % 2 == 1 && c.kernel_width() % 2 == 1 && c.dilation_height() == 1 &&
         c.dilation_width() == 1;
}

// Not the library's plain loops, which are slow, nor its convolutions of bytes by matrix products,
// which are wrong for some padded kernels with gaps.
template <typename Descriptor>
bool IsUsable(const Descriptor& descriptor, bool quantized) {
  const absl::string_view name = descriptor.impl_info_str();
  if (absl::StartsWith(name, "ref")) return false;
  return !quantized || !std::is_same_v<Descriptor, dnnl::convolution_forward::primitive_desc> ||
         !absl::StrContains(name, "gemm_");
}

}  // namespace

// With the activation inside, or, where only plain loops of the library would do that, without;
// what a quantized layer leaves to an activation behind it is f32. Nothing if there are only plain
// loops or nothing at all, and the candidate is not the last.
template <typename Make>
auto InferenceBuilder::Choose(const Make& make, const Candidate& candidate, LayerFormats* formats,
                              std::optional<Eltwise>* activation)
    -> std::optional<decltype(make(*activation))> {
  using Descriptor = decltype(make(*activation));
  const auto attempt = [&](const std::optional<Eltwise>& inside) -> std::optional<Descriptor> {
    try {
      return make(inside);
    } catch (const dnnl::error& e) {
      if (e.status != dnnl_unimplemented || candidate.last) throw;
      return std::nullopt;
    }
  };
  const std::optional<Descriptor> fused = attempt(*activation);
  if (fused.has_value() && IsUsable(*fused, formats->quantized())) return fused;
  if (activation->has_value()) {
    const NumberFormat destination = formats->destination;
    if (formats->quantized()) formats->destination = NumberFormat();
    const std::optional<Descriptor> apart = attempt(std::nullopt);
    if (apart.has_value() && IsUsable(*apart, formats->quantized())) {
      activation->reset();
      return apart;
    }
    formats->destination = destination;
  }
  return candidate.last ? fused : std::nullopt;
}

bool InferenceBuilder::SuitsWinograd(int n) const {
  const v1::Node& node = view_.node(n);
  if (node.op() != v1::OPERATOR_CONVOLUTION) return false;
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const v1::Convolution& c = node.convolution();
  const ConvolutionGeometry g(c, view_.shape(in).channels());
  if (c.groups() != 1 || c.kernel_height() != 3 || c.kernel_width() != 3 ||
      g.strides != Dims{1, 1} || g.dilates != Dims{0, 0} || g.padding != Dims{1, 1}) {
    return false;
  }
  // Each pair of 2 x 2 values becomes 4 x 4 ones in between, which are to stay in the second-level
  // cache. Narrow layers are left to the transforms alone.
  constexpr int64_t kMostTransformedBytes = 1 << 19;
  constexpr int64_t kLeastMacs = 1 << 19;
  const int64_t channels = int64_t{view_.shape(in).channels()} + c.out_channels();
  const int64_t positions = int64_t{view_.shape(n).height()} * view_.shape(n).width();
  const int64_t bytes = 4 * channels * positions * batch_ * int64_t{sizeof(float)};
  return view_.shape(in).channels() % 16 == 0 && c.out_channels() % 16 == 0 &&
         bytes <= kMostTransformedBytes &&
         view_.costs.nodes[static_cast<size_t>(n)].macs >= kLeastMacs;
}

std::vector<InferenceBuilder::Candidate> InferenceBuilder::Candidates(int n) const {
  const Value& in = value(view_.inputs[static_cast<size_t>(n)][0]);
  const bool with_add = FindFusion(n, /*with_add=*/true).add >= 0;
  std::vector<Candidate> candidates;
  switch (settings_.precision) {
    case InferencePrecision::kF32:
      if (SuitsWinograd(n)) candidates.push_back({NumberType::kF32, with_add, false, true});
      break;
    case InferencePrecision::kBf16:
      candidates.push_back({NumberType::kBf16, with_add});
      break;
    case InferencePrecision::kInt8:
      if (!MayQuantize(view_.node(n))) break;
      if (in.format.quantized() ||
          view_.costs.nodes[static_cast<size_t>(n)].macs >= settings_.least_quantized_macs) {
        candidates.push_back({NumberType::kS8, with_add});
        if (with_add) candidates.push_back({NumberType::kS8, false});
      }
      break;
  }
  candidates.push_back({NumberType::kF32, with_add, /*last=*/true});
  return candidates;
}

InferenceBuilder::LayerFormats InferenceBuilder::FormatsOf(int n, const Fusion& fusion,
                                                           const Candidate& candidate) const {
  LayerFormats formats;
  if (candidate.type == NumberType::kF32) return formats;
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const int last = fusion.activation >= 0 ? fusion.activation : fusion.last;
  formats.destination = OutputFormat(last);
  if (candidate.type == NumberType::kBf16) {
    formats.source = {NumberType::kBf16, 1};
    return formats;
  }
  formats.source =
      value(in).format.quantized() ? value(in).format : settings_.formats[static_cast<size_t>(in)];
  const v1::Node& node = view_.node(n);
  const int outputs = node.op() == v1::OPERATOR_LINEAR ? node.linear().out_features()
                                                       : node.convolution().out_channels();
  formats.weight_scales = WeightScales(settings_.model->Folded(n, fusion.batch_norm).weight,
                                       static_cast<size_t>(outputs), WeightLimit());
  return formats;
}

// What comes out is, in this order: the sum of products and the bias, scaled; the addend, scaled;
// the activation, scaled. Up to the activation this is either the real value, or the value in units
// of the destination's scale, which saves the last scaling.
dnnl::primitive_attr InferenceBuilder::LayerAttributes(
    const LayerFormats& formats, const NumberFormat* addend,
    const std::optional<Eltwise>& activation) const {
  dnnl::primitive_attr attributes = Attributes();
  const bool stored = !activation.has_value() || KeepsScale(activation->algorithm);
  const float unit = stored ? formats.destination.scale : 1;
  if (formats.quantized()) {
    std::vector<float> scales = formats.weight_scales;
    for (float& scale : scales) scale *= formats.source.scale / unit;
    attributes.set_output_scales(/*mask=*/1 << 1, scales);
  }
  dnnl::post_ops ops;
  if (addend != nullptr) {
    if (formats.destination.quantized()) {
      ops.append_sum(addend->scale / unit, DataType(addend->type));
    } else {
      ops.append_sum(1.0f);
    }
  }
  if (activation.has_value()) {
    const bool bounded = activation->algorithm == dnnl::algorithm::eltwise_clip_v2;
    ops.append_eltwise(stored ? 1.0f : 1 / formats.destination.scale, activation->algorithm,
                       activation->alpha, bounded ? activation->beta / unit : activation->beta);
  }
  attributes.set_post_ops(ops);
  return attributes;
}

PackedLayer InferenceBuilder::PackLayer(int n, const Fusion& fusion, const LayerFormats& formats,
                                        const Md& weight, const Md& plain,
                                        const std::optional<Md>& bias) {
  PackedLayer layer;
  layer.node = n;
  layer.batch_norm = fusion.batch_norm;
  layer.weight = program_->NewFixedArray(weight);
  layer.plain = plain;
  if (bias.has_value()) layer.bias = program_->NewFixedArray(*bias);
  layer.weight_scales = formats.weight_scales;
  layer.input_scale = formats.source.scale;
  packed_layers_.push_back(layer);
  return layer;
}

void InferenceBuilder::AddWeighted(int n) {
  const bool linear = view_.node(n).op() == v1::OPERATOR_LINEAR;
  for (const Candidate& candidate : Candidates(n)) {
    if (linear ? TryLinear(n, candidate) : TryConvolution(n, candidate)) return;
  }
}

bool InferenceBuilder::TryDepthwise(int n) {
  const v1::Convolution& c = view_.node(n).convolution();
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const v1::Shape& shape = view_.shape(in);
  const ConvolutionGeometry g(c, shape.channels());
  if (!DepthwiseU8Supported() || c.groups() != shape.channels() ||
      c.out_channels() != shape.channels() || c.kernel_height() != 3 || c.kernel_width() != 3 ||
      c.stride_height() > 2 || c.stride_height() != c.stride_width() || g.dilates != Dims{0, 0} ||
      g.padding != Dims{1, 1}) {
    return false;
  }
  Fusion fusion = FindFusion(n, /*with_add=*/false);
  const LayerFormats formats = FormatsOf(n, fusion, {NumberType::kS8});
  const std::optional<Eltwise> activation = ActivationOf(fusion);
  if (formats.source.type != NumberType::kU8 || !formats.destination.quantized()) return false;
  DepthwiseU8Output output;
  output.is_signed = formats.destination.type == NumberType::kS8;
  if (activation.has_value()) {
    if (!KeepsScale(activation->algorithm) || activation->alpha != 0) return false;
    output.low = 0;
    if (activation->algorithm == dnnl::algorithm::eltwise_clip_v2) {
      output.high = activation->beta / formats.destination.scale;
    }
  }
  Close(&fusion, activation.has_value());
  const auto channels_last = [&](int node, const NumberFormat& format) {
    return Md(ValueDims(batch_, view_.shape(node)), DataType(format.type),
              dnnl::memory::format_tag::nhwc);
  };
  PackedLayer& layer = packed_layers_.emplace_back();
  layer.node = n;
  layer.batch_norm = fusion.batch_norm;
  layer.weight =
      program_->NewFixedArray(Md({DepthwiseU8PackedBytes(shape.channels())},
                                 dnnl::memory::data_type::u8, dnnl::memory::format_tag::a));
  layer.weight_scales = formats.weight_scales;
  layer.input_scale = formats.source.scale;
  layer.depthwise_output_scale = formats.destination.scale;
  const Array x = As(Label(n), value(in), channels_last(in, formats.source), formats.source);
  const Array y = program_->NewArray(channels_last(n, formats.destination));
  const DepthwiseU8Shape kernel_shape{batch_, shape.height(), shape.width(), shape.channels(),
                                      c.stride_height()};
  program_->AddKernel(
      Label(n), {x, layer.weight}, {y}, [kernel_shape, output](const std::vector<float*>& p) {
        DepthwiseU8(kernel_shape, output, reinterpret_cast<const uint8_t*>(p[0]), p[1], p[2]);
      });
  SetValue(fusion.last, y, formats.destination);
  return true;
}

bool InferenceBuilder::TryConvolution(int n, const Candidate& candidate) {
  if (candidate.type == NumberType::kS8 && !candidate.with_add && TryDepthwise(n)) return true;
  const v1::Convolution& c = view_.node(n).convolution();
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  Fusion fusion = FindFusion(n, candidate.with_add);
  LayerFormats formats = FormatsOf(n, fusion, candidate);
  const ConvolutionGeometry g(c, view_.shape(in).channels());
  const bool has_bias = c.bias() || fusion.batch_norm >= 0;
  const std::optional<Md> bias = has_bias ? std::optional<Md>(PlainMd(g.bias)) : std::nullopt;
  // The format of the addend, which follows from that of the destination.
  const auto addend = [&] {
    const int term = fusion.addend;
    if (term < 0 || !formats.destination.quantized()) return formats.destination;
    return value(term).format.quantized() ? value(term).format
                                          : settings_.formats[static_cast<size_t>(term)];
  };

  using Forward = dnnl::convolution_forward;
  const auto make = [&](const std::optional<Eltwise>& inside) {
    const auto inference = dnnl::prop_kind::forward_inference;
    const auto algorithm = candidate.winograd ? dnnl::algorithm::convolution_winograd
                                              : dnnl::algorithm::convolution_direct;
    const Md src = AnyMdOf(ValueDims(batch_, view_.shape(in)), formats.source);
    const Md dst = AnyMdOf(ValueDims(batch_, view_.shape(n)), formats.destination);
    const Md weights = AnyMdOf(g.weights, {candidate.type, 1});
    const Forward::desc desc = has_bias
                                   ? Forward::desc(inference, algorithm, src, weights, *bias, dst,
                                                   g.strides, g.dilates, g.padding, g.padding)
                                   : Forward::desc(inference, algorithm, src, weights, dst,
                                                   g.strides, g.dilates, g.padding, g.padding);
    const NumberFormat added = addend();
    return Forward::primitive_desc(
        desc, LayerAttributes(formats, fusion.add >= 0 ? &added : nullptr, inside),
        program_->engine());
  };
  std::optional<Eltwise> activation = ActivationOf(fusion);
  std::optional<Forward::primitive_desc> forward = Choose(make, candidate, &formats, &activation);
  if (!forward.has_value()) return false;

  Close(&fusion, activation.has_value());
  const PackedLayer layer =
      PackLayer(n, fusion, formats, forward->weights_desc(), PlainMd(g.weights), bias);
  std::vector<Argument> reads = {
      {DNNL_ARG_SRC, As(Label(n), value(in), forward->src_desc(), formats.source)},
      {DNNL_ARG_WEIGHTS, layer.weight}};
  if (layer.bias.has_value()) reads.push_back({DNNL_ARG_BIAS, *layer.bias});
  Array y;
  if (fusion.add >= 0) {
    // The sum begins with what is in the destination. If the addend came through unchanged its
    // own memory is the destination.
    const NumberFormat format = addend();
    const Md md = OfType(forward->dst_desc(), DataType(format.type));
    y = As(Label(fusion.add), value(fusion.addend), md, format);
    y.md = forward->dst_desc();
  } else {
    y = program_->NewArray(forward->dst_desc());
  }
  program_->AddPrimitive(Label(n), *forward, Forward(*forward), reads, {{DNNL_ARG_DST, y}});
  SetValue(fusion.last, y, formats.destination);
  return true;
}

bool InferenceBuilder::TryLinear(int n, const Candidate& candidate) {
  const v1::Linear& l = view_.node(n).linear();
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  Fusion fusion = FindFusion(n, /*with_add=*/false);
  LayerFormats formats = FormatsOf(n, fusion, candidate);
  const v1::Shape& shape = view_.shape(in);
  const Dims weight_dims = {l.out_features(), shape.channels(), shape.height(), shape.width()};
  const bool has_bias = l.bias() || fusion.batch_norm >= 0;
  const std::optional<Md> bias =
      has_bias ? std::optional<Md>(PlainMd({l.out_features()})) : std::nullopt;

  using Forward = dnnl::inner_product_forward;
  const auto destination = [&] {
    return OfType(PlainMd({batch_, l.out_features()}), DataType(formats.destination.type));
  };
  const auto make = [&](const std::optional<Eltwise>& inside) {
    const auto inference = dnnl::prop_kind::forward_inference;
    const Md src = AnyMdOf(ValueDims(batch_, shape), formats.source);
    const Md weights = AnyMdOf(weight_dims, {candidate.type, 1});
    const Forward::desc desc = has_bias
                                   ? Forward::desc(inference, src, weights, *bias, destination())
                                   : Forward::desc(inference, src, weights, destination());
    return Forward::primitive_desc(desc, LayerAttributes(formats, nullptr, inside),
                                   program_->engine());
  };
  std::optional<Eltwise> activation = ActivationOf(fusion);
  std::optional<Forward::primitive_desc> forward = Choose(make, candidate, &formats, &activation);
  if (!forward.has_value()) return false;

  Close(&fusion, activation.has_value());
  const PackedLayer layer =
      PackLayer(n, fusion, formats, forward->weights_desc(), PlainMd(weight_dims), bias);
  std::vector<Argument> reads = {
      {DNNL_ARG_SRC, As(Label(n), value(in), forward->src_desc(), formats.source)},
      {DNNL_ARG_WEIGHTS, layer.weight}};
  if (layer.bias.has_value()) reads.push_back({DNNL_ARG_BIAS, *layer.bias});
  const Array y = program_->NewArray(
      OfType(PlainMd({batch_, l.out_features(), 1, 1}), DataType(formats.destination.type)));
  program_->AddPrimitive(Label(n), *forward, Forward(*forward), reads,
                         {{DNNL_ARG_DST, {destination(), y.buffer}}});
  SetValue(fusion.last, y, formats.destination);
  return true;
}

}  // namespace frontier::worker::onednn
