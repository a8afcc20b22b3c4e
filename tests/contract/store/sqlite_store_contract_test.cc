#include "absl/strings/str_cat.h"
#include "coordinator/storage/sqlite/sqlite_store.h"
#include "tests/contract/store/store_contract.h"

namespace frontier::coordinator {
namespace {

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         ::testing::Values(StoreContractParam{"sqlite",
                                                              [](const std::string& folder) {
                                                                SqliteStoreOptions options;
                                                                options.path = absl::StrCat(
                                                                    folder, "/frontier.db");
                                                                return OpenSqliteStore(options);
                                                              }}),
                         [](const ::testing::TestParamInfo<StoreContractParam>& p) {
                           return p.param.name;
                         });

}  // namespace
}  // namespace frontier::coordinator
