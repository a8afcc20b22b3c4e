#include "tests/bench/coordinator/fill.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/pareto/pareto.h"
#include "coordinator/core/dispatcher.h"
#include "coordinator/core/outlines.h"
#include "coordinator/core/search_context.h"
#include "coordinator/maintenance/data_folder.h"
#include "coordinator/space/space.h"
#include "coordinator/storage/sqlite/sqlite_store.h"

namespace frontier::bench {
namespace {

using coordinator::Store;

constexpr int kCommit = 5'000;  // trials

void SetFigure(v1::Metric metric, double value, v1::TrialResult* result) {
  for (v1::Measurement& measurement : *result->mutable_measurements()) {
    if (measurement.metric() == metric) measurement.set_value(value);
  }
}

// As the coordinator would have by then.
absl::Status WriteOutlines(int64_t trials, Store* store) {
  const int64_t block = coordinator::DispatcherOptions().outlined_together;
  for (int64_t last = block; last <= trials; last += block) {
    ASSIGN_OR_RETURN(
        const std::vector<v1::Trial> listed,
        store->ListTrials(1, last - block, v1::TRIAL_STATE_UNSPECIFIED, static_cast<int>(block),
                          coordinator::TrialParts::kWithoutArchitecture));
    v1::Change change;
    v1::TrialOutlines* outlines = change.add_outlines();
    outlines->set_job_id(1);
    outlines->set_first(last - block + 1);
    outlines->set_last(last);
    for (const v1::Trial& trial : listed) {
      *outlines->add_trials() = coordinator::OutlineOf(trial, /*with_curve=*/false);
    }
    RETURN_IF_ERROR(store->Commit(&change));
  }
  return absl::OkStatus();
}

// Draws networks that no trial has.
class Drawing {
 public:
  Drawing(const v1::JobSpec& spec, std::unique_ptr<coordinator::Space> space)
      : spec_(spec), space_(std::move(space)) {}

  coordinator::Candidate Next() {
    while (true) {
      std::optional<coordinator::Candidate> candidate =
          coordinator::AdmitCandidate(spec_, *space_, hashes_, space_->Sample(&rng_));
      if (!candidate.has_value()) continue;
      hashes_.insert(candidate->hash);
      return *std::move(candidate);
    }
  }
  void Take(const v1::Trial& trial) { hashes_.insert(trial.canonical_hash()); }
  const coordinator::Space& space() const { return *space_; }

 private:
  const v1::JobSpec spec_;
  const std::unique_ptr<coordinator::Space> space_;
  absl::flat_hash_set<std::string> hashes_;
  Rng rng_{5};
};

}  // namespace

absl::Status Fill(const std::string& data_dir, int64_t trials) {
  coordinator::SqliteStoreOptions options;
  options.path = coordinator::DatabasePath(data_dir);
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, coordinator::OpenSqliteStore(options));
  ASSIGN_OR_RETURN(v1::JobRecord record, store->GetJob(1));
  v1::Job* job = record.mutable_job();
  const v1::JobSpec spec = job->spec();
  ASSIGN_OR_RETURN(std::unique_ptr<coordinator::Space> space,
                   coordinator::CreateSpace(spec.search_space(), spec.dataset().input(),
                                            spec.dataset().classes()));
  Drawing drawing(spec, std::move(space));
  std::optional<v1::Trial> first;
  v1::Change change;  // those on the front leave it
  RETURN_IF_ERROR(
      store->ForEachTrial(1, coordinator::TrialParts::kAll, [&](const v1::Trial& trial) {
        drawing.Take(trial);
        if (trial.on_front()) {
          *change.add_trials() = trial;
          change.mutable_trials()->rbegin()->set_on_front(false);
        }
        if (!first.has_value() && trial.state() == v1::TRIAL_STATE_SUCCEEDED) first = trial;
        return absl::OkStatus();
      }));
  if (!first.has_value()) return absl::FailedPreconditionError("job 1 has no trial that succeeded");
  first->set_on_front(false);
  first->set_weights_kept(false);
  Rng rng(9);
  ParetoFront front;
  for (int64_t number = job->trials_created() + 1; number <= trials; ++number) {
    coordinator::Candidate candidate = drawing.Next();
    v1::Trial* trial = change.add_trials();
    *trial = *first;
    trial->set_number(number);
    trial->set_summary(drawing.space().Summarize(candidate.genotype));
    *trial->mutable_genotype() = std::move(candidate.genotype);
    *trial->mutable_architecture() = std::move(candidate.architecture);
    trial->set_canonical_hash(std::move(candidate.hash));
    trial->set_known_ends(number - 1);
    trial->set_end_order(number);
    // Better networks are slower, with some scatter: a front of hundreds.
    const double accuracy = rng.UniformDouble();
    const double latency = 1 + accuracy + 0.3 * rng.UniformDouble();
    SetFigure(v1::METRIC_ACCURACY, accuracy, trial->mutable_result());
    SetFigure(v1::METRIC_LATENCY_MS, latency, trial->mutable_result());
    front.Insert(number, {-accuracy, latency});
    for (const auto& [kind, text] :
         {std::pair(v1::EVENT_KIND_TRIAL_PROPOSED, "proposed: "),
          std::pair(v1::EVENT_KIND_ATTEMPT_STARTED, "attempt 1 started on worker "),
          std::pair(v1::EVENT_KIND_TRIAL_SUCCEEDED, "succeeded: ")}) {
      v1::Event* event = change.add_events();
      event->set_job_id(1);
      event->set_trial(number);
      event->set_kind(kind);
      event->set_at_unix_us(first->created_unix_us());
      event->set_message(absl::StrCat(text, trial->summary()));
    }
    if (change.trials_size() == kCommit || number == trials) {
      RETURN_IF_ERROR(store->Commit(&change));
      change.Clear();
    }
  }
  for (const ParetoFront::Member& member : front.members()) {
    ASSIGN_OR_RETURN(v1::Trial trial, store->GetTrial(1, member.id));
    trial.set_on_front(true);
    *change.add_trials() = std::move(trial);
  }
  const int64_t added = trials - job->trials_created();
  job->set_trials_created(trials);
  job->set_trials_succeeded(job->trials_succeeded() + added);
  job->set_front_size(static_cast<int64_t>(front.members().size()));
  *change.add_jobs() = record;
  RETURN_IF_ERROR(store->Commit(&change));
  RETURN_IF_ERROR(WriteOutlines(trials, store.get()));
  std::printf("{\"trials\": %lld, \"front\": %zu}\n", static_cast<long long>(trials),
              front.members().size());
  return absl::OkStatus();
}

}  // namespace frontier::bench
