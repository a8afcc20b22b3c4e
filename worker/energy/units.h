// Physical quantities that cannot be mixed up. The unit is the type; the value is a double.
#ifndef FRONTIER_WORKER_ENERGY_UNITS_H_
#define FRONTIER_WORKER_ENERGY_UNITS_H_

#include <compare>

#include "absl/time/time.h"

namespace frontier::worker {

template <typename Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}

  constexpr double value() const { return value_; }
  constexpr auto operator<=>(const Quantity&) const = default;

  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.value_ + b.value_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.value_ - b.value_);
  }
  friend constexpr Quantity operator*(Quantity a, double factor) {
    return Quantity(a.value_ * factor);
  }
  friend constexpr Quantity operator*(double factor, Quantity a) { return a * factor; }
  friend constexpr Quantity operator/(Quantity a, double divisor) {
    return Quantity(a.value_ / divisor);
  }

 private:
  double value_ = 0;
};

using Joules = Quantity<struct JoulesTag>;
using Watts = Quantity<struct WattsTag>;
using Seconds = Quantity<struct SecondsTag>;
using KilowattHours = Quantity<struct KilowattHoursTag>;
using Grams = Quantity<struct GramsTag>;              // of CO2 equivalent
using GramsPerKwh = Quantity<struct GramsPerKwhTag>;  // of CO2 equivalent; equal to kg/MWh

inline constexpr double kJoulesPerKilowattHour = 3.6e6;

constexpr Joules operator*(Watts power, Seconds time) {
  return Joules(power.value() * time.value());
}
constexpr KilowattHours ToKilowattHours(Joules energy) {
  return KilowattHours(energy.value() / kJoulesPerKilowattHour);
}
constexpr Grams operator*(KilowattHours energy, GramsPerKwh intensity) {
  return Grams(energy.value() * intensity.value());
}
inline Seconds ToSeconds(absl::Duration duration) {
  return Seconds(absl::ToDoubleSeconds(duration));
}

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENERGY_UNITS_H_
