#include "coordinator/storage/sqlite/names.h"

#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

TEST(NamesTest, AreLowerCaseWithoutPrefix) {
  EXPECT_EQ(StateName(v1::JOB_STATE_DRAINING), "draining");
  EXPECT_EQ(StateName(v1::TRIAL_STATE_SUCCEEDED), "succeeded");
  EXPECT_EQ(StateName(v1::ATTEMPT_STATE_LOST), "lost");
  EXPECT_EQ(CauseName(v1::FAILURE_CAUSE_OUT_OF_MEMORY), "out_of_memory");
  EXPECT_EQ(MetricName(v1::METRIC_LATENCY_MS), "latency_ms");
  EXPECT_EQ(StateName(static_cast<v1::JobState>(77)), "77");
}

TEST(NamesTest, KindsComeBack) {
  for (int kind = v1::EventKind_MIN; kind <= v1::EventKind_MAX; ++kind) {
    const auto value = static_cast<v1::EventKind>(kind);
    EXPECT_EQ(ParseKind(KindName(value)), value);
  }
  EXPECT_EQ(ParseKind("99"), static_cast<v1::EventKind>(99));
  EXPECT_EQ(ParseKind("no such kind"), v1::EVENT_KIND_UNSPECIFIED);
}

TEST(NamesTest, EveryMetricHasAUnit) {
  EXPECT_EQ(MetricUnit(v1::METRIC_ACCURACY), "1");
  EXPECT_EQ(MetricUnit(v1::METRIC_LATENCY_MS), "ms");
  EXPECT_EQ(MetricUnit(v1::METRIC_ENERGY_J), "J");
  EXPECT_EQ(MetricUnit(v1::METRIC_CO2_G), "g");
  EXPECT_EQ(MetricUnit(v1::METRIC_WALL_SECONDS), "s");
  EXPECT_EQ(MetricUnit(v1::METRIC_LOSS), "nat");
}

}  // namespace
}  // namespace frontier::coordinator
