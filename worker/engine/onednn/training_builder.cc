#include "worker/engine/onednn/training_builder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/kernels/max_pool.h"
#include "worker/engine/onednn/geometry.h"

namespace frontier::worker::onednn {
namespace {

bool IsActivation(v1::Operator op) {
  switch (op) {
    case v1::OPERATOR_RELU:
    case v1::OPERATOR_RELU6:
    case v1::OPERATOR_LEAKY_RELU:
    case v1::OPERATOR_SIGMOID:
    case v1::OPERATOR_SILU:
    case v1::OPERATOR_HARD_SWISH:
    case v1::OPERATOR_GELU:
    case v1::OPERATOR_HARD_SIGMOID:
      return true;
    default:
      return false;
  }
}

}  // namespace

using Argument = Program::Argument;

TrainingBuilder::TrainingBuilder(const GraphView& view, int batch, int threads, bool mixed,
                                 const DropoutState* dropout, PassPicker* picker, Program* program)
    : view_(view),
      batch_(batch),
      threads_(threads),
      mixed_(mixed),
      dropout_(dropout),
      picker_(picker),
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

void TrainingBuilder::ObserveActivations(const Observer& observe) {
  for (size_t i = 1; i < view_.inputs.size(); ++i) {
    const int n = static_cast<int>(i);
    if (!view_.live[i] || !IsActivation(view_.node(n).op())) continue;
    const std::string label = Label(n) + ".observe";
    const Array plain = InFormat(label, value(n), PlainMd(ValueDims(batch_, view_.shape(n))));
    const auto count = static_cast<size_t>(Elements(plain.md));
    program_->AddKernel(label, {plain}, {}, [&observe, n, count](const std::vector<float*>& p) {
      observe(n, absl::MakeConstSpan(p[0], count));
    });
  }
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
    case v1::OPERATOR_HARD_SIGMOID:
      return AddActivation(n);
    case v1::OPERATOR_MULTIPLY:
      return AddMultiply(n);
    case v1::OPERATOR_CHANNEL_SHUFFLE:
      return AddShuffle(n);
    case v1::OPERATOR_CHANNEL_SLICE:
      return AddSlice(n);
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
  if (NeedsGradient(n)) gradients_[static_cast<size_t>(n)].push_back(gradient);
}

std::vector<Array> TrainingBuilder::GradientTerms(int n, size_t most) {
  std::vector<Array>& terms = gradients_[static_cast<size_t>(n)];
  for (Array& term : terms) term = InFormat(Label(n) + ".gradient", term, terms[0].md);
  while (terms.size() > most) {
    const Array out = program_->NewArray(terms[0].md);
    AddSumKernel(Label(n) + ".gradient.sum", {terms[terms.size() - 2], terms.back()},
                 /*relu=*/false, out);
    terms.pop_back();
    terms.back() = out;
  }
  return terms;
}

void TrainingBuilder::AddSumKernel(const std::string& label, const std::vector<Array>& terms,
                                   bool relu, const Array& out) {
  const int64_t count = Elements(out.md);
  if (IsBf16(out.md)) {
    program_->AddKernel(
        label, terms, {out},
        [count, relu,
         from = std::vector<const uint16_t*>(terms.size())](const std::vector<float*>& p) mutable {
          for (size_t i = 0; i < from.size(); ++i) from[i] = reinterpret_cast<uint16_t*>(p[i]);
          Add(from, count, relu, reinterpret_cast<uint16_t*>(p.back()));
        },
        /*in_place=*/true);
    return;
  }
  program_->AddKernel(
      label, terms, {out},
      [count, relu](const std::vector<float*>& p) {
        Add(absl::MakeConstSpan(p.data(), p.size() - 1), count, relu, p.back());
      },
      /*in_place=*/true);
}

Md TrainingBuilder::MapMd(const Dims& dims) const {
  return mixed_ ? Md(dims, dnnl::memory::data_type::bf16, dnnl::memory::format_tag::nhwc)
                : AnyMd(dims);
}

Array TrainingBuilder::InFloat(const std::string& label, const Array& from) {
  if (!IsBf16(from.md)) return from;
  return InFormat(label, from,
                  Md(from.md.dims(), dnnl::memory::data_type::f32, dnnl::memory::format_tag::nhwc));
}

Array TrainingBuilder::ReluGradient(const std::string& label, const Array& output,
                                    const Array& gradient) {
  const Array dy = InFormat(label, gradient, output.md);
  const Array dx = program_->NewArray(output.md);
  const int64_t count = Elements(output.md);
  const bool bf16 = IsBf16(output.md);
  program_->AddKernel(
      label + ".relu.backward", {dy, output}, {dx},
      [count, bf16](const std::vector<float*>& p) {
        if (bf16) {
          ReluBackward(reinterpret_cast<const uint16_t*>(p[1]),
                       reinterpret_cast<const uint16_t*>(p[0]), count,
                       reinterpret_cast<uint16_t*>(p[2]));
        } else {
          ReluBackward(p[1], p[0], count, p[2]);
        }
      },
      /*in_place=*/true);
  return dx;
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
  if (max && x.md == MapMd(ValueDims(batch_, view_.shape(in))) && IsBf16(x.md) &&
      g.kernel[0] * g.kernel[1] <= kMaxPoolPlaces) {
    return AddMaxPool(n, g);
  }
  using Forward = dnnl::pooling_forward;
  const Forward::primitive_desc forward(
      Forward::desc(
          dnnl::prop_kind::forward_training, algorithm, x.md,
          Md(ValueDims(batch_, view_.shape(n)), x.md.data_type(), dnnl::memory::format_tag::any),
          g.strides, g.kernel, g.padding, g.padding),
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

void TrainingBuilder::AddMaxPool(int n, const PoolGeometry& g) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const v1::Shape &from = view_.shape(in), &to = view_.shape(n);
  MaxPoolShape shape;
  shape.batch = batch_;
  shape.channels = from.channels();
  shape.height = from.height();
  shape.width = from.width();
  shape.out_height = to.height();
  shape.out_width = to.width();
  shape.kernel_height = g.kernel[0];
  shape.kernel_width = g.kernel[1];
  shape.stride_height = g.strides[0];
  shape.stride_width = g.strides[1];
  shape.padding_height = g.padding[0];
  shape.padding_width = g.padding[1];
  shape.threads = threads_;
  const Array x = value(in);
  const Array y = program_->NewArray(MapMd(ValueDims(batch_, to)));
  const Array places = program_->NewArray(
      Md({Elements(y.md)}, dnnl::memory::data_type::u8, dnnl::memory::format_tag::a));
  program_->AddKernel(label, {x}, {y, places}, [shape](const std::vector<float*>& p) {
    MaxPool(shape, reinterpret_cast<const uint16_t*>(p[0]), reinterpret_cast<uint16_t*>(p[1]),
            reinterpret_cast<uint8_t*>(p[2]));
  });
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this] {
    const Array dx = program_->NewArray(x.md);
    program_->AddKernel(label + ".backward", {InFormat(label, gradient(n), y.md), places}, {dx},
                        [shape](const std::vector<float*>& p) {
                          MaxPoolBackward(shape, reinterpret_cast<const uint16_t*>(p[0]),
                                          reinterpret_cast<const uint8_t*>(p[1]),
                                          reinterpret_cast<uint16_t*>(p[2]));
                        });
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddConcat(int n) {
  const std::vector<int> inputs = view_.inputs[static_cast<size_t>(n)];
  const std::string label = Label(n);
  constexpr int kChannelAxis = 1;
  std::vector<Md> mds;
  std::vector<Argument> reads;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Array& from = value(inputs[i]);
    const Array part = mixed_ ? InFormat(label, from, MapMd(from.md.dims())) : from;
    mds.push_back(part.md);
    reads.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), part});
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
