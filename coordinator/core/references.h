// Who needs which blob.
#ifndef FRONTIER_COORDINATOR_CORE_REFERENCES_H_
#define FRONTIER_COORDINATOR_CORE_REFERENCES_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "coordinator/storage/store.h"

namespace frontier::coordinator {

// Adds, for each digest, the trials and jobs in the store that need its blob: weights that are
// kept, checkpoints from which trials may go on, weights that are inherited.
absl::Status CountReferences(const Store& store, absl::flat_hash_map<std::string, int>* references);

// The same without checkpoints, for whom has read the trials of live jobs anyway.
absl::Status CountModels(const Store& store, absl::flat_hash_map<std::string, int>* references);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_REFERENCES_H_
