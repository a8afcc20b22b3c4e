// Batch norms, ReLUs and sums of a training program.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/kernels/norm.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/training_builder.h"

namespace frontier::worker::onednn {

using Argument = Program::Argument;

void TrainingBuilder::AddBatchNorm(int n) {
  if (mixed_) {
    const int sum = view_.SoleConsumer(n, v1::OPERATOR_ADD);
    if (sum >= 0 && view_.inputs[static_cast<size_t>(sum)].size() == 2 &&
        pending_norms_.emplace(sum, n).second) {
      return;
    }
    const int relu = view_.SoleConsumer(n, v1::OPERATOR_RELU);
    return AddFusedNorm(n, /*addend=*/-1, relu >= 0, relu >= 0 ? relu : n);
  }
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

namespace {

template <typename T>
NormForward<T> ForwardOf(const std::vector<float*>& p, bool addend, bool relu) {
  // x, scale, shift[, addend] to y, mean, variance, scratch
  const size_t out = addend ? 4 : 3;
  NormForward<T> norm;
  norm.x = reinterpret_cast<const T*>(p[0]);
  norm.scale = p[1];
  norm.shift = p[2];
  if (addend) norm.addend = reinterpret_cast<const T*>(p[3]);
  norm.y = reinterpret_cast<T*>(p[out]);
  norm.mean = p[out + 1];
  norm.variance = p[out + 2];
  norm.scratch = p[out + 3];
  norm.epsilon = kBatchNormEpsilon;
  norm.relu = relu;
  return norm;
}

// Which optional buffers a backward kernel has.
struct NormBuffers {
  bool relu = false, other = false, masked = false, shift = false;
};

template <typename T>
NormBackward<T> BackwardOf(const std::vector<float*>& p, const NormBuffers& has) {
  // dy, x, scale, mean, variance[, y][, other dy][, shift] to [masked,] dx, scratch, dscale, dshift
  NormBackward<T> norm;
  norm.dy = reinterpret_cast<const T*>(p[0]);
  norm.x = reinterpret_cast<const T*>(p[1]);
  norm.scale = p[2];
  norm.mean = p[3];
  norm.variance = p[4];
  size_t i = 5;
  if (has.relu) norm.y = reinterpret_cast<const T*>(p[i++]);
  if (has.other) norm.other_dy = reinterpret_cast<const T*>(p[i++]);
  if (has.shift) norm.shift = p[i++];
  if (has.masked) norm.masked = reinterpret_cast<T*>(p[i++]);
  norm.dx = reinterpret_cast<T*>(p[i]);
  norm.scratch = p[i + 1];
  norm.dscale = p[i + 2];
  norm.dshift = p[i + 3];
  norm.epsilon = kBatchNormEpsilon;
  norm.relu = has.relu;
  return norm;
}

}  // namespace

void TrainingBuilder::AddFusedNorm(int n, int addend, bool relu, int out) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const NormShape shape = {int64_t{batch_} * view_.shape(n).height() * view_.shape(n).width(),
                           view_.shape(n).channels(), threads_};
  const Md map = MapMd(ValueDims(batch_, view_.shape(n)));
  const Md vector = PlainMd({shape.channels});
  const Md scratch = PlainMd({NormScratch(shape)});
  const Array x = InFormat(label, value(in), map);
  const Array scale = NewParameter(n, "scale", vector, vector);
  const Array shift = NewParameter(n, "shift", vector, vector);
  const Array running_mean = program_->NewFixedArray(vector);
  const Array running_variance = program_->NewFixedArray(vector);
  model_arrays_[{n, "mean"}] = {running_mean, vector, {}, {}};
  model_arrays_[{n, "variance"}] = {running_variance, vector, {}, {}};
  std::vector<Array> reads = {x, scale, shift};
  const bool adds = addend >= 0;
  if (adds) reads.push_back(InFormat(label, value(addend), map));
  const Array y = program_->NewArray(map);
  const Array mean = program_->NewArray(vector), variance = program_->NewArray(vector);
  program_->AddKernel(label, reads, {y, mean, variance, program_->NewArray(scratch)},
                      [shape, adds, relu](const std::vector<float*>& p) {
                        RunNormForward(shape, ForwardOf<uint16_t>(p, adds, relu));
                      });
  program_->AddKernel(label + ".statistics", {mean, variance}, {running_mean, running_variance},
                      [shape](const std::vector<float*>& p) {
                        UpdateRunningStatistics(p[0], p[1], shape.channels, shape.pixels,
                                                kBatchNormMomentum, p[2], p[3]);
                      });
  if (relu) fused_[static_cast<size_t>(out)] = true;
  SetValue(out, y);

  backward_.push_back([=, this] {
    std::vector<Array> terms = GradientTerms(out, 2);
    for (Array& term : terms) term = InFormat(label, term, map);
    NormBuffers has;
    has.relu = relu;
    has.other = terms.size() == 2;
    // The derivative by the addend; without ReLU and second term it is the one given.
    const bool passes_on = adds && NeedsGradient(addend);
    has.masked = passes_on && (has.relu || has.other);
    has.shift = has.relu && !adds;
    std::vector<Array> from = {terms[0], x, scale, mean, variance};
    if (has.relu) from.push_back(y);
    if (has.other) from.push_back(terms[1]);
    if (has.shift) from.push_back(shift);
    const Array dx = program_->NewArray(map);
    std::vector<Array> writes = {dx, program_->NewArray(scratch), *parameter(n, "scale").gradient,
                                 *parameter(n, "shift").gradient};
    const Array masked = has.masked ? program_->NewArray(map) : terms[0];
    if (has.masked) writes.insert(writes.begin(), masked);
    program_->AddKernel(
        label + ".backward", from, writes,
        [=](const std::vector<float*>& p) { RunNormBackward(shape, BackwardOf<uint16_t>(p, has)); },
        /*in_place=*/true);
    AddGradient(in, dx);
    if (passes_on) AddGradient(addend, masked);
  });
}

void TrainingBuilder::AddRelu(int n) {
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const std::string label = Label(n);
  const Array x = value(in);
  const Array y = program_->NewArray(x.md);
  const int64_t count = Elements(x.md);
  const bool bf16 = IsBf16(x.md);
  program_->AddKernel(
      label, {x}, {y},
      [count, bf16](const std::vector<float*>& p) {
        if (bf16) {
          Relu(reinterpret_cast<const uint16_t*>(p[0]), count, reinterpret_cast<uint16_t*>(p[1]));
        } else {
          Relu(p[0], count, p[1]);
        }
      },
      /*in_place=*/true);
  SetValue(n, y);
  if (!NeedsGradient(n)) return;
  backward_.push_back([=, this] { AddGradient(in, ReluGradient(label, y, gradient(n))); });
}

void TrainingBuilder::AddSum(int n) {
  const std::vector<int> inputs = view_.inputs[static_cast<size_t>(n)];
  const int relu = view_.SoleConsumer(n, v1::OPERATOR_RELU);
  const int out = relu >= 0 ? relu : n;
  const std::string label = Label(n);
  if (const auto pending = pending_norms_.find(n); pending != pending_norms_.end()) {
    const int norm = pending->second;
    return AddFusedNorm(norm, inputs[0] == norm ? inputs[1] : inputs[0], relu >= 0, out);
  }
  std::vector<Array> terms;
  const Md md = mixed_ ? MapMd(ValueDims(batch_, view_.shape(n))) : value(inputs[0]).md;
  for (const int input : inputs) terms.push_back(InFormat(label, value(input), md));
  const Array y = program_->NewArray(md);
  AddSumKernel(label, terms, relu >= 0, y);
  if (relu >= 0) fused_[static_cast<size_t>(relu)] = true;
  SetValue(out, y);
  if (!NeedsGradient(n)) return;
  backward_.push_back([=, this] {
    const Array dy = relu >= 0 ? ReluGradient(label, y, gradient(out)) : gradient(out);
    for (const int input : inputs) AddGradient(input, dy);
  });
}

}  // namespace frontier::worker::onednn
