#include "coordinator/core/search_context.h"

#include <utility>

#include "absl/status/statusor.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "coordinator/space/candidate.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {

std::optional<Candidate> JobSearchContext::Admit(const v1::Genotype& genotype) const {
  absl::StatusOr<v1::Architecture> architecture = space_.Lower(genotype);
  if (!architecture.ok()) return std::nullopt;
  const absl::StatusOr<GraphCosts> costs = AnalyzeGraph(*architecture);
  if (!costs.ok()) return std::nullopt;
  if (!MeetsAnalyticConstraints(spec_, costs->parameters, costs->macs)) return std::nullopt;
  absl::StatusOr<std::string> hash = CanonicalHash(*architecture, *costs);
  if (!hash.ok()) return std::nullopt;
  *hash = CandidateHash(space_, genotype, *hash);
  if (taken_.contains(*hash)) return std::nullopt;
  Candidate candidate;
  candidate.genotype = genotype;
  candidate.architecture = *std::move(architecture);
  candidate.hash = *std::move(hash);
  candidate.parameters = costs->parameters;
  candidate.macs = costs->macs;
  return candidate;
}

}  // namespace frontier::coordinator
