// Whether two figures put things in the same order.
#ifndef FRONTIER_COORDINATOR_STOPPING_RANK_CORRELATION_H_
#define FRONTIER_COORDINATOR_STOPPING_RANK_CORRELATION_H_

#include <utility>

#include "absl/types/span.h"

namespace frontier::coordinator {

// Spearman's coefficient: the correlation of the ranks, -1 to 1; equal values share the mean of
// their ranks. 0 if there are fewer than two pairs, or all values of one side are equal. Values are
// finite.
double RankCorrelation(absl::Span<const std::pair<double, double>> pairs);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STOPPING_RANK_CORRELATION_H_
