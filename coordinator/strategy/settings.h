// Checks of strategies' settings. INVALID_ARGUMENT (reason INVALID_FIELD) names field and value.
#ifndef FRONTIER_COORDINATOR_STRATEGY_SETTINGS_H_
#define FRONTIER_COORDINATOR_STRATEGY_SETTINGS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace frontier::coordinator {

constexpr int kMaxPopulation = 10'000;
constexpr int kMaxSamples = 10'000;  // drawn or weighed for one proposal, or before the first

// That `value` is within [least, most], or 0 for the default.
absl::Status CheckCount(absl::string_view field, int value, int least, int most);
// That `value` is within [0, 1].
absl::Status CheckRate(absl::string_view field, double value);
// That `value` is within [0, 1).
absl::Status CheckShare(absl::string_view field, double value);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STRATEGY_SETTINGS_H_
