#include "worker/trial/engine_record.h"

#include "absl/strings/str_cat.h"

namespace frontier::worker {

Picks PicksOf(const PickList& list) {
  Picks picks;
  for (const v1::Pick& pick : list) picks[pick.key()] = pick.choice();
  return picks;
}

PickList ListOf(const Picks& picks) {
  PickList list;
  for (const auto& [key, choice] : picks) {
    v1::Pick* pick = list.Add();
    pick->set_key(key);
    pick->set_choice(choice);
  }
  return list;
}

std::string PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kF32:
      return "f32";
    case Precision::kMixed:
      return "mixed";
    case Precision::kAuto:
      break;
  }
  return "auto";
}

absl::StatusOr<Precision> RecordedPrecision(absl::string_view name) {
  if (name.empty() || name == "f32") return Precision::kF32;
  if (name == "mixed") return Precision::kMixed;
  return absl::InvalidArgumentError(
      absl::StrCat("precision '", name, "' is neither 'f32' nor 'mixed'"));
}

Precision PrecisionOf(v1::Precision precision) {
  switch (precision) {
    case v1::PRECISION_F32:
      return Precision::kF32;
    case v1::PRECISION_MIXED:
      return Precision::kMixed;
    default:
      return Precision::kAuto;
  }
}

}  // namespace frontier::worker
