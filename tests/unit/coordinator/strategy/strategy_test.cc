#include "coordinator/strategy/strategy.h"

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

TEST(CreateStrategyTest, DefaultsAreFine) {
  v1::StrategySpec spec;
  spec.mutable_evolution();
  EXPECT_OK(CreateStrategy(spec));
  // The default sample shrinks with the population.
  spec.mutable_evolution()->set_population_size(1);
  EXPECT_OK(CreateStrategy(spec));
}

TEST(CreateStrategyTest, RefusesAndNamesWhatMakesNoSense) {
  const auto expect_refused = [](const v1::StrategySpec& spec, const char* field,
                                 const char* problem) {
    const absl::Status status = CreateStrategy(spec).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(problem)));
    EXPECT_EQ(GetErrorDetail(status).value_or(v1::ErrorDetail()).field(), field);
  };
  v1::StrategySpec spec;
  expect_refused(spec, "kind", "known are: grid, random, evolution");
  spec.mutable_evolution()->set_population_size(-1);
  expect_refused(spec, "evolution.population_size", "is -1");
  spec.mutable_evolution()->set_population_size(2147483647);
  expect_refused(spec, "evolution.population_size", "is 2147483647");
  spec.mutable_evolution()->set_population_size(5);
  spec.mutable_evolution()->set_sample_size(6);
  expect_refused(spec, "evolution.sample_size", "is 6, more than the population of 5");
  spec.mutable_evolution()->set_sample_size(-2);
  expect_refused(spec, "evolution.sample_size", "is -2");
}

}  // namespace
}  // namespace frontier::coordinator
