#include <algorithm>

#include "common/architecture/reference/networks.h"

namespace frontier::reference {
namespace {

constexpr int kSmallestMap = 4;  // pixels
constexpr int kHeadExtent = 7;   // pixels

int HeadWindow(int extent) { return (extent - 1) / kHeadExtent + 1; }

int CeilPadding(int extent) { return extent % 2 == 1 && extent >= 3 ? 0 : 1; }

}  // namespace

Halvings::Halvings(const v1::Shape& input, int count) {
  const int longer = std::max({1, input.height(), input.width()});
  // Halves are rounded up, as strides of padded layers do.
  while (skipped_ < count && (longer - 1) / (1 << (count - skipped_)) + 1 < kSmallestMap) {
    ++skipped_;
  }
}

int Halvings::Next() {
  if (skipped_ == 0) return 2;
  --skipped_;
  return 1;
}

v1::Pool HalvingPool(const v1::Shape& input) {
  v1::Pool pool = SquarePool(2, 2);
  if (input.height() < 2) {
    pool.set_kernel_height(1);
    pool.set_stride_height(1);
  }
  if (input.width() < 2) {
    pool.set_kernel_width(1);
    pool.set_stride_width(1);
  }
  return pool;
}

v1::Pool CeilPool(const v1::Shape& input) {
  v1::Pool pool = SquarePool(3, 2);
  pool.set_padding_height(CeilPadding(input.height()));
  pool.set_padding_width(CeilPadding(input.width()));
  return pool;
}

v1::Pool HeadPool(const v1::Shape& input) {
  v1::Pool pool;
  pool.set_kernel_height(HeadWindow(input.height()));
  pool.set_stride_height(pool.kernel_height());
  pool.set_kernel_width(HeadWindow(input.width()));
  pool.set_stride_width(pool.kernel_width());
  return pool;
}

int AddWideStem(ArchitectureBuilder* b, Halvings* halvings) {
  const int stride = halvings->Next();
  const int x = b->ConvolutionNormRelu("stem", b->input(),
                                       SquareConvolution(64, stride == 1 ? 3 : 7, stride));
  return halvings->Next() == 1 ? x : b->MaxPool("stem.pool", x, SquarePool(3, 2));
}

}  // namespace frontier::reference
