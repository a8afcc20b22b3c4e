// Convolutions and linear layers of a training program.
#include <cstring>
#include <functional>
#include <new>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "worker/engine/kernels/depthwise_bf16.h"
#include "worker/engine/kernels/row_winograd.h"
#include "worker/engine/kernels/tile_gradient.h"
#include "worker/engine/onednn/float_passes.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/own_pass.h"
#include "worker/engine/onednn/training_builder.h"

namespace frontier::worker::onednn {

using Argument = Program::Argument;

namespace {

// All implementations oneDNN has, its own choice first; plain loops only if there is nothing else.
// Of several of one name the first, so that a recorded name means one implementation.
template <typename Descriptor>
std::vector<Descriptor> Implementations(Descriptor descriptor) {
  std::vector<Descriptor> all;
  std::set<std::string> names;
  do {
    const std::string name = descriptor.impl_info_str();
    if (!all.empty() && absl::StartsWith(name, "ref")) continue;
    if (names.insert(name).second) all.push_back(descriptor);
  } while (descriptor.next_impl());
  return all;
}

bool HasMatrixUnits() { return dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_amx; }

std::string Joined(const Dims& dims) { return absl::StrJoin(dims, "x"); }

// What oneDNN's primitive of a pass takes, by DNNL_ARG_...
using Arguments = std::vector<std::pair<int, Md>>;

// One way to run a pass: a kernel of our own or an implementation of the library.
template <typename Descriptor>
struct Candidate {
  const OwnPass* own = nullptr;
  std::optional<Descriptor> descriptor;
  std::string name() const { return own != nullptr ? own->name : descriptor->impl_info_str(); }
};

// The candidate that `picker` takes for `key`.
template <typename Primitive, typename Descriptor>
Candidate<Descriptor> PickImplementation(
    const std::string& key, const Descriptor& first, Program* program, PassPicker* picker,
    const std::function<Arguments(const Descriptor&)>& arguments, const std::vector<OwnPass>& own) {
  std::vector<Candidate<Descriptor>> all;
  const auto add_own = [&](bool before_library) {
    for (const OwnPass& pass : own) {
      if (pass.before_library == before_library) all.push_back({&pass, std::nullopt});
    }
  };
  add_own(true);
  for (const Descriptor& d : Implementations(first)) all.push_back({nullptr, d});
  add_own(false);
  std::vector<std::string> names;
  for (const Candidate<Descriptor>& candidate : all) names.push_back(candidate.name());
  dnnl::stream stream(program->engine());
  const OwnPass* ready = nullptr;  // what is ready to run; null: the primitive
  Primitive primitive;
  std::unordered_map<int, dnnl::memory> memory;  // of a kernel by position
  std::vector<float*> pointers;
  const auto add = [&](int name, const Md& md) {
    dnnl::memory zeros(md, program->engine());
    if (md.get_size() > 0) std::memset(zeros.get_data_handle(), 0, md.get_size());
    memory[name] = zeros;
    pointers.push_back(static_cast<float*>(zeros.get_data_handle()));
  };
  const auto make = [&](size_t i) {
    memory.clear();
    pointers.clear();
    ready = all[i].own;
    try {
      if (ready != nullptr) {
        for (size_t a = 0; a < ready->arguments.size(); ++a) {
          add(static_cast<int>(a), ready->arguments[a]);
        }
        if (ready->prepare) ready->prepare(pointers);
      } else {
        primitive = Primitive(*all[i].descriptor);
        for (const auto& [name, md] : arguments(*all[i].descriptor)) add(name, md);
      }
    } catch (const dnnl::error& e) {
      // One that needs more memory than there is, is none; but the first is all there may be.
      if (i == 0 || e.status != dnnl_out_of_memory) throw;
      return false;
    } catch (const std::bad_alloc&) {
      if (i == 0) throw;
      return false;
    }
    return true;
  };
  return all[picker->Pick(key, names, make, [&] {
    if (ready != nullptr) return ready->run(pointers);
    primitive.execute(stream, memory);
    stream.wait();
  })];
}

// Row-wise Winograd's passes of a convolution of maps with channels last.
struct RowWinograd {
  static constexpr char kName[] = "row_winograd";

  RowWinogradShape shape;
  int threads = 1;
  Md x, y, weights;

  OwnPass Forward() const {
    return {kName,
            !HasMatrixUnits(),
            [shape = shape, threads = threads](const std::vector<float*>& p) {
              RowWinogradForward(shape, threads, p[0], p[1], p[3], p[2]);
            },
            {x, weights, y, Scratch(RowWinogradPass::kForward)}};
  }
  OwnPass BackwardData() const {
    return {kName,
            !HasMatrixUnits(),
            [shape = shape, threads = threads](const std::vector<float*>& p) {
              RowWinogradBackwardData(shape, threads, p[0], p[1], p[3], p[2]);
            },
            {y, weights, x, Scratch(RowWinogradPass::kBackwardData)}};
  }
  OwnPass BackwardWeights() const {
    return {kName,
            !HasMatrixUnits(),
            [shape = shape, threads = threads](const std::vector<float*>& p) {
              RowWinogradBackwardWeights(shape, threads, p[0], p[1], p[3], p[2]);
            },
            {x, y, weights, Scratch(RowWinogradPass::kBackwardWeights)}};
  }

