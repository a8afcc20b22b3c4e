#include "coordinator/strategy/strategy.h"

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/strategies.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::JobSearchingBy;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

v1::StrategySpec Parse(const std::string& text) {
  v1::StrategySpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
  return spec;
}

TEST(CreateStrategyTest, DefaultsAreFine) {
  const auto* kinds = v1::StrategySpec::descriptor()->FindOneofByName("kind");
  for (int i = 0; i < kinds->field_count(); ++i) {
    const v1::StrategySpec spec = Parse(kinds->field(i)->name() + " {}");
    for (const int objectives : {1, 2, 4}) {
      EXPECT_OK(CreateStrategy(JobSearchingBy(spec, objectives))) << spec.ShortDebugString();
    }
  }
  // The default sample shrinks with the population.
  EXPECT_OK(CreateStrategy(JobSearchingBy(Parse("evolution { population_size: 1 }"), 1)));
}

struct BadCase {
  const char* spec;
  const char* field;
  const char* problem;
};

class BadStrategyTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadStrategyTest, IsRefusedAndNamed) {
  const absl::Status status = CreateStrategy(JobSearchingBy(Parse(GetParam().spec), 3)).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().problem)));
  EXPECT_EQ(GetErrorDetail(status).value_or(v1::ErrorDetail()).field(), GetParam().field);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, BadStrategyTest,
    ::testing::Values(
        BadCase{"", "kind", "known are: grid, random, evolution, local_search"},
        BadCase{"evolution { population_size: -1 }", "evolution.population_size", "is -1"},
        BadCase{"evolution { population_size: 2147483647 }", "evolution.population_size",
                "is 2147483647"},
        BadCase{"evolution { population_size: 5 sample_size: 6 }", "evolution.sample_size",
                "is 6, more than the population of 5"},
        BadCase{"evolution { sample_size: -2 }", "evolution.sample_size", "is -2"},
        BadCase{"evolution { crossover_rate: 1.5 }", "evolution.crossover_rate", "is 1.5"},
        BadCase{"local_search { initial_samples: -1 }", "local_search.initial_samples", "is -1"},
        BadCase{"nsga2 { population_size: 1 }", "nsga2.population_size", "is 1, must be 2"},
        BadCase{"nsga2 { crossover_rate: nan }", "nsga2.crossover_rate", "is nan"},
        BadCase{"nsga3 { population_size: 10001 }", "nsga3.population_size", "is 10001"},
        BadCase{"nsga3 { divisions: 101 }", "nsga3.divisions", "is 101"},
        BadCase{"nsga3 { crossover_rate: -0.5 }", "nsga3.crossover_rate", "is -0.5"},
        BadCase{"reinforce { learning_rate: -1 }", "reinforce.learning_rate", "is -1"},
        BadCase{"reinforce { learning_rate: inf }", "reinforce.learning_rate", "is inf"},
        BadCase{"reinforce { baseline_decay: 1 }", "reinforce.baseline_decay", "is 1"},
        BadCase{"reinforce { entropy_weight: nan }", "reinforce.entropy_weight", "is nan"},
        BadCase{"reinforce { targets { metric: METRIC_ACCURACY target: 1 } }",
                "reinforce.targets[0].metric", "accuracy is no objective of the job after the"},
        BadCase{"reinforce { targets { metric: METRIC_LATENCY_MS } }",
                "reinforce.targets[0].target", "is 0, must be positive"},
        BadCase{"reinforce { targets { metric: METRIC_LATENCY_MS target: 1 exponent: nan } }",
                "reinforce.targets[0].exponent", "is nan"},
        BadCase{"reinforce { targets { metric: METRIC_LATENCY_MS target: 1 } "
                "targets { metric: METRIC_LATENCY_MS target: 2 } }",
                "reinforce.targets[1].metric", "latency_ms is listed twice"},
        BadCase{"tpe { initial_samples: 1 }", "tpe.initial_samples", "is 1, must be 2"},
        BadCase{"tpe { candidates: -3 }", "tpe.candidates", "is -3"},
        BadCase{"tpe { good_share: 1 }", "tpe.good_share", "is 1"},
        BadCase{"auto { arms: 'tpe' }", "auto.arms", "has only one"},
        BadCase{"auto { arms: 'tpe' arms: 'tpe' }", "auto.arms[1]", "tpe is listed twice"},
        BadCase{"auto { arms: 'tpe' arms: 'seed' }", "auto.arms[1]", "unknown strategy 'seed'"},
        BadCase{"auto { arms: 'auto' arms: 'tpe' }", "auto.arms[0]", "unknown strategy 'auto'"},
        BadCase{"bayesian { initial_samples: -1 }", "bayesian.initial_samples", "is -1"},
        BadCase{"bayesian { candidates: 1000000 }", "bayesian.candidates", "is 1000000"}));

}  // namespace
}  // namespace frontier::coordinator
