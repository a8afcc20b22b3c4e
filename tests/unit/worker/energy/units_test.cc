#include "worker/energy/units.h"

#include <type_traits>

#include "gtest/gtest.h"

namespace frontier::worker {
namespace {

template <typename A, typename B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <typename A, typename B>
concept Multipliable = requires(A a, B b) {
  a* b;
};

TEST(UnitsTest, AKilowattForAnHourIsAKilowattHour) {
  const Joules energy = Watts(1000) * Seconds(3600);
  EXPECT_DOUBLE_EQ(energy.value(), 3.6e6);
  EXPECT_DOUBLE_EQ(ToKilowattHours(energy).value(), 1.0);
}

TEST(UnitsTest, GramsPerKilowattHourAreKilogramsPerMegawattHour) {
  const Grams of_one_megawatt_hour = KilowattHours(1000) * GramsPerKwh(400);
  EXPECT_DOUBLE_EQ(of_one_megawatt_hour.value() / 1000, 400);  // kilograms
}

TEST(UnitsTest, DurationsBecomeSeconds) {
  EXPECT_DOUBLE_EQ(ToSeconds(absl::Milliseconds(1500)).value(), 1.5);
}

TEST(UnitsTest, DifferentUnitsDoNotMix) {
  static_assert(!Addable<Joules, Watts>);
  static_assert(!Addable<Grams, GramsPerKwh>);
  static_assert(!Multipliable<Joules, GramsPerKwh>);
  static_assert(!Multipliable<Watts, Watts>);
  static_assert(!std::is_convertible_v<double, Joules>);
  EXPECT_LT(Watts(1), Watts(2));
}

}  // namespace
}  // namespace frontier::worker
