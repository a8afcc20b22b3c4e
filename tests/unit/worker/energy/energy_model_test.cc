#include "worker/energy/energy_model.h"

#include <limits>

#include "tests/support/status_matchers.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

EnergyEstimate EstimateWith(const EnergyOptions& options, const ResourceUse& use) {
  const absl::StatusOr<EnergyModel> model = EnergyModel::Create(options);
  EXPECT_OK(model);
  return model->Estimate(use);
}

TEST(EnergyModelTest, ABusyCoreDrawsSevenWattsByDefault) {
  const EnergyEstimate estimate =
      EstimateWith({}, {.cpu = Seconds(100), .wall = Seconds(100), .reserved_cores = 1});
  EXPECT_EQ(estimate.energy.metric(), v1::METRIC_ENERGY_J);
  EXPECT_DOUBLE_EQ(estimate.energy.value(), 700);
  EXPECT_DOUBLE_EQ(estimate.energy.low(), 350);
  EXPECT_DOUBLE_EQ(estimate.energy.high(), 1400);
  EXPECT_EQ(estimate.energy.method(), "model-default");
  EXPECT_THAT(estimate.energy.reason(), HasSubstr("no power sensor is read"));
}

TEST(EnergyModelTest, DefaultIntervalSpansTheConstantsInUseElsewhere) {
  const EnergyEstimate estimate =
      EstimateWith({}, {.cpu = Seconds(1), .wall = Seconds(1), .reserved_cores = 1});
  EXPECT_LE(estimate.energy.low(), 4);    // W per thread
  EXPECT_GE(estimate.energy.high(), 12);  // W per core
}

TEST(EnergyModelTest, AReservedIdleCoreDrawsItsIdleShare) {
  const EnergyEstimate estimate =
      EstimateWith({}, {.cpu = Seconds(0), .wall = Seconds(100), .reserved_cores = 2});
  EXPECT_DOUBLE_EQ(estimate.energy.value(), 2 * 100 * 7.0 * 0.15 / 0.80);  // 262.5 J
}

TEST(EnergyModelTest, CalibratedPowerIsSplitByReservedCoresAndCpuTime) {
  // A node of 4 cores, 40 W idle, 100 W full; two trials reserve half of it each for 1 s and
  // share all CPU time 3 to 1.
  const EnergyOptions options = {
      .idle_power = Watts(40), .full_power = Watts(100), .machine_cores = 4};
  const EnergyEstimate first =
      EstimateWith(options, {.cpu = Seconds(3), .wall = Seconds(1), .reserved_cores = 2});
  const EnergyEstimate second =
      EstimateWith(options, {.cpu = Seconds(1), .wall = Seconds(1), .reserved_cores = 2});
  EXPECT_DOUBLE_EQ(first.energy.value(), 65);
  EXPECT_DOUBLE_EQ(second.energy.value(), 35);
  EXPECT_EQ(first.energy.method(), "model-calibrated");
  EXPECT_EQ(first.energy.reason(), "no power sensor is read");
  EXPECT_DOUBLE_EQ(first.energy.low(), 32.5);
  EXPECT_DOUBLE_EQ(first.energy.high(), 126.75);
}

TEST(EnergyModelTest, WorldDefaultIntensityIsMarked) {
  // 3.6e6 J = 1 kWh.
  const EnergyEstimate estimate =
      EstimateWith({.idle_power = Watts(0), .full_power = Watts(1000)},
                   {.cpu = Seconds(3600), .wall = Seconds(3600), .reserved_cores = 1});
  EXPECT_DOUBLE_EQ(estimate.energy.value(), 3.6e6);
  EXPECT_EQ(estimate.co2.metric(), v1::METRIC_CO2_G);
  EXPECT_DOUBLE_EQ(estimate.co2.value(), 475);
  EXPECT_DOUBLE_EQ(estimate.co2.low(), 0.5 * 37);
  EXPECT_DOUBLE_EQ(estimate.co2.high(), 1.95 * 784);
  EXPECT_EQ(estimate.co2.method(), "model-calibrated, world-default");
  EXPECT_THAT(estimate.co2.reason(), HasSubstr("carbon intensity is not given"));
}

TEST(EnergyModelTest, OperatorsIntensityAddsNoUncertainty) {
  const EnergyEstimate estimate = EstimateWith(
      {.idle_power = Watts(0), .full_power = Watts(1000), .carbon_intensity = GramsPerKwh(100)},
      {.cpu = Seconds(3600), .wall = Seconds(3600), .reserved_cores = 1});
  EXPECT_DOUBLE_EQ(estimate.co2.value(), 100);
  EXPECT_DOUBLE_EQ(estimate.co2.low(), 50);
  EXPECT_DOUBLE_EQ(estimate.co2.high(), 195);
  EXPECT_EQ(estimate.co2.method(), "model-calibrated, operator");
}

TEST(EnergyModelTest, PueEntersCo2OnceAndJoulesNever) {
  const EnergyEstimate estimate =
      EstimateWith({.idle_power = Watts(0),
                    .full_power = Watts(1000),
                    .carbon_intensity = GramsPerKwh(100),
                    .pue = 1.5},
                   {.cpu = Seconds(3600), .wall = Seconds(3600), .reserved_cores = 1});
  EXPECT_DOUBLE_EQ(estimate.energy.value(), 3.6e6);
  EXPECT_DOUBLE_EQ(estimate.co2.value(), 150);
}

TEST(EnergyModelTest, NothingUsedIsNothing) {
  const EnergyEstimate estimate = EstimateWith({}, {});
  EXPECT_EQ(estimate.energy.value(), 0);
  EXPECT_EQ(estimate.co2.high(), 0);
}

TEST(EnergyModelTest, RefusesWhatMakesNoSense) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(EnergyModel::Create({.idle_power = Watts(10)}),
              StatusIs(kInvalid, HasSubstr("needs both")));
  EXPECT_THAT(EnergyModel::Create({.full_power = Watts(10)}),
              StatusIs(kInvalid, HasSubstr("needs both")));
  EXPECT_THAT(EnergyModel::Create({.idle_power = Watts(10), .full_power = Watts(10)}),
              StatusIs(kInvalid, AllOf(HasSubstr("full watts (10)"), HasSubstr("(10)"))));
  EXPECT_THAT(EnergyModel::Create({.idle_power = Watts(-1), .full_power = Watts(10)}),
              StatusIs(kInvalid, HasSubstr("idle watts is -1")));
  EXPECT_THAT(EnergyModel::Create({.machine_cores = 0}),
              StatusIs(kInvalid, HasSubstr("machine cores is 0")));
  EXPECT_THAT(EnergyModel::Create({.carbon_intensity = GramsPerKwh(-3)}),
              StatusIs(kInvalid, HasSubstr("-3")));
  EXPECT_THAT(EnergyModel::Create({.pue = 0.9}), StatusIs(kInvalid, HasSubstr("PUE is 0.9")));
  EXPECT_THAT(EnergyModel::Create({.pue = std::numeric_limits<double>::quiet_NaN()}),
              StatusIs(kInvalid, HasSubstr("nan")));
}

TEST(EnergyModelTest, DescribesItselfForTheLog) {
  ASSERT_OK_AND_ASSIGN(const EnergyModel model, EnergyModel::Create({}));
  EXPECT_EQ(model.Describe(),
            "energy by model-default: 1.31 W idle + 5.69 W busy per core; CO2 at 475 g/kWh "
            "(world-default), PUE 1");
}

}  // namespace
}  // namespace frontier::worker
