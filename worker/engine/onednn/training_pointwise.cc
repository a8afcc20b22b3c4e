// Activations, products, shuffles, slices, dropout and zeros of a training program.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/engine/kernels/channel_slice.h"
#include "worker/engine/kernels/dropout.h"
#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/kernels/gate.h"
#include "worker/engine/onednn/eltwise.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/training_builder.h"

namespace frontier::worker::onednn {

std::pair<Array, ChannelLayout> TrainingBuilder::InKnownLayout(const std::string& label,
                                                               const Array& from) {
  const Array x = InFloat(label, from);
  if (const auto layout = LayoutOf(x.md); layout.has_value()) return {x, *layout};
  const Md plain = PlainMd(from.md.dims());
  return {InFormat(label, x, plain), *LayoutOf(plain)};
}

namespace {

// An activation by our own loops, over all of a buffer.
struct OwnActivation {
  void (*forward)(const float* x, int64_t count, float* y);
  void (*backward)(const float* kept, const float* dy, int64_t count, float* dx);
  bool from_output;  // `kept` is y, not x
  bool keeps_zero;   // so padded channels stay 0, as the library expects of what it reads
};

// Those of which the library has one direction as plain loops only.
std::optional<OwnActivation> OwnActivationOf(v1::Operator op) {
  switch (op) {
    case v1::OPERATOR_RELU6:
      return OwnActivation{Relu6, Relu6Backward, true, true};
    case v1::OPERATOR_HARD_SWISH:
      return OwnActivation{HardSwish, HardSwishBackward, false, true};
    case v1::OPERATOR_HARD_SIGMOID:
      return OwnActivation{HardSigmoid, HardSigmoidBackward, false, false};
    default:
      return std::nullopt;
  }
}

}  // namespace

void TrainingBuilder::AddActivation(int n) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::optional<OwnActivation> own = OwnActivationOf(view_.node(n).op());
  if (!own.has_value()) return AddEltwise(n);
  const std::string label = Label(n);
  const Array x = own->keeps_zero
                      ? InFloat(label, value(in))
                      : InFormat(label, value(in), PlainMd(ValueDims(batch_, view_.shape(n))));
  const Array y = program_->NewArray(x.md);
  const int64_t count = Elements(x.md);
  program_->AddKernel(
      label, {x}, {y},
      [forward = own->forward, count](const std::vector<float*>& p) { forward(p[0], count, p[1]); },
      /*in_place=*/true);
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this, own = *own] {
    const Array dy = InFormat(label, gradient(n), x.md);
    const Array dx = program_->NewArray(x.md);
    program_->AddKernel(
        label + ".backward", {dy, own.from_output ? y : x}, {dx},
        [backward = own.backward, count](const std::vector<float*>& p) {
          backward(p[1], p[0], count, p[2]);
        },
        /*in_place=*/true);
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddEltwise(int n) {
  const Eltwise eltwise = *EltwiseOf(view_.node(n));
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const bool from_output = eltwise.from_output != dnnl::algorithm::undef;
  const auto algorithm = from_output ? eltwise.from_output : eltwise.algorithm;
  const Array x = value(in);
  using Forward = dnnl::eltwise_forward;
  const Forward::primitive_desc forward(Forward::desc(dnnl::prop_kind::forward_training, algorithm,
                                                      x.md, eltwise.alpha, eltwise.beta),
                                        Attributes(), program_->engine());
  const Array y = program_->NewArray(x.md);
  program_->AddPrimitive(label, forward, Forward(forward), {{DNNL_ARG_SRC, x}}, {{DNNL_ARG_DST, y}},
                         /*in_place=*/true);
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this] {
    using Backward = dnnl::eltwise_backward;
    const Backward::primitive_desc backward(
        Backward::desc(algorithm, x.md, x.md, eltwise.alpha, eltwise.beta), Attributes(),
        program_->engine(), forward);
    const Array dx = program_->NewArray(x.md);
    program_->AddPrimitive(label + ".backward", backward, Backward(backward),
                           {{DNNL_ARG_DIFF_DST, InFormat(label, gradient(n), x.md)},
                            {from_output ? DNNL_ARG_DST : DNNL_ARG_SRC, from_output ? y : x}},
                           {{DNNL_ARG_DIFF_SRC, dx}}, /*in_place=*/true);
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddMultiply(int n) {
  int a = view_.inputs[static_cast<size_t>(n)][0], b = view_.inputs[static_cast<size_t>(n)][1];
  const Dims dims = ValueDims(batch_, view_.shape(n));
  if (ValueDims(batch_, view_.shape(a)) != dims) std::swap(a, b);
  if (ValueDims(batch_, view_.shape(b)) != dims) return AddGate(n, a, b);
  const std::string label = Label(n);
  const Array x = InFloat(label, value(a));
  const Array z = InFormat(label, value(b), x.md);
  const Array y = program_->NewArray(x.md);
  const int64_t count = Elements(x.md);
  const auto multiply = [count](const std::vector<float*>& p) {
    Multiply(p[0], p[1], count, p[2]);
  };
  program_->AddKernel(label, {x, z}, {y}, multiply, /*in_place=*/true);
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this] {
    const Array dy = InFormat(label, gradient(n), x.md);
    for (const auto& [input, other] : {std::pair(a, z), std::pair(b, x)}) {
      if (!NeedsGradient(input)) continue;
      const Array d = program_->NewArray(x.md);
      program_->AddKernel(label + ".backward", {dy, other}, {d}, multiply, /*in_place=*/true);
      AddGradient(input, d);
    }
  });
}

