#include "worker/engine/onednn/training_builder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/onednn/geometry.h"

namespace frontier::worker::onednn {

using Argument = Program::Argument;

TrainingBuilder::TrainingBuilder(const GraphView& view, int batch, const DropoutState* dropout,
                                 Program* program)
    : view_(view),
      batch_(batch),
      dropout_(dropout),
      program_(program),
      values_(view.inputs.size()),
      gradients_(view.inputs.size()),
      fused_(view.inputs.size(), false) {
  SetValue(0, program_->NewFixedArray(PlainMd(ValueDims(batch, view.shape(0)))));
}

std::string TrainingBuilder::Label(int n) const {
  const std::string& name = view_.node(n).name();
  return absl::StrCat("node ", n, name.empty() ? "" : " ", name);
}

Array TrainingBuilder::BuildForward() {
  for (size_t i = 1; i < view_.inputs.size(); ++i) {
    if (view_.live[i] && !fused_[i]) AddLayer(static_cast<int>(i));
  }
  return InFormat("logits", value(view_.output),
                  PlainMd(ValueDims(batch_, view_.shape(view_.output))));
}

void TrainingBuilder::BuildBackward(const Array& logits_gradient) {
  AddGradient(view_.output, logits_gradient);
  for (size_t i = backward_.size(); i-- > 0;) backward_[i]();
  backward_.clear();
}

void TrainingBuilder::AddLayer(int n) {
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
      return AddActivation(n);
    case v1::OPERATOR_MULTIPLY:
      return AddMultiply(n);
    case v1::OPERATOR_CHANNEL_SHUFFLE:
      return AddShuffle(n);
    case v1::OPERATOR_DROPOUT:
      return AddDropout(n);
    case v1::OPERATOR_ZERO:
      return AddZero(n);
    default:
      throw dnnl::error(dnnl_unimplemented, "operator is not known to the engine");
  }
}

Array TrainingBuilder::NewParameter(int n, const std::string& name, const Md& md, const Md& plain) {
  ModelArray parameter;
  parameter.array = program_->NewFixedArray(md);
  parameter.plain = plain;
  parameter.gradient = program_->NewFixedArray(md);
  parameter.velocity = program_->NewFixedArray(md);
  model_arrays_[{n, name}] = parameter;
  return parameter.array;
}

Array TrainingBuilder::GradientTarget(const ModelArray& parameter, const Md& md) {
  return md == parameter.gradient->md ? *parameter.gradient : program_->NewArray(md);
}

void TrainingBuilder::FinishGradient(const std::string& label, const ModelArray& parameter,
                                     const Array& target) {
  if (target.buffer.fixed) return;
  const dnnl::reorder::primitive_desc descriptor(program_->engine(), target.md, program_->engine(),
                                                 parameter.gradient->md, Attributes());
  program_->AddPrimitive(label + ".gradient.reorder", descriptor, dnnl::reorder(descriptor),
                         {{DNNL_ARG_FROM, target}}, {{DNNL_ARG_TO, *parameter.gradient}});
}

Array TrainingBuilder::InFormat(const std::string& label, const Array& from, const Md& md) {
  if (from.md == md) return from;
  for (const auto& [source, made] : reordered_) {
    if (source.buffer.index == from.buffer.index && source.buffer.fixed == from.buffer.fixed &&
        source.md == from.md && made.md == md) {
      return made;
    }
  }
  const Array made = program_->Reordered(label, from, md);
  reordered_.emplace_back(from, made);
  return made;
}

void TrainingBuilder::AddGradient(int n, const Array& gradient) {
  if (!NeedsGradient(n)) return;
  std::optional<Array>& sum = gradients_[static_cast<size_t>(n)];
  if (!sum.has_value()) {
    sum = gradient;
    return;
  }
  const Array other = InFormat(Label(n) + ".gradient", gradient, sum->md);
  const Array out = program_->NewArray(sum->md);
  const int64_t count = Elements(out.md);
  program_->AddKernel(
      Label(n) + ".gradient.sum", {*sum, other}, {out},
      [count](const std::vector<float*>& p) {
        const float* terms[] = {p[0], p[1]};
        Add(terms, count, /*relu=*/false, p[2]);
      },
      /*in_place=*/true);
  sum = out;
}

