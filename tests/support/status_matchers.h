// GoogleTest matchers for absl::Status and absl::StatusOr.
#ifndef FRONTIER_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define FRONTIER_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::testing {

inline const absl::Status& AsStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& AsStatus(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << AsStatus(arg).ToString();
  return AsStatus(arg).ok();
}

inline ::testing::AssertionResult IsOkFormat(const char* expression, const absl::Status& status) {
  if (status.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << expression << " is " << status.ToString();
}

// StatusIs(code, matcher of the message).
MATCHER_P2(StatusIs, code, message, "") {
  *result_listener << AsStatus(arg).ToString();
  return AsStatus(arg).code() == code &&
         ::testing::ExplainMatchResult(message, std::string(AsStatus(arg).message()),
                                       result_listener);
}

}  // namespace frontier::testing

// Not by the matcher: one function for all types takes a third of the compilation.
#define ASSERT_OK(expression) \
  ASSERT_PRED_FORMAT1(::frontier::testing::IsOkFormat, ::frontier::testing::AsStatus(expression))
#define EXPECT_OK(expression) \
  EXPECT_PRED_FORMAT1(::frontier::testing::IsOkFormat, ::frontier::testing::AsStatus(expression))

#define FRONTIER_TEST_CONCAT_INNER(a, b) a##b
#define FRONTIER_TEST_CONCAT(a, b) FRONTIER_TEST_CONCAT_INNER(a, b)
#define FRONTIER_ASSERT_OK_AND_ASSIGN(result, target, expression) \
  auto result = (expression);                                     \
  ASSERT_OK(result);                                              \
  target = *std::move(result)
// ASSERT_OK_AND_ASSIGN(auto x, StatusOrExpression());
#define ASSERT_OK_AND_ASSIGN(target, expression)                                               \
  FRONTIER_ASSERT_OK_AND_ASSIGN(FRONTIER_TEST_CONCAT(frontier_test_result_, __LINE__), target, \
                                expression)

#endif  // FRONTIER_TESTS_SUPPORT_STATUS_MATCHERS_H_
