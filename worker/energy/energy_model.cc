#include "worker/energy/energy_model.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace frontier::worker {
namespace {

// Package power of one busy core of an unknown CPU. Tools in use assume 4 W per thread (CodeCarbon)
// to 12 W per core (Green Algorithms, Lannelongue et al. 2021); this is their geometric mean,
// rounded, and the interval of x0.5 to x2 spans both.
constexpr Watts kDefaultBusyCore(7.0);
// Share of it that is drawn idle: power over load as a straight line, 0.15 + 0.65 x load of TDP,
// fitted to four measured CPUs (CodeCarbon's load profiles).
constexpr double kDefaultIdleShare = 0.15 / (0.15 + 0.65);
constexpr double kDefaultLowFactor = 0.5;
constexpr double kDefaultHighFactor = 2.0;

// A straight line between measured idle and full power, against the same four CPUs: at least 90 %
// of the points of each CPU lie between these multiples of the line.
constexpr double kCalibratedLowFactor = 0.5;
constexpr double kCalibratedHighFactor = 1.95;

// World average of electricity (published averages: 436 to 475). A place nobody named may lie
// anywhere: the interval is the 5th to the 95th percentile of 213 countries' yearly averages (Our
// World in Data, carbon intensity of electricity; Ember; Energy Institute; 2022 to 2024).
constexpr GramsPerKwh kWorldIntensity(475.0);
constexpr GramsPerKwh kWorldIntensityLow(37.0);
constexpr GramsPerKwh kWorldIntensityHigh(784.0);

absl::Status CheckFigure(absl::string_view name, double value, double least) {
  if (std::isfinite(value) && value >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is %g; it must be a number of at least %g", name, value, least));
}

}  // namespace

absl::StatusOr<EnergyModel> EnergyModel::Create(const EnergyOptions& options) {
  if (options.machine_cores < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("machine cores is ", options.machine_cores, "; it must be at least 1"));
  }
  if (absl::Status status = CheckFigure("PUE", options.pue, 1); !status.ok()) return status;
  EnergyModel model;
  model.pue_ = options.pue;
  if (options.idle_power.has_value() != options.full_power.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.idle_power.has_value() ? "idle" : "full", " watts are given but not ",
        options.idle_power.has_value() ? "full" : "idle", " watts; a calibration needs both"));
  }
  if (options.idle_power.has_value()) {
    const Watts idle = *options.idle_power;
    const Watts full = *options.full_power;
    absl::Status status = CheckFigure("idle watts", idle.value(), 0);
    if (status.ok()) status = CheckFigure("full watts", full.value(), 0);
    if (!status.ok()) return status;
    if (full <= idle) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "full watts (%g) must be above idle watts (%g)", full.value(), idle.value()));
    }
    model.idle_per_core_ = idle / options.machine_cores;
    model.dynamic_per_core_ = (full - idle) / options.machine_cores;
    model.low_factor_ = kCalibratedLowFactor;
    model.high_factor_ = kCalibratedHighFactor;
    model.method_ = "model-calibrated";
    model.reason_ = "no power sensor is read";
  } else {
    model.idle_per_core_ = kDefaultBusyCore * kDefaultIdleShare;
    model.dynamic_per_core_ = kDefaultBusyCore - model.idle_per_core_;
    model.low_factor_ = kDefaultLowFactor;
    model.high_factor_ = kDefaultHighFactor;
    model.method_ = "model-default";
    model.reason_ = "no power sensor is read and the machine's idle and full watts are not given";
  }
  if (options.carbon_intensity.has_value()) {
    const GramsPerKwh intensity = *options.carbon_intensity;
    absl::Status status = CheckFigure("carbon g/kWh", intensity.value(), 0);
    if (!status.ok()) return status;
    model.intensity_ = model.intensity_low_ = model.intensity_high_ = intensity;
    model.intensity_source_ = "operator";
  } else {
    model.intensity_ = kWorldIntensity;
    model.intensity_low_ = kWorldIntensityLow;
    model.intensity_high_ = kWorldIntensityHigh;
    model.intensity_source_ = "world-default";
  }
  return model;
}

EnergyEstimate EnergyModel::Estimate(const ResourceUse& use) const {
  const Joules energy =
      idle_per_core_ * use.reserved_cores * use.wall + dynamic_per_core_ * use.cpu;
  const Joules low = energy * low_factor_;
  const Joules high = energy * high_factor_;
  EnergyEstimate estimate;
  estimate.energy.set_metric(v1::METRIC_ENERGY_J);
  estimate.energy.set_value(energy.value());
  estimate.energy.set_low(low.value());
  estimate.energy.set_high(high.value());
  estimate.energy.set_method(method_);
  estimate.energy.set_reason(reason_);

  const auto co2 = [this](Joules joules, GramsPerKwh intensity) {
    return (ToKilowattHours(joules * pue_) * intensity).value();
  };
  estimate.co2.set_metric(v1::METRIC_CO2_G);
  estimate.co2.set_value(co2(energy, intensity_));
  estimate.co2.set_low(co2(low, intensity_low_));
  estimate.co2.set_high(co2(high, intensity_high_));
  estimate.co2.set_method(absl::StrCat(method_, ", ", intensity_source_));
  estimate.co2.set_reason(
      intensity_source_ == "operator"
          ? reason_
          : absl::StrCat(reason_, "; the place's carbon intensity is not given"));
  return estimate;
}

std::string EnergyModel::Describe() const {
  return absl::StrFormat(
      "energy by %s: %.3g W idle + %.3g W busy per core; CO2 at %.4g g/kWh (%s), PUE %.3g", method_,
      idle_per_core_.value(), dynamic_per_core_.value(), intensity_.value(), intensity_source_,
      pue_);
}

}  // namespace frontier::worker
