// What a training's course so far says of its end.
#ifndef FRONTIER_WORKER_TRIAL_LEARNING_CURVE_H_
#define FRONTIER_WORKER_TRIAL_LEARNING_CURVE_H_

#include <optional>

#include "absl/types/span.h"
#include "frontier/v1/early_stopping.pb.h"

namespace frontier::worker {

// Accuracy after `epochs` epochs, continued from those after the first `curve.size()` of them by
// the power law a - b t^-c, b >= 0, of least squares (one of the models of Domhan et al. 2015). At
// least the best so far and at most 1. `curve` is not empty.
double ForecastAccuracy(absl::Span<const double> curve, int epochs);

// Whether training that is to have `epochs` epochs ends now, by `rule`. `curve`: validation
// accuracy after each epoch so far, at least one. None after the last epoch.
std::optional<v1::EarlyStop> JudgeCurve(const v1::StopRule& rule, absl::Span<const double> curve,
                                        int epochs);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_LEARNING_CURVE_H_
