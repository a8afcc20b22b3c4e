#include "coordinator/core/search_context.h"

#include <utility>

#include "absl/status/statusor.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "coordinator/space/candidate.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {

std::optional<Candidate> AdmitCandidate(const v1::JobSpec& spec, const Space& space,
                                        const absl::flat_hash_set<std::string>& taken,
                                        const v1::Genotype& genotype) {
  absl::StatusOr<v1::Architecture> architecture = space.Lower(genotype);
  if (!architecture.ok()) return std::nullopt;
  const absl::StatusOr<GraphCosts> costs = AnalyzeGraph(*architecture);
  if (!costs.ok()) return std::nullopt;
  if (!MeetsAnalyticConstraints(spec, costs->parameters, costs->macs)) return std::nullopt;
  absl::StatusOr<std::string> hash = CanonicalHash(*architecture, *costs);
  if (!hash.ok()) return std::nullopt;
  *hash = CandidateHash(space, genotype, *hash);
  if (taken.contains(*hash)) return std::nullopt;
  Candidate candidate;
  candidate.genotype = genotype;
  candidate.architecture = *std::move(architecture);
  candidate.hash = *std::move(hash);
  candidate.parameters = costs->parameters;
  candidate.macs = costs->macs;
  return candidate;
}

std::optional<Candidate> JobSearchContext::Admit(const v1::Genotype& genotype) const {
  if (lent_.spec.strategy().allow_repeats()) {
    return AdmitCandidate(lent_.spec, lent_.space, {}, genotype);
  }
  return AdmitCandidate(lent_.spec, lent_.space, lent_.taken, genotype);
}

}  // namespace frontier::coordinator