void TrainingBuilder::AddGate(int n, int in, int gate) {
  const std::string label = Label(n);
  const auto [x, layout] = InKnownLayout(label, value(in));
  const Md gate_md = PlainMd(ValueDims(batch_, view_.shape(gate)));
  const Array factors = InFormat(label, value(gate), gate_md);
  const Array y = program_->NewArray(x.md);
  const auto apply = [layout = layout](const std::vector<float*>& p) {
    Gate(layout, p[0], p[1], p[2]);
  };
  program_->AddKernel(label, {x, factors}, {y}, apply, /*in_place=*/true);
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this, x = x, layout = layout] {
    const Array dy = InFormat(label, gradient(n), x.md);
    if (NeedsGradient(gate)) {
      const Array dgate = program_->NewArray(gate_md);
      program_->AddKernel(
          label + ".backward.gate", {x, dy}, {dgate},
          [layout](const std::vector<float*>& p) { GateGradient(layout, p[0], p[1], p[2]); });
      AddGradient(gate, dgate);
    }
    if (NeedsGradient(in)) {
      const Array dx = program_->NewArray(x.md);
      program_->AddKernel(label + ".backward.data", {dy, factors}, {dx}, apply, /*in_place=*/true);
      AddGradient(in, dx);
    }
  });
}

void TrainingBuilder::AddShuffle(int n) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  constexpr int kChannelAxis = 1;
  // The library counts the channels of a group.
  const int group_size = view_.shape(n).channels() / view_.node(n).channel_shuffle().groups();
  const Array x = InFloat(label, value(in));
  using Forward = dnnl::shuffle_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_training, x.md, kChannelAxis, group_size),
      program_->engine(), Attributes());
  const Array y = program_->NewArray(x.md);
  program_->AddPrimitive(label, forward, Forward(forward), {{DNNL_ARG_SRC, x}},
                         {{DNNL_ARG_DST, y}});
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this] {
    using Backward = dnnl::shuffle_backward;
    const Backward::primitive_desc backward(Backward::desc(x.md, kChannelAxis, group_size),
                                            program_->engine(), forward, Attributes());
    const Array dx = program_->NewArray(x.md);
    program_->AddPrimitive(label + ".backward", backward, Backward(backward),
                           {{DNNL_ARG_DIFF_DST, InFormat(label, gradient(n), x.md)}},
                           {{DNNL_ARG_DIFF_SRC, dx}});
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddSlice(int n) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const SliceFormat format = SliceFormatOf(value(in).md, view_.node(n).channel_slice());
  const ChannelRange range = format.range;
  const Array x = InFormat(label, value(in), format.whole);
  const Array y = program_->NewArray(format.part);
  program_->AddKernel(label, {x}, {y},
                      [range](const std::vector<float*>& p) { SliceChannels(range, p[0], p[1]); });
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this] {
    const Array dx = program_->NewArray(x.md);
    program_->AddKernel(
        label + ".backward", {InFormat(label, gradient(n), y.md)}, {dx},
        [range](const std::vector<float*>& p) { SliceChannelsBackward(range, p[0], p[1]); });
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddDropout(int n) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const auto [x, layout] = InKnownLayout(label, value(in));
  const Array y = program_->NewArray(x.md);
  const float rate = view_.node(n).dropout().rate();
  const DropoutState* const state = dropout_;
  const auto apply = [=, layout = layout](const std::vector<float*>& p) {
    Dropout(DropoutMask(state->seed, state->step, n, rate), layout, p[0], p[1]);
  };
  program_->AddKernel(label, {x}, {y}, apply, /*in_place=*/true);
  SetValue(n, y);
  if (!NeedsGradient(n)) return;

  backward_.push_back([=, this] {
    const Array dx = program_->NewArray(y.md);
    program_->AddKernel(label + ".backward", {InFormat(label, gradient(n), y.md)}, {dx}, apply,
                        /*in_place=*/true);
    AddGradient(in, dx);
  });
}

void TrainingBuilder::AddZero(int n) {
  // Fixed memory begins as zeros, and no step writes here.
  SetValue(n, program_->NewFixedArray(PlainMd(ValueDims(batch_, view_.shape(n)))));
}

}  // namespace frontier::worker::onednn
