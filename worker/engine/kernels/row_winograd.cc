#include "worker/engine/kernels/row_winograd.h"

#include <algorithm>

#include "worker/engine/kernels/parallel.h"
#include "worker/engine/kernels/row_winograd_kernels.h"
#include "worker/engine/kernels/scratch.h"

namespace frontier::worker {
namespace {

using row_winograd::Convolution;
using row_winograd::Kernels;
using row_winograd::kLanes;
using row_winograd::kPoints;
using row_winograd::kTile;
using row_winograd::Rows;

// Bytes of transformed maps at a time, so that they stay in the second-level cache.
constexpr int64_t kConvolveBytes = 256 << 10;
constexpr int64_t kGradientBytes = 512 << 10;

const Kernels* KernelsFor(RowWinogradElement element) {
  return element == RowWinogradElement::kFloat32 ? row_winograd::Float32Kernels()
                                                 : row_winograd::Bfloat16Kernels();
}

// How a convolution is divided and where its scratch memory goes (offsets in bytes).
struct ConvolveLayout {
  Convolution convolution;
  int64_t strips;  // of an image
  int64_t units;   // strips of all images: what is divided among the parts
  int64_t parts;
  int64_t rows_offset, rows_bytes;  // transformed rows, for each part
  int64_t sums_offset, sums_bytes;  // double sums, for each part
  int64_t bytes;
};

ConvolveLayout LayoutOf(const Kernels& kernels, const RowWinogradShape& shape, bool backward,
                        int threads) {
  ConvolveLayout layout;
  Convolution& convolution = layout.convolution;
  convolution.height = shape.height;
  convolution.width = shape.width;
  convolution.tiles = CeilDivide(shape.width, kTile);
  convolution.in_channels = backward ? shape.out_channels : shape.in_channels;
  convolution.out_channels = backward ? shape.in_channels : shape.out_channels;
  const int64_t row_bytes =
      convolution.tiles * convolution.in_channels * kPoints * kernels.traits.bytes;
  const int64_t most = std::max<int64_t>(1, kConvolveBytes / row_bytes - 2);
  layout.strips = CeilDivide(shape.height, most);
  convolution.strip = CeilDivide(shape.height, layout.strips);
  layout.strips = CeilDivide(shape.height, convolution.strip);
  layout.units = shape.batch * layout.strips;
  layout.parts = std::min<int64_t>(threads, layout.units);
  layout.rows_offset =
      AlignedBytes(3 * kPoints * shape.in_channels * shape.out_channels * kernels.traits.bytes);
  const int64_t image_bytes = (convolution.strip + 2) * row_bytes;
  convolution.images = layout.strips > 1
                           ? 1
                           : std::min(CeilDivide(shape.batch, layout.parts),
                                      std::max<int64_t>(1, kConvolveBytes / image_bytes));
  layout.rows_bytes = AlignedBytes(convolution.images * image_bytes);
  layout.sums_offset = layout.rows_offset + layout.parts * layout.rows_bytes;
  layout.sums_bytes =
      AlignedBytes(2 * convolution.out_channels * static_cast<int64_t>(sizeof(double)));
  layout.bytes = layout.sums_offset + layout.parts * layout.sums_bytes;
  return layout;
}

// How the weights' gradient is divided: blocks of some groups of whole images, or of strips of one
// group.
struct GradientLayout {
  Convolution convolution;
  int64_t groups;        // of traits.step images, in the batch
  int64_t block_groups;  // in a block
  int64_t parts;
  int64_t x_offset, x_bytes;    // transformed x, for each part
  int64_t dy_offset, dy_bytes;  // transformed dy, for each part
  int64_t product_bytes;        // for each part, at the beginning
  int64_t bytes;
};

GradientLayout GradientLayoutOf(const Kernels& kernels, const RowWinogradShape& shape,
                                int threads) {
  GradientLayout layout;
  Convolution& convolution = layout.convolution;
  convolution = {shape.height,
                 shape.width,
                 CeilDivide(shape.width, kTile),
                 shape.in_channels,
                 shape.out_channels,
                 shape.height,
                 1};
  const int64_t row_bytes =
      convolution.tiles * kPoints * kernels.traits.step * kernels.traits.bytes;
  const int64_t x_row = row_bytes * shape.in_channels, dy_row = row_bytes * shape.out_channels;
  const int64_t most = std::max<int64_t>(1, (kGradientBytes - 2 * x_row) / (x_row + dy_row));
  const int64_t strips = CeilDivide(shape.height, most);
  convolution.strip = CeilDivide(shape.height, strips);
  const int64_t group_bytes = (convolution.strip + 2) * x_row + convolution.strip * dy_row;
  layout.groups = CeilDivide(shape.batch, kernels.traits.step);
  layout.parts = std::min<int64_t>(threads, layout.groups);
  layout.block_groups = convolution.strip < shape.height
                            ? 1
                            : std::min(CeilDivide(layout.groups, layout.parts),
                                       std::max<int64_t>(1, kGradientBytes / group_bytes));
  layout.product_bytes =
      3 * kPoints * shape.in_channels * shape.out_channels * static_cast<int64_t>(sizeof(float));
  layout.x_bytes = AlignedBytes(layout.block_groups * (convolution.strip + 2) * x_row);
  layout.dy_bytes = AlignedBytes(layout.block_groups * convolution.strip * dy_row);
  layout.x_offset = layout.parts * layout.product_bytes;
  layout.dy_offset = layout.x_offset + layout.parts * layout.x_bytes;
  layout.bytes = layout.dy_offset + layout.parts * layout.dy_bytes;
  return layout;
}

void Convolve(const RowWinogradShape& shape, bool backward, int threads, const void* x,
              const float* weights, void* scratch, void* y, const RowWinogradSums& sums) {
  const Kernels& kernels = *KernelsFor(shape.element);
  const ConvolveLayout layout = LayoutOf(kernels, shape, backward, threads);
  const Convolution& convolution = layout.convolution;
  char* const memory = static_cast<char*>(scratch);
  const int64_t out_channels = convolution.out_channels;
  const int64_t blocks = out_channels / kLanes;
  ParallelParts(blocks, std::min<int64_t>(threads, blocks),
                [&](int64_t, int64_t begin, int64_t end) {
                  kernels.transform_weights(weights, shape.out_channels, shape.in_channels,
                                            backward, begin, end, memory);
                });
  ParallelParts(layout.units, layout.parts, [&](int64_t part, int64_t begin, int64_t end) {
    double* part_sums = nullptr;
    if (sums.sum != nullptr) {
      part_sums = reinterpret_cast<double*>(memory + layout.sums_offset + part * layout.sums_bytes);
      std::fill_n(part_sums, 2 * out_channels, 0.0);
    }
    char* const rows_scratch = memory + layout.rows_offset + part * layout.rows_bytes;
    for (int64_t unit = begin; unit < end; unit += convolution.images) {
      const int64_t image = unit / layout.strips;
      const int64_t row = unit % layout.strips * convolution.strip;
      const Rows rows = {image,
                         std::min(image + convolution.images, CeilDivide(end, layout.strips)), row,
                         std::min(shape.height, row + convolution.strip)};
      kernels.convolve(convolution, rows, x, memory, rows_scratch, y, part_sums);
    }
  });
  if (sums.sum == nullptr) return;
  std::fill_n(sums.sum, out_channels, 0.0);
  std::fill_n(sums.squares, out_channels, 0.0);
  for (int64_t part = 0; part < layout.parts; ++part) {
    const auto* part_sums =
        reinterpret_cast<const double*>(memory + layout.sums_offset + part * layout.sums_bytes);
    for (int64_t c = 0; c < out_channels; ++c) {
      sums.sum[c] += part_sums[c];
      sums.squares[c] += part_sums[out_channels + c];
    }
  }
}

}  // namespace

bool RowWinogradSupported(const RowWinogradShape& shape) {
  return shape.batch > 0 && shape.height > 0 && shape.width > 0 && shape.in_channels > 0 &&
         shape.out_channels > 0 && shape.in_channels % kLanes == 0 &&
         shape.out_channels % kLanes == 0 && KernelsFor(shape.element) != nullptr;
}

size_t RowWinogradScratchBytes(const RowWinogradShape& shape, RowWinogradPass pass, int threads) {
  const Kernels& kernels = *KernelsFor(shape.element);
  if (pass == RowWinogradPass::kBackwardWeights) {
    return static_cast<size_t>(GradientLayoutOf(kernels, shape, threads).bytes);
  }
  const bool backward = pass == RowWinogradPass::kBackwardData;
  return static_cast<size_t>(LayoutOf(kernels, shape, backward, threads).bytes);
}

void RowWinogradForward(const RowWinogradShape& shape, int threads, const void* x,
                        const float* weights, void* scratch, void* y, const RowWinogradSums& sums) {
  Convolve(shape, false, threads, x, weights, scratch, y, sums);
}

void RowWinogradBackwardData(const RowWinogradShape& shape, int threads, const void* dy,
                             const float* weights, void* scratch, void* dx) {
  Convolve(shape, true, threads, dy, weights, scratch, dx, {});
}

void RowWinogradBackwardWeights(const RowWinogradShape& shape, int threads, const void* x,
                                const void* dy, void* scratch, float* dweights) {
  const Kernels& kernels = *KernelsFor(shape.element);
  const GradientLayout layout = GradientLayoutOf(kernels, shape, threads);
  const Convolution& convolution = layout.convolution;
  char* const memory = static_cast<char*>(scratch);
  const int64_t step = kernels.traits.step;
  ParallelParts(layout.groups, layout.parts, [&](int64_t part, int64_t begin, int64_t end) {
    auto* products = reinterpret_cast<float*>(memory + part * layout.product_bytes);
    char* const x_scratch = memory + layout.x_offset + part * layout.x_bytes;
    char* const dy_scratch = memory + layout.dy_offset + part * layout.dy_bytes;
    bool add = false;
    for (int64_t group = begin; group < end; group += layout.block_groups) {
      const int64_t first = group * step;
      const int64_t last = std::min(shape.batch, std::min(end, group + layout.block_groups) * step);
      for (int64_t row = 0; row < shape.height; row += convolution.strip) {
        kernels.multiply_gradient(convolution, first, last, row,
                                  std::min(shape.height, row + convolution.strip), x, dy, x_scratch,
                                  dy_scratch, add, products);
        add = true;
      }
    }
  });
  const int64_t blocks = shape.in_channels / kLanes * (shape.out_channels / kLanes);
  ParallelParts(
      blocks, std::min<int64_t>(threads, blocks), [&](int64_t, int64_t begin, int64_t end) {
        kernels.finish_gradient(shape.out_channels, shape.in_channels,
                                reinterpret_cast<const float*>(memory), layout.parts,
                                layout.product_bytes / static_cast<int64_t>(sizeof(float)), begin,
                                end, dweights);
      });
}

}  // namespace frontier::worker
