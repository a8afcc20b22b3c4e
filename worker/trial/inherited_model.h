// The weights that a trial begins with, if it inherits them.
#ifndef FRONTIER_WORKER_TRIAL_INHERITED_MODEL_H_
#define FRONTIER_WORKER_TRIAL_INHERITED_MODEL_H_

#include <string>

#include "absl/status/statusor.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/compression.pb.h"
#include "frontier/v1/model.pb.h"

namespace frontier::worker {

// The model file at `parent_path`, compressed as `inheritance` says to `architecture`; see
// InheritModel. FAILED_PRECONDITION if there is no path or the file is not the one that is meant;
// errors as ReadFile and ParseModel; INVALID_ARGUMENT if the compression does not fit the parent,
// or does not lead to `architecture`.
absl::StatusOr<v1::Model> InheritedModel(const v1::Inheritance& inheritance,
                                         const std::string& parent_path,
                                         const v1::Architecture& architecture);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_TRIAL_INHERITED_MODEL_H_
