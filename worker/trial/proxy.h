// Scores of untrained networks that foretell how well they will be.
#ifndef FRONTIER_WORKER_TRIAL_PROXY_H_
#define FRONTIER_WORKER_TRIAL_PROXY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/data/dataset.h"
#include "frontier/v1/early_stopping.pb.h"
#include "frontier/v1/model.pb.h"

namespace frontier::worker {

struct ProxyOptions {
  int threads = 1;
  int64_t memory_bytes = 0;  // the process may have; 0 = no limit
};

// "naswot", "synflow", "gradient_norm"
absl::string_view ProxyName(v1::Proxy proxy);

// The score of `model`, which is as training would begin with it; more is better, on a scale of the
// proxy's own. Goes by the first of `indices` into `samples`, a batch of at most 64, normalized as
// the model says:
//  - naswot: log |det K|, K_ij the number of rectifiers that are on or off alike for samples i, j
//    (Mellor et al. 2021, section 3);
//  - synflow: log of the sum of |w dR/dw| over all weights, R the sum of the outputs for an input
//    of ones with |w| in the place of w, without batch norm, rectifiers as identities (Tanaka et
//    al. 2020, equation 1, on the network of Abdelfattah et al. 2021). So that deep networks stay
//    within a double the input is 1e-200, by which R is divided: a gate (sigmoid, hard sigmoid)
//    then counts as one half, and a product of two maps as nothing, so that a network whose outputs
//    are all such products has no score. Needs no sample;
//  - gradient_norm: the sum over the weight tensors of the norm of the loss's gradient (Abdelfattah
//    et al. 2021, section 3.1).
// OUT_OF_RANGE if the score is not finite; FAILED_PRECONDITION for naswot of a network without
// rectifiers; INVALID_ARGUMENT for an unknown proxy; other errors as TrainingPlan::Create and Step,
// and RESOURCE_EXHAUSTED beyond `memory_bytes`.
absl::StatusOr<double> ScoreUntrained(v1::Proxy proxy, const v1::Model& model,
                                      const Samples& samples, absl::Span<const int32_t> indices,
                                      const ProxyOptions& options);

// log |det K| of the codes of some samples, all of one length: bit by bit whether a rectifier is
// on.
double LogDeterminant(absl::Span<const std::vector<bool>> codes);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_PROXY_H_