Array TrainingBuilder::ReluGradient(const std::string& label, const Array& output,
                                    const Array& gradient) {
  const Array dy = InFormat(label, gradient, output.md);
  const Array dx = program_->NewArray(output.md);
  const int64_t count = Elements(output.md);
  program_->AddKernel(
      label + ".relu.backward", {dy, output}, {dx},
      [count](const std::vector<float*>& p) { ReluBackward(p[1], p[0], count, p[2]); },
      /*in_place=*/true);
  return dx;
}

void TrainingBuilder::AddConvolution(int n) {
  const v1::Convolution& c = view_.node(n).convolution();
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const int relu = view_.SoleConsumer(n, v1::OPERATOR_RELU);
  const int out = relu >= 0 ? relu : n;
  const std::string label = Label(n);
  const ConvolutionGeometry g(c, view_.shape(in).channels());
  const Md src = AnyMd(ValueDims(batch_, view_.shape(in)));
  const Md dst = AnyMd(ValueDims(batch_, view_.shape(n)));
  const Md weights = AnyMd(g.weights), bias = PlainMd(g.bias);
  const auto direct = dnnl::algorithm::convolution_direct;

  dnnl::primitive_attr attributes = Attributes();
  if (relu >= 0) {
    dnnl::post_ops ops;
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(ops);
    fused_[static_cast<size_t>(relu)] = true;
  }
  using Forward = dnnl::convolution_forward;
  const auto training = dnnl::prop_kind::forward_training;
  const Forward::desc forward_desc =
      c.bias() ? Forward::desc(training, direct, src, weights, bias, dst, g.strides, g.dilates,
                               g.padding, g.padding)
               : Forward::desc(training, direct, src, weights, dst, g.strides, g.dilates, g.padding,
                               g.padding);
  const Forward::primitive_desc forward(forward_desc, attributes, program_->engine());
  // The same without ReLU: the backward primitives know nothing of it.
  const Forward::primitive_desc hint =
      relu >= 0 ? Forward::primitive_desc(forward_desc, Attributes(), program_->engine()) : forward;

  const Array w = NewParameter(n, "weight", forward.weights_desc(), PlainMd(g.weights));
  const Array x = value(in);
  const Array y = program_->NewArray(forward.dst_desc());
  std::vector<Argument> reads = {{DNNL_ARG_SRC, InFormat(label, x, forward.src_desc())},
                                 {DNNL_ARG_WEIGHTS, w}};
  if (c.bias()) reads.push_back({DNNL_ARG_BIAS, NewParameter(n, "bias", bias, bias)});
  program_->AddPrimitive(label, forward, Forward(forward), reads, {{DNNL_ARG_DST, y}});
  SetValue(out, y);

  backward_.push_back([=, this] {
    Array dy = gradient(out);
    if (relu >= 0) dy = ReluGradient(label, y, dy);
    using Weights = dnnl::convolution_backward_weights;
    const Weights::desc weights_desc =
        c.bias()
            ? Weights::desc(direct, src, weights, bias, dst, g.strides, g.dilates, g.padding,
                            g.padding)
            : Weights::desc(direct, src, weights, dst, g.strides, g.dilates, g.padding, g.padding);
    const Weights::primitive_desc bw(weights_desc, Attributes(), program_->engine(), hint);
    const Array dw = GradientTarget(parameter(n, "weight"), bw.diff_weights_desc());
    std::vector<Argument> writes = {{DNNL_ARG_DIFF_WEIGHTS, dw}};
    if (c.bias()) writes.push_back({DNNL_ARG_DIFF_BIAS, *parameter(n, "bias").gradient});
    program_->AddPrimitive(label + ".backward.weights", bw, Weights(bw),
                           {{DNNL_ARG_SRC, InFormat(label, x, bw.src_desc())},
                            {DNNL_ARG_DIFF_DST, InFormat(label, dy, bw.diff_dst_desc())}},
                           writes);
    FinishGradient(label, parameter(n, "weight"), dw);
    if (!NeedsGradient(in)) return;
    using Data = dnnl::convolution_backward_data;
    const Data::primitive_desc bd(
        Data::desc(direct, src, weights, dst, g.strides, g.dilates, g.padding, g.padding),
        Attributes(), program_->engine(), hint);
    const Array dx = program_->NewArray(bd.diff_src_desc());
    program_->AddPrimitive(label + ".backward.data", bd, Data(bd),
                           {{DNNL_ARG_DIFF_DST, InFormat(label, dy, bd.diff_dst_desc())},
                            {DNNL_ARG_WEIGHTS, InFormat(label, w, bd.weights_desc())}},
                           {{DNNL_ARG_DIFF_SRC, dx}});
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddLinear(int n) {
  const v1::Linear& l = view_.node(n).linear();
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const v1::Shape& shape = view_.shape(in);
  const Dims weight_dims = {l.out_features(), shape.channels(), shape.height(), shape.width()};
  const Md src = AnyMd(ValueDims(batch_, shape)), weights = AnyMd(weight_dims);
  const Md bias = PlainMd({l.out_features()}), dst = PlainMd({batch_, l.out_features()});
  const Md value_md = PlainMd({batch_, l.out_features(), 1, 1});

  using Forward = dnnl::inner_product_forward;
  const auto training = dnnl::prop_kind::forward_training;
  const Forward::primitive_desc forward(l.bias() ? Forward::desc(training, src, weights, bias, dst)
                                                 : Forward::desc(training, src, weights, dst),
                                        Attributes(), program_->engine());
  const Array w = NewParameter(n, "weight", forward.weights_desc(), PlainMd(weight_dims));
  const Array x = value(in);
  const Array y = program_->NewArray(value_md);
  std::vector<Argument> reads = {{DNNL_ARG_SRC, InFormat(label, x, forward.src_desc())},
                                 {DNNL_ARG_WEIGHTS, w}};
  if (l.bias()) reads.push_back({DNNL_ARG_BIAS, NewParameter(n, "bias", bias, bias)});
  program_->AddPrimitive(label, forward, Forward(forward), reads,
                         {{DNNL_ARG_DST, {dst, y.buffer}}});
  SetValue(n, y);

  backward_.push_back([=, this] {
    const Array dy = {dst, InFormat(label, gradient(n), value_md).buffer};
    using Weights = dnnl::inner_product_backward_weights;
    const Weights::primitive_desc bw(
        l.bias() ? Weights::desc(src, weights, bias, dst) : Weights::desc(src, weights, dst),
        Attributes(), program_->engine(), forward);
    const Array dw = GradientTarget(parameter(n, "weight"), bw.diff_weights_desc());
    std::vector<Argument> writes = {{DNNL_ARG_DIFF_WEIGHTS, dw}};
    if (l.bias()) writes.push_back({DNNL_ARG_DIFF_BIAS, *parameter(n, "bias").gradient});
    program_->AddPrimitive(
        label + ".backward.weights", bw, Weights(bw),
        {{DNNL_ARG_SRC, InFormat(label, x, bw.src_desc())}, {DNNL_ARG_DIFF_DST, dy}}, writes);
    FinishGradient(label, parameter(n, "weight"), dw);
    if (!NeedsGradient(in)) return;
    using Data = dnnl::inner_product_backward_data;
    const Data::primitive_desc bd(Data::desc(src, weights, dst), Attributes(), program_->engine(),
                                  forward);
    const Array dx = program_->NewArray(bd.diff_src_desc());
    program_->AddPrimitive(
        label + ".backward.data", bd, Data(bd),
        {{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, InFormat(label, w, bd.weights_desc())}},
        {{DNNL_ARG_DIFF_SRC, dx}});
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddBatchNorm(int n) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const int relu = view_.SoleConsumer(n, v1::OPERATOR_RELU);
  const int out = relu >= 0 ? relu : n;
  const std::string label = Label(n);
  const int64_t channels = view_.shape(n).channels();
  const int64_t samples = int64_t{batch_} * view_.shape(n).height() * view_.shape(n).width();
  const Array x = value(in);
  const Md vector = PlainMd({channels});
  auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
  if (relu >= 0) {
    flags = flags | dnnl::normalization_flags::fuse_norm_relu;
    fused_[static_cast<size_t>(relu)] = true;
  }
  using Forward = dnnl::batch_normalization_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_training, x.md, kBatchNormEpsilon, flags),
      Attributes(), program_->engine());
  const Array scale = NewParameter(n, "scale", vector, vector);
  const Array shift = NewParameter(n, "shift", vector, vector);
  ModelArray running_mean{program_->NewFixedArray(vector), vector, {}, {}};
  ModelArray running_variance{program_->NewFixedArray(vector), vector, {}, {}};
  model_arrays_[{n, "mean"}] = running_mean;
  model_arrays_[{n, "variance"}] = running_variance;

  const Array y = program_->NewArray(forward.dst_desc());
  const Array mean = program_->NewArray(vector), variance = program_->NewArray(vector);
  std::vector<Argument> writes = {
      {DNNL_ARG_DST, y}, {DNNL_ARG_MEAN, mean}, {DNNL_ARG_VARIANCE, variance}};
  std::optional<Array> workspace;
  if (relu >= 0) {
    workspace = program_->NewArray(forward.workspace_desc());
    writes.push_back({DNNL_ARG_WORKSPACE, *workspace});
  }
  program_->AddPrimitive(label, forward, Forward(forward),
                         {{DNNL_ARG_SRC, x}, {DNNL_ARG_SCALE, scale}, {DNNL_ARG_SHIFT, shift}},
                         writes);
  program_->AddKernel(
      label + ".statistics", {mean, variance}, {running_mean.array, running_variance.array},
      [channels, samples](const std::vector<float*>& p) {
        UpdateRunningStatistics(p[0], p[1], channels, samples, kBatchNormMomentum, p[2], p[3]);
      });
  SetValue(out, y);

  backward_.push_back([=, this] {
    using Backward = dnnl::batch_normalization_backward;
    const Backward::primitive_desc backward(
        Backward::desc(dnnl::prop_kind::backward, x.md, x.md, kBatchNormEpsilon, flags),
        Attributes(), program_->engine(), forward);
    const Array dx = program_->NewArray(backward.diff_src_desc());
    std::vector<Argument> reads = {
        {DNNL_ARG_DIFF_DST, InFormat(label, gradient(out), backward.diff_dst_desc())},
        {DNNL_ARG_SRC, x},
        {DNNL_ARG_MEAN, mean},
        {DNNL_ARG_VARIANCE, variance},
        {DNNL_ARG_SCALE, scale},
        {DNNL_ARG_SHIFT, shift}};
    if (workspace.has_value()) reads.push_back({DNNL_ARG_WORKSPACE, *workspace});
    program_->AddPrimitive(label + ".backward", backward, Backward(backward), reads,
                           {{DNNL_ARG_DIFF_SRC, dx},
                            {DNNL_ARG_DIFF_SCALE, *parameter(n, "scale").gradient},
                            {DNNL_ARG_DIFF_SHIFT, *parameter(n, "shift").gradient}},
                           /*in_place=*/true);
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddRelu(int n) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const Array x = value(in);
  const Array y = program_->NewArray(x.md);
  const int64_t count = Elements(x.md);
  program_->AddKernel(
      label, {x}, {y}, [count](const std::vector<float*>& p) { Relu(p[0], count, p[1]); },
      /*in_place=*/true);
  SetValue(n, y);
  if (!NeedsGradient(n)) return;
  backward_.push_back([=, this] { AddGradient(in, ReluGradient(label, y, gradient(n))); });
}

void TrainingBuilder::AddPool(int n) {
  const v1::Node& node = view_.node(n);
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const bool max = node.op() == v1::OPERATOR_MAX_POOL;
  const PoolGeometry g = node.op() == v1::OPERATOR_GLOBAL_AVERAGE_POOL
                             ? PoolGeometry(view_.shape(in))
                             : PoolGeometry(node.pool());
  const auto algorithm =
      max ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding;
  const Array x = value(in);
  using Forward = dnnl::pooling_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_training, algorithm, x.md,
                    AnyMd(ValueDims(batch_, view_.shape(n))), g.strides, g.kernel, g.padding,
                    g.padding),
      Attributes(), program_->engine());
  const Array y = program_->NewArray(forward.dst_desc());
  std::vector<Argument> writes = {{DNNL_ARG_DST, y}};
  std::optional<Array> workspace;
  if (max) {
    workspace = program_->NewArray(forward.workspace_desc());
    writes.push_back({DNNL_ARG_WORKSPACE, *workspace});
  }
  program_->AddPrimitive(label, forward, Forward(forward), {{DNNL_ARG_SRC, x}}, writes);
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this] {
    using Backward = dnnl::pooling_backward;
    const Backward::primitive_desc backward(
        Backward::desc(algorithm, x.md, y.md, g.strides, g.kernel, g.padding, g.padding),
        Attributes(), program_->engine(), forward);
    const Array dx = program_->NewArray(backward.diff_src_desc());
    std::vector<Argument> reads = {
        {DNNL_ARG_DIFF_DST, InFormat(label, gradient(n), backward.diff_dst_desc())}};
    if (workspace.has_value()) reads.push_back({DNNL_ARG_WORKSPACE, *workspace});
    program_->AddPrimitive(label + ".backward", backward, Backward(backward), reads,
                           {{DNNL_ARG_DIFF_SRC, dx}});
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddSum(int n) {
  const std::vector<int> inputs = view_.inputs[static_cast<size_t>(n)];
  const int relu = view_.SoleConsumer(n, v1::OPERATOR_RELU);
  const int out = relu >= 0 ? relu : n;
  const std::string label = Label(n);
  std::vector<Array> terms;
  for (const int input : inputs)
    terms.push_back(InFormat(label, value(input), value(inputs[0]).md));
  const Array y = program_->NewArray(terms[0].md);
  const int64_t count = Elements(y.md);
  program_->AddKernel(
      label, terms, {y},
      [count, relu](const std::vector<float*>& p) {
        Add(absl::MakeConstSpan(p.data(), p.size() - 1), count, relu >= 0, p.back());
      },
      /*in_place=*/true);
  if (relu >= 0) fused_[static_cast<size_t>(relu)] = true;
  SetValue(out, y);
  if (!NeedsGradient(n)) return;
  backward_.push_back([=, this] {
    const Array dy = relu >= 0 ? ReluGradient(label, y, gradient(out)) : gradient(out);
    for (const int input : inputs) AddGradient(input, dy);
  });
}

void TrainingBuilder::AddConcat(int n) {
  const std::vector<int> inputs = view_.inputs[static_cast<size_t>(n)];
  const std::string label = Label(n);
  constexpr int kChannelAxis = 1;
  std::vector<Md> mds;
  std::vector<Argument> reads;
  for (size_t i = 0; i < inputs.size(); ++i) {
    mds.push_back(value(inputs[i]).md);
    reads.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), value(inputs[i])});
  }
  const dnnl::concat::primitive_desc forward(kChannelAxis, mds, program_->engine(), Attributes());
  const Array y = program_->NewArray(forward.dst_desc());
  program_->AddPrimitive(label, forward, dnnl::concat(forward), reads, {{DNNL_ARG_DST, y}});
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this] {
    Array dy = gradient(n);
    // A slice of a blocked format exists only at whole blocks.
    Dims offsets = {0, 0, 0, 0};
    std::vector<Md> slices;
    for (int attempt = 0; attempt < 2; ++attempt) {
      slices.clear();
      offsets[kChannelAxis] = 0;
      for (const int input : inputs) {
        const Dims dims = ValueDims(batch_, view_.shape(input));
        const Md slice = dy.md.submemory_desc(dims, offsets, /*allow_empty=*/true);
        if (!slice) break;
        slices.push_back(slice);
        offsets[kChannelAxis] += dims[kChannelAxis];
      }
      if (slices.size() == inputs.size()) break;
      dy = InFormat(label, dy, PlainMd(ValueDims(batch_, view_.shape(n))));
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!NeedsGradient(inputs[i])) continue;
      const Array slice = {slices[i], dy.buffer};
      AddGradient(inputs[i], program_->Reordered(label, slice, value(inputs[i]).md));
    }
  });
}

}  // namespace frontier::worker::onednn
