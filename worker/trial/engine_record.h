// What the engine decides, as it is written down.
#ifndef FRONTIER_WORKER_TRIAL_ENGINE_RECORD_H_
#define FRONTIER_WORKER_TRIAL_ENGINE_RECORD_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"
#include "worker/engine/picks.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {

using PickList = google::protobuf::RepeatedPtrField<v1::Pick>;

// By key; of a key given twice the last.
Picks PicksOf(const PickList& list);
PickList ListOf(const Picks& picks);

// "f32", "mixed" or "auto".
std::string PrecisionName(Precision precision);
// Of a record: empty stands for f32, as checkpoints and records once had none. INVALID_ARGUMENT
// names what is neither "f32" nor "mixed".
absl::StatusOr<Precision> RecordedPrecision(absl::string_view name);

// What a recipe asks for; unspecified is kAuto.
Precision PrecisionOf(v1::Precision precision);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_ENGINE_RECORD_H_
