#include "coordinator/core/worker_registry.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "coordinator/core/worker_health.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxNameLength = 128;
constexpr int kMaxSlots = 4096;
constexpr int kMaxDatasets = 1000;
constexpr int kMaxLabels = 64;
// Of a worker; more than calls of its that can be on their way at once.
constexpr size_t kRememberedLeases = 32;

bool IsName(absl::string_view text) {
  if (text.empty() || text.size() > kMaxNameLength) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') {
      return false;
    }
  }
  return true;
}

// "labels a, b and hardware class c or d"
std::string DescribePlacement(const v1::Placement& placement) {
  std::string text;
  if (!placement.labels().empty()) {
    text = absl::StrCat(placement.labels_size() == 1 ? "label " : "labels ",
                        absl::StrJoin(placement.labels(), ", "));
  }
  if (!placement.hardware_classes().empty()) {
    absl::StrAppend(&text, text.empty() ? "" : " and ", "hardware class ",
                    absl::StrJoin(placement.hardware_classes(), " or "));
  }
  return text;
}

absl::Status CheckDataset(const v1::Dataset& dataset, const std::string& path) {
  if (!IsName(dataset.name())) {
    return InvalidField(path + ".name",
                        absl::StrCat("must be 1 to ", kMaxNameLength, " of [A-Za-z0-9._-], is '",
                                     dataset.name(), "'"));
  }
  if (dataset.channels() < 1 || dataset.height() < 1 || dataset.width() < 1) {
    return InvalidField(path, absl::StrCat("data set '", dataset.name(),
                                           "' has no valid shape: ", dataset.channels(), "x",
                                           dataset.height(), "x", dataset.width()));
  }
  if (dataset.classes() < 1) {
    return InvalidField(path + ".classes",
                        absl::StrCat("must be at least 1, is ", dataset.classes()));
  }
  if (dataset.train_samples() < 0 || dataset.test_samples() < 0) {
    return InvalidField(
        path, absl::StrCat("data set '", dataset.name(), "' has a negative number of samples"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateRegistration(const v1::RegisterRequest& request) {
  if (!IsName(request.worker_id())) {
    return InvalidField("worker_id",
                        absl::StrCat("must be 1 to ", kMaxNameLength, " of [A-Za-z0-9._-], is '",
                                     request.worker_id().substr(0, 200), "'"));
  }
  if (request.incarnation().empty() || request.incarnation().size() > kMaxNameLength) {
    return InvalidField("incarnation",
                        absl::StrCat("must have 1 to ", kMaxNameLength, " characters, has ",
                                     request.incarnation().size()));
  }
  if (request.slots() < 1 || request.slots() > kMaxSlots) {
    return InvalidField("slots",
                        absl::StrCat("must be 1 to ", kMaxSlots, ", is ", request.slots()));
  }
  if (request.datasets_size() > kMaxDatasets) {
    return InvalidField("datasets",
                        absl::StrCat("at most ", kMaxDatasets, ", has ", request.datasets_size()));
  }
  RETURN_IF_ERROR(CheckLabels("labels", request.labels()));
  std::set<std::string> names;
  for (int i = 0; i < request.datasets_size(); ++i) {
    const std::string path = absl::StrCat("datasets[", i, "]");
    RETURN_IF_ERROR(CheckDataset(request.datasets(i), path));
    if (!names.insert(request.datasets(i).name()).second) {
      return InvalidField(path + ".name",
                          absl::StrCat("'", request.datasets(i).name(), "' is given twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(absl::string_view field,
                         const google::protobuf::RepeatedPtrField<std::string>& labels) {
  if (labels.size() > kMaxLabels) {
    return InvalidField(field, absl::StrCat("at most ", kMaxLabels, ", has ", labels.size()));
  }
  std::set<std::string> seen;
  for (int i = 0; i < labels.size(); ++i) {
    const std::string& label = labels[i];
    const std::string path = absl::StrCat(field, "[", i, "]");
    const bool fine = !label.empty() && label.size() <= kMaxNameLength &&
                      std::all_of(label.begin(), label.end(), [](const char c) {
                        return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                               absl::string_view("._=/-").find(c) != absl::string_view::npos;
                      });
    if (!fine) {
      return InvalidField(
          path, absl::StrCat("must be 1 to ", kMaxNameLength, " of [A-Za-z0-9._=/-], is '",
                             label.substr(0, 200), "'"));
    }
    if (!seen.insert(label).second) {
      return InvalidField(path, absl::StrCat("'", label, "' is given twice"));
    }
  }
  return absl::OkStatus();
}

bool HoldsDataset(const v1::Worker& worker, const v1::DatasetSpec& spec) {
  for (const v1::Dataset& dataset : worker.datasets()) {
    if (dataset.name() != spec.name()) continue;
    return dataset.channels() == spec.input().channels() &&
           dataset.height() == spec.input().height() && dataset.width() == spec.input().width() &&
           dataset.classes() == spec.classes();
  }
  return false;
}

bool FitsPlacement(const v1::Worker& worker, const v1::Placement& placement) {
  const auto has = [](const auto& texts, const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  };
  const bool labelled =
      std::all_of(placement.labels().begin(), placement.labels().end(),
                  [&](const std::string& label) { return has(worker.labels(), label); });
  return labelled && (placement.hardware_classes().empty() ||
                      has(placement.hardware_classes(), worker.hardware().hardware_class()));
}

bool CanRun(const v1::Worker& worker, const v1::JobSpec& spec) {
  const bool legs = spec.has_early_stopping() || spec.has_screening();
  return HoldsDataset(worker, spec.dataset()) && FitsPlacement(worker, spec.placement()) &&
         (!legs || worker.protocol_version() >= kLegsProtocolVersion);
}

std::string DescribeShape(const v1::Shape& input, int classes) {
  return absl::StrCat(input.channels(), "x", input.height(), "x", input.width(), ", ", classes,
                      " classes");
}

void WorkerRegistry::Put(v1::WorkerRecord record, absl::Duration elapsed) {
  Entry& entry = workers_[record.worker().id()];
  entry.record = std::move(record);
  entry.heard = elapsed;
  entry.touched = false;
  entry.left = false;
  entry.other_data.clear();
}

void WorkerRegistry::Replace(v1::WorkerRecord record) {
  const auto it = workers_.find(record.worker().id());
  if (it == workers_.end()) return;
  // When it was last seen only the registry knows.
  record.mutable_worker()->set_last_seen_unix_us(it->second.record.worker().last_seen_unix_us());
  it->second.record = std::move(record);
}

void WorkerRegistry::Restore(v1::WorkerRecord record) {
  const std::string id = record.worker().id();
  workers_[id].record = std::move(record);
}

void WorkerRegistry::Forget(absl::string_view worker_id) { workers_.erase(std::string(worker_id)); }

const v1::WorkerRecord* WorkerRegistry::Find(absl::string_view worker_id) const {
  const auto it = workers_.find(std::string(worker_id));
  return it == workers_.end() ? nullptr : &it->second.record;
}

absl::Status WorkerRegistry::Check(absl::string_view worker_id,
                                   absl::string_view incarnation) const {
  const v1::WorkerRecord* record = Find(worker_id);
  if (record == nullptr) {
    return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_UNKNOWN_WORKER,
        absl::StrCat("worker '", worker_id.substr(0, kMaxNameLength), "' is not registered"));
  }
  if (record->incarnation() != incarnation) {
    return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_UNKNOWN_WORKER,
        absl::StrCat("worker '", worker_id, "' has registered as '", record->incarnation(),
                     "' since, this is '", incarnation.substr(0, kMaxNameLength), "'"));
  }
  return absl::OkStatus();
}

void WorkerRegistry::Touch(absl::string_view worker_id, absl::Duration elapsed, absl::Time now) {
  const auto it = workers_.find(std::string(worker_id));
  if (it == workers_.end()) return;
  it->second.heard = elapsed;
  it->second.touched = true;
  it->second.record.mutable_worker()->set_last_seen_unix_us(absl::ToUnixMicros(now));
}

bool WorkerRegistry::IsAlive(absl::string_view worker_id, absl::Duration elapsed) const {
  const auto it = workers_.find(std::string(worker_id));
  return it != workers_.end() && IsAlive(it->second, elapsed);
}

void WorkerRegistry::Leave(absl::string_view worker_id) {
  const auto it = workers_.find(std::string(worker_id));
  if (it != workers_.end()) it->second.left = true;
}

bool WorkerRegistry::HasLeft(absl::string_view worker_id) const {
  const auto it = workers_.find(std::string(worker_id));
  return it != workers_.end() && it->second.left;
}

void WorkerRegistry::NoteOtherData(absl::string_view worker_id, int64_t job_id) {
  const auto it = workers_.find(std::string(worker_id));
  if (it != workers_.end()) it->second.other_data.insert(job_id);
}

bool WorkerRegistry::HasOtherData(absl::string_view worker_id, int64_t job_id) const {
  const auto it = workers_.find(std::string(worker_id));
  return it != workers_.end() && it->second.other_data.count(job_id) > 0;
}

void WorkerRegistry::NoteLeased(absl::string_view worker_id, absl::string_view request_id) {
  const auto it = workers_.find(std::string(worker_id));
  if (it == workers_.end()) return;
  std::deque<std::string>& leased = it->second.leased;
  if (leased.size() >= kRememberedLeases) leased.pop_front();
  leased.emplace_back(request_id);
}

bool WorkerRegistry::WasLeased(absl::string_view worker_id, absl::string_view request_id) const {
  const auto it = workers_.find(std::string(worker_id));
  if (it == workers_.end()) return false;
  const std::deque<std::string>& leased = it->second.leased;
  return std::find(leased.begin(), leased.end(), request_id) != leased.end();
}

bool WorkerRegistry::AnyAlive(absl::Duration elapsed,
                              absl::FunctionRef<bool(const v1::Worker&)> matches) const {
  for (const auto& [id, entry] : workers_) {
    if (IsAlive(entry, elapsed) && matches(entry.record.worker())) return true;
  }
  return false;
}

bool WorkerRegistry::AnyRecord(absl::FunctionRef<bool(const v1::WorkerRecord&)> matches) const {
  for (const auto& [id, entry] : workers_) {
    if (matches(entry.record)) return true;
  }
  return false;
}

std::string WorkerRegistry::WhyNot(const v1::Worker& worker, const v1::Job& job,
                                   absl::Time now) const {
  if (!HasOtherData(worker.id(), job.id())) return WhyNotAdmitted(worker, now);
  const std::string& first = job.dataset_worker();
  return absl::StrCat("worker '", worker.id(), "' holds another data set '",
                      job.spec().dataset().name(), "' than that of the job's first result",
                      first.empty() ? "" : absl::StrCat(", on worker '", first, "'"));
}

std::string WorkerRegistry::WhyNoWorker(const v1::Job& job, absl::Duration elapsed,
                                        absl::Time now) const {
  const v1::JobSpec& spec = job.spec();
  const v1::DatasetSpec& dataset = spec.dataset();
  std::string held_back;
  const bool any = AnyAlive(elapsed, [&](const v1::Worker& worker) {
    if (!CanRun(worker, spec)) return false;
    const std::string why = WhyNot(worker, job, now);
    if (held_back.empty()) held_back = why;
    return why.empty();
  });
  if (any || !held_back.empty()) return any ? "" : held_back;
  if (AnyAlive(elapsed, [&](const v1::Worker& w) {
        return HoldsDataset(w, dataset) && FitsPlacement(w, spec.placement());
      })) {
    return absl::StrCat("all live workers with data set '", dataset.name(),
                        "' are of a release without early stopping and screening; upgrade them");
  }
  if (AnyAlive(elapsed, [&](const v1::Worker& w) { return HoldsDataset(w, dataset); })) {
    return absl::StrCat("no live worker with data set '", dataset.name(), "' has ",
                        DescribePlacement(spec.placement()));
  }
  if (!AnyAlive(elapsed, [](const v1::Worker&) { return true; })) return "no live worker";
  return absl::StrCat("no live worker has data set '", dataset.name(), "' (",
                      DescribeShape(dataset.input(), dataset.classes()), ")");
}

std::vector<v1::Worker> WorkerRegistry::List(absl::Duration elapsed) const {
  return List(elapsed, "", std::numeric_limits<int>::max());
}

std::vector<v1::Worker> WorkerRegistry::List(absl::Duration elapsed, absl::string_view after,
                                             int limit) const {
  std::vector<v1::Worker> workers;
  for (auto it = workers_.upper_bound(std::string(after)); it != workers_.end(); ++it) {
    if (static_cast<int>(workers.size()) == limit) break;
    workers.push_back(it->second.record.worker());
    workers.back().set_alive(IsAlive(it->second, elapsed));
  }
  return workers;
}

std::vector<v1::WorkerRecord> WorkerRegistry::TakeTouched() {
  std::vector<v1::WorkerRecord> touched;
  for (auto& [id, entry] : workers_) {
    if (!entry.touched) continue;
    entry.touched = false;
    touched.push_back(entry.record);
  }
  return touched;
}

}  // namespace frontier::coordinator
