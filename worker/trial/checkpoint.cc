#include "worker/trial/checkpoint.h"

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/serialize.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "worker/engine/inference_plan.h"

namespace frontier::worker {
namespace {

absl::StatusOr<std::string> Bytes(const v1::Checkpoint& checkpoint, const std::string& path) {
  return SerializeDeterministically(checkpoint, absl::StrCat("checkpoint '", path, "'"));
}

absl::StatusOr<std::string> DigestOf(const v1::Checkpoint& checkpoint, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, Bytes(checkpoint, path));
  return Sha256Hex(bytes);
}

}  // namespace

absl::Status WriteCheckpoint(const std::string& path, v1::Checkpoint checkpoint) {
  checkpoint.clear_digest();
  ASSIGN_OR_RETURN(*checkpoint.mutable_digest(), DigestOf(checkpoint, path));
  ASSIGN_OR_RETURN(const std::string bytes, Bytes(checkpoint, path));
  return WriteFileAtomically(path, bytes);
}

absl::StatusOr<v1::Checkpoint> ReadCheckpoint(const std::string& path) {
  v1::Checkpoint checkpoint;
  {
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
    if (!checkpoint.ParseFromString(bytes)) {
      return absl::DataLossError(absl::StrCat("'", path, "' is no checkpoint"));
    }
  }
  const std::string digest = checkpoint.digest();
  checkpoint.clear_digest();
  ASSIGN_OR_RETURN(const std::string found, DigestOf(checkpoint, path));
  if (digest != found) {
    return absl::DataLossError(absl::StrCat("checkpoint '", path, "' differs from its digest"));
  }
  return checkpoint;
}

v1::Checkpoint CheckpointOf(const v1::TrialProcessInput& input, int threads,
                            const std::string& dataset_sha256) {
  const v1::TrialTask& task = input.task();
  v1::Checkpoint checkpoint;
  *checkpoint.mutable_architecture() = task.architecture();
  *checkpoint.mutable_dataset() = task.dataset();
  *checkpoint.mutable_training() = task.training();
  if (task.has_inheritance()) *checkpoint.mutable_inheritance() = task.inheritance();
  checkpoint.set_seed(task.seed());
  checkpoint.set_threads(threads);
  checkpoint.set_version(std::string(ProductVersion()));
  checkpoint.set_library(EngineDescription());
  checkpoint.set_hardware_class(input.hardware_class());
  checkpoint.set_dataset_sha256(dataset_sha256);
  return checkpoint;
}

bool SameTraining(const v1::Checkpoint& a, const v1::Checkpoint& b) {
  // Earlier releases did not say what data they read.
  const bool same_data = a.dataset_sha256().empty() || b.dataset_sha256().empty() ||
                         a.dataset_sha256() == b.dataset_sha256();
  return same_data &&
         a.architecture().SerializeAsString() == b.architecture().SerializeAsString() &&
         a.dataset().SerializeAsString() == b.dataset().SerializeAsString() &&
         a.training().SerializeAsString() == b.training().SerializeAsString() &&
         a.inheritance().SerializeAsString() == b.inheritance().SerializeAsString() &&
         a.seed() == b.seed();
}

bool SameTask(const v1::Checkpoint& a, const v1::Checkpoint& b) {
  return SameTraining(a, b) && a.threads() == b.threads() && a.version() == b.version() &&
         a.library() == b.library() && a.hardware_class() == b.hardware_class();
}

}  // namespace frontier::worker
