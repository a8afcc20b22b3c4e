// Trained networks as files.
#ifndef FRONTIER_COMMON_MODEL_IO_MODEL_FILE_H_
#define FRONTIER_COMMON_MODEL_IO_MODEL_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/model.pb.h"

namespace frontier {

// OK if `model` has a valid architecture, exactly the tensors that TensorSpecs lists, in its order
// and sizes, with finite values and variances that are not negative, and a mean and a positive
// deviation for each input channel. INVALID_ARGUMENT names the tensor.
absl::Status CheckModel(const v1::Model& model);

// The part of CheckModel about architecture and tensors.
absl::Status CheckTensors(const v1::Model& model);

// The bytes of a model file: equal models give equal bytes. Errors as CheckModel, and
// RESOURCE_EXHAUSTED beyond 2 GiB.
absl::StatusOr<std::string> SerializeModel(const v1::Model& model);

// DATA_LOSS if `bytes` are no model; errors of CheckModel. Messages begin with `name`.
absl::StatusOr<v1::Model> ParseModel(absl::string_view bytes, absl::string_view name);

// Files of one model. Errors as above, as ReadFile and as WriteFileAtomically, with the path.
absl::Status WriteModel(const std::string& path, const v1::Model& model);
absl::StatusOr<v1::Model> ReadModel(const std::string& path);

}  // namespace frontier

#endif  // FRONTIER_COMMON_MODEL_IO_MODEL_FILE_H_
