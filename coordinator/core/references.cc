#include "coordinator/core/references.h"

#include <cstdint>
#include <vector>

#include "common/base/status.h"
#include "coordinator/core/legs.h"
#include "coordinator/core/parent.h"

namespace frontier::coordinator {
namespace {

constexpr int kPage = 500;

}  // namespace

absl::Status CountReferences(const Store& store,
                             absl::flat_hash_map<std::string, int>* references) {
  RETURN_IF_ERROR(CountModels(store, references));
  // Of a job that has ended no trial goes on.
  ASSIGN_OR_RETURN(const std::vector<v1::JobRecord> live, store.LoadLiveJobs());
  for (const v1::JobRecord& record : live) {
    RETURN_IF_ERROR(store.ForEachOutline(record.job().id(), [&](const v1::Trial& trial) {
      if (HasCheckpoint(record, trial)) ++(*references)[trial.checkpoint_sha256()];
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::Status CountModels(const Store& store, absl::flat_hash_map<std::string, int>* references) {
  const auto count = [&](const v1::JobRecord& record) -> absl::Status {
    const std::string& parent = ParentWeights(record.job().spec());
    if (!parent.empty()) ++(*references)[parent];
    ASSIGN_OR_RETURN(const std::vector<v1::Trial> front,
                     store.ListFront(record.job().id(), TrialParts::kWithoutArchitecture));
    for (const v1::Trial& trial : front) {
      if (trial.weights_kept()) ++(*references)[trial.result().weights_sha256()];
    }
    return absl::OkStatus();
  };
  // What is deleted is still referred to until it is swept.
  ASSIGN_OR_RETURN(const std::vector<v1::JobRecord> deleted, store.LoadDeletedJobs());
  for (const v1::JobRecord& record : deleted) RETURN_IF_ERROR(count(record));
  int64_t before = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<v1::JobRecord> jobs, store.ListJobs(before, kPage));
    if (jobs.empty()) return absl::OkStatus();
    for (const v1::JobRecord& record : jobs) {
      before = record.job().id();
      RETURN_IF_ERROR(count(record));
    }
  }
}

}  // namespace frontier::coordinator
