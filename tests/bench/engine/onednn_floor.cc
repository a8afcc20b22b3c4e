// What oneDNN alone allows: for each layer and pass of a training step the fastest of its
// primitives, over algorithms, implementations, memory formats and precisions, timed by itself.
// Convolutions, linear layers, batch norms (with the ReLU behind them) and pools; additions,
// concatenations, reorders, loss and optimizer count nothing.
#include <algorithm>
#include <cstring>
#include <dnnl.hpp>
#include <limits>
#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "tests/bench/engine/commands.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/onednn/geometry.h"

namespace frontier::bench {
namespace {

using Md = dnnl::memory::desc;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;
using worker::onednn::Dims;

constexpr double kSecondsEach = 6e-3;
constexpr int kMinRuns = 3;
constexpr double kHopeless = 2;  // times the best so far

struct Best {
  double seconds = std::numeric_limits<double>::infinity();
  std::string implementation;
};

class Floor {
 public:
  Floor(const worker::GraphView& view, int batch, bool mixed, Clock* clock)
      : view_(view),
        batch_(batch),
        types_(mixed ? std::vector<Type>{Type::f32, Type::bf16} : std::vector<Type>{Type::f32}),
        clock_(clock),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_) {}

  void Measure() {
    for (size_t i = 1; i < view_.inputs.size(); ++i) {
      if (!view_.live[i]) continue;
      const int n = static_cast<int>(i);
      switch (view_.node(n).op()) {
        case v1::OPERATOR_CONVOLUTION:
          MeasureConvolution(n);
          break;
        case v1::OPERATOR_LINEAR:
          MeasureLinear(n);
          break;
        case v1::OPERATOR_BATCH_NORM:
          MeasureBatchNorm(n);
          break;
        case v1::OPERATOR_MAX_POOL:
        case v1::OPERATOR_AVERAGE_POOL:
        case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
          MeasurePool(n);
          break;
        default:
          break;
      }
    }
  }

  std::string Json() const {
    return absl::StrCat("{\"images_per_second\": ", batch_ / seconds_,
                        ", \"milliseconds\": ", 1e3 * seconds_,
                        ", \"gflops\": ", flops_ / seconds_ * 1e-9, ", \"layers\": [",
                        absl::StrJoin(layers_, ", "), "]}");
  }

 private:
  using Arguments = std::vector<std::pair<int, Md>>;

