// What genotypes over a list of decisions have in common, however they are counted.
#ifndef FRONTIER_COORDINATOR_SPACE_DECISIONS_H_
#define FRONTIER_COORDINATOR_SPACE_DECISIONS_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Conditions name earlier decisions; their options are ascending.
using Decisions = std::vector<Decision>;

// That there is an option for each decision, of those it has. INVALID_ARGUMENT names the decision
// and the option that does not exist.
absl::Status CheckOptions(const Decisions& decisions, const v1::Genotype& genotype);

// For a genotype that passes: the first condition of `decision` that does not hold; null if it is
// active. `active` is right for all earlier decisions.
const Condition* UnmetCondition(const Decisions& decisions, size_t decision,
                                const v1::Genotype& genotype, const std::vector<bool>& active);

// By decision: whether it is active.
std::vector<bool> ActiveDecisions(const Decisions& decisions, const v1::Genotype& genotype);

// CheckOptions, and that the inactive decisions have option 0: INVALID_ARGUMENT names the one that
// has another, and the condition that says it is inactive.
absl::Status CheckDecisions(const Decisions& decisions, const v1::Genotype& genotype);

// One-hot: for each option of each active decision 1 if it is taken, else 0; zeros for a genotype
// that is not `known`.
std::vector<float> OneHotFeatures(const Decisions& decisions, const v1::Genotype& genotype,
                                  bool known);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_DECISIONS_H_
