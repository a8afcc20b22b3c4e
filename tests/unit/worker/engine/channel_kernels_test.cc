// Kernels that know the channel of a value, in every layout.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/base/random.h"
#include "gtest/gtest.h"
#include "worker/engine/kernels/dropout.h"
#include "worker/engine/kernels/gate.h"

namespace frontier::worker {
namespace {

ChannelLayout MakeLayout(int64_t batch, int64_t channels, int64_t positions, int64_t block) {
  return {batch, channels, positions, block, (channels + block - 1) / block};
}

// Plain, blocked with and without padding, channels last; small, and worth several threads.
std::vector<ChannelLayout> Layouts() {
  return {MakeLayout(1, 1, 1, 1),     MakeLayout(3, 5, 7, 1),   MakeLayout(2, 5, 7, 16),
          MakeLayout(2, 21, 9, 8),    MakeLayout(2, 5, 7, 5),   MakeLayout(3, 32, 1, 16),
          MakeLayout(2, 33, 600, 16), MakeLayout(4, 24, 900, 1)};
}

int64_t Size(const ChannelLayout& l) { return l.rows() * l.positions * l.block; }

// Calls `visit(place in memory, place in batch x C x H x W, n * C + c)` for each value; the rest of
// the memory is padding.
template <typename Visit>
void ForEachValue(const ChannelLayout& l, const Visit& visit) {
  for (int64_t n = 0; n < l.batch; ++n) {
    for (int64_t c = 0; c < l.channels; ++c) {
      for (int64_t p = 0; p < l.positions; ++p) {
        const int64_t row = n * l.blocks + c / l.block;
        visit((row * l.positions + p) * l.block + c % l.block,
              (n * l.channels + c) * l.positions + p, n * l.channels + c);
      }
    }
  }
}

// Padding is 0.
std::vector<float> RandomMaps(const ChannelLayout& l, Rng* rng) {
  std::vector<float> values(static_cast<size_t>(Size(l)), 0.0f);
  ForEachValue(l, [&](int64_t at, int64_t, int64_t) {
    values[static_cast<size_t>(at)] = static_cast<float>(rng->Normal());
  });
  return values;
}

TEST(GateTest, ScalesEachChannelAndKeepsPaddingZero) {
  Rng rng(1);
  for (const ChannelLayout& l : Layouts()) {
    SCOPED_TRACE(l.channels);
    const std::vector<float> x = RandomMaps(l, &rng);
    std::vector<float> gate(static_cast<size_t>(l.batch * l.channels));
    for (float& v : gate) v = static_cast<float>(rng.Normal());
    std::vector<float> wanted(x.size(), 0.0f);
    ForEachValue(l, [&](int64_t at, int64_t, int64_t channel) {
      wanted[static_cast<size_t>(at)] =
          x[static_cast<size_t>(at)] * gate[static_cast<size_t>(channel)];
    });
    std::vector<float> y(x.size(), 9.0f);
    Gate(l, x.data(), gate.data(), y.data());
    EXPECT_EQ(y, wanted);
    y = x;
    Gate(l, y.data(), gate.data(), y.data());
    EXPECT_EQ(y, wanted);
  }
}

TEST(GateTest, GradientSumsOverPositions) {
  Rng rng(2);
  for (const ChannelLayout& l : Layouts()) {
    SCOPED_TRACE(l.channels);
    const std::vector<float> x = RandomMaps(l, &rng), dy = RandomMaps(l, &rng);
    std::vector<double> wanted(static_cast<size_t>(l.batch * l.channels), 0.0);
    ForEachValue(l, [&](int64_t at, int64_t, int64_t channel) {
      wanted[static_cast<size_t>(channel)] +=
          double{x[static_cast<size_t>(at)]} * double{dy[static_cast<size_t>(at)]};
    });
    std::vector<float> dgate(wanted.size(), 9.0f);
    GateGradient(l, x.data(), dy.data(), dgate.data());
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(dgate[i], wanted[i], 1e-5 * std::sqrt(static_cast<double>(l.positions)) + 1e-5);
    }
  }
}

TEST(MultiplyTest, ElementByElement) {
  Rng rng(3);
  for (const size_t count : {1u, 15u, 17u, 70001u}) {
    std::vector<float> a(count), b(count), y(count);
    for (size_t i = 0; i < count; ++i) {
      a[i] = static_cast<float>(rng.Normal());
      b[i] = static_cast<float>(rng.Normal());
    }
    Multiply(a.data(), b.data(), static_cast<int64_t>(count), y.data());
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], a[i] * b[i]);
    Multiply(a.data(), a.data(), static_cast<int64_t>(count), a.data());
    for (size_t i = 0; i < count; ++i) ASSERT_GE(a[i], 0.0f);
  }
  const float nan = std::numeric_limits<float>::quiet_NaN(), zero = 0;
  float y = 1;
  Multiply(&nan, &zero, 1, &y);
  EXPECT_TRUE(std::isnan(y));
}

TEST(DropoutTest, FollowsTheMaskInEveryLayout) {
  Rng rng(4);
  for (const ChannelLayout& l : Layouts()) {
    SCOPED_TRACE(l.channels);
    const DropoutMask mask(5, 6, 7, 0.4f);
    const std::vector<float> x = RandomMaps(l, &rng);
    std::vector<float> wanted(x.size(), 0.0f);
    ForEachValue(l, [&](int64_t at, int64_t index, int64_t) {
      if (mask.Keeps(static_cast<uint32_t>(index))) {
        wanted[static_cast<size_t>(at)] = x[static_cast<size_t>(at)] * mask.scale();
      }
    });
    std::vector<float> y(x.size(), 9.0f);
    Dropout(mask, l, x.data(), y.data());
    EXPECT_EQ(y, wanted);
  }
}

TEST(DropoutTest, DropsTheStatedShare) {
  constexpr int kCount = 100000;
  for (const float rate : {0.0f, 0.1f, 0.5f, 0.9f}) {
    const DropoutMask mask(1, 2, 3, rate);
    EXPECT_FLOAT_EQ(mask.scale(), 1 / (1 - rate));
    int dropped = 0, runs = 0;
    for (uint32_t i = 0; i < kCount; ++i) {
      dropped += !mask.Keeps(i);
      runs += mask.Keeps(i) != mask.Keeps(i + 1);
    }
    // Five standard deviations of a binomial count.
    const double spread = std::sqrt(kCount * double{rate} * (1 - double{rate}));
    EXPECT_NEAR(dropped, kCount * double{rate}, 5 * spread);
    // Neighbours do not know of each other.
    const double changes = 2 * double{rate} * (1 - double{rate});
    EXPECT_NEAR(runs, kCount * changes, 10 * std::sqrt(kCount * changes));
  }
}

TEST(DropoutTest, SeedsStepsAndNodesHaveMasksOfTheirOwn) {
  constexpr int kCount = 100000;
  const DropoutMask base(1, 2, 3, 0.5f);
  const DropoutMask same(1, 2, 3, 0.5f);
  for (const DropoutMask& other : {DropoutMask(2, 2, 3, 0.5f), DropoutMask(1, 3, 3, 0.5f),
                                   DropoutMask(1, 2, 4, 0.5f), DropoutMask(1, 3, 2, 0.5f)}) {
    int agree = 0;
    for (uint32_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(base.Keeps(i), same.Keeps(i));
      agree += base.Keeps(i) == other.Keeps(i);
    }
    EXPECT_NEAR(agree, kCount / 2, 5 * std::sqrt(kCount / 4.0));
  }
}

}  // namespace
}  // namespace frontier::worker
