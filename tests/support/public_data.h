// Public data that some tests read if they are there; tests/bench/README.md says which.
#ifndef FRONTIER_TESTS_SUPPORT_PUBLIC_DATA_H_
#define FRONTIER_TESTS_SUPPORT_PUBLIC_DATA_H_

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"

namespace frontier::testing {

// A path in the folder that FRONTIER_BENCH_DATA names in the environment, or, if it does not, in
// that of the build's option FRONTIER_TEST_DATA.
inline std::string PublicData(const std::string& path) {
  const char* folder = std::getenv("FRONTIER_BENCH_DATA");
  const bool named = folder != nullptr && *folder != '\0';
  return absl::StrCat(named ? folder : FRONTIER_TEST_DATA, "/", path);
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_PUBLIC_DATA_H_
