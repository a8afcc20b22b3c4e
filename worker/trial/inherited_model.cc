#include "worker/trial/inherited_model.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/model_io/inherit.h"
#include "common/model_io/model_file.h"

namespace frontier::worker {

absl::StatusOr<v1::Model> InheritedModel(const v1::Inheritance& inheritance,
                                         const std::string& parent_path,
                                         const v1::Architecture& architecture) {
  const std::string name =
      absl::StrCat("weights of job ", inheritance.job_id(), " trial ", inheritance.trial());
  if (parent_path.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " are inherited, and there is no file of them"));
  }
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(parent_path));
  if (const std::string digest = Sha256Hex(bytes); digest != inheritance.weights_sha256()) {
    return absl::FailedPreconditionError(absl::StrCat(name, ": '", parent_path, "' has digest ",
                                                      digest, ", expected ",
                                                      inheritance.weights_sha256()));
  }
  ASSIGN_OR_RETURN(const v1::Model parent, ParseModel(bytes, parent_path));
  absl::StatusOr<v1::Model> model = InheritModel(parent, inheritance.compression());
  if (!model.ok()) return PrefixField("inheritance.compression", model.status());
  // One field order, no maps: equal messages have equal bytes.
  if (model->architecture().SerializeAsString() != architecture.SerializeAsString()) {
    return InvalidField("inheritance.compression",
                        absl::StrCat("leads from job ", inheritance.job_id(), " trial ",
                                     inheritance.trial(), " to another architecture"));
  }
  return model;
}

}  // namespace frontier::worker
