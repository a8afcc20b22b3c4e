#include "common/base/status.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::IsOk;
using ::frontier::testing::StatusIs;

TEST(StatusTest, InvalidFieldNamesFieldInMessageAndDetail) {
  const absl::Status status = InvalidField("budget.trials", "0 is not positive");
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument, "budget.trials: 0 is not positive"));
  ASSERT_TRUE(GetErrorDetail(status).has_value());
  EXPECT_EQ(GetErrorDetail(status)->field(), "budget.trials");
  EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_INVALID_FIELD);
}

TEST(StatusTest, PrefixFieldJoinsNamesByDotAndIndicesWithout) {
  EXPECT_EQ(GetErrorDetail(PrefixField("search_space", InvalidField("stages", "empty")))->field(),
            "search_space.stages");
  const absl::Status indexed = PrefixField("stages", InvalidField("[2].kernels", "empty"));
  EXPECT_EQ(GetErrorDetail(indexed)->field(), "stages[2].kernels");
  EXPECT_EQ(indexed.message(), "stages[2].kernels: empty");
}

TEST(StatusTest, PrefixFieldLeavesOtherErrorsAlone) {
  const absl::Status status = absl::NotFoundError("job 3: not found");
  EXPECT_EQ(PrefixField("spec", status), status);
  const absl::Status stale = ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                                             v1::ERROR_REASON_STALE_LEASE, "trial 4: not held");
  EXPECT_EQ(PrefixField("spec", stale), stale);
}

TEST(StatusTest, PlainStatusesHaveNoReason) {
  EXPECT_EQ(GetErrorReason(absl::OkStatus()), v1::ERROR_REASON_UNSPECIFIED);
  EXPECT_EQ(GetErrorReason(absl::InternalError("x")), v1::ERROR_REASON_UNSPECIFIED);
}

TEST(StatusTest, DamagedDetailCountsAsNone) {
  absl::Status status = InvalidField("a", "b");
  status.ForEachPayload([&](absl::string_view url, const absl::Cord&) {
    status.SetPayload(url, absl::Cord("\xff\xff\xff"));
  });
  EXPECT_FALSE(GetErrorDetail(status).has_value());
}

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return absl::InvalidArgumentError("odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  ASSIGN_OR_RETURN(const int half, Half(value));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

absl::Status CheckQuarter(int value) {
  RETURN_IF_ERROR(Quarter(value).status());
  return absl::OkStatus();
}

TEST(StatusTest, MacrosReturnEarlyOnlyOnErrors) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_THAT(Quarter(6), StatusIs(absl::StatusCode::kInvalidArgument, "odd"));
  EXPECT_THAT(CheckQuarter(8), IsOk());
  EXPECT_THAT(CheckQuarter(5), StatusIs(absl::StatusCode::kInvalidArgument, "odd"));
}

}  // namespace
}  // namespace frontier
