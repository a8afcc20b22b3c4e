#include "worker/engine/onednn/inference_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/quantization.h"

namespace frontier::worker::onednn {
namespace {

using Argument = Program::Argument;

// The layers that have a quantized form. In others a value is f32.
bool TakesQuantized(v1::Operator op) {
  switch (op) {
    case v1::OPERATOR_CONVOLUTION:
    case v1::OPERATOR_LINEAR:
    case v1::OPERATOR_RELU:
    case v1::OPERATOR_MAX_POOL:
    case v1::OPERATOR_AVERAGE_POOL:
    case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
    case v1::OPERATOR_ADD:
    case v1::OPERATOR_MULTIPLY:
    case v1::OPERATOR_CONCAT:
    case v1::OPERATOR_CHANNEL_SHUFFLE:
    case v1::OPERATOR_CHANNEL_SLICE:
      return true;
    default:
      return false;
  }
}

bool SameBuffer(const Array& a, const Array& b) {
  return a.buffer.index == b.buffer.index && a.buffer.fixed == b.buffer.fixed;
}

}  // namespace

bool IsChannelsLast(const Md& md) {
  return md == Md(md.dims(), md.data_type(), dnnl::memory::format_tag::nhwc);
}

int64_t NumberCount(const Value& value) {
  return static_cast<int64_t>(value.array.md.get_size()) / value.format.bytes();
}

InferenceBuilder::InferenceBuilder(const GraphView& view, int batch,
                                   const InferenceSettings& settings, Program* program)
    : view_(view),
      batch_(batch),
      settings_(settings),
      program_(program),
      values_(view.inputs.size()),
      fused_(view.inputs.size(), false),
      wants_quantized_(view.inputs.size(), false) {
  // From the last: to move numbers for somebody who wants floats is no use of bytes.
  for (int n = view.output - 1; n >= 0; --n) {
    const std::vector<int>& users = view.consumers[static_cast<size_t>(n)];
    wants_quantized_[static_cast<size_t>(n)] =
        std::any_of(users.begin(), users.end(), [&](int user) {
          const v1::Operator op = view.node(user).op();
          return TakesQuantized(op) &&
                 (!MovesNumbers(op) || wants_quantized_[static_cast<size_t>(user)]);
        });
  }
  SetValue(0, program_->NewFixedArray(PlainMd(ValueDims(batch, view.shape(0)))), NumberFormat());
}

std::string InferenceBuilder::Label(int n) const {
  const std::string& name = view_.node(n).name();
  return absl::StrCat("node ", n, name.empty() ? "" : " ", name);
}

Array InferenceBuilder::Build() {
  for (size_t i = 1; i < view_.inputs.size(); ++i) {
    if (view_.live[i] && !fused_[i]) AddLayer(static_cast<int>(i));
  }
  return As("logits", value(view_.output), PlainMd(ValueDims(batch_, view_.shape(view_.output))),
            NumberFormat());
}

void InferenceBuilder::AddLayer(int n) {
  switch (view_.node(n).op()) {
    case v1::OPERATOR_CONVOLUTION:
    case v1::OPERATOR_LINEAR:
      return AddWeighted(n);
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
  // other input of the addition then takes it up.
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
  if (!settings_.fuse) return fusion;
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

int InferenceBuilder::FusedRelu(int n) {
  const int relu = settings_.fuse ? view_.SoleConsumer(n, v1::OPERATOR_RELU) : -1;
  if (relu >= 0) fused_[static_cast<size_t>(relu)] = true;
  return relu;
}

NumberFormat InferenceBuilder::OutputFormat(int n) const {
  switch (settings_.precision) {
    case InferencePrecision::kF32:
      return NumberFormat();
    case InferencePrecision::kBf16:
      return n == view_.output ? NumberFormat() : NumberFormat{NumberType::kBf16, 1};
    case InferencePrecision::kInt8:
      return wants_quantized_[static_cast<size_t>(n)] ? settings_.formats[static_cast<size_t>(n)]
                                                      : NumberFormat();
  }
  return NumberFormat();
}

void InferenceBuilder::SetValue(int n, const Array& array, const NumberFormat& format) {
  copies_.erase(std::remove_if(copies_.begin(), copies_.end(),
                               [&](const Copy& copy) {
                                 return SameBuffer(copy.from, array) ||
                                        SameBuffer(copy.to.array, array);
                               }),
                copies_.end());
  values_[static_cast<size_t>(n)] = Value{array, format};
  observations_.push_back({n, program_->steps() - 1, array});
}

Array InferenceBuilder::As(const std::string& label, const Value& from, const Md& md,
                           const NumberFormat& format) {
  if (from.array.md == md && from.format == format) return from.array;
  for (const Copy& copy : copies_) {
    if (SameBuffer(copy.from, from.array) && copy.to.array.md == md && copy.to.format == format) {
      return copy.to.array;
    }
  }
  const Array to = Converted(label, from, md, format);
  copies_.push_back({from.array, {to, format}});
  return to;
}

Array InferenceBuilder::Converted(const std::string& label, const Value& from, const Md& md,
                                  const NumberFormat& format) {
  if (from.format == format || (!from.format.quantized() && !format.quantized())) {
    return program_->Reordered(label, from.array, md);
  }
  const Array to = program_->NewArray(md);
  if (OfType(from.array.md, md.data_type()) == md) {
    const int64_t count = NumberCount(from);
    program_->AddKernel(
        absl::StrCat(label, ".convert"), {from.array}, {to},
        [count, a = from.format, b = format](const std::vector<float*>& p) {
          Convert({a, p[0]}, count, {b, p[1]});
        },
        /*in_place=*/from.format.bytes() == format.bytes());
    return to;
  }
  dnnl::primitive_attr attributes = Attributes();
  attributes.set_output_scales(0, {from.format.scale / format.scale});
  const dnnl::reorder::primitive_desc descriptor(program_->engine(), from.array.md,
                                                 program_->engine(), md, attributes);
  program_->AddPrimitive(absl::StrCat(label, ".reorder"), descriptor, dnnl::reorder(descriptor),
                         {{DNNL_ARG_FROM, from.array}}, {{DNNL_ARG_TO, to}});
  return to;
}

Array InferenceBuilder::AsFloat(const std::string& label, const Value& from) {
  return As(label, from, OfType(from.array.md, dnnl::memory::data_type::f32), NumberFormat());
}

Value InferenceBuilder::ChannelsLast(const std::string& label, const Value& from) {
  const Md& md = from.array.md;
  const Md wanted(md.dims(), md.data_type(), dnnl::memory::format_tag::nhwc);
  return {As(label, from, wanted, from.format), from.format};
}

void InferenceBuilder::AddBatchNorm(int n) {
  const int relu = FusedRelu(n);
  Value x = value(view_.inputs[static_cast<size_t>(n)][0]);
  if (x.format.quantized()) x = {AsFloat(Label(n), x), NumberFormat()};
  auto flags = dnnl::normalization_flags::use_global_stats | dnnl::normalization_flags::use_scale |
               dnnl::normalization_flags::use_shift;
  if (relu >= 0) flags = flags | dnnl::normalization_flags::fuse_norm_relu;
  using Forward = dnnl::batch_normalization_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_inference, x.array.md, kBatchNormEpsilon, flags),
      Attributes(), program_->engine());
  const Md vector = PlainMd({view_.shape(n).channels()});
  NormLayer layer{n, program_->NewFixedArray(vector), program_->NewFixedArray(vector),
                  program_->NewFixedArray(vector), program_->NewFixedArray(vector)};
  const Array y = program_->NewArray(forward.dst_desc());
  program_->AddPrimitive(Label(n), forward, Forward(forward),
                         {{DNNL_ARG_SRC, x.array},
                          {DNNL_ARG_MEAN, layer.mean},
                          {DNNL_ARG_VARIANCE, layer.variance},
                          {DNNL_ARG_SCALE, layer.scale},
                          {DNNL_ARG_SHIFT, layer.shift}},
                         {{DNNL_ARG_DST, y}}, /*in_place=*/true);
  norm_layers_.push_back(layer);
  SetValue(relu >= 0 ? relu : n, y, x.format);
}

void InferenceBuilder::AddPool(int n) {
  const v1::Node& node = view_.node(n);
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const bool global = node.op() == v1::OPERATOR_GLOBAL_AVERAGE_POOL;
  const Value& x = value(in);
  if (global && x.format.type != NumberType::kF32 && IsChannelsLast(x.array.md)) {
    // Means of quantized numbers have more digits than these.
    const NumberFormat format = quantizing() ? NumberFormat() : OutputFormat(n);
    const int64_t channels = view_.shape(in).channels();
    const int64_t positions = int64_t{view_.shape(in).height()} * view_.shape(in).width();
    const Array y = program_->NewArray(
        OfType(PlainMd(ValueDims(batch_, view_.shape(n))), DataType(format.type)));
    program_->AddKernel(Label(n), {x.array}, {y},
                        [=, a = x.format, batch = batch_](const std::vector<float*>& p) {
                          AverageNumbers({a, p[0]}, batch, positions, channels, {format, p[1]});
                        });
    SetValue(n, y, format);
    return;
  }
  const PoolGeometry g = global ? PoolGeometry(view_.shape(in)) : PoolGeometry(node.pool());
  using Forward = dnnl::pooling_forward;
  const Md y_md(ValueDims(batch_, view_.shape(n)), x.array.md.data_type(),
                dnnl::memory::format_tag::any);
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_inference,
                    node.op() == v1::OPERATOR_MAX_POOL
                        ? dnnl::algorithm::pooling_max
                        : dnnl::algorithm::pooling_avg_exclude_padding,
                    x.array.md, y_md, g.strides, g.kernel, g.padding, g.padding),
      Attributes(), program_->engine());
  const Array y = program_->NewArray(forward.dst_desc());
  program_->AddPrimitive(Label(n), forward, Forward(forward), {{DNNL_ARG_SRC, x.array}},
                         {{DNNL_ARG_DST, y}});
  SetValue(n, y, x.format);
}

