#include "worker/engine/onednn/quantization.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "worker/engine/activation_histogram.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/inference_builder.h"
#include "worker/engine/onednn/layer_weights.h"
#include "worker/engine/onednn/program.h"

namespace frontier::worker::onednn {
namespace {

constexpr int kMostAtOnce = 32;  // samples in one run

struct Range {
  float limit = 0;
  bool negative = false;
};

// Sets of nodes whose values share a format.
class Groups {
 public:
  explicit Groups(size_t nodes) : parents_(nodes) {
    std::iota(parents_.begin(), parents_.end(), 0);
  }
  int Find(int n) {
    while (parents_[static_cast<size_t>(n)] != n) n = parents_[static_cast<size_t>(n)];
    return n;
  }
  void Join(int a, int b) { parents_[static_cast<size_t>(Find(a))] = Find(b); }

 private:
  std::vector<int> parents_;
};

bool MovesNumbers(v1::Operator op) {
  return op == v1::OPERATOR_MAX_POOL || op == v1::OPERATOR_AVERAGE_POOL ||
         op == v1::OPERATOR_CONCAT || op == v1::OPERATOR_CHANNEL_SHUFFLE ||
         op == v1::OPERATOR_CHANNEL_SLICE;
}

std::vector<NumberFormat> FormatsOf(const GraphView& view, std::vector<Range> ranges) {
  Groups groups(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (!view.live[i] || !MovesNumbers(view.node(static_cast<int>(i)).op())) continue;
    for (const int input : view.inputs[i]) groups.Join(input, static_cast<int>(i));
  }
  for (size_t i = 0; i < ranges.size(); ++i) {
    Range& whole = ranges[static_cast<size_t>(groups.Find(static_cast<int>(i)))];
    whole.limit = std::max(whole.limit, ranges[i].limit);
    whole.negative = whole.negative || ranges[i].negative;
  }
  std::vector<NumberFormat> formats;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Range& whole = ranges[static_cast<size_t>(groups.Find(static_cast<int>(i)))];
    formats.push_back(QuantizedFormat(whole.limit, whole.negative));
  }
  return formats;
}

// The largest divisor of `samples` up to kMostAtOnce.
int BatchFor(int64_t samples) {
  for (int batch = kMostAtOnce; batch > 1; --batch) {
    if (samples % batch == 0) return batch;
  }
  return 1;
}

}  // namespace

dnnl::memory::data_type DataType(NumberType type) {
  switch (type) {
    case NumberType::kF32:
      return dnnl::memory::data_type::f32;
    case NumberType::kBf16:
      return dnnl::memory::data_type::bf16;
    case NumberType::kS8:
      return dnnl::memory::data_type::s8;
    case NumberType::kU8:
      return dnnl::memory::data_type::u8;
  }
  return dnnl::memory::data_type::undef;
}

float WeightLimit() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
    case dnnl::cpu_isa::avx:
    case dnnl::cpu_isa::avx2:
    case dnnl::cpu_isa::avx512_core:
      return 63;
    default:
      return kS8Limit;
  }
}

NumberFormat QuantizedFormat(float limit, bool negative) {
  const float steps = negative ? kS8Limit : kU8Limit;
  return {negative ? NumberType::kS8 : NumberType::kU8, limit > 0 ? limit / steps : 1};
}

absl::StatusOr<std::vector<NumberFormat>> MeasureFormats(const GraphView& view,
                                                         const v1::Model& model,
                                                         absl::Span<const float> images,
                                                         int threads) {
  const v1::Shape& in = view.shape(0);
  const int64_t sample = int64_t{in.channels()} * in.height() * in.width();
  const int64_t values = static_cast<int64_t>(images.size());
  if (values == 0 || values % sample != 0) {
    return absl::InvalidArgumentError(absl::StrCat("calibration images: ", values,
                                                   " values, expected a multiple of ", sample,
                                                   " and more than 0"));
  }
  for (int64_t i = 0; i < values; ++i) {
    if (!std::isfinite(images[static_cast<size_t>(i)])) {
      return absl::InvalidArgumentError(absl::StrCat("calibration images: value ", i % sample,
                                                     " of image ", i / sample, " is ",
                                                     images[static_cast<size_t>(i)]));
    }
  }
  omp_set_num_threads(threads);
  const int batch = BatchFor(values / sample);
  InferenceSettings settings;
  settings.fuse = false;
  Program program;
  InferenceBuilder builder(view, batch, settings, &program);
  const Array input = builder.input();
  builder.Build();
  RETURN_IF_ERROR(program.Finish());
  LoadWeights(ModelValues(model), view, builder.packed_layers(), builder.norm_layers(), &program);

  std::vector<ActivationHistogram> histograms(view.inputs.size());
  for (int64_t begin = 0; begin < values; begin += batch * sample) {
    std::copy_n(images.begin() + begin, batch * sample, program.address(input));
    int step = 0;
    for (const Observation& observation : builder.observations()) {
      program.Run(step, observation.step + 1);
      step = std::max(step, observation.step + 1);
      const int n = observation.node;
      // What a layer leaves to an activation behind it is never quantized.
      if (n != 0 && SoleActivation(view, n) >= 0) continue;
      ActivationHistogram& histogram = histograms[static_cast<size_t>(n)];
      histogram.Add(absl::MakeConstSpan(program.address(observation.array),
                                        static_cast<size_t>(Elements(observation.array.md))));
      if (!histogram.finite()) {
        return absl::OutOfRangeError(absl::StrCat("calibration: the output of node ", n, " '",
                                                  view.node(n).name(), "' is not finite"));
      }
    }
  }
  std::vector<Range> ranges;
  for (const ActivationHistogram& histogram : histograms) {
    const float steps = histogram.negative() ? kS8Limit : kU8Limit;
    ranges.push_back({histogram.BestLimit(static_cast<int>(steps)), histogram.negative()});
  }
  return FormatsOf(view, std::move(ranges));
}

}  // namespace frontier::worker::onednn
