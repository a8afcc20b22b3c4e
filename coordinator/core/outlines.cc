#include "coordinator/core/outlines.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/stopping/curves.h"

namespace frontier::coordinator {
namespace {

void OutlineMeasurements(const google::protobuf::RepeatedPtrField<v1::Measurement>& all,
                         google::protobuf::RepeatedPtrField<v1::Measurement>* outlined) {
  for (const v1::Measurement& measurement : all) {
    v1::Measurement* kept = outlined->Add();
    kept->set_metric(measurement.metric());
    kept->set_value(measurement.value());
  }
}

constexpr int kJobsAPage = 500;

size_t Fingerprint(const v1::Trial& trial) {
  return std::hash<std::string>()(trial.SerializeAsString());
}

absl::Status FindWrongOutlinesOf(const v1::Job& job, const Store& store,
                                 std::vector<std::string>* wrong) {
  ASSIGN_OR_RETURN(const std::vector<TrialRange> ranges, store.ListOutlines(job.id()));
  const bool with_curve = Curves(job.spec().early_stopping()).wanted();
  std::unordered_map<int64_t, size_t> read;  // fingerprints, since there may be many
  RETURN_IF_ERROR(store.ForEachOutline(job.id(), [&read](const v1::Trial& trial) {
    read[trial.number()] = Fingerprint(trial);
    return absl::OkStatus();
  }));
  auto range = ranges.begin();
  return store.ForEachTrial(
      job.id(), TrialParts::kWithoutArchitecture, [&](const v1::Trial& trial) {
        while (range != ranges.end() && range->last < trial.number()) ++range;
        const bool outlined = range != ranges.end() && range->first <= trial.number();
        if (outlined && read[trial.number()] != Fingerprint(OutlineOf(trial, with_curve))) {
          wrong->push_back(absl::StrCat("job ", job.id(), " trial ", trial.number(),
                                        " has a wrong outline; DELETE FROM outlines mends that"));
        }
        return absl::OkStatus();
      });
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FindWrongOutlines(const Store& store) {
  std::vector<std::string> wrong;
  int64_t before = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<v1::JobRecord> jobs, store.ListJobs(before, kJobsAPage));
    if (jobs.empty()) return wrong;
    for (const v1::JobRecord& record : jobs) {
      before = record.job().id();
      RETURN_IF_ERROR(FindWrongOutlinesOf(record.job(), store, &wrong));
    }
  }
}

v1::Trial OutlineOf(const v1::Trial& trial, bool with_curve) {
  v1::Trial outline;
  outline.set_job_id(trial.job_id());
  outline.set_number(trial.number());
  outline.set_state(trial.state());
  if (trial.has_genotype()) *outline.mutable_genotype() = trial.genotype();
  outline.set_canonical_hash(trial.canonical_hash());
  if (trial.has_origin()) *outline.mutable_origin() = trial.origin();
  OutlineMeasurements(trial.result().measurements(),
                      outline.mutable_result()->mutable_measurements());
  if (with_curve) {
    for (const v1::EpochMetrics& epoch : trial.result().epochs()) {
      outline.mutable_result()->add_epochs()->set_validation_accuracy(epoch.validation_accuracy());
    }
  }
  outline.set_ended_unix_us(trial.ended_unix_us());
  outline.set_on_front(trial.on_front());
  outline.set_space_version(trial.space_version());
  outline.set_end_order(trial.end_order());
  for (const v1::RungResult& rung : trial.rungs()) {
    v1::RungResult* kept = outline.add_rungs();
    kept->set_epochs(rung.epochs());
    kept->set_end_order(rung.end_order());
    kept->set_goes_on(rung.goes_on());
    OutlineMeasurements(rung.measurements(), kept->mutable_measurements());
  }
  if (trial.has_early_stop()) outline.mutable_early_stop()->set_cause(trial.early_stop().cause());
  outline.set_checkpoint_sha256(trial.checkpoint_sha256());
  return outline;
}

OutlinePlan::OutlinePlan(int64_t block, int64_t trials_created,
                         const std::vector<TrialRange>& outlined, int64_t change)
    : block_(block) {
  for (int64_t number = 0; number * block_ < trials_created; ++number) pending_[number] = change;
  for (const TrialRange& range : outlined) {
    const int64_t number = BlockOf(range.first);
    if (range == RangeOf(number)) pending_.erase(number);
  }
}

void OutlinePlan::NoteWritten(TrialNumber number, int64_t change) {
  pending_[BlockOf(number.value())] = change;
}

std::optional<OutlinePlan::Due> OutlinePlan::Next(
    int64_t trials_created, int64_t durable,
    absl::FunctionRef<bool(const TrialRange&)> is_closed) const {
  for (const auto& [number, change] : pending_) {
    const TrialRange range = RangeOf(number);
    if (range.last > trials_created) break;
    if (change <= durable && is_closed(range)) return Due{range, change};
  }
  return std::nullopt;
}

bool OutlinePlan::IsStillDue(const Due& due) const {
  const auto pending = pending_.find(BlockOf(due.range.first));
  return pending != pending_.end() && pending->second == due.change;
}

}  // namespace frontier::coordinator
