#include "worker/batching/batches.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "common/base/random.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

constexpr int kBytes = 256;
// Stream of the seed from which the changes of single samples are seeded.
constexpr uint64_t kAugmentationStream = uint64_t{1} << 63;

// Turns samples into normalized floats by look-up.
class Normalizer {
 public:
  Normalizer(const Samples& samples, const v1::Normalization& normalization)
      : samples_(samples),
        plane_(static_cast<size_t>(samples.height) * static_cast<size_t>(samples.width)),
        table_(static_cast<size_t>(samples.channels)) {
    for (int c = 0; c < samples.channels; ++c) {
      for (int b = 0; b < kBytes; ++b) {
        table_[static_cast<size_t>(c)][static_cast<size_t>(b)] =
            (static_cast<float>(b) / 255.0f - normalization.mean(c)) / normalization.deviation(c);
      }
    }
  }

  size_t sample_size() const { return plane_ * table_.size(); }

  void Fill(int32_t index, bool flip, float* out) const {
    const uint8_t* in = samples_.images.data() + static_cast<size_t>(index) * sample_size();
    const size_t width = static_cast<size_t>(samples_.width);
    for (const std::array<float, kBytes>& table : table_) {
      if (!flip) {
        for (size_t i = 0; i < plane_; ++i) out[i] = table[in[i]];
      } else {
        for (size_t row = 0; row < plane_; row += width) {
          for (size_t x = 0; x < width; ++x) out[row + x] = table[in[row + width - 1 - x]];
        }
      }
      in += plane_;
      out += plane_;
    }
  }

  // As Fill, moved by `dy` and `dx` pixels; what comes in at the border is black.
  void FillMoved(int32_t index, bool flip, int dy, int dx, float* out) const {
    const uint8_t* in = samples_.images.data() + static_cast<size_t>(index) * sample_size();
    const int height = samples_.height, width = samples_.width;
    for (const std::array<float, kBytes>& table : table_) {
      for (int y = 0; y < height; ++y) {
        const int from_y = y + dy;
        const bool inside = from_y >= 0 && from_y < height;
        const uint8_t* row = in + (inside ? static_cast<ptrdiff_t>(from_y) * width : 0);
        for (int x = 0; x < width; ++x) {
          const int moved = x + dx;
          const bool black = !inside || moved < 0 || moved >= width;
          *out++ = table[black ? 0 : row[flip ? width - 1 - moved : moved]];
        }
      }
      in += plane_;
    }
  }

 private:
  const Samples& samples_;
  const size_t plane_;
  std::vector<std::array<float, kBytes>> table_;  // by channel and byte
};

class PrefetchedBatches final : public TrainingBatches {
 public:
  PrefetchedBatches(const Samples& samples, std::vector<int32_t> indices,
                    const v1::Normalization& normalization, const TrainingBatchesOptions& options)
      : samples_(samples),
        options_(options),
        normalizer_(samples, normalization),
        indices_(std::move(indices)),
        order_(indices_) {
    for (Batch& batch : ring_) {
      batch.images.resize(static_cast<size_t>(options.batch_size) * normalizer_.sample_size());
      batch.labels.resize(static_cast<size_t>(options.batch_size));
      if (options.augmentation.mixup_alpha <= 0) continue;
      batch.others.resize(batch.labels.size());
      batch.shares.resize(batch.labels.size());
    }
    if (options.augmentation.mixup_alpha > 0) first_image_.resize(normalizer_.sample_size());
    augmentation_seed_ = Rng(options.seed, kAugmentationStream).NextUint64();
    thread_ = std::thread([this] { Produce(); });
  }

  ~PrefetchedBatches() override {
    {
      MutexLock lock(&mutex_);
      stopped_ = true;
    }
    changed_.SignalAll();
    thread_.join();
  }

  int64_t batches_per_epoch() const override {
    return static_cast<int64_t>(indices_.size()) / options_.batch_size;
  }

  const Batch& Next() override {
    MutexLock lock(&mutex_);
    taken_ = wanted_;  // what the caller held until now is free
    changed_.SignalAll();
    while (made_ == wanted_) changed_.Wait(&mutex_);
    return ring_[static_cast<size_t>(wanted_++ % kRing)];
  }

 private:
  // One with the caller, one ready, one being made.
  static constexpr int64_t kRing = 3;

