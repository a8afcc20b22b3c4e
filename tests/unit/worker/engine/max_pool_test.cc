// Max pooling in bf16 against the plain loops in double.
#include "worker/engine/kernels/max_pool.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"
#include "worker/engine/kernels/bfloat16.h"
#include "worker/engine/reference/layers.h"

namespace frontier::worker {
namespace {

// The values of a tensor with channels last.
std::vector<uint16_t> ChannelsLast(const reference::Tensor& t) {
  std::vector<uint16_t> values;
  for (int n = 0; n < t.n; ++n) {
    for (int h = 0; h < t.h; ++h) {
      for (int w = 0; w < t.w; ++w) {
        for (int c = 0; c < t.c; ++c) {
          values.push_back(Bfloat16FromFloat(static_cast<float>(t.at(n, c, h, w))));
        }
      }
    }
  }
  return values;
}

// Few different values, so that many are equal.
void Fill(Rng* rng, reference::Tensor* t) {
  for (double& v : t->v) v = 0.25 * std::round(4 * rng->Normal()) + 0.0;  // no -0
}

TEST(MaxPoolTest, ForwardAndBackwardAreThoseOfPlainLoops) {
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const auto draw = [&rng](int most) {
      return 1 + static_cast<int>(rng.Uniform(static_cast<uint64_t>(most)));
    };
    v1::Pool pool;
    pool.set_kernel_height(draw(seed % 10 == 0 ? 16 : 4));
    pool.set_kernel_width(draw(seed % 10 == 0 ? 16 : 4));
    pool.set_stride_height(draw(4));
    pool.set_stride_width(draw(4));
    pool.set_padding_height(draw(pool.kernel_height()) - 1);
    pool.set_padding_width(draw(pool.kernel_width()) - 1);
    const int channel_choices[] = {1, 3, 16, 32, 33, 64, 70, 130};
    MaxPoolShape shape;
    shape.batch = draw(3);
    shape.channels = channel_choices[rng.Uniform(8)];
    shape.height = pool.kernel_height() + draw(12) - 1;
    shape.width = pool.kernel_width() + draw(12) - 1;
    shape.kernel_height = pool.kernel_height();
    shape.kernel_width = pool.kernel_width();
    shape.stride_height = pool.stride_height();
    shape.stride_width = pool.stride_width();
    shape.padding_height = pool.padding_height();
    shape.padding_width = pool.padding_width();
    shape.out_height =
        (shape.height + 2 * shape.padding_height - shape.kernel_height) / shape.stride_height + 1;
    shape.out_width =
        (shape.width + 2 * shape.padding_width - shape.kernel_width) / shape.stride_width + 1;
    shape.threads = draw(3);
    shape.portable = seed % 2 == 0;

    const auto tensor = [&shape](int64_t height, int64_t width) {
      v1::Shape map;
      map.set_channels(static_cast<int>(shape.channels));
      map.set_height(static_cast<int>(height));
      map.set_width(static_cast<int>(width));
      return reference::Tensor(static_cast<int>(shape.batch), map);
    };
    reference::Tensor x = tensor(shape.height, shape.width), dx = x;
    reference::Tensor y = tensor(shape.out_height, shape.out_width), dy = y;
    Fill(&rng, &x);
    Fill(&rng, &dy);
    reference::MaxPoolForward(pool, x, &y);
    reference::MaxPoolBackward(pool, x, dy, &dx);

    std::vector<uint16_t> got_y(y.v.size(), 0xabcd), got_dx(x.v.size(), 0xabcd);
    std::vector<uint8_t> places(y.v.size());
    MaxPool(shape, ChannelsLast(x).data(), got_y.data(), places.data());
    ASSERT_EQ(got_y, ChannelsLast(y));
    MaxPoolBackward(shape, ChannelsLast(dy).data(), places.data(), got_dx.data());
    // Sums of multiples of a quarter are exact.
    const std::vector<uint16_t> wanted = ChannelsLast(dx);
    for (size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_EQ(FloatFromBfloat16(got_dx[i]), FloatFromBfloat16(wanted[i])) << "value " << i;
    }
  }
}

TEST(MaxPoolTest, AllOfAWindowMayBeInfiniteOrNan) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const bool portable : {false, true}) {
    MaxPoolShape shape;
    shape.batch = 1;
    shape.channels = 4;
    shape.height = shape.kernel_height = 1;
    shape.width = shape.kernel_width = 2;
    shape.out_height = shape.out_width = 1;
    shape.portable = portable;
    std::vector<uint16_t> x;
    for (const float v : {-kInfinity, -kNan, kNan, -0.0f, -kInfinity, -kNan, 7.0f, 0.0f}) {
      x.push_back(Bfloat16FromFloat(v));
    }
    std::vector<uint16_t> y(4);
    std::vector<uint8_t> places(4);
    MaxPool(shape, x.data(), y.data(), places.data());
    EXPECT_EQ(FloatFromBfloat16(y[0]), -kInfinity);
    EXPECT_TRUE(std::isnan(FloatFromBfloat16(y[1])));
    EXPECT_TRUE(std::isnan(FloatFromBfloat16(y[2])));
    EXPECT_EQ(FloatFromBfloat16(y[3]), 0.0f);
    EXPECT_EQ(places, std::vector<uint8_t>(4, 0));
  }
}

}  // namespace
}  // namespace frontier::worker
