#include "worker/engine/onednn/inference_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/kernels/gate.h"
#include "worker/engine/onednn/eltwise.h"
#include "worker/engine/onednn/geometry.h"

namespace frontier::worker::onednn {
namespace {

using Argument = Program::Argument;

dnnl::primitive_attr PostOps(bool sum, const std::optional<Eltwise>& activation) {
  dnnl::primitive_attr attributes = Attributes();
  dnnl::post_ops ops;
  if (sum) ops.append_sum(1.0f);
  if (activation.has_value()) {
    ops.append_eltwise(1.0f, activation->algorithm, activation->alpha, activation->beta);
  }
  attributes.set_post_ops(ops);
  return attributes;
}

// The primitive that `make` gives with a sum and `activation` inside. Where the library would take
// its plain loops to do so, the activation is left out of the layer, and of `activation`.
template <typename Make>
auto WithFused(bool sum, std::optional<Eltwise>* activation, const Make& make) {
  auto fused = make(PostOps(sum, *activation));
  if (!activation->has_value() || !absl::StartsWith(fused.impl_info_str(), "ref")) return fused;
  auto apart = make(PostOps(sum, std::nullopt));
  if (absl::StartsWith(apart.impl_info_str(), "ref")) return fused;
  activation->reset();
  return apart;
}

}  // namespace

InferenceBuilder::InferenceBuilder(const GraphView& view, int batch, Program* program)
    : view_(view),
      batch_(batch),
      program_(program),
      values_(view.inputs.size()),
      fused_(view.inputs.size(), false) {
  SetValue(0, program_->NewFixedArray(PlainMd(ValueDims(batch, view.shape(0)))));
}

std::string InferenceBuilder::Label(int n) const {
  const std::string& name = view_.node(n).name();
  return absl::StrCat("node ", n, name.empty() ? "" : " ", name);
}

Array InferenceBuilder::Build() {
  for (size_t i = 1; i < view_.inputs.size(); ++i) {
    if (view_.live[i] && !fused_[i]) AddLayer(static_cast<int>(i));
  }
  return program_->Reordered("logits", value(view_.output),
                             PlainMd(ValueDims(batch_, view_.shape(view_.output))));
}

void InferenceBuilder::AddLayer(int n) {
  switch (view_.node(n).op()) {
    case v1::OPERATOR_CONVOLUTION:
      return AddConvolution(n);
    case v1::OPERATOR_LINEAR:
      return AddLinear(n);
    case v1::OPERATOR_BATCH_NORM:
      return AddBatchNorm(n);
    case v1::OPERATOR_RELU:
      return AddRelu(n);
    case v1::OPERATOR_MAX_POOL:
    case v1::OPERATOR_AVERAGE_POOL:
    case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
      return AddPool(n);
    case v1::OPERATOR_ADD:
      return AddSum(n);
    case v1::OPERATOR_CONCAT:
      return AddConcat(n);
    case v1::OPERATOR_RELU6:
    case v1::OPERATOR_LEAKY_RELU:
    case v1::OPERATOR_SIGMOID:
    case v1::OPERATOR_SILU:
    case v1::OPERATOR_HARD_SWISH:
    case v1::OPERATOR_GELU:
    case v1::OPERATOR_HARD_SIGMOID:
      return AddActivation(n);
    case v1::OPERATOR_MULTIPLY:
      return AddMultiply(n);
    case v1::OPERATOR_CHANNEL_SHUFFLE:
      return AddShuffle(n);
    case v1::OPERATOR_CHANNEL_SLICE:
      return AddSlice(n);
    case v1::OPERATOR_ZERO:
      return AddZero(n);
    default:
      throw dnnl::error(dnnl_unimplemented, "operator is not known to the engine");
  }
}

bool InferenceBuilder::MayOverwrite(int addend, int n, int add) const {
  // Nodes run in their order, so an addend that is not there yet has a higher number than `n`; the
  // input of the network is kept.
  if (addend == 0 || addend == view_.output) return false;
  if (!values_[static_cast<size_t>(addend)].has_value()) return false;
  const std::vector<int>& users = view_.consumers[static_cast<size_t>(addend)];
  return std::count(users.begin(), users.end(), add) == 1 &&
         std::all_of(users.begin(), users.end(), [&](int user) { return user == add || user < n; });
}

InferenceBuilder::Fusion InferenceBuilder::FindFusion(int n, bool with_add) const {
  Fusion fusion;
  fusion.last = n;
  fusion.batch_norm = view_.SoleConsumer(n, v1::OPERATOR_BATCH_NORM);
  if (fusion.batch_norm >= 0) fusion.last = fusion.batch_norm;
  if (with_add) {
    const int add = view_.SoleConsumer(fusion.last, v1::OPERATOR_ADD);
    if (add >= 0 && view_.inputs[static_cast<size_t>(add)].size() == 2) {
      const std::vector<int>& terms = view_.inputs[static_cast<size_t>(add)];
      const int addend = terms[0] == fusion.last ? terms[1] : terms[0];
      if (MayOverwrite(addend, n, add)) {
        fusion.add = add;
        fusion.addend = addend;
        fusion.last = add;
      }
    }
  }
  fusion.activation = SoleActivation(view_, fusion.last);
  return fusion;
}

void InferenceBuilder::Close(Fusion* fusion, bool with_activation) {
  if (with_activation) {
    fusion->last = fusion->activation;
  } else {
    fusion->activation = -1;
  }
  for (const int n : {fusion->batch_norm, fusion->add, fusion->activation}) {
    if (n >= 0) fused_[static_cast<size_t>(n)] = true;
  }
}

std::optional<Eltwise> InferenceBuilder::ActivationOf(const Fusion& fusion) const {
  return fusion.activation >= 0 ? EltwiseOf(view_.node(fusion.activation)) : std::nullopt;
}

void InferenceBuilder::AddConvolution(int n) {
  const v1::Convolution& c = view_.node(n).convolution();
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  Fusion fusion = FindFusion(n, /*with_add=*/true);
  const ConvolutionGeometry g(c, view_.shape(in).channels());
  const Md src = AnyMd(ValueDims(batch_, view_.shape(in))), weights = AnyMd(g.weights);
  const Md dst = AnyMd(ValueDims(batch_, view_.shape(n))), bias = PlainMd(g.bias);
  const bool has_bias = c.bias() || fusion.batch_norm >= 0;

  using Forward = dnnl::convolution_forward;
  const auto inference = dnnl::prop_kind::forward_inference;
  const auto direct = dnnl::algorithm::convolution_direct;
  const Forward::desc desc = has_bias ? Forward::desc(inference, direct, src, weights, bias, dst,
                                                      g.strides, g.dilates, g.padding, g.padding)
                                      : Forward::desc(inference, direct, src, weights, dst,
                                                      g.strides, g.dilates, g.padding, g.padding);
  std::optional<Eltwise> activation = ActivationOf(fusion);
  const Forward::primitive_desc forward =
      WithFused(fusion.add >= 0, &activation, [&](const dnnl::primitive_attr& attributes) {
        return Forward::primitive_desc(desc, attributes, program_->engine());
      });
  Close(&fusion, activation.has_value());
  PackedLayer layer;
  layer.node = n;
  layer.batch_norm = fusion.batch_norm;
  layer.weight = program_->NewFixedArray(forward.weights_desc());
  layer.plain = PlainMd(g.weights);
  std::vector<Argument> reads = {
      {DNNL_ARG_SRC, program_->Reordered(Label(n), value(in), forward.src_desc())},
      {DNNL_ARG_WEIGHTS, layer.weight}};
  if (has_bias) {
    layer.bias = program_->NewFixedArray(bias);
    reads.push_back({DNNL_ARG_BIAS, *layer.bias});
  }
  Array y;
  if (fusion.add >= 0) {
    // The sum begins with what is in the destination. If the addend came through unchanged its
    // own memory is the destination.
    y = program_->Reordered(Label(fusion.add), value(fusion.addend), forward.dst_desc());
  } else {
    y = program_->NewArray(forward.dst_desc());
  }
  program_->AddPrimitive(Label(n), forward, Forward(forward), reads, {{DNNL_ARG_DST, y}});
  packed_layers_.push_back(layer);
  SetValue(fusion.last, y);
}

void InferenceBuilder::AddLinear(int n) {
  const v1::Linear& l = view_.node(n).linear();
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  Fusion fusion = FindFusion(n, /*with_add=*/false);
  const v1::Shape& shape = view_.shape(in);
  const Dims weight_dims = {l.out_features(), shape.channels(), shape.height(), shape.width()};
  const Md src = AnyMd(ValueDims(batch_, shape)), weights = AnyMd(weight_dims);
  const Md bias = PlainMd({l.out_features()}), dst = PlainMd({batch_, l.out_features()});
  const bool has_bias = l.bias() || fusion.batch_norm >= 0;

  using Forward = dnnl::inner_product_forward;
  const auto inference = dnnl::prop_kind::forward_inference;
  const Forward::desc desc = has_bias ? Forward::desc(inference, src, weights, bias, dst)
                                      : Forward::desc(inference, src, weights, dst);
  std::optional<Eltwise> activation = ActivationOf(fusion);
  const Forward::primitive_desc forward =
      WithFused(false, &activation, [&](const dnnl::primitive_attr& attributes) {
        return Forward::primitive_desc(desc, attributes, program_->engine());
      });
  Close(&fusion, activation.has_value());
  PackedLayer layer;
  layer.node = n;
  layer.batch_norm = fusion.batch_norm;
  layer.weight = program_->NewFixedArray(forward.weights_desc());
  layer.plain = PlainMd(weight_dims);
  std::vector<Argument> reads = {
      {DNNL_ARG_SRC, program_->Reordered(Label(n), value(in), forward.src_desc())},
      {DNNL_ARG_WEIGHTS, layer.weight}};
  if (has_bias) {
    layer.bias = program_->NewFixedArray(bias);
    reads.push_back({DNNL_ARG_BIAS, *layer.bias});
  }
  const Array y = program_->NewArray(PlainMd({batch_, l.out_features(), 1, 1}));
  program_->AddPrimitive(Label(n), forward, Forward(forward), reads,
                         {{DNNL_ARG_DST, {dst, y.buffer}}});
  packed_layers_.push_back(layer);
  SetValue(fusion.last, y);
}

void InferenceBuilder::AddBatchNorm(int n) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const int relu = view_.SoleConsumer(n, v1::OPERATOR_RELU);
  const Array x = value(in);
  auto flags = dnnl::normalization_flags::use_global_stats | dnnl::normalization_flags::use_scale |
               dnnl::normalization_flags::use_shift;
  if (relu >= 0) {
    flags = flags | dnnl::normalization_flags::fuse_norm_relu;
    fused_[static_cast<size_t>(relu)] = true;
  }
  using Forward = dnnl::batch_normalization_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_inference, x.md, kBatchNormEpsilon, flags),
      Attributes(), program_->engine());
  const Md vector = PlainMd({view_.shape(n).channels()});
  NormLayer layer{n, program_->NewFixedArray(vector), program_->NewFixedArray(vector),
                  program_->NewFixedArray(vector), program_->NewFixedArray(vector)};
  const Array y = program_->NewArray(forward.dst_desc());
  program_->AddPrimitive(Label(n), forward, Forward(forward),
                         {{DNNL_ARG_SRC, x},
                          {DNNL_ARG_MEAN, layer.mean},
                          {DNNL_ARG_VARIANCE, layer.variance},
                          {DNNL_ARG_SCALE, layer.scale},
                          {DNNL_ARG_SHIFT, layer.shift}},
                         {{DNNL_ARG_DST, y}}, /*in_place=*/true);
  norm_layers_.push_back(layer);
  SetValue(relu >= 0 ? relu : n, y);
}

