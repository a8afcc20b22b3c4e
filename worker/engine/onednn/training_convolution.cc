// Convolutions and linear layers of a training program.
#include <cstring>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "worker/engine/kernels/row_winograd.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/training_builder.h"

namespace frontier::worker::onednn {

using Argument = Program::Argument;

namespace {

// All implementations oneDNN has, its own choice first; plain loops only if there is nothing else.
template <typename Descriptor>
std::vector<Descriptor> Implementations(Descriptor descriptor) {
  std::vector<Descriptor> all;
  do {
    const absl::string_view name = descriptor.impl_info_str();
    if (all.empty() || !absl::StartsWith(name, "ref")) all.push_back(descriptor);
  } while (descriptor.next_impl());
  return all;
}

// With matrix units the library's direct convolution is the faster one.
bool PrefersOwn() { return dnnl::get_effective_cpu_isa() != dnnl::cpu_isa::avx512_core_amx; }

std::string Joined(const Dims& dims) { return absl::StrJoin(dims, "x"); }

constexpr char kRowWinograd[] = "row_winograd";

// Our own kernel of a pass, given the argument that it reads, weights (or the second argument of
// the gradient), scratch memory and what it writes.
using OwnPass = std::function<void(const std::vector<float*>&)>;

// The implementation that `picker` takes for `key`; nothing if that is `own`, whose arguments have
// the sizes `own_bytes`.
template <typename Descriptor, typename Primitive>
std::optional<Descriptor> PickImplementation(
    const std::string& key, const Descriptor& first, Program* program, PassPicker* picker,
    const std::function<std::vector<std::pair<int, Md>>(const Descriptor&)>& arguments,
    const OwnPass& own = nullptr, const std::vector<int64_t>& own_bytes = {}) {
  const std::vector<Descriptor> all = Implementations(first);
  std::vector<std::string> names;
  for (const Descriptor& d : all) names.push_back(d.impl_info_str());
  const size_t own_index = own ? (PrefersOwn() ? 0 : names.size()) : names.size() + 1;
  if (own) names.insert(names.begin() + static_cast<std::ptrdiff_t>(own_index), kRowWinograd);
  const auto descriptor = [&](size_t i) -> const Descriptor& {
    return all[i > own_index ? i - 1 : i];
  };
  dnnl::stream stream(program->engine());
  size_t made = names.size();  // index of what is ready to run
  Primitive primitive;
  std::unordered_map<int, dnnl::memory> memory;
  std::vector<AlignedBuffer> buffers;
  std::vector<float*> pointers;
  const size_t choice = picker->Pick(key, names, [&](size_t i) {
    if (made != i && i == own_index) {
      for (const int64_t bytes : own_bytes) {
        buffers.push_back(AlignedBuffer::Create(bytes, "timing").value());
        pointers.push_back(reinterpret_cast<float*>(buffers.back().data()));
      }
    } else if (made != i) {
      memory.clear();
      primitive = Primitive(descriptor(i));
      for (const auto& [name, md] : arguments(descriptor(i))) {
        dnnl::memory zeros(md, program->engine());
        if (md.get_size() > 0) std::memset(zeros.get_data_handle(), 0, md.get_size());
        memory[name] = zeros;
      }
    }
    made = i;
    if (i == own_index) return own(pointers);
    primitive.execute(stream, memory);
    stream.wait();
  });
  if (choice == own_index) return std::nullopt;
  return descriptor(choice);
}

}  // namespace

bool TrainingBuilder::HasFastBf16(int n, const ConvolutionGeometry& g) const {
  const Md src = MapMd(ValueDims(batch_, view_.shape(view_.inputs[static_cast<size_t>(n)][0])));
  const Md dst = MapMd(ValueDims(batch_, view_.shape(n)));
  const Md weights(g.weights, dnnl::memory::data_type::bf16, dnnl::memory::format_tag::any);
  const auto direct = dnnl::algorithm::convolution_direct;
  const auto fast = [](absl::string_view name) { return !absl::StartsWith(name, "ref"); };
  try {
    const dnnl::convolution_forward::primitive_desc forward(
        dnnl::convolution_forward::desc(dnnl::prop_kind::forward_training, direct, src, weights,
                                        dst, g.strides, g.dilates, g.padding, g.padding),
        program_->engine());
    const dnnl::convolution_backward_data::primitive_desc data(
        dnnl::convolution_backward_data::desc(direct, src, weights, dst, g.strides, g.dilates,
                                              g.padding, g.padding),
        program_->engine(), forward);
    const dnnl::convolution_backward_weights::primitive_desc gradient(
        dnnl::convolution_backward_weights::desc(direct, src, AnyMd(g.weights), dst, g.strides,
                                                 g.dilates, g.padding, g.padding),
        program_->engine(), forward);
    return fast(forward.impl_info_str()) && fast(data.impl_info_str()) &&
           fast(gradient.impl_info_str());
  } catch (const dnnl::error&) {
    return false;
  }
}

void TrainingBuilder::AddConvolution(int n) {
  const v1::Convolution& c = view_.node(n).convolution();
  const int in = view_.inputs[static_cast<size_t>(n)][0];
  const int relu = view_.SoleConsumer(n, v1::OPERATOR_RELU);
  const int out = relu >= 0 ? relu : n;
  const std::string label = Label(n);
  const ConvolutionGeometry g(c, view_.shape(in).channels());
  // f32 where the library has only plain loops for bf16.
  const bool bf16 = mixed_ && HasFastBf16(n, g);
  const Dims in_dims = ValueDims(batch_, view_.shape(in)),
             out_dims = ValueDims(batch_, view_.shape(n));
  const Md src = bf16 ? MapMd(in_dims) : AnyMd(in_dims);
  const Md dst = bf16 ? MapMd(out_dims) : AnyMd(out_dims);
  const Md bias = PlainMd(g.bias), gradients = AnyMd(g.weights);
  const Md weights =
      bf16 ? Md(g.weights, dnnl::memory::data_type::bf16, dnnl::memory::format_tag::any)
           : gradients;
  const auto direct = dnnl::algorithm::convolution_direct;
  const std::string shape =
      absl::StrCat(bf16 ? " bf16 " : " f32 ", threads_, " threads ", Joined(src.dims()), " by ",
                   Joined(g.weights), " stride ", Joined(g.strides), " gaps ", Joined(g.dilates),
                   " padding ", Joined(g.padding), c.bias() ? " bias" : "");

  // A 3 x 3 convolution of maps with channels last can be our own.
  RowWinogradShape own_shape;
  own_shape.element = RowWinogradElement::kBfloat16;
  own_shape.batch = batch_;
  own_shape.height = view_.shape(n).height();
  own_shape.width = view_.shape(n).width();
  own_shape.in_channels = view_.shape(in).channels();
  own_shape.out_channels = view_.shape(n).channels();
  const bool has_own = bf16 && !c.bias() && c.groups() == 1 && g.weights[2] == 3 &&
                       g.weights[3] == 3 && g.strides == Dims{1, 1} && g.dilates == Dims{0, 0} &&
                       g.padding == Dims{1, 1} && RowWinogradSupported(own_shape);
  const auto own_scratch = [own_shape, threads = threads_](RowWinogradPass pass) {
    return static_cast<int64_t>(RowWinogradScratchBytes(own_shape, pass, threads));
  };
  const auto floats = [](int64_t bytes) { return PlainMd({(bytes + 3) / 4}); };

  dnnl::primitive_attr attributes = Attributes();
  if (relu >= 0) {
    dnnl::post_ops ops;
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(ops);
    fused_[static_cast<size_t>(relu)] = true;
  }
  using Forward = dnnl::convolution_forward;
  using ForwardDescriptor = Forward::primitive_desc;
  const auto training = dnnl::prop_kind::forward_training;
  const Forward::desc forward_desc =
      c.bias() ? Forward::desc(training, direct, src, weights, bias, dst, g.strides, g.dilates,
                               g.padding, g.padding)
               : Forward::desc(training, direct, src, weights, dst, g.strides, g.dilates, g.padding,
                               g.padding);
  const Md plain = PlainMd(g.weights);
  const int64_t x_bytes = static_cast<int64_t>(src.get_size());
  const int64_t y_bytes = static_cast<int64_t>(dst.get_size());
  const int64_t w_bytes = static_cast<int64_t>(plain.get_size());
  const OwnPass own_forward = [own_shape, threads = threads_](const std::vector<float*>& p) {
    RowWinogradForward(own_shape, threads, p[0], p[1], p[3], p[2]);
  };
  const std::optional<ForwardDescriptor> forward = PickImplementation<ForwardDescriptor, Forward>(
      absl::StrCat("forward", shape, relu >= 0 ? " relu" : ""),
      ForwardDescriptor(forward_desc, attributes, program_->engine()), program_, picker_,
      [&](const ForwardDescriptor& d) {
        std::vector<std::pair<int, Md>> arguments = {{DNNL_ARG_SRC, d.src_desc()},
                                                     {DNNL_ARG_WEIGHTS, d.weights_desc()},
                                                     {DNNL_ARG_DST, d.dst_desc()},
                                                     {DNNL_ARG_SCRATCHPAD, d.scratchpad_desc()}};
        if (c.bias()) arguments.emplace_back(DNNL_ARG_BIAS, bias);
        return arguments;
      },
      has_own && relu < 0 ? own_forward : nullptr,
      has_own
          ? std::vector<int64_t>{x_bytes, w_bytes, y_bytes, own_scratch(RowWinogradPass::kForward)}
          : std::vector<int64_t>());
  // The backward primitives know nothing of a ReLU.
  const ForwardDescriptor hint(forward_desc, Attributes(), program_->engine());

  const Array w = NewParameter(n, "weight", bf16 ? plain : (*forward).weights_desc(), plain);
  const Array x = value(in);
  const Array y = program_->NewArray(forward.has_value() ? forward->dst_desc() : dst);
  if (forward.has_value()) {
    std::vector<Argument> reads = {
        {DNNL_ARG_SRC, InFormat(label, x, forward->src_desc())},
        {DNNL_ARG_WEIGHTS, InFormat(label + ".weight", w, forward->weights_desc())}};
    if (c.bias()) reads.push_back({DNNL_ARG_BIAS, NewParameter(n, "bias", bias, bias)});
    program_->AddPrimitive(label, *forward, Forward(*forward), reads, {{DNNL_ARG_DST, y}});
  } else {
    program_->AddKernel(label, {InFormat(label, x, src), w},
                        {y, program_->NewArray(floats(own_scratch(RowWinogradPass::kForward)))},
                        own_forward,
                        /*in_place=*/false, kRowWinograd);
  }
  SetValue(out, y);

  backward_.push_back([=, this] {
    Array dy = gradient(out);
    if (relu >= 0) dy = ReluGradient(label, y, dy);
    using Weights = dnnl::convolution_backward_weights;
    using WeightsDescriptor = Weights::primitive_desc;
    const Weights::desc weights_desc =
        c.bias() ? Weights::desc(direct, src, gradients, bias, dst, g.strides, g.dilates, g.padding,
                                 g.padding)
                 : Weights::desc(direct, src, gradients, dst, g.strides, g.dilates, g.padding,
                                 g.padding);
    const OwnPass own_weights = [own_shape, threads = threads_](const std::vector<float*>& p) {
      RowWinogradBackwardWeights(own_shape, threads, p[0], p[1], p[3], p[2]);
    };
    const auto bw = PickImplementation<WeightsDescriptor, Weights>(
        absl::StrCat("backward weights", shape),
        WeightsDescriptor(weights_desc, Attributes(), program_->engine(), hint), program_, picker_,
        [&](const WeightsDescriptor& d) {
          std::vector<std::pair<int, Md>> arguments = {
              {DNNL_ARG_SRC, d.src_desc()},
              {DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
              {DNNL_ARG_DIFF_WEIGHTS, d.diff_weights_desc()},
              {DNNL_ARG_SCRATCHPAD, d.scratchpad_desc()}};
          if (c.bias()) arguments.emplace_back(DNNL_ARG_DIFF_BIAS, bias);
          return arguments;
        },
        has_own ? own_weights : nullptr,
        has_own ? std::vector<int64_t>{x_bytes, y_bytes, w_bytes,
                                       own_scratch(RowWinogradPass::kBackwardWeights)}
                : std::vector<int64_t>());
    if (bw.has_value()) {
      const Array dw = GradientTarget(parameter(n, "weight"), bw->diff_weights_desc());
      std::vector<Argument> writes = {{DNNL_ARG_DIFF_WEIGHTS, dw}};
      if (c.bias()) writes.push_back({DNNL_ARG_DIFF_BIAS, *parameter(n, "bias").gradient});
      program_->AddPrimitive(label + ".backward.weights", *bw, Weights(*bw),
                             {{DNNL_ARG_SRC, InFormat(label, x, bw->src_desc())},
                              {DNNL_ARG_DIFF_DST, InFormat(label, dy, bw->diff_dst_desc())}},
                             writes);
      FinishGradient(label, parameter(n, "weight"), dw);
    } else {
      program_->AddKernel(
          label + ".backward.weights", {InFormat(label, x, src), InFormat(label, dy, dst)},
          {*parameter(n, "weight").gradient,
           program_->NewArray(floats(own_scratch(RowWinogradPass::kBackwardWeights)))},
          own_weights, /*in_place=*/false, kRowWinograd);
    }
    if (!NeedsGradient(in)) return;
    using Data = dnnl::convolution_backward_data;
    using DataDescriptor = Data::primitive_desc;
    const OwnPass own_data = [own_shape, threads = threads_](const std::vector<float*>& p) {
      RowWinogradBackwardData(own_shape, threads, p[0], p[1], p[3], p[2]);
    };
    const auto bd = PickImplementation<DataDescriptor, Data>(
        absl::StrCat("backward data", shape),
        DataDescriptor(
            Data::desc(direct, src, weights, dst, g.strides, g.dilates, g.padding, g.padding),
            Attributes(), program_->engine(), hint),
        program_, picker_,
        [](const DataDescriptor& d) {
          return std::vector<std::pair<int, Md>>{{DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
                                                 {DNNL_ARG_WEIGHTS, d.weights_desc()},
                                                 {DNNL_ARG_DIFF_SRC, d.diff_src_desc()},
                                                 {DNNL_ARG_SCRATCHPAD, d.scratchpad_desc()}};
        },
        has_own ? own_data : nullptr,
        has_own ? std::vector<int64_t>{y_bytes, w_bytes, x_bytes,
                                       own_scratch(RowWinogradPass::kBackwardData)}
                : std::vector<int64_t>());
    const Array dx = program_->NewArray(bd.has_value() ? bd->diff_src_desc() : src);
    if (bd.has_value()) {
      program_->AddPrimitive(label + ".backward.data", *bd, Data(*bd),
                             {{DNNL_ARG_DIFF_DST, InFormat(label, dy, bd->diff_dst_desc())},
                              {DNNL_ARG_WEIGHTS, InFormat(label, w, bd->weights_desc())}},
                             {{DNNL_ARG_DIFF_SRC, dx}});
    } else {
      program_->AddKernel(
          label + ".backward.data", {InFormat(label, dy, dst), w},
          {dx, program_->NewArray(floats(own_scratch(RowWinogradPass::kBackwardData)))}, own_data,
          /*in_place=*/false, kRowWinograd);
    }
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

}  // namespace frontier::worker::onednn
