#include "worker/agent/dataset_catalog.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/architecture/architecture_argument.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/data/dataset.h"

namespace frontier::worker {
namespace {

std::vector<std::string> Subfolders(const std::string& root) {
  std::vector<std::string> folders;
  std::error_code error;
  for (std::filesystem::directory_iterator it(root, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) folders.push_back(it->path().string());
  }
  if (error) {
    LogWarning({}, absl::StrCat("cannot look for data sets in '", root, "': ", error.message()));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Describes a data set after reading all of its training part once, so that damage shows when the
// worker starts and not in every trial.
absl::StatusOr<v1::Dataset> Inspect(const std::string& folder, const std::string& name) {
  ASSIGN_OR_RETURN(v1::Dataset dataset, DescribeDataset(folder, name));
  ASSIGN_OR_RETURN(const Samples samples, ReadSamples(folder, Part::kTrain, dataset.classes()));
  std::vector<int64_t> first(dataset.classes(), -1);
  for (int64_t i = samples.size() - 1; i >= 0; --i) first[samples.labels[i]] = i;
  const auto empty = std::find(first.begin(), first.end(), -1);
  if (empty != first.end()) {
    LogWarning({}, absl::StrCat("data set '", name, "': class ", empty - first.begin(),
                                " has no training sample, though sample ", first.back(),
                                " has label ", dataset.classes() - 1, "; it is offered as one of ",
                                dataset.classes(), " classes"));
  }
  return dataset;
}

// Samples of a data set that is only described: as many as any job may ask for.
constexpr int64_t kDescribedSamples = 1'000'000;

// "1x28x28/10"
absl::StatusOr<v1::Dataset> ParseDescription(const std::string& name, absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, '/');
  const absl::StatusOr<v1::Shape> shape = ParseShape(parts.first);
  v1::Dataset dataset;
  int classes = 0;
  if (!shape.ok() || !absl::SimpleAtoi(parts.second, &classes) || classes < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not CHANNELSxHEIGHTxWIDTH/CLASSES"));
  }
  dataset.set_name(name);
  dataset.set_channels(shape->channels());
  dataset.set_height(shape->height());
  dataset.set_width(shape->width());
  dataset.set_classes(classes);
  dataset.set_train_samples(kDescribedSamples);
  return dataset;
}

}  // namespace

absl::StatusOr<DatasetCatalog> DatasetCatalog::Create(const DatasetCatalogOptions& options) {
  DatasetCatalog catalog;
  for (const std::string& text : options.datasets) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
    const auto& [name, folder] = parts;
    if (name.empty() || folder.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("data set '", text, "' must have the form name=folder"));
    }
    if (catalog.entries_.count(name) > 0) {
      return absl::InvalidArgumentError(absl::StrCat("data set '", name, "' is given twice"));
    }
    absl::StatusOr<v1::Dataset> dataset =
        options.described ? ParseDescription(name, folder) : Inspect(folder, name);
    if (!dataset.ok()) {
      return absl::Status(dataset.status().code(),
                          absl::StrCat("data set '", name, "': ", dataset.status().message()));
    }
    catalog.entries_[name] = {*std::move(dataset), folder};
  }
  if (options.root.empty() || options.described) return catalog;
  for (const std::string& folder : Subfolders(options.root)) {
    const std::string name = std::filesystem::path(folder).filename().string();
    if (catalog.entries_.count(name) > 0) continue;
    absl::StatusOr<v1::Dataset> dataset = Inspect(folder, name);
    if (!dataset.ok()) {
      if (!absl::IsNotFound(dataset.status())) {
        LogWarning({},
                   absl::StrCat("data set '", name, "' is left out: ", dataset.status().message()));
      }
      continue;
    }
    catalog.entries_[name] = {*std::move(dataset), folder};
  }
  return catalog;
}

std::vector<v1::Dataset> DatasetCatalog::datasets() const {
  std::vector<v1::Dataset> datasets;
  for (const auto& [name, entry] : entries_) datasets.push_back(entry.dataset);
  return datasets;
}

absl::StatusOr<std::string> DatasetCatalog::FindFolder(absl::string_view name) const {
  const auto found = entries_.find(std::string(name));
  if (found != entries_.end()) return found->second.folder;
  return absl::NotFoundError(absl::StrCat(
      "data set '", name, "' is not on this worker; it has: ",
      entries_.empty() ? "none"
                       : absl::StrJoin(entries_, ", ", [](std::string* out, const auto& entry) {
                           absl::StrAppend(out, entry.first);
                         })));
}

}  // namespace frontier::worker
