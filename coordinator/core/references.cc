#include "coordinator/core/references.h"

#include <cstdint>
#include <vector>

#include "common/base/status.h"
#include "coordinator/core/parent.h"
#include "coordinator/core/trial_machine.h"

namespace frontier::coordinator {
namespace {

constexpr int kPage = 500;

}  // namespace

absl::Status CountReferences(const Store& store,
                             absl::flat_hash_map<std::string, int>* references) {
  int64_t before = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<v1::JobRecord> jobs, store.ListJobs(before, kPage));
    if (jobs.empty()) return absl::OkStatus();
    for (const v1::JobRecord& record : jobs) {
      before = record.job().id();
      const std::string& parent = ParentWeights(record.job().spec());
      if (!parent.empty()) ++(*references)[parent];
      const bool live = !HasEnded(record.job().state());
      if (record.job().front_size() == 0 && !live) continue;
      RETURN_IF_ERROR(store.ForEachTrial(before, [&](const v1::Trial& trial) {
        if (trial.weights_kept()) ++(*references)[trial.result().weights_sha256()];
        // Of a job that has ended no trial goes on.
        if (live && !trial.checkpoint_sha256().empty()) ++(*references)[trial.checkpoint_sha256()];
        return absl::OkStatus();
      }));
    }
  }
}

}  // namespace frontier::coordinator
