// The seed of a test that draws another one each time.
#ifndef FRONTIER_TESTS_SUPPORT_SEED_H_
#define FRONTIER_TESTS_SUPPORT_SEED_H_

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace frontier::testing {

// FRONTIER_TEST_SEED, or by chance. Printed at once, so that it is known whatever becomes of the
// test.
inline uint64_t DrawSeed() {
  const char* given = std::getenv("FRONTIER_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "again with FRONTIER_TEST_SEED=" << seed << std::endl;
  return seed;
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_SEED_H_
