// Learning curves of a job's trials, and when a trial that is beside them ends.
#ifndef FRONTIER_COORDINATOR_STOPPING_CURVES_H_
#define FRONTIER_COORDINATOR_STOPPING_CURVES_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "frontier/v1/early_stopping.pb.h"

namespace frontier::coordinator {

// Trials that a median is taken of: the latest, so that the cost does not grow without bound.
constexpr int kMostCurves = 1000;

// Not thread-safe.
class Curves {
 public:
  explicit Curves(v1::EarlyStopping stopping) : stopping_(std::move(stopping)) {}

  // Whether anything depends on what is added.
  bool wanted() const { return stopping_.has_median() || stopping_.has_extrapolation(); }
  // Validation accuracy after each epoch of a trial that succeeded or was stopped, in the order in
  // which they ended; `whole` if it was trained by its whole recipe.
  void Add(absl::Span<const double> curve, bool whole);
  // For the next attempt to start.
  const v1::StopRule& Rule() const;

 private:
  v1::StopRule MakeRule() const;
  std::vector<double> Medians() const;

  const v1::EarlyStopping stopping_;
  std::deque<std::vector<double>> means_;     // of a curve's first 1, 2, .. epochs; of the latest
  std::vector<double> best_;                  // that ended highest
  mutable std::optional<v1::StopRule> rule_;  // of all that was added, once it was asked for
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STOPPING_CURVES_H_
