// Makes IDX data sets for tests.
#ifndef FRONTIER_TESTS_SUPPORT_IDX_FILES_H_
#define FRONTIER_TESTS_SUPPORT_IDX_FILES_H_

#include <stdlib.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace frontier::testing {

// A folder that goes with its object.
class IdxFolder {
 public:
  IdxFolder() {
    std::string pattern = ::testing::TempDir() + "frontier-idx-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~IdxFolder() { std::filesystem::remove_all(path_); }
  IdxFolder(const IdxFolder&) = delete;
  IdxFolder& operator=(const IdxFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

  void Write(const std::string& name, const std::string& content) const {
    std::ofstream out(File(name), std::ios::binary);
    out << content;
    ASSERT_TRUE(out.good()) << name;
  }

  void WriteGzip(const std::string& name, const std::string& content) const {
    gzFile out = gzopen(File(name).c_str(), "wb");
    ASSERT_NE(out, nullptr) << name;
    ASSERT_EQ(gzwrite(out, content.data(), static_cast<unsigned>(content.size())),
              static_cast<int>(content.size()));
    ASSERT_EQ(gzclose(out), Z_OK);
  }

 private:
  std::string path_;
};

// Header and values of an IDX file of unsigned bytes.
inline std::string IdxBytes(const std::vector<uint32_t>& dimensions,
                            const std::vector<uint8_t>& values) {
  std::string bytes = {0, 0, 8, static_cast<char>(dimensions.size())};
  for (const uint32_t d : dimensions) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(d >> shift));
  }
  bytes.append(values.begin(), values.end());
  return bytes;
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_IDX_FILES_H_
