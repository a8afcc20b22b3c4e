// What makes a point of a space a candidate of its own.
#ifndef FRONTIER_COORDINATOR_SPACE_CANDIDATE_H_
#define FRONTIER_COORDINATOR_SPACE_CANDIDATE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Identity of the candidate of `genotype`, one of `space`: the hash of its architecture, hex, or a
// digest over that, its precision unless f32, and its hyperparameters. Equal for two candidates
// exactly if they are the same network, trained alike, used in the same numbers; the weights they
// begin with do not count.
std::string CandidateHash(const Space& space, const v1::Genotype& genotype,
                          absl::string_view architecture_hash);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_CANDIDATE_H_
