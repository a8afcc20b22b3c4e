// What every Store must do. An implementation instantiates the suite with a factory.
#ifndef FRONTIER_TESTS_CONTRACT_STORE_STORE_CONTRACT_H_
#define FRONTIER_TESTS_CONTRACT_STORE_STORE_CONTRACT_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/storage/store.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::coordinator {

struct StoreContractParam {
  std::string name;
  // Opens the store kept in `folder`; the same folder gives the same store again if it is durable.
  std::function<absl::StatusOr<std::unique_ptr<Store>>(const std::string& folder)> open;
  bool durable = true;
};

inline void PrintTo(const StoreContractParam& param, std::ostream* os) { *os << param.name; }

class StoreContract : public ::testing::TestWithParam<StoreContractParam> {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    if (store_ != nullptr && !GetParam().durable) return;
    store_.reset();
    absl::StatusOr<std::unique_ptr<Store>> opened = GetParam().open(folder_.path());
    ASSERT_OK(opened);
    store_ = *std::move(opened);
  }

  frontier::testing::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_TESTS_CONTRACT_STORE_STORE_CONTRACT_H_