void InferenceBuilder::AddRelu(int n) {
  const Array x = value(view_.inputs[static_cast<size_t>(n)][0]);
  const Array y = program_->NewArray(x.md);
  const int64_t count = Elements(x.md);
  program_->AddKernel(
      Label(n), {x}, {y}, [count](const std::vector<float*>& p) { Relu(p[0], count, p[1]); },
      /*in_place=*/true);
  SetValue(n, y);
}

void InferenceBuilder::AddPool(int n) {
  const v1::Node& node = view_.node(n);
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const PoolGeometry g = node.op() == v1::OPERATOR_GLOBAL_AVERAGE_POOL
                             ? PoolGeometry(view_.shape(in))
                             : PoolGeometry(node.pool());
  const Array x = value(in);
  using Forward = dnnl::pooling_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_inference,
                    node.op() == v1::OPERATOR_MAX_POOL
                        ? dnnl::algorithm::pooling_max
                        : dnnl::algorithm::pooling_avg_exclude_padding,
                    x.md, AnyMd(ValueDims(batch_, view_.shape(n))), g.strides, g.kernel, g.padding,
                    g.padding),
      Attributes(), program_->engine());
  const Array y = program_->NewArray(forward.dst_desc());
  program_->AddPrimitive(Label(n), forward, Forward(forward), {{DNNL_ARG_SRC, x}},
                         {{DNNL_ARG_DST, y}});
  SetValue(n, y);
}

