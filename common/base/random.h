// Seeded random numbers that are the same on every platform and can be saved.
#ifndef FRONTIER_COMMON_BASE_RANDOM_H_
#define FRONTIER_COMMON_BASE_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace frontier {

// xoshiro256** (Blackman and Vigna 2018, "Scrambled linear pseudorandom number generators"),
// seeded through SplitMix64. Not for secrets. Not thread-safe.
class Rng {
 public:
  using State = std::array<uint64_t, 4>;

  explicit Rng(uint64_t seed);
  // Streams of one seed are independent of each other.
  Rng(uint64_t seed, uint64_t stream);
  static Rng FromState(const State& state);
  const State& state() const { return state_; }

  uint64_t NextUint64();
  // Uniform in [0, bound), without bias; bound > 0.
  uint64_t Uniform(uint64_t bound);
  // Uniform in [0, 1), 53 bits.
  double UniformDouble();
  // Standard normal (Box and Muller 1958); uses two draws.
  double Normal();

  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::vector<T>* values) {
    for (size_t i = values->size(); i > 1; --i) {
      std::swap((*values)[i - 1], (*values)[Uniform(i)]);
    }
  }

 private:
  Rng() = default;
  State state_{};
};

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_RANDOM_H_