 private:
  Md Scratch(RowWinogradPass pass) const {
    return PlainMd({static_cast<int64_t>(RowWinogradScratchBytes(shape, pass, threads) + 3) / 4});
  }
};

// The gradient of a convolution's weights on matrix units.
OwnPass TilePass(const TileGradientShape& shape, int threads, const Md& x, const Md& y,
                 const Md& weights) {
  const auto bytes = static_cast<int64_t>(TileGradientScratchBytes(shape, threads));
  return {"tile_gradient",
          /*before_library=*/true,
          [shape, threads](const std::vector<float*>& p) {
            TileGradient(shape, threads, reinterpret_cast<const uint16_t*>(p[0]),
                         reinterpret_cast<const uint16_t*>(p[1]), p[3], p[2]);
          },
          {x, y, weights, PlainMd({bytes / 4})}};
}

// The backward passes of a depthwise convolution.
OwnPass DepthwiseDataPass(const DepthwiseBf16Shape& shape, int threads, const Md& x, const Md& y,
                          const Md& weights) {
  const auto bytes = static_cast<int64_t>(DepthwiseBf16ScratchBytes(shape, threads));
  return {"depthwise_bf16",
          /*before_library=*/true,
          [shape, threads](const std::vector<float*>& p) {
            DepthwiseBf16BackwardData(shape, threads, reinterpret_cast<const uint16_t*>(p[0]), p[1],
                                      p[3], reinterpret_cast<uint16_t*>(p[2]));
          },
          {y, weights, x, PlainMd({bytes / 4})}};
}

OwnPass DepthwiseWeightsPass(const DepthwiseBf16Shape& shape, int threads, const Md& x, const Md& y,
                             const Md& weights) {
  const auto bytes = static_cast<int64_t>(DepthwiseBf16ScratchBytes(shape, threads));
  return {"depthwise_bf16",
          /*before_library=*/true,
          [shape, threads](const std::vector<float*>& p) {
            DepthwiseBf16BackwardWeights(shape, threads, reinterpret_cast<const uint16_t*>(p[0]),
                                         reinterpret_cast<const uint16_t*>(p[1]), p[3], p[2]);
          },
          {x, y, weights, PlainMd({bytes / 4})}};
}

// Adds `own`, given its two arguments and what it writes.
void AddOwn(const std::string& label, const OwnPass& own, const Array& first, const Array& second,
            const Array& result, Program* program) {
  program->AddKernel(label, {first, second}, {result, program->NewArray(own.arguments[3])}, own.run,
                     /*in_place=*/false, own.name, own.prepare);
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

  const Md plain = PlainMd(g.weights);
  std::vector<OwnPass> own_forward, own_data, own_weights;
  const RowWinograd own{
      {RowWinogradElement::kBfloat16, batch_, view_.shape(n).height(), view_.shape(n).width(),
       view_.shape(in).channels(), view_.shape(n).channels()},
      threads_,
      src,
      dst,
      plain};
  if (bf16 && !c.bias() && c.groups() == 1 && g.IsSquare3Same() &&
      RowWinogradSupported(own.shape)) {
    if (relu < 0) own_forward.push_back(own.Forward());
    own_data.push_back(own.BackwardData());
    own_weights.push_back(own.BackwardWeights());
  }
  const ConvolutionAxis height = HeightAxis(c, view_.shape(in), view_.shape(n));
  const ConvolutionAxis width = WidthAxis(c, view_.shape(in), view_.shape(n));
  if (bf16 && !c.bias() && c.groups() == 1 && HasMatrixUnits()) {
    const TileGradientShape tiles = {batch_, view_.shape(in).channels(), c.out_channels(), height,
                                     width};
    if (TileGradientSupported(tiles)) {
      own_weights.push_back(TilePass(tiles, threads_, src, dst, plain));
    }
  }
  const DepthwiseBf16Shape depthwise = {batch_, c.out_channels(), height, width};
  if (bf16 && !c.bias() && c.groups() == c.out_channels() &&
      c.groups() == view_.shape(in).channels() && DepthwiseBf16Supported(depthwise)) {
    own_data.push_back(DepthwiseDataPass(depthwise, threads_, src, dst, plain));
    own_weights.push_back(DepthwiseWeightsPass(depthwise, threads_, src, dst, plain));
  }

  const std::string forward_key = absl::StrCat("forward", shape, relu >= 0 ? " relu" : "");
  const std::string weights_key = absl::StrCat("backward weights", shape);
  const std::string data_key = absl::StrCat("backward data", shape);
  if (bf16 && !c.bias()) {
    const FloatPasses passes(g, src, dst, program_->engine());
    const auto add = [&](const std::string& key, std::vector<OwnPass>* own_passes,
                         const std::function<std::optional<OwnPass>()>& make) {
      if (!picker_->MayPick(key, kFloatPass)) return;
      if (auto pass = make()) own_passes->push_back(*std::move(pass));
    };
    add(forward_key, &own_forward, [&] { return passes.Forward(relu >= 0); });
    add(data_key, &own_data, [&] { return passes.BackwardData(); });
    add(weights_key, &own_weights, [&] { return passes.BackwardWeights(); });
  }

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
  const Candidate<ForwardDescriptor> forward = PickImplementation<Forward, ForwardDescriptor>(
      forward_key, ForwardDescriptor(forward_desc, attributes, program_->engine()), program_,
      picker_,
      [&](const ForwardDescriptor& d) {
        Arguments arguments = {{DNNL_ARG_SRC, d.src_desc()},
                               {DNNL_ARG_WEIGHTS, d.weights_desc()},
                               {DNNL_ARG_DST, d.dst_desc()},
                               {DNNL_ARG_SCRATCHPAD, d.scratchpad_desc()}};
        if (c.bias()) arguments.emplace_back(DNNL_ARG_BIAS, bias);
        return arguments;
      },
      own_forward);
  // The backward primitives know nothing of a ReLU.
  const ForwardDescriptor hint(forward_desc, Attributes(), program_->engine());

  const Array w =
      NewParameter(n, "weight", bf16 ? plain : forward.descriptor->weights_desc(), plain);
  const Array x = value(in);
  const Array y = program_->NewArray(forward.own == nullptr ? forward.descriptor->dst_desc() : dst);
  if (forward.own == nullptr) {
    const ForwardDescriptor& d = *forward.descriptor;
    std::vector<Argument> reads = {
        {DNNL_ARG_SRC, InFormat(label, x, d.src_desc())},
        {DNNL_ARG_WEIGHTS, InFormat(label + ".weight", w, d.weights_desc())}};
    if (c.bias()) reads.push_back({DNNL_ARG_BIAS, NewParameter(n, "bias", bias, bias)});
    program_->AddPrimitive(label, d, Forward(d), reads, {{DNNL_ARG_DST, y}});
  } else {
    AddOwn(label, *forward.own, InFormat(label, x, src), w, y, program_);
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
    const auto bw = PickImplementation<Weights, WeightsDescriptor>(
        weights_key, WeightsDescriptor(weights_desc, Attributes(), program_->engine(), hint),
        program_, picker_,
        [&](const WeightsDescriptor& d) {
          Arguments arguments = {{DNNL_ARG_SRC, d.src_desc()},
                                 {DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
                                 {DNNL_ARG_DIFF_WEIGHTS, d.diff_weights_desc()},
                                 {DNNL_ARG_SCRATCHPAD, d.scratchpad_desc()}};
          if (c.bias()) arguments.emplace_back(DNNL_ARG_DIFF_BIAS, bias);
          return arguments;
        },
        own_weights);
    if (bw.own == nullptr) {
      const WeightsDescriptor& d = *bw.descriptor;
      const Array dw = GradientTarget(parameter(n, "weight"), d.diff_weights_desc());
      std::vector<Argument> writes = {{DNNL_ARG_DIFF_WEIGHTS, dw}};
      if (c.bias()) writes.push_back({DNNL_ARG_DIFF_BIAS, *parameter(n, "bias").gradient});
      program_->AddPrimitive(label + ".backward.weights", d, Weights(d),
                             {{DNNL_ARG_SRC, InFormat(label, x, d.src_desc())},
                              {DNNL_ARG_DIFF_DST, InFormat(label, dy, d.diff_dst_desc())}},
                             writes);
      FinishGradient(label, parameter(n, "weight"), dw);
    } else {
      AddOwn(label + ".backward.weights", *bw.own, InFormat(label, x, src),
             InFormat(label, dy, dst), *parameter(n, "weight").gradient, program_);
    }
    if (!NeedsGradient(in)) return;
    using Data = dnnl::convolution_backward_data;
    using DataDescriptor = Data::primitive_desc;
    const auto bd = PickImplementation<Data, DataDescriptor>(
        data_key,
        DataDescriptor(
            Data::desc(direct, src, weights, dst, g.strides, g.dilates, g.padding, g.padding),
            Attributes(), program_->engine(), hint),
        program_, picker_,
        [](const DataDescriptor& d) {
          return Arguments{{DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
                           {DNNL_ARG_WEIGHTS, d.weights_desc()},
                           {DNNL_ARG_DIFF_SRC, d.diff_src_desc()},
                           {DNNL_ARG_SCRATCHPAD, d.scratchpad_desc()}};
        },
        own_data);
    const Array dx = program_->NewArray(bd.own == nullptr ? bd.descriptor->diff_src_desc() : src);
    if (bd.own == nullptr) {
      const DataDescriptor& d = *bd.descriptor;
      program_->AddPrimitive(label + ".backward.data", d, Data(d),
                             {{DNNL_ARG_DIFF_DST, InFormat(label, dy, d.diff_dst_desc())},
                              {DNNL_ARG_WEIGHTS, InFormat(label, w, d.weights_desc())}},
                             {{DNNL_ARG_DIFF_SRC, dx}});
    } else {
      AddOwn(label + ".backward.data", *bd.own, InFormat(label, dy, dst), w, dx, program_);
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