void InferenceBuilder::AddSum(int n) {
  const std::vector<int>& inputs = view_.inputs[static_cast<size_t>(n)];
  const int relu = view_.SoleConsumer(n, v1::OPERATOR_RELU);
  if (relu >= 0) fused_[static_cast<size_t>(relu)] = true;
  std::vector<Array> terms;
  for (const int input : inputs) {
    terms.push_back(program_->Reordered(Label(n), value(input), value(inputs[0]).md));
  }
  const Array y = program_->NewArray(terms[0].md);
  const int64_t count = Elements(y.md);
  program_->AddKernel(
      Label(n), terms, {y},
      [count, relu](const std::vector<float*>& p) {
        Add(absl::MakeConstSpan(p.data(), p.size() - 1), count, relu >= 0, p.back());
      },
      /*in_place=*/true);
  SetValue(relu >= 0 ? relu : n, y);
}

void InferenceBuilder::AddConcat(int n) {
  const std::vector<int>& inputs = view_.inputs[static_cast<size_t>(n)];
  std::vector<Md> mds;
  std::vector<Argument> reads;
  for (size_t i = 0; i < inputs.size(); ++i) {
    mds.push_back(value(inputs[i]).md);
    reads.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), value(inputs[i])});
  }
  const dnnl::concat::primitive_desc forward(/*concat_dimension=*/1, mds, program_->engine(),
                                             Attributes());
  const Array y = program_->NewArray(forward.dst_desc());
  program_->AddPrimitive(Label(n), forward, dnnl::concat(forward), reads, {{DNNL_ARG_DST, y}});
  SetValue(n, y);
}

