#include "worker/engine/onednn/float_passes.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "worker/engine/arena.h"
#include "worker/engine/onednn/bound_primitive.h"

namespace frontier::worker::onednn {
namespace {

constexpr auto kDirect = dnnl::algorithm::convolution_direct;

// An argument of the primitive: as it is given, and as the primitive wants it.
struct Operand {
  int name = 0;  // DNNL_ARG_...
  Md given, wanted;
};

// A primitive with conversions of its two arguments before it and of its result after it.
// Primitives are made when it is prepared, since most are never chosen.
class Converted {
 public:
  Converted(const dnnl::engine& engine, std::function<dnnl::primitive()> make, const Md& scratchpad,
            std::array<Operand, 3> operands)
      : engine_(engine),
        stream_(engine),
        make_(std::move(make)),
        scratchpad_(scratchpad),
        operands_(std::move(operands)) {
    scratchpad_bytes_ = static_cast<int64_t>(scratchpad.get_size());
    for (size_t i = 0; i < operands_.size(); ++i) {
      const Operand& o = operands_[i];
      if (o.given == o.wanted) continue;
      offsets_[i] = bytes_;
      bytes_ += Aligned(static_cast<int64_t>(o.wanted.get_size()));
      scratchpad_bytes_ = std::max(
          scratchpad_bytes_, static_cast<int64_t>(Conversion(i).scratchpad_desc().get_size()));
    }
  }

  // Of the scratch memory: the arguments as wanted, then what primitives take.
  int64_t bytes() const { return bytes_ + Aligned(scratchpad_bytes_); }

  // As those of OwnPass.
  void Prepare(const std::vector<float*>& addresses) {
    if (addresses != addresses_) Bind(addresses);
  }
  void Run(const std::vector<float*>& addresses) {
    Prepare(addresses);
    for (const BoundPrimitive& step : steps_) step.Execute(stream_);
  }