  // Allocates nothing, so that it cannot fail.
  void Produce() {
    pthread_setname_np(pthread_self(), "batches");
    const int64_t skipped = options_.first_batch % batches_per_epoch();
    if (skipped > 0) {
      BeginEpoch(options_.first_batch / batches_per_epoch());
      const int64_t flips =
          options_.augmentation.horizontal_flip ? skipped * options_.batch_size : 0;
      for (int64_t i = 0; i < flips; ++i) rng_.Uniform(2);
    }
    for (int64_t number = 0;; ++number) {
      {
        MutexLock lock(&mutex_);
        while (!stopped_ && number - taken_ >= kRing) changed_.Wait(&mutex_);
        if (stopped_) return;
      }
      Make(options_.first_batch + number, &ring_[static_cast<size_t>(number % kRing)]);
      {
        MutexLock lock(&mutex_);
        made_ = number + 1;
      }
      changed_.SignalAll();
    }
  }

  void BeginEpoch(int64_t epoch) {
    rng_ = Rng(options_.seed, static_cast<uint64_t>(epoch));
    std::copy(indices_.begin(), indices_.end(), order_.begin());
    rng_.Shuffle(&order_);
  }

  void Make(int64_t number, Batch* batch) {
    const int64_t epoch = number / batches_per_epoch();
    const int64_t within = number % batches_per_epoch();
    if (within == 0) BeginEpoch(epoch);
    for (int i = 0; i < options_.batch_size; ++i) {
      const int32_t index = order_[static_cast<size_t>(within * options_.batch_size + i)];
      const bool flip = options_.augmentation.horizontal_flip && rng_.Uniform(2) == 0;
      // Its own generator, so that one change does not move what the next sample draws.
      Rng rng(augmentation_seed_,
              (static_cast<uint64_t>(epoch) << 32) | static_cast<uint32_t>(index));
      Augment(index, flip, &rng,
              batch->images.data() + static_cast<size_t>(i) * normalizer_.sample_size());
      batch->labels[static_cast<size_t>(i)] = samples_.labels[static_cast<size_t>(index)];
      if (options_.augmentation.mixup_alpha > 0) {
        const double share = SampleBeta(options_.augmentation.mixup_alpha, &rng);
        batch->shares[static_cast<size_t>(i)] = static_cast<float>(std::max(share, 1 - share));
      }
    }
    if (options_.augmentation.mixup_alpha > 0) Mix(batch);
  }

  void Augment(int32_t index, bool flip, Rng* rng, float* out) const {
    const AugmentationOptions& a = options_.augmentation;
    if (a.crop_padding > 0) {
      const int dy = CropMove(a.crop_padding, samples_.height, rng);
      const int dx = CropMove(a.crop_padding, samples_.width, rng);
      normalizer_.FillMoved(index, flip, dy, dx, out);
    } else {
      normalizer_.Fill(index, flip, out);
    }
    const int height = samples_.height, width = samples_.width;
    if (a.cutout_size > 0) {
      Erase(CutoutBox(a.cutout_size, height, width, rng), samples_.channels, height, width, out);
    }
    if (a.erasing_probability > 0 && rng->UniformDouble() < a.erasing_probability) {
      Erase(ErasingBox(height, width, rng), samples_.channels, height, width, out);
    }
  }

  void Mix(Batch* batch) {
    const size_t size = normalizer_.sample_size(), count = batch->labels.size();
    std::copy_n(batch->images.begin(), size, first_image_.begin());
    for (size_t i = 0; i < count; ++i) {
      float* image = batch->images.data() + i * size;
      const float* other = i + 1 < count ? image + size : first_image_.data();
      const float share = batch->shares[i], rest = 1 - share;
      for (size_t k = 0; k < size; ++k) image[k] = share * image[k] + rest * other[k];
      batch->others[i] = batch->labels[i + 1 < count ? i + 1 : 0];
    }
  }