void InferenceBuilder::AddActivation(int n) {
  Value x = value(view_.inputs[static_cast<size_t>(n)][0]);
  const std::optional<Eltwise> known = EltwiseOf(view_.node(n));
  if (!known.has_value()) return AddHardSigmoid(n, AsFloat(Label(n), x));
  const Eltwise& eltwise = *known;
  if (x.format.quantized()) x = {AsFloat(Label(n), x), NumberFormat()};
  using Forward = dnnl::eltwise_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_inference, eltwise.algorithm, x.array.md,
                    eltwise.alpha, eltwise.beta),
      Attributes(), program_->engine());
  const Array y = program_->NewArray(x.array.md);
  program_->AddPrimitive(Label(n), forward, Forward(forward), {{DNNL_ARG_SRC, x.array}},
                         {{DNNL_ARG_DST, y}}, /*in_place=*/true);
  SetValue(n, y, x.format);
}

// Leaves 0.5 in padded channels, which do no harm here: what reads them has weights of 0 for them,
// and nothing learns.
void InferenceBuilder::AddHardSigmoid(int n, const Array& x) {
  const Array y = program_->NewArray(x.md);
  const int64_t count = Elements(x.md);
  program_->AddKernel(
      Label(n), {x}, {y}, [count](const std::vector<float*>& p) { HardSigmoid(p[0], count, p[1]); },
      /*in_place=*/true);
  SetValue(n, y, NumberFormat());
}

