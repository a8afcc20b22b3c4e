#include "worker/batching/batches.h"

#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "tests/bench/engine/commands.h"

namespace frontier::bench {
namespace {

constexpr int kSamples = 8192;
constexpr int kWarmupBatches = 8;
constexpr absl::Duration kTime = absl::Seconds(2);

Samples RandomSamples(const v1::Shape& shape, int classes, uint64_t seed) {
  Rng rng(seed);
  Samples samples;
  samples.channels = shape.channels();
  samples.height = shape.height();
  samples.width = shape.width();
  samples.labels.resize(kSamples);
  samples.images.resize(
      static_cast<size_t>(int64_t{kSamples} * shape.channels() * shape.height() * shape.width()));
  for (uint8_t& label : samples.labels) {
    label = static_cast<uint8_t>(rng.Uniform(static_cast<uint64_t>(classes)));
  }
  for (uint8_t& value : samples.images) value = static_cast<uint8_t>(rng.Uniform(256));
  return samples;
}

}  // namespace

absl::Status PrepareBatches(const Options& options) {
  ASSIGN_OR_RETURN(const v1::Architecture architecture, Network(options));
  const Samples samples = RandomSamples(architecture.input(), options.classes, options.seed);
  std::vector<int32_t> indices(kSamples);
  std::iota(indices.begin(), indices.end(), 0);
  worker::TrainingBatchesOptions batching;
  batching.batch_size = options.batch;
  batching.seed = options.seed;
  batching.augmentation = {.horizontal_flip = true,
                           .crop_padding = 4,
                           .cutout_size = 8,
                           .erasing_probability = 0.25,
                           .mixup_alpha = 0.2};
  ASSIGN_OR_RETURN(const auto batches,
                   worker::TrainingBatches::Create(
                       samples, indices, worker::MeasureNormalization(samples, indices), batching));
  for (int i = 0; i < kWarmupBatches; ++i) batches->Next();
  SystemClock clock;
  const absl::Duration begin = clock.Elapsed();
  int64_t prepared = 0;
  absl::Duration elapsed;
  while (elapsed < kTime) {
    batches->Next();
    prepared += options.batch;
    elapsed = clock.Elapsed() - begin;
  }
  PrintLine(absl::StrCat("{\"images_per_second\": ",
                         static_cast<double>(prepared) / absl::ToDoubleSeconds(elapsed), "}"));
  return absl::OkStatus();
}

}  // namespace frontier::bench
