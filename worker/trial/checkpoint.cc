#include "worker/trial/checkpoint.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

std::string Bytes(const v1::Checkpoint& checkpoint) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  checkpoint.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

absl::Status WriteCheckpoint(const std::string& path, v1::Checkpoint checkpoint) {
  checkpoint.clear_digest();
  checkpoint.set_digest(Sha256Hex(Bytes(checkpoint)));
  return WriteFileAtomically(path, Bytes(checkpoint));
}

absl::StatusOr<v1::Checkpoint> ReadCheckpoint(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  v1::Checkpoint checkpoint;
  if (!checkpoint.ParseFromString(bytes)) {
    return absl::DataLossError(absl::StrCat("'", path, "' is no checkpoint"));
  }
  const std::string digest = checkpoint.digest();
  checkpoint.clear_digest();
  if (digest != Sha256Hex(Bytes(checkpoint))) {
    return absl::DataLossError(absl::StrCat("checkpoint '", path, "' differs from its digest"));
  }
  return checkpoint;
}

bool SameTraining(const v1::Checkpoint& a, const v1::Checkpoint& b) {
  return a.architecture().SerializeAsString() == b.architecture().SerializeAsString() &&
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
