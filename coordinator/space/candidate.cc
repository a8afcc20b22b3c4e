#include "coordinator/space/candidate.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"

namespace frontier::coordinator {

// Stored: a change of these forms needs a new number in the first line, and a migration.
std::string CandidateHash(const Space& space, const v1::Genotype& genotype,
                          absl::string_view architecture_hash) {
  std::string hash(architecture_hash);
  const v1::InferencePrecision precision = space.PrecisionOf(genotype);
  if (precision > v1::INFERENCE_PRECISION_F32) {
    hash = Sha256Hex(absl::StrCat(hash, " ", v1::InferencePrecision_Name(precision)));
  }
  const std::vector<v1::HyperparameterValue> values = space.HyperparameterValues(genotype);
  if (values.empty()) return hash;
  std::string text = absl::StrCat("candidate 1\n", hash, "\n");
  for (const v1::HyperparameterValue& value : values) {
    absl::StrAppend(&text, value.name(), "=", value.value(), "\n");
  }
  return Sha256Hex(text);
}

}  // namespace frontier::coordinator