void InferenceBuilder::AddActivation(int n) {
  const std::optional<Eltwise> known = EltwiseOf(view_.node(n));
  const Array x = value(view_.inputs[static_cast<size_t>(n)][0]);
  if (!known.has_value()) return AddHardSigmoid(n, x);
  const Eltwise& eltwise = *known;
  using Forward = dnnl::eltwise_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_inference, eltwise.algorithm, x.md, eltwise.alpha,
                    eltwise.beta),
      Attributes(), program_->engine());
  const Array y = program_->NewArray(x.md);
  program_->AddPrimitive(Label(n), forward, Forward(forward), {{DNNL_ARG_SRC, x}},
                         {{DNNL_ARG_DST, y}}, /*in_place=*/true);
  SetValue(n, y);
}

void InferenceBuilder::AddHardSigmoid(int n, const Array& x) {
  const Array y = program_->NewArray(x.md);
  const int64_t count = Elements(x.md);
  program_->AddKernel(
      Label(n), {x}, {y}, [count](const std::vector<float*>& p) { HardSigmoid(p[0], count, p[1]); },
      /*in_place=*/true);
  SetValue(n, y);
}

void InferenceBuilder::AddMultiply(int n) {
  int a = view_.inputs[static_cast<size_t>(n)][0], b = view_.inputs[static_cast<size_t>(n)][1];
  const Dims dims = ValueDims(batch_, view_.shape(n));
  if (ValueDims(batch_, view_.shape(a)) != dims) std::swap(a, b);
  const Dims other_dims = ValueDims(batch_, view_.shape(b));
  Array x = value(a);
  if (other_dims == dims) {
    const Array z = program_->Reordered(Label(n), value(b), x.md);
    const Array y = program_->NewArray(x.md);
    const int64_t count = Elements(x.md);
    program_->AddKernel(
        Label(n), {x, z}, {y},
        [count](const std::vector<float*>& p) { Multiply(p[0], p[1], count, p[2]); },
        /*in_place=*/true);
    SetValue(n, y);
    return;
  }
  std::optional<ChannelLayout> layout = LayoutOf(x.md);
  if (!layout.has_value()) {
    x = program_->Reordered(Label(n), x, PlainMd(dims));
    layout = LayoutOf(x.md);
  }
  const Array gate = program_->Reordered(Label(n), value(b), PlainMd(other_dims));
  const Array y = program_->NewArray(x.md);
  program_->AddKernel(
      Label(n), {x, gate}, {y},
      [layout = *layout](const std::vector<float*>& p) { Gate(layout, p[0], p[1], p[2]); },
      /*in_place=*/true);
  SetValue(n, y);
}

void InferenceBuilder::AddShuffle(int n) {
  const Array x = value(view_.inputs[static_cast<size_t>(n)][0]);
  // The library counts the channels of a group.
  const int group_size = view_.shape(n).channels() / view_.node(n).channel_shuffle().groups();
  using Forward = dnnl::shuffle_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_inference, x.md, /*axis=*/1, group_size),
      program_->engine(), Attributes());
  const Array y = program_->NewArray(x.md);
  program_->AddPrimitive(Label(n), forward, Forward(forward), {{DNNL_ARG_SRC, x}},
                         {{DNNL_ARG_DST, y}});
  SetValue(n, y);
}

void InferenceBuilder::AddSlice(int n) {
  const Array& from = value(view_.inputs[static_cast<size_t>(n)][0]);
  const SliceFormat format = SliceFormatOf(from.md, view_.node(n).channel_slice());
  const Array x = program_->Reordered(Label(n), from, format.whole);
  const Array y = program_->NewArray(format.part);
  program_->AddKernel(Label(n), {x}, {y}, [range = format.range](const std::vector<float*>& p) {
    SliceChannels(range, p[0], p[1]);
  });
  SetValue(n, y);
}

void InferenceBuilder::AddZero(int n) {
  // Fixed memory begins as zeros, and no step writes here.
  SetValue(n, program_->NewFixedArray(PlainMd(ValueDims(batch_, view_.shape(n)))));
}

}  // namespace frontier::worker::onednn
