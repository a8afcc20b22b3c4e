// The store that other tests stand on keeps the same laws.
#include "tests/contract/store/store_contract.h"
#include "tests/support/memory_store.h"

namespace frontier::coordinator {
namespace {

absl::StatusOr<std::unique_ptr<Store>> OpenMemoryStore(const std::string&) {
  return std::make_unique<frontier::testing::MemoryStore>();
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract,
                         ::testing::Values(StoreContractParam{"memory", OpenMemoryStore, false}),
                         [](const ::testing::TestParamInfo<StoreContractParam>& p) {
                           return p.param.name;
                         });

}  // namespace
}  // namespace frontier::coordinator
