// Energy and CO2 of an attempt from the time it took, where no power sensor is read. Every figure
// says that it comes from a model, from which, and how far off it may be.
#ifndef FRONTIER_WORKER_ENERGY_ENERGY_MODEL_H_
#define FRONTIER_WORKER_ENERGY_ENERGY_MODEL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "frontier/v1/measurement.pb.h"
#include "worker/energy/units.h"

namespace frontier::worker {

struct EnergyOptions {
  // Power of the whole machine idle and with all cores busy, as its operator measured it; both or
  // neither. With them the method is "model-calibrated", without "model-default".
  std::optional<Watts> idle_power = std::nullopt;
  std::optional<Watts> full_power = std::nullopt;
  // Cores of the whole machine, over which the calibrated power is spread; at least 1.
  int machine_cores = 1;
  // Carbon intensity of the electricity. Absent = the world average, marked as such.
  std::optional<GramsPerKwh> carbon_intensity = std::nullopt;
  // Power usage effectiveness: energy of the facility over energy of the machine, at least 1.
  // Enters CO2, once; joules stay those of the machine.
  double pue = 1.0;
};

// What an attempt used.
struct ResourceUse {
  Seconds cpu = Seconds(0);   // user and system time of its processes
  Seconds wall = Seconds(0);  // elapsed
  int reserved_cores = 1;
};

struct EnergyEstimate {
  v1::Measurement energy;  // ENERGY_J
  v1::Measurement co2;     // CO2_G
};

// Immutable, so thread-safe.
class EnergyModel {
 public:
  // INVALID_ARGUMENT names the value: only one of the two powers, full not above idle, negative or
  // non-finite figures, no cores, a PUE below 1.
  static absl::StatusOr<EnergyModel> Create(const EnergyOptions& options);

  // E = idle power per core x reserved cores x wall time + dynamic power per core x CPU time: idle
  // power goes by what is reserved, dynamic power by what is used.
  EnergyEstimate Estimate(const ResourceUse& use) const;

  // One line for the log: method, watts per core, intensity and its source, PUE.
  std::string Describe() const;

 private:
  EnergyModel() = default;

  Watts idle_per_core_;
  Watts dynamic_per_core_;
  double low_factor_ = 1;
  double high_factor_ = 1;
  std::string method_;
  std::string reason_;
  GramsPerKwh intensity_;
  GramsPerKwh intensity_low_;
  GramsPerKwh intensity_high_;
  std::string intensity_source_;
  double pue_ = 1;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENERGY_ENERGY_MODEL_H_
