// A folder of its own for a test, removed with all that is in it unless the test fails.
#ifndef FRONTIER_TESTS_SUPPORT_TEMP_FOLDER_H_
#define FRONTIER_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace frontier::testing {

class TempFolder {
 public:
  TempFolder() {
    std::string name = absl::StrCat(::testing::TempDir(), "frontier-XXXXXX");
    path_ = mkdtemp(name.data()) != nullptr ? name : "";
  }
  ~TempFolder() {
    if (path_.empty()) return;
    if (::testing::Test::HasFailure()) {
      std::cout << "kept: " << path_ << std::endl;
      return;
    }
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_TEMP_FOLDER_H_