void InferenceBuilder::AddShuffle(int n) {
  const Value& x = value(view_.inputs[static_cast<size_t>(n)][0]);
  // The library counts the channels of a group.
  const int group_size = view_.shape(n).channels() / view_.node(n).channel_shuffle().groups();
  using Forward = dnnl::shuffle_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_inference, x.array.md, /*axis=*/1, group_size),
      program_->engine(), Attributes());
  const Array y = program_->NewArray(x.array.md);
  program_->AddPrimitive(Label(n), forward, Forward(forward), {{DNNL_ARG_SRC, x.array}},
                         {{DNNL_ARG_DST, y}});
  SetValue(n, y, x.format);
}

void InferenceBuilder::AddSlice(int n) {
  const Value& from = value(view_.inputs[static_cast<size_t>(n)][0]);
  const v1::ChannelSlice& slice = view_.node(n).channel_slice();
  if (from.format.type == NumberType::kF32) {
    const SliceFormat format = SliceFormatOf(from.array.md, slice);
    const Array x = As(Label(n), from, format.whole, from.format);
    const Array y = program_->NewArray(format.part);
    program_->AddKernel(Label(n), {x}, {y}, [range = format.range](const std::vector<float*>& p) {
      SliceChannels(range, p[0], p[1]);
    });
    SetValue(n, y, from.format);
    return;
  }
  const Value x = ChannelsLast(Label(n), from);
  const Dims dims = ValueDims(batch_, view_.shape(n));
  const Array y =
      program_->NewArray(Md(dims, DataType(x.format.type), dnnl::memory::format_tag::nhwc));
  const int64_t bytes = x.format.bytes(), positions = dims[0] * dims[2] * dims[3];
  const int64_t whole = bytes * x.array.md.dims()[1];
  const ByteRange range{bytes * slice.first(), bytes * slice.channels()};
  program_->AddKernel(Label(n), {x.array}, {y}, [=](const std::vector<float*>& p) {
    SliceBytes(p[0], positions, whole, range, p[1]);
  });
  SetValue(n, y, x.format);
}

void InferenceBuilder::AddZero(int n) {
  // Fixed memory begins as zeros, and no step writes here.
  SetValue(n, program_->NewFixedArray(PlainMd(ValueDims(batch_, view_.shape(n)))), NumberFormat());
}

}  // namespace frontier::worker::onednn
