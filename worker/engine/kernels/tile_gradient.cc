#include "worker/engine/kernels/tile_gradient.h"

#include <algorithm>
#include <array>
#include <limits>

#include "worker/engine/kernels/parallel.h"
#include "worker/engine/kernels/scratch.h"
#include "worker/engine/kernels/tile_gradient_kernels.h"

namespace frontier::worker {
namespace {

using tile_gradient::AmxKernels;
using tile_gradient::kDepth;
using tile_gradient::Kernels;
using tile_gradient::kTile;

constexpr int64_t kSums = kTile * kTile;  // of a tile
// Bytes of rows and pairs at a time, so that they stay in the second-level cache.
constexpr int64_t kGroupBytes = 768 << 10;

int64_t FloorDivide(int64_t a, int64_t b) { return a >= 0 ? a / b : -CeilDivide(-a, b); }

// Where a place of the kernel looks: at element out * stride + offset of x, which is element
// out + shift of those elements of x that leave `remainder` when divided by the stride.
struct Tap {
  int64_t remainder, shift;
};

Tap TapOf(const ConvolutionAxis& axis, int64_t place) {
  const int64_t offset = place * axis.dilation - axis.padding;
  const int64_t shift = FloorDivide(offset, axis.stride);
  return {offset - shift * axis.stride, shift};
}

// Least and greatest shift.
struct Reach {
  int64_t low, high;
};

Reach ReachOf(const ConvolutionAxis& axis) {
  Reach reach = {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  for (int64_t place = 0; place < axis.kernel; ++place) {
    const int64_t shift = TapOf(axis, place).shift;
    reach = {std::min(reach.low, shift), std::max(reach.high, shift)};
  }
  return reach;
}

// Whether some place of the kernel looks at the elements that leave this remainder.
bool Uses(const ConvolutionAxis& axis, int64_t remainder) {
  for (int64_t place = 0; place < axis.kernel; ++place) {
    if (TapOf(axis, place).remainder == remainder) return true;
  }
  return false;
}

// Zeros needed before and behind the elements of x that leave the remainder of a tap; one gap
// serves the end of a line and the beginning of the next.
int64_t GapOf(const ConvolutionAxis& axis, const Reach& reach) {
  int64_t gap = std::max<int64_t>(0, -reach.low);
  for (int64_t remainder = 0; remainder < std::min(axis.stride, axis.in); ++remainder) {
    const int64_t elements = CeilDivide(axis.in - remainder, axis.stride);
    gap = std::max(gap, axis.out + reach.high - elements);
  }
  return gap;
}

int64_t MostElements(const ConvolutionAxis& axis) { return CeilDivide(axis.in, axis.stride); }

// How the work is divided and where its scratch memory goes (offsets in bytes). Lines of x, a gap
// behind each, follow one another: line l of an image begins at l * line. An image is done as a
// whole, with others in a group, or in strips of lines.
struct Layout {
  Reach rows, columns;  // shifts
  int64_t line;         // numbers from a line to the next
  int64_t image;        // numbers from an image of a group to the next
  int64_t strip;        // lines of dy at a time
  int64_t strips;       // of an image
  int64_t images;       // in a group
  int64_t groups;       // in the batch
  int64_t parts;
  int64_t depth;   // numbers added up by a group, a multiple of 32
  int64_t length;  // numbers of a row of x; the pitch is a little more
  int64_t pitch;
  int64_t planes;                 // remainders of height x width
  int64_t in_blocks, out_blocks;  // of 16 channels
  int64_t taps;
  int64_t x_places_bytes, dy_places_bytes, rows_bytes, pairs_bytes, sums_bytes;
  int64_t part_bytes;
};

Layout LayoutOf(const TileGradientShape& shape, int threads) {
  Layout l;
  l.rows = ReachOf(shape.height);
  l.columns = ReachOf(shape.width);
  l.in_blocks = CeilDivide(shape.in_channels, kTile);
  l.out_blocks = CeilDivide(shape.out_channels, kTile);
  l.taps = shape.height.kernel * shape.width.kernel;
  l.planes = shape.height.stride * shape.width.stride;
  l.line = std::max(MostElements(shape.width) + GapOf(shape.width, l.columns), shape.width.out);
  l.image =
      l.line * std::max(MostElements(shape.height) + GapOf(shape.height, l.rows), shape.height.out);
  const int64_t bytes_a_number =
      2 * kTile * (l.planes * l.in_blocks + l.out_blocks);  // of rows and pairs
  l.strip = std::clamp<int64_t>(
      kGroupBytes / (bytes_a_number * l.line) - (l.rows.high - l.rows.low), 1, shape.height.out);
  l.strips = CeilDivide(shape.height.out, l.strip);
  l.strip = CeilDivide(shape.height.out, l.strips);
  l.strips = CeilDivide(shape.height.out, l.strip);
  l.parts = std::min<int64_t>(threads, shape.batch);
  l.images = l.strips > 1 ? 1
                          : std::clamp<int64_t>(kGroupBytes / (bytes_a_number * l.image), 1,
                                                CeilDivide(shape.batch, l.parts));
  l.groups = CeilDivide(shape.batch, l.images);
  l.parts = std::min(l.parts, l.groups);
  l.depth = CeilDivide((l.images - 1) * l.image + l.strip * l.line, kDepth) * kDepth;
  const int64_t furthest = (l.rows.high - l.rows.low) * l.line + l.columns.high - l.columns.low;
  l.length = CeilDivide(l.depth + furthest, kDepth) * kDepth;
  // Rows of a tile a power of two apart would all want the same places in the cache.
  l.pitch = (l.length / kDepth | 1) * kDepth;
  const auto bytes = [](int64_t count, size_t each) {
    return AlignedBytes(count * static_cast<int64_t>(each));
  };
  l.x_places_bytes = bytes(l.planes * l.length, sizeof(int32_t));
  l.dy_places_bytes = bytes(l.depth, sizeof(int32_t));
  l.rows_bytes = bytes(l.planes * l.in_blocks * kTile * l.pitch, sizeof(uint16_t));
  l.pairs_bytes = bytes(l.out_blocks * kTile * l.depth, sizeof(uint16_t));
  l.sums_bytes = bytes(l.taps * l.in_blocks * l.out_blocks * kSums, sizeof(float));
  l.part_bytes = l.x_places_bytes + l.dy_places_bytes + l.rows_bytes + l.pairs_bytes + l.sums_bytes;
  return l;
}

// Scratch memory of a part.
struct Scratch {
  Scratch(const Layout& l, char* memory)
      : x_places(reinterpret_cast<int32_t*>(memory)),
        dy_places(reinterpret_cast<int32_t*>(memory += l.x_places_bytes)),
        rows(reinterpret_cast<uint16_t*>(memory += l.dy_places_bytes)),
        pairs(reinterpret_cast<uint16_t*>(memory += l.rows_bytes)),
        sums(reinterpret_cast<float*>(memory + l.pairs_bytes)) {}

  int32_t *x_places, *dy_places;
  uint16_t *rows, *pairs;
  float* sums;  // [tap][block of in_channels][block of out_channels][16][16]
};

// The pixels of `images` images, from line `first` of dy on, `lines` of them, that each number of a
// row of x and of dy stands for, counted from the first image; -1 for zeros.
void FillPlaces(const TileGradientShape& shape, const Layout& l, int64_t images, int64_t first,
                int64_t lines, const Scratch& scratch) {
  std::fill_n(scratch.x_places, l.planes * l.length, -1);
  std::fill_n(scratch.dy_places, l.depth, -1);
  const ConvolutionAxis &h = shape.height, &w = shape.width;
  for (int64_t image = 0; image < images; ++image) {
    for (int64_t y = 0; y < lines; ++y) {
      int32_t* const to = scratch.dy_places + image * l.image + y * l.line;
      const int64_t from = (image * h.out + first + y) * w.out;
      for (int64_t x = 0; x < w.out; ++x) to[x] = static_cast<int32_t>(from + x);
    }
    for (int64_t plane = 0; plane < l.planes; ++plane) {
      const int64_t row_rest = plane / w.stride, column_rest = plane % w.stride;
      int32_t* const line = scratch.x_places + plane * l.length + image * l.image;
      for (int64_t y = 0; y < lines + l.rows.high - l.rows.low; ++y) {
        const int64_t row = (first + y + l.rows.low) * h.stride + row_rest;
        if (row < 0 || row >= h.in) continue;
        int32_t* const to = line + y * l.line - l.columns.low;
        const int64_t from = (image * h.in + row) * w.in;
        for (int64_t x = column_rest, i = 0; x < w.in; x += w.stride, ++i) {
          to[i] = static_cast<int32_t>(from + x);
        }
      }
    }
  }
}

// Splits `count` into pieces of at most four, as even as can be, and calls body(begin, size).
template <typename Body>
void ForPieces(int64_t count, const Body& body) {
  const int64_t pieces = CeilDivide(count, 4);
  for (int64_t p = 0; p < pieces; ++p) {
    const int64_t begin = count * p / pieces;
    body(begin, count * (p + 1) / pieces - begin);
  }
}

// Adds the products of what `scratch` holds to its sums, or writes them if not `add`.
void Multiply(const TileGradientShape& shape, const Layout& l, const Kernels& kernels, bool add,
              const Scratch& scratch) {
  const int64_t rows = l.taps * l.in_blocks;
  const auto left = [&](int64_t row) {
    const int64_t tap = row / l.in_blocks, block = row % l.in_blocks;
    const Tap y = TapOf(shape.height, tap / shape.width.kernel);
    const Tap x = TapOf(shape.width, tap % shape.width.kernel);
    const int64_t plane = y.remainder * shape.width.stride + x.remainder;
    return scratch.rows + (plane * l.in_blocks + block) * kTile * l.pitch +
           (y.shift - l.rows.low) * l.line + x.shift - l.columns.low;
  };
  const auto multiply = [&](int64_t row, int64_t height, int64_t column, int64_t width) {
    std::array<const uint16_t*, 4> lefts, rights;
    for (int64_t i = 0; i < height; ++i) lefts[static_cast<size_t>(i)] = left(row + i);
    for (int64_t i = 0; i < width; ++i) {
      rights[static_cast<size_t>(i)] = scratch.pairs + (column + i) * kTile * l.depth;
    }
    kernels.multiply(height, width, lefts.data(), l.pitch, rights.data(), l.depth / kDepth, add,
                     scratch.sums + (row * l.out_blocks + column) * kSums, l.out_blocks * kSums);
  };
  const int64_t even_rows = rows == 1 ? 0 : rows / 2 * 2;
  const int64_t even_columns = l.out_blocks / 2 * 2;
  for (int64_t column = 0; column < even_columns && even_rows > 0; column += 2) {
    for (int64_t row = 0; row < even_rows; row += 2) multiply(row, 2, column, 2);
  }
  if (even_columns < l.out_blocks) {
    ForPieces(rows, [&](int64_t row, int64_t n) { multiply(row, n, even_columns, 1); });
  }
  if (even_rows < rows) {
    ForPieces(even_columns, [&](int64_t column, int64_t n) { multiply(even_rows, 1, column, n); });
  }
}

// Images [begin, end), into the sums of `scratch`.
void DoImages(const TileGradientShape& shape, const Layout& l, const Kernels& kernels,
              const uint16_t* x, const uint16_t* dy, int64_t begin, int64_t end,
              const Scratch& scratch) {
  kernels.begin();
  const int64_t x_image = shape.height.in * shape.width.in * shape.in_channels;
  const int64_t dy_image = shape.height.out * shape.width.out * shape.out_channels;
  bool add = false;
  int64_t filled = 0;  // images that the places are for
  for (int64_t strip = 0; strip < l.strips; ++strip) {
    const int64_t first = strip * l.strip, lines = std::min(l.strip, shape.height.out - first);
    filled = 0;
    for (int64_t image = begin; image < end; image += l.images) {
      const int64_t images = std::min(l.images, end - image);
      if (images != filled) FillPlaces(shape, l, images, first, lines, scratch);
      filled = images;
      for (int64_t plane = 0; plane < l.planes; ++plane) {
        if (!Uses(shape.height, plane / shape.width.stride) ||
            !Uses(shape.width, plane % shape.width.stride)) {
          continue;
        }
        for (int64_t b = 0; b < l.in_blocks; ++b) {
          kernels.transpose(x + image * x_image, shape.in_channels, b * kTile,
                            scratch.x_places + plane * l.length, l.length, l.pitch,
                            scratch.rows + (plane * l.in_blocks + b) * kTile * l.pitch);
        }
      }
      for (int64_t b = 0; b < l.out_blocks; ++b) {
        kernels.pair(dy + image * dy_image, shape.out_channels, b * kTile, scratch.dy_places,
                     l.depth, scratch.pairs + b * kTile * l.depth);
      }
      Multiply(shape, l, kernels, add, scratch);
      add = true;
    }
  }
  kernels.end();
}

// Sums of the parts, in order, as out x in x kernel.
void Finish(const TileGradientShape& shape, const Layout& l, char* memory, float* dweights) {
  for (int64_t tap = 0; tap < l.taps; ++tap) {
    for (int64_t in = 0; in < shape.in_channels; ++in) {
      for (int64_t out = 0; out < shape.out_channels; ++out) {
        const int64_t at = ((tap * l.in_blocks + in / kTile) * l.out_blocks + out / kTile) * kSums +
                           in % kTile * kTile + out % kTile;
        float sum = 0;
        for (int64_t part = 0; part < l.parts; ++part) {
          sum += Scratch(l, memory + part * l.part_bytes).sums[at];
        }
        dweights[(out * shape.in_channels + in) * l.taps + tap] = sum;
      }
    }
  }
}

}  // namespace

bool TileGradientSupported(const TileGradientShape& shape) {
  if (shape.batch < 1 || shape.in_channels < 1 || shape.out_channels < 1 ||
      !shape.height.IsValid() || !shape.width.IsValid()) {
    return false;
  }
  const int64_t pixels =
      std::max(shape.height.in * shape.width.in, shape.height.out * shape.width.out);
  return pixels <= std::numeric_limits<int32_t>::max() / shape.batch && AmxKernels() != nullptr;
}

size_t TileGradientScratchBytes(const TileGradientShape& shape, int threads) {
  const Layout layout = LayoutOf(shape, threads);
  return static_cast<size_t>(layout.parts * layout.part_bytes);
}

void TileGradient(const TileGradientShape& shape, int threads, const uint16_t* x,
                  const uint16_t* dy, void* scratch, float* dweights) {
  tile_gradient::Run(*AmxKernels(), shape, threads, x, dy, scratch, dweights);
}

void tile_gradient::Run(const Kernels& kernels, const TileGradientShape& shape, int threads,
                        const uint16_t* x, const uint16_t* dy, void* scratch, float* dweights) {
  const Layout layout = LayoutOf(shape, threads);
  char* const memory = static_cast<char*>(scratch);
  ParallelParts(layout.groups, layout.parts, [&](int64_t part, int64_t begin, int64_t end) {
    DoImages(shape, layout, kernels, x, dy, begin * layout.images,
             std::min(shape.batch, end * layout.images),
             Scratch(layout, memory + part * layout.part_bytes));
  });
  Finish(shape, layout, memory, dweights);
}

}  // namespace frontier::worker