 private:
  static int64_t Aligned(int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  bool IsResult(size_t i) const { return i + 1 == operands_.size(); }

  dnnl::reorder::primitive_desc Conversion(size_t i) const {
    const Operand& o = operands_[i];
    return IsResult(i)
               ? dnnl::reorder::primitive_desc(engine_, o.wanted, engine_, o.given, Attributes())
               : dnnl::reorder::primitive_desc(engine_, o.given, engine_, o.wanted, Attributes());
  }

  void Bind(const std::vector<float*>& addresses) {
    char* const scratch = reinterpret_cast<char*>(addresses.back());
    const auto converted = [&](size_t i) -> void* {
      return operands_[i].given == operands_[i].wanted ? addresses[i]
                                                       : static_cast<void*>(scratch + offsets_[i]);
    };
    const auto add = [&](BoundPrimitive step, const Md& scratchpad) {
      step.Bind(DNNL_ARG_SCRATCHPAD, scratchpad, engine_, scratch + bytes_);
      steps_.push_back(std::move(step));
    };
    const auto convert = [&](size_t i) {
      const Operand& o = operands_[i];
      if (o.given == o.wanted) return;
      const dnnl::reorder::primitive_desc descriptor = Conversion(i);
      BoundPrimitive step{dnnl::reorder(descriptor)};
      const bool back = IsResult(i);
      step.Bind(back ? DNNL_ARG_TO : DNNL_ARG_FROM, o.given, engine_, addresses[i]);
      step.Bind(back ? DNNL_ARG_FROM : DNNL_ARG_TO, o.wanted, engine_, converted(i));
      add(std::move(step), descriptor.scratchpad_desc());
    };
    steps_.clear();
    convert(0);
    convert(1);
    if (!primitive_) primitive_ = make_();
    BoundPrimitive step{primitive_};
    for (size_t i = 0; i < operands_.size(); ++i) {
      step.Bind(operands_[i].name, operands_[i].wanted, engine_, converted(i));
    }
    add(std::move(step), scratchpad_);
    convert(2);
    addresses_ = addresses;
  }

  const dnnl::engine engine_;
  const dnnl::stream stream_;
  const std::function<dnnl::primitive()> make_;
  const Md scratchpad_;
  const std::array<Operand, 3> operands_;
  std::array<int64_t, 3> offsets_ = {};
  int64_t bytes_ = 0;  // of the converted arguments
  int64_t scratchpad_bytes_ = 0;
  dnnl::primitive primitive_;
  std::vector<float*> addresses_;
  std::vector<BoundPrimitive> steps_;
};

// `make_descriptor` may throw.
template <typename Primitive, typename Descriptor>
std::optional<OwnPass> MakePass(const dnnl::engine& engine, const Descriptor& descriptor,
                                std::array<Operand, 3> operands) {
  const std::string name = descriptor.impl_info_str();
  if (absl::StartsWith(name, "ref")) return std::nullopt;
  std::vector<Md> arguments;
  for (const Operand& o : operands) arguments.push_back(o.given);
  const auto converted = std::make_shared<Converted>(
      engine, [descriptor] { return Primitive(descriptor); }, descriptor.scratchpad_desc(),
      std::move(operands));
  arguments.push_back(PlainMd({converted->bytes() / static_cast<int64_t>(sizeof(float))}));
  return OwnPass{absl::StrCat(kFloatPass, name), /*before_library=*/false,
                 [converted](const std::vector<float*>& p) { converted->Run(p); },
                 std::move(arguments),
                 [converted](const std::vector<float*>& p) { converted->Prepare(p); }};
}

// What the library has no primitive for is absent.
std::optional<OwnPass> IfOffered(const std::function<std::optional<OwnPass>()>& make) {
  try {
    return make();
  } catch (const dnnl::error& e) {
    if (e.status != dnnl_unimplemented) throw;
    return std::nullopt;
  }
}

}  // namespace

FloatPasses::FloatPasses(const ConvolutionGeometry& geometry, const Md& x, const Md& y,
                         const dnnl::engine& engine)
    : geometry_(geometry), x_(x), y_(y), engine_(engine) {}

dnnl::convolution_forward::desc FloatPasses::ForwardDesc() const {
  const ConvolutionGeometry& g = geometry_;
  return {dnnl::prop_kind::forward_training,
          kDirect,
          AnyMd(x_.dims()),
          AnyMd(g.weights),
          AnyMd(y_.dims()),
          g.strides,
          g.dilates,
          g.padding,
          g.padding};
}

std::optional<OwnPass> FloatPasses::Forward(bool relu) const {
  return IfOffered([&] {
    dnnl::primitive_attr attributes = Attributes();
    if (relu) {
      dnnl::post_ops ops;
      ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
      attributes.set_post_ops(ops);
    }
    const dnnl::convolution_forward::primitive_desc d(ForwardDesc(), attributes, engine_);
    return MakePass<dnnl::convolution_forward>(
        engine_, d,
        {Operand{DNNL_ARG_SRC, x_, d.src_desc()},
         Operand{DNNL_ARG_WEIGHTS, PlainMd(geometry_.weights), d.weights_desc()},
         Operand{DNNL_ARG_DST, y_, d.dst_desc()}});
  });
}

std::optional<OwnPass> FloatPasses::BackwardData() const {
  return IfOffered([&] {
    const ConvolutionGeometry& g = geometry_;
    using Data = dnnl::convolution_backward_data;
    const dnnl::convolution_forward::primitive_desc hint(ForwardDesc(), Attributes(), engine_);
    const Data::primitive_desc d(
        Data::desc(kDirect, AnyMd(x_.dims()), AnyMd(g.weights), AnyMd(y_.dims()), g.strides,
                   g.dilates, g.padding, g.padding),
        Attributes(), engine_, hint);
    return MakePass<Data>(engine_, d,
                          {Operand{DNNL_ARG_DIFF_DST, y_, d.diff_dst_desc()},
                           Operand{DNNL_ARG_WEIGHTS, PlainMd(g.weights), d.weights_desc()},
                           Operand{DNNL_ARG_DIFF_SRC, x_, d.diff_src_desc()}});
  });
}

std::optional<OwnPass> FloatPasses::BackwardWeights() const {
  return IfOffered([&] {
    const ConvolutionGeometry& g = geometry_;
    using Weights = dnnl::convolution_backward_weights;
    const dnnl::convolution_forward::primitive_desc hint(ForwardDesc(), Attributes(), engine_);
    const Weights::primitive_desc d(
        Weights::desc(kDirect, AnyMd(x_.dims()), AnyMd(g.weights), AnyMd(y_.dims()), g.strides,
                      g.dilates, g.padding, g.padding),
        Attributes(), engine_, hint);
    return MakePass<Weights>(
        engine_, d,
        {Operand{DNNL_ARG_SRC, x_, d.src_desc()}, Operand{DNNL_ARG_DIFF_DST, y_, d.diff_dst_desc()},
         Operand{DNNL_ARG_DIFF_WEIGHTS, PlainMd(g.weights), d.diff_weights_desc()}});
  });
}

}  // namespace frontier::worker::onednn
