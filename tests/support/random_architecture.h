// Random valid architectures, and ways to write one architecture differently.
#ifndef FRONTIER_TESTS_SUPPORT_RANDOM_ARCHITECTURE_H_
#define FRONTIER_TESTS_SUPPORT_RANDOM_ARCHITECTURE_H_

#include "common/base/random.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::testing {

// Convolutions, norms, ReLU, pools, additions and concatenations; or every operator there is.
enum class OperatorSet { kBasic, kAll };

// About `layers` layers between input (4 x 8 x 8) and classifier (3 classes). Some of its nodes may
// not reach the output.
v1::Architecture RandomArchitecture(int layers, Rng* rng,
                                    OperatorSet operators = OperatorSet::kBasic);

// The same graph with its nodes in another topological order, renamed, the inputs of additions
// and products shuffled.
v1::Architecture Renumbered(const v1::Architecture& architecture, Rng* rng);

// The same function: identities put on some edges, and nodes added that nothing reads.
v1::Architecture Padded(const v1::Architecture& architecture, Rng* rng);

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_RANDOM_ARCHITECTURE_H_