  const Samples& samples_;
  const TrainingBatchesOptions options_;
  const Normalizer normalizer_;
  const std::vector<int32_t> indices_;
  std::vector<int32_t> order_;  // of the epoch at hand; the thread's
  Rng rng_{0};                  // the thread's
  uint64_t augmentation_seed_ = 0;
  std::vector<float> first_image_;  // of a batch before it is mixed; the thread's
  // A slot belongs to the thread while made_ <= its batch, then to the caller until taken_ is past.
  std::array<Batch, kRing> ring_;
  Mutex mutex_;
  CondVar changed_;
  int64_t made_ ABSL_GUARDED_BY(mutex_) = 0;    // batches that are ready or were
  int64_t wanted_ ABSL_GUARDED_BY(mutex_) = 0;  // the batch to hand out next
  int64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;   // batches the caller is done with
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace

v1::Normalization MeasureNormalization(const Samples& samples, absl::Span<const int32_t> indices) {
  v1::Normalization normalization;
  const size_t plane = static_cast<size_t>(samples.height) * static_cast<size_t>(samples.width);
  const size_t channels = static_cast<size_t>(samples.channels);
  for (size_t c = 0; c < channels; ++c) {
    std::array<int64_t, kBytes> histogram{};
    for (const int32_t index : indices) {
      const uint8_t* in =
          samples.images.data() + (static_cast<size_t>(index) * channels + c) * plane;
      for (size_t i = 0; i < plane; ++i) ++histogram[in[i]];
    }
    double sum = 0, squares = 0, count = 0;
    for (int b = 0; b < kBytes; ++b) {
      const double n = static_cast<double>(histogram[static_cast<size_t>(b)]);
      count += n;
      sum += n * b;
      squares += n * b * b;
    }
    const double mean = count > 0 ? sum / count : 0;
    const double variance = count > 0 ? squares / count - mean * mean : 0;
    normalization.add_mean(static_cast<float>(mean / 255.0));
    // Half a byte step over all samples is rounding, not variation.
    normalization.add_deviation(variance > 1e-6 ? static_cast<float>(std::sqrt(variance) / 255.0)
                                                : 1.0f);
  }
  return normalization;
}

absl::StatusOr<std::unique_ptr<TrainingBatches>> TrainingBatches::Create(
    const Samples& samples, std::vector<int32_t> indices, const v1::Normalization& normalization,
    const TrainingBatchesOptions& options) {
  if (options.batch_size < 1) {
    return InvalidField("batch_size", absl::StrCat(options.batch_size, " is below 1"));
  }
  if (static_cast<size_t>(options.batch_size) > indices.size()) {
    return InvalidField("batch_size", absl::StrCat(options.batch_size, " is more than the ",
                                                   indices.size(), " training samples"));
  }
  const AugmentationOptions& a = options.augmentation;
  const int extent = std::max(samples.height, samples.width);
  if (a.crop_padding < 0 || a.crop_padding > extent) {
    return InvalidField("crop_padding",
                        absl::StrCat(a.crop_padding, " is not between 0 and ", extent));
  }
  if (a.cutout_size < 0 || a.cutout_size > 2 * extent) {
    return InvalidField("cutout_size",
                        absl::StrCat(a.cutout_size, " is not between 0 and ", 2 * extent));
  }
  if (options.first_batch < 0) {
    return InvalidField("first_batch", absl::StrCat(options.first_batch, " is below 0"));
  }
  try {
    return std::make_unique<PrefetchedBatches>(samples, std::move(indices), normalization, options);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for batches of ", options.batch_size, " samples"));
  } catch (const std::system_error& e) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot start the thread that makes batches: ", e.what()));
  }
}

absl::Status ForEachBatch(const Samples& samples, absl::Span<const int32_t> indices,
                          const v1::Normalization& normalization, int batch_size,
                          absl::FunctionRef<absl::Status(const Batch& batch, int count)> visit) {
  if (batch_size < 1) {
    return InvalidField("batch_size", absl::StrCat(batch_size, " is below 1"));
  }
  const Normalizer normalizer(samples, normalization);
  const size_t size = static_cast<size_t>(batch_size);
  Batch batch;
  batch.images.resize(size * normalizer.sample_size());
  batch.labels.resize(size);
  for (size_t begin = 0; begin < indices.size(); begin += size) {
    const size_t count = std::min(size, indices.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      normalizer.Fill(indices[begin + i], /*flip=*/false,
                      batch.images.data() + i * normalizer.sample_size());
      batch.labels[i] = samples.labels[static_cast<size_t>(indices[begin + i])];
    }
    std::fill(batch.images.begin() + static_cast<std::ptrdiff_t>(count * normalizer.sample_size()),
              batch.images.end(), 0.0f);
    std::fill(batch.labels.begin() + static_cast<std::ptrdiff_t>(count), batch.labels.end(),
              uint8_t{0});
    RETURN_IF_ERROR(visit(batch, static_cast<int>(count)));
  }
  return absl::OkStatus();
}

}  // namespace frontier::worker
