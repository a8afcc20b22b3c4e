// Texts compared with files in tests/golden.
#ifndef FRONTIER_TESTS_SUPPORT_GOLDEN_H_
#define FRONTIER_TESTS_SUPPORT_GOLDEN_H_

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace frontier::testing {

// Fails if `text` differs from tests/golden/`name`. With FRONTIER_UPDATE_GOLDEN=1 in the
// environment the file is written instead: look at the difference before committing it.
// FRONTIER_GOLDEN_DIR is a compile definition of the test.
inline void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(FRONTIER_GOLDEN_DIR) + "/" + name;
  const char* update = std::getenv("FRONTIER_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.good()) << "no golden file " << path << "; the text is:\n" << text;
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(expected.str(), text) << "differs from " << path
                                  << " (FRONTIER_UPDATE_GOLDEN=1 rewrites it)";
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_GOLDEN_H_
