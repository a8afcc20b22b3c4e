// The data sets a worker holds, by name.
#ifndef FRONTIER_WORKER_AGENT_DATASET_CATALOG_H_
#define FRONTIER_WORKER_AGENT_DATASET_CATALOG_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier::worker {

struct DatasetCatalogOptions {
  // "name=folder" each. One that cannot be read is an error.
  std::vector<std::string> datasets;
  // Entries of `datasets` are "name=1x28x28/10", the shape of samples and the number of classes;
  // there are no samples, and no folder is looked at.
  bool described = false;
  // Each subfolder with a data set in it is offered under its own name; one without is passed over.
  // Entries of `datasets` win over these. Empty = none.
  std::string root;
};

// Immutable, so thread-safe.
class DatasetCatalog {
 public:
  // INVALID_ARGUMENT for a malformed entry or a name given twice; otherwise the error of the data
  // set, which names its file.
  static absl::StatusOr<DatasetCatalog> Create(const DatasetCatalogOptions& options);

  // By name.
  std::vector<v1::Dataset> datasets() const;
  // NOT_FOUND names the data set and those there are.
  absl::StatusOr<std::string> FindFolder(absl::string_view name) const;

 private:
  struct Entry {
    v1::Dataset dataset;
    std::string folder;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_DATASET_CATALOG_H_