  // What the passes of a layer with weights take and give.
  static constexpr auto kForwardArguments = [](const auto& pd) {
    return Arguments{{DNNL_ARG_SRC, pd.src_desc()},
                     {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                     {DNNL_ARG_DST, pd.dst_desc()}};
  };
  static constexpr auto kWeightsArguments = [](const auto& pd) {
    return Arguments{{DNNL_ARG_SRC, pd.src_desc()},
                     {DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                     {DNNL_ARG_DIFF_WEIGHTS, pd.diff_weights_desc()}};
  };
  static constexpr auto kDataArguments = [](const auto& pd) {
    return Arguments{{DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                     {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                     {DNNL_ARG_DIFF_SRC, pd.diff_src_desc()}};
  };

  // The least of several runs; not counted the first. One that is far from `least` ends early.
  double Time(const dnnl::primitive& primitive, const Arguments& arguments, double least) {
    std::unordered_map<int, dnnl::memory> bound;
    for (const auto& [name, md] : arguments) {
      dnnl::memory memory(md, engine_);
      // A number near 0.01 in both precisions; untouched pages would all be one.
      std::memset(memory.get_data_handle(), 0x3c, md.get_size());
      bound.insert({name, memory});
    }
    primitive.execute(stream_, bound);
    stream_.wait();
    double best = std::numeric_limits<double>::infinity(), sum = 0;
    for (int run = 0; run < kMinRuns || sum < kSecondsEach; ++run) {
      const absl::Duration begin = clock_->Elapsed();
      primitive.execute(stream_, bound);
      stream_.wait();
      const double seconds = absl::ToDoubleSeconds(clock_->Elapsed() - begin);
      best = std::min(best, seconds);
      sum += seconds;
      if (best > kHopeless * least) break;
    }
    return best;
  }

  // Times the implementations of `descriptor`; plain loops only if there is nothing else.
  template <typename Primitive, typename ArgumentsOf, typename... Hint>
  void Try(const typename Primitive::desc& descriptor, const ArgumentsOf& arguments_of, Best* best,
           const Hint&... hint) {
    // The iterator over implementations refers to `descriptor`, which has to stay until its end.
    typename Primitive::primitive_desc pd(descriptor, engine_, hint..., /*allow_empty=*/true);
    if (!pd) return;
    do {
      const std::string name = pd.impl_info_str();
      if (absl::StrContains(name, "ref") && !best->implementation.empty()) continue;
      const double seconds = Time(Primitive(pd), arguments_of(pd), best->seconds);
      if (seconds < best->seconds) *best = {seconds, name};
    } while (pd.next_impl());
  }

  // `measure` is called once for each key.
  template <typename Measurer>
  void Add(int n, const std::string& pass, int64_t macs, const std::string& key,
           const Measurer& measure) {
    auto [it, is_new] = known_.insert({absl::StrCat(pass, " ", key), Best()});
    if (is_new) it->second = measure();
    const Best& best = it->second;
    const double flops = 2.0 * batch_ * static_cast<double>(macs);
    seconds_ += best.seconds;
    flops_ += flops;
    layers_.push_back(absl::StrCat("{\"node\": ", n, ", \"name\": \"", view_.node(n).name(),
                                   "\", \"pass\": \"", pass, "\", \"ms\": ", 1e3 * best.seconds,
                                   ", \"gflops\": ", flops / best.seconds * 1e-9,
                                   ", \"implementation\": \"", best.implementation, "\"}"));
  }

  // Calls `visit` and leaves out what oneDNN does not offer.
  template <typename Visitor>
  static void IfOffered(const Visitor& visit) {
    try {
      visit();
    } catch (const dnnl::error& e) {
      if (e.status != dnnl_unimplemented && e.status != dnnl_invalid_arguments) throw;
    }
  }

  // Calls `visit(algorithm, src, weights, dst, geometry, forward)` for the variants of a
  // convolution, `forward` being the descriptor of its forward pass.
  template <typename Visitor>
  void ForEachConvolution(int n, const Visitor& visit) {
    using Forward = dnnl::convolution_forward;
    const int in = Input(n);
    const worker::onednn::ConvolutionGeometry g(view_.node(n).convolution(),
                                                view_.shape(in).channels());
    for (const Type type : types_) {
      for (const Tag tag : {Tag::any, Tag::nhwc}) {
        for (const auto algorithm :
             {dnnl::algorithm::convolution_direct, dnnl::algorithm::convolution_winograd}) {
          IfOffered([&] {
            const Md src(worker::onednn::ValueDims(batch_, view_.shape(in)), type, tag);
            const Md dst(worker::onednn::ValueDims(batch_, view_.shape(n)), type, tag);
            const Md weights(g.weights, type, Tag::any);
            const Forward::desc forward(dnnl::prop_kind::forward_training, algorithm, src, weights,
                                        dst, g.strides, g.dilates, g.padding, g.padding);
            visit(algorithm, src, weights, dst, g, forward);
          });
        }
      }
    }
  }

  void MeasureConvolution(int n) {
    const int in = Input(n);
    const int64_t macs = view_.costs.nodes[static_cast<size_t>(n)].macs;
    const std::string key = absl::StrCat(view_.shape(in).ShortDebugString(), " ",
                                         view_.node(n).convolution().ShortDebugString());
    Add(n, "forward", macs, key, [&] {
      Best best;
      ForEachConvolution(
          n, [&](auto, const Md&, const Md&, const Md&, const auto&, const auto& forward) {
            Try<dnnl::convolution_forward>(forward, kForwardArguments, &best);
          });
      return best;
    });
    Add(n, "backward.weights", macs, key, [&] {
      using Weights = dnnl::convolution_backward_weights;
      Best best;
      ForEachConvolution(n, [&](auto algorithm, const Md& src, const Md& weights, const Md& dst,
                                const auto& g, const auto& forward) {
        const Md gradient(weights.dims(), Type::f32, Tag::any);
        Try<Weights>(Weights::desc(algorithm, src, gradient, dst, g.strides, g.dilates, g.padding,
                                   g.padding),
                     kWeightsArguments, &best,
                     dnnl::convolution_forward::primitive_desc(forward, engine_));
      });
      return best;
    });
    if (!view_.needs_gradient[static_cast<size_t>(in)]) return;
    Add(n, "backward.data", macs, key, [&] {
      using Data = dnnl::convolution_backward_data;
      Best best;
      ForEachConvolution(n, [&](auto algorithm, const Md& src, const Md& weights, const Md& dst,
                                const auto& g, const auto& forward) {
        Try<Data>(
            Data::desc(algorithm, src, weights, dst, g.strides, g.dilates, g.padding, g.padding),
            kDataArguments, &best, dnnl::convolution_forward::primitive_desc(forward, engine_));
      });
      return best;
    });
  }

  void MeasureLinear(int n) {
    using Forward = dnnl::inner_product_forward;
    const int in = Input(n);
    const v1::Shape& shape = view_.shape(in);
    const Dims outputs = {batch_, view_.node(n).linear().out_features()};
    const Dims weight_dims = {outputs[1], shape.channels(), shape.height(), shape.width()};
    const int64_t macs = view_.costs.nodes[static_cast<size_t>(n)].macs;
    const std::string key = absl::StrCat("linear ", shape.ShortDebugString(), " ", outputs[1]);
    struct Descriptors {
      Md src, weights, dst;
      Forward::desc forward;
    };
    const auto describe = [&](Type type) {
      const Md src(worker::onednn::ValueDims(batch_, shape), type, Tag::any);
      const Md weights(weight_dims, type, Tag::any), dst(outputs, type, Tag::any);
      return Descriptors{src, weights, dst,
                         Forward::desc(dnnl::prop_kind::forward_training, src, weights, dst)};
    };
    Add(n, "forward", macs, key, [&] {
      Best best;
      for (const Type type : types_) {
        IfOffered([&] { Try<Forward>(describe(type).forward, kForwardArguments, &best); });
      }
      return best;
    });
    Add(n, "backward.weights", macs, key, [&] {
      using Weights = dnnl::inner_product_backward_weights;
      Best best;
      for (const Type type : types_) {
        IfOffered([&] {
          const auto d = describe(type);
          const Md gradient(weight_dims, Type::f32, Tag::any);
          Try<Weights>(Weights::desc(d.src, gradient, d.dst), kWeightsArguments, &best,
                       Forward::primitive_desc(d.forward, engine_));
        });
      }
      return best;
    });
    if (!view_.needs_gradient[static_cast<size_t>(in)]) return;
    Add(n, "backward.data", macs, key, [&] {
      using Data = dnnl::inner_product_backward_data;
      Best best;
      for (const Type type : types_) {
        IfOffered([&] {
          const auto d = describe(type);
          Try<Data>(Data::desc(d.src, d.weights, d.dst), kDataArguments, &best,
                    Forward::primitive_desc(d.forward, engine_));
        });
      }
      return best;
    });
  }

  // Calls `visit(md)` for the precisions and formats of a map.
  template <typename Visitor>
  void ForEachMap(const v1::Shape& shape, const Visitor& visit) {
    for (const Type type : types_) {
      // Those that convolutions like. Not nChw8c: oneDNN 2.6.3's bf16 batch norm with AVX-512
      // writes past the end of such a map.
      for (const Tag tag : {Tag::nhwc, Tag::nChw16c}) {
        IfOffered([&] { visit(Md(worker::onednn::ValueDims(batch_, shape), type, tag), tag); });
      }
    }
  }

  void MeasureBatchNorm(int n) {
    const v1::Shape& shape = view_.shape(n);
    auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
    const bool relu = view_.SoleConsumer(n, v1::OPERATOR_RELU) >= 0;
    if (relu) flags = flags | dnnl::normalization_flags::fuse_norm_relu;
    const std::string key = absl::StrCat("norm ", relu, " ", shape.ShortDebugString());
    using Forward = dnnl::batch_normalization_forward;
    using Backward = dnnl::batch_normalization_backward;
    const auto forward = [&](const Md& md) {
      return Forward::desc(dnnl::prop_kind::forward_training, md, worker::onednn::kBatchNormEpsilon,
                           flags);
    };
    const Md vector({shape.channels()}, Type::f32, Tag::x);
    const auto common = [&](Arguments arguments, const Md& workspace) {
      for (const int name : {DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE}) {
        arguments.push_back({name, vector});
      }
      if (relu) arguments.push_back({DNNL_ARG_WORKSPACE, workspace});
      return arguments;
    };
    Add(n, "forward", 0, key, [&] {
      Best best;
      ForEachMap(shape, [&](const Md& md, Tag) {
        Try<Forward>(
            forward(md),
            [&](const auto& pd) {
              return common({{DNNL_ARG_SRC, pd.src_desc()}, {DNNL_ARG_DST, pd.dst_desc()}},
                            pd.workspace_desc());
            },
            &best);
      });
      return best;
    });
    Add(n, "backward", 0, key, [&] {
      Best best;
      ForEachMap(shape, [&](const Md& md, Tag) {
        Try<Backward>(
            Backward::desc(dnnl::prop_kind::backward, md, md, worker::onednn::kBatchNormEpsilon,
                           flags),
            [&](const auto& pd) {
              return common({{DNNL_ARG_SRC, pd.src_desc()},
                             {DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                             {DNNL_ARG_DIFF_SRC, pd.diff_src_desc()},
                             {DNNL_ARG_DIFF_SCALE, vector},
                             {DNNL_ARG_DIFF_SHIFT, vector}},
                            pd.workspace_desc());
            },
            &best, Forward::primitive_desc(forward(md), engine_));
      });
      return best;
    });
  }

  void MeasurePool(int n) {
    using Forward = dnnl::pooling_forward;
    using Backward = dnnl::pooling_backward;
    const v1::Node& node = view_.node(n);
    const v1::Shape& in = view_.shape(Input(n));
    const bool max = node.op() == v1::OPERATOR_MAX_POOL;
    const auto g = node.op() == v1::OPERATOR_GLOBAL_AVERAGE_POOL
                       ? worker::onednn::PoolGeometry(in)
                       : worker::onednn::PoolGeometry(node.pool());
    const auto algorithm =
        max ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding;
    const std::string key = absl::StrCat("pool ", in.ShortDebugString(), " ", node.op(), " ",
                                         node.pool().ShortDebugString());
    const auto dst = [&](const Md& src, Tag tag) {
      return Md(worker::onednn::ValueDims(batch_, view_.shape(n)),
                static_cast<Type>(src.data.data_type), tag);
    };
    const auto forward = [&](const Md& src, Tag tag) {
      return Forward::desc(dnnl::prop_kind::forward_training, algorithm, src, dst(src, tag),
                           g.strides, g.kernel, g.padding, g.padding);
    };
    Add(n, "forward", 0, key, [&] {
      Best best;
      ForEachMap(in, [&](const Md& src, Tag tag) {
        Try<Forward>(
            forward(src, tag),
            [&](const auto& pd) {
              Arguments arguments = {{DNNL_ARG_SRC, pd.src_desc()}, {DNNL_ARG_DST, pd.dst_desc()}};
              if (max) arguments.push_back({DNNL_ARG_WORKSPACE, pd.workspace_desc()});
              return arguments;
            },
            &best);
      });
      return best;
    });
    if (!view_.needs_gradient[static_cast<size_t>(n)]) return;
    Add(n, "backward", 0, key, [&] {
      Best best;
      ForEachMap(in, [&](const Md& src, Tag tag) {
        Try<Backward>(
            Backward::desc(algorithm, src, dst(src, tag), g.strides, g.kernel, g.padding,
                           g.padding),
            [&](const auto& pd) {
              Arguments arguments = {{DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                                     {DNNL_ARG_DIFF_SRC, pd.diff_src_desc()}};
              if (max) arguments.push_back({DNNL_ARG_WORKSPACE, pd.workspace_desc()});
              return arguments;
            },
            &best, Forward::primitive_desc(forward(src, tag), engine_));
      });
      return best;
    });
  }

  int Input(int n) const { return view_.inputs[static_cast<size_t>(n)][0]; }

  const worker::GraphView& view_;
  const int batch_;
  const std::vector<Type> types_;
  Clock* const clock_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::map<std::string, Best> known_;
  double seconds_ = 0, flops_ = 0;
  std::vector<std::string> layers_;
};

}  // namespace

absl::Status MeasureFloor(const Options& options) {
  ASSIGN_OR_RETURN(const v1::Architecture architecture, Network(options));
  ASSIGN_OR_RETURN(const worker::Precision precision, TrainingPrecision(options.precision));
  ASSIGN_OR_RETURN(const worker::GraphView view, worker::ViewGraph(architecture));
  worker::StartThreads(options.threads);
  SystemClock clock;
  Floor floor(view, options.batch, precision != worker::Precision::kF32, &clock);
  floor.Measure();
  PrintLine(floor.Json());
  return absl::OkStatus();
}

}  // namespace frontier::bench
