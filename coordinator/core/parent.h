// The parent of a job that compresses a network.
#ifndef FRONTIER_COORDINATOR_CORE_PARENT_H_
#define FRONTIER_COORDINATOR_CORE_PARENT_H_

#include <string>

#include "absl/status/status.h"
#include "coordinator/storage/store.h"
#include "frontier/v1/compression.pb.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// Records in `spec` what its compress space's parent stands for: the architecture and, of a trial,
// the digest of its weights. Fine for a job with another space. INVALID_ARGUMENT (reason
// INVALID_FIELD, path from within JobSpec) if there is no such network, job or trial, the trial has
// not succeeded or its weights are not kept, or if those fields are filled in already.
absl::Status ResolveParent(const Store& store, v1::JobSpec* spec);

// Digest of the weights that the trials of a job inherit; empty = none.
const std::string& ParentWeights(const v1::JobSpec& spec);

// What a trial inherits in a job whose trials inherit.
v1::Inheritance InheritanceOf(const v1::JobSpec& spec, const v1::Trial& trial);

// Fills in what ResolveParent put into `before`, if `after` names the same parent.
void KeepParent(const v1::JobSpec& before, v1::JobSpec* after);

// Leaves out of a job's description what ResolveParent put in.
void StripParent(v1::JobSpec* spec);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_PARENT_H_
