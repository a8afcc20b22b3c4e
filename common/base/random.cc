#include "common/base/random.h"

#include <cmath>

namespace frontier {
namespace {

uint64_t RotateLeft(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

uint64_t SplitMix64(uint64_t* x) {
  uint64_t z = (*x += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix64(&seed);
}

Rng::Rng(uint64_t seed, uint64_t stream) {
  uint64_t mixed = stream;
  seed ^= SplitMix64(&mixed);
  for (uint64_t& word : state_) word = SplitMix64(&seed);
}

Rng Rng::FromState(const State& state) {
  Rng rng;
  rng.state_ = state;
  return rng;
}

uint64_t Rng::NextUint64() {
  const uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = RotateLeft(state_[3], 45);
  return result;
}

uint64_t Rng::Uniform(uint64_t bound) {
  // Values below 2^64 mod bound would favour small results; draw again.
  const uint64_t threshold = (0 - bound) % bound;
  while (true) {
    const uint64_t value = NextUint64();
    if (value >= threshold) return value % bound;
  }
}

double Rng::UniformDouble() { return static_cast<double>(NextUint64() >> 11) * 0x1.0p-53; }

double Rng::Normal() {
  const double u = 1.0 - UniformDouble();  // (0, 1]: its logarithm is finite
  const double v = UniformDouble();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * 3.14159265358979323846 * v);
}

}  // namespace frontier
