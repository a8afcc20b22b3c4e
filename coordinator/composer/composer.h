// Composes a search space from the data and the limits of a job.
//
// Pure functions: the same arguments give the same answer, random samples included. A call looks at
// some hundred networks, where limits are hard to meet at some thousand.
#ifndef FRONTIER_COORDINATOR_COMPOSER_COMPOSER_H_
#define FRONTIER_COORDINATOR_COMPOSER_COMPOSER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "coordinator/composer/cost_model.h"
#include "coordinator/composer/outline.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

struct CostLimit {
  Cost cost = Cost::kParameters;
  double most = 0;    // in the unit of the cost
  std::string field;  // of the job that says so: "constraints[0].bound"
  // Every trial has it: it is told of only where it makes networks smaller, and no network is run
  // for its sake.
  bool incidental = false;
};

// The space of the largest scale that the data is worth and at which at least 95 % of random
// networks meet all limits: counted ones exactly, others as `models` predict, with the model's
// spread on top. A limit on wall time without a model is met by an assumed rate; another one
// without a model is left out. If fewer meet the limits even at the smallest scale, that is taken.
// All but `probing`, `probes` and `version` is filled in. INVALID_ARGUMENT (reason INVALID_FIELD,
// the limit's field) if none does, with the least value; or as CreateStagedSpace for data that has
// no networks.
absl::StatusOr<v1::Composition> Compose(const DataFacts& facts, absl::Span<const CostLimit> limits,
                                        const CostModels& models);

// Up to `count` different networks to fit models to, from small ones to the largest that counted
// limits and the data allow: at scales evenly apart the one of median MACs among a few. Empty if
// counted limits leave nothing. Errors as Compose.
absl::StatusOr<std::vector<v1::Architecture>> ChooseProbes(const DataFacts& facts,
                                                           absl::Span<const CostLimit> limits,
                                                           int count);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_COMPOSER_COMPOSER_H_
