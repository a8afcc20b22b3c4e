#include "coordinator/core/search_context.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/base/sha256.h"
#include "coordinator/space/compress_space.h"
#include "coordinator/space/hyperparameters.h"
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
  // One network in other numbers is another candidate.
  const v1::InferencePrecision precision = PrecisionOf(spec_.search_space().compress(), genotype);
  if (precision > v1::INFERENCE_PRECISION_F32) {
    *hash = Sha256Hex(absl::StrCat(*hash, " ", v1::InferencePrecision_Name(precision)));
  }
  *hash = CandidateHash(*hash, space_.HyperparameterValues(genotype));
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
