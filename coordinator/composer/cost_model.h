// What a network costs to run or train, as a function of what is counted on its graph.
#ifndef FRONTIER_COORDINATOR_COMPOSER_COST_MODEL_H_
#define FRONTIER_COORDINATOR_COMPOSER_COST_MODEL_H_

#include <array>
#include <map>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "common/architecture/graph.h"

namespace frontier::coordinator {

// What a limit may be about. The first two are counted, the others known only from running.
enum class Cost {
  kParameters,   // trained weights
  kMacs,         // per sample
  kLatencyMs,    // milliseconds, batch 1
  kEnergyJ,      // joules of a trial
  kCo2G,         // grams of a trial
  kCpuSeconds,   // of a trial
  kWallSeconds,  // of a trial
  kMemoryBytes,  // resident memory of a trial at its peak
};

// "latency_ms"
std::string CostName(Cost cost);
bool IsCounted(Cost cost);

// Counted on a graph, for one sample.
struct NetworkSize {
  double layers = 0;  // convolutions and linear layers
  double parameters = 0;
  double macs = 0;
  double activation_bytes = 0;  // f32 outputs of all layers
};
NetworkSize SizeOf(const GraphCosts& costs);

// A network that has run.
struct CostSample {
  NetworkSize size;
  double value = 0;
};

// Sum of at most two of a few features with coefficients that are not negative:
//   latency               layers, MACs, activation bytes
//   memory                1, activation bytes, parameters
//   energy, CO2, seconds  1, MACs, activation bytes
// (batch size and epochs are the same in all trials of a job, so they are in the coefficients).
// Immutable.
class CostModel {
 public:
  // Least squares of the relative errors. Of all sets of features the one that errs least when each
  // sample is predicted from the others. Samples whose value is not above 0 are left out; nothing
  // if none is left.
  static std::optional<CostModel> Fit(Cost cost, absl::Span<const CostSample> samples);

  double Predict(const NetworkSize& size) const;
  // Largest relative error of a sample predicted from the others, at most 0.5; 0.5 for a single
  // sample.
  double spread() const { return spread_; }

 private:
  using Features = std::array<double, 3>;
  CostModel(Cost cost, const Features& coefficients, double spread)
      : cost_(cost), coefficients_(coefficients), spread_(spread) {}

  Cost cost_;
  Features coefficients_;
  double spread_;
};

using CostModels = std::map<Cost, CostModel>;

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_COMPOSER_COST_MODEL_H_
