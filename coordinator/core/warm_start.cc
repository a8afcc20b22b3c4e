#include "coordinator/core/warm_start.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/core/search_context.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::coordinator {
namespace {

constexpr char kJobField[] = "warm_start.job";

// What has to be the same for results to count; empty if it is.
std::string FindDifference(const v1::JobSpec& a, const v1::JobSpec& b) {
  const auto space = [](v1::SearchSpace unversioned) {
    unversioned.clear_version();
    return unversioned.SerializeAsString();
  };
  const auto dataset = [](const v1::JobSpec& spec) { return spec.dataset().SerializeAsString(); };
  const auto training = [](const v1::JobSpec& spec) { return spec.training().SerializeAsString(); };
  if (space(a.search_space()) != space(b.search_space())) return "searches another space";
  if (dataset(a) != dataset(b)) return "is of another data set, or another part of it";
  if (training(a) != training(b)) return "trains by another recipe";
  return "";
}

}  // namespace

absl::Status CheckFirstGenotypes(const v1::JobSpec& spec, const Space& space) {
  absl::flat_hash_set<std::string> hashes;
  for (int i = 0; i < spec.warm_start().genotypes_size(); ++i) {
    const v1::Genotype& genotype = spec.warm_start().genotypes(i);
    const std::string field = absl::StrCat("warm_start.genotypes[", i, "]");
    const absl::Status lowered = space.Lower(genotype).status();
    if (!lowered.ok()) return InvalidField(field, lowered.message());
    const std::optional<Candidate> candidate = AdmitCandidate(spec, space, {}, genotype);
    if (!candidate.has_value()) {
      return InvalidField(field, absl::StrCat("breaks a constraint on parameters or MACs: ",
                                              space.Summarize(genotype)));
    }
    if (!hashes.insert(candidate->hash).second) {
      return InvalidField(field, absl::StrCat("its architecture is that of an earlier one: ",
                                              space.Summarize(genotype)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Trial>> ReusableTrials(const v1::JobSpec& spec, const Space& space,
                                                      const Store& store) {
  std::vector<v1::Trial> trials;
  const int64_t id = spec.warm_start().job();
  if (id == 0) return trials;
  if (id < 0) return InvalidField(kJobField, absl::StrCat(id, " is below 0"));
  const absl::StatusOr<v1::JobRecord> record = store.GetJob(id);
  if (absl::IsNotFound(record.status())) {
    return InvalidField(kJobField, record.status().message());
  }
  RETURN_IF_ERROR(record.status());
  if (record->job().dropped().trials()) {
    return InvalidField(kJobField,
                        absl::StrCat("job ", id, " has no trials any more but its front"));
  }
  const std::string difference = FindDifference(record->job().spec(), spec);
  if (!difference.empty())
    return InvalidField(kJobField, absl::StrCat("job ", id, " ", difference));
  absl::flat_hash_set<std::string> hashes;
  RETURN_IF_ERROR(store.ForEachTrial(id, TrialParts::kAll, [&](const v1::Trial& trial) {
    if (trial.state() != v1::TRIAL_STATE_SUCCEEDED) return absl::OkStatus();
    // The job may ask for what was not measured then, or allow less.
    const bool usable = MinimizedObjectives(spec, trial.result()).ok() &&
                        ConstraintViolation(spec, trial.result()).ok() &&
                        AdmitCandidate(spec, space, {}, trial.genotype()).has_value();
    if (!usable || !hashes.insert(trial.canonical_hash()).second) return absl::OkStatus();
    v1::Trial copy = trial;
    copy.clear_attempts();
    copy.clear_rungs();
    copy.clear_checkpoint_sha256();
    copy.clear_known_ends();
    copy.mutable_origin()->clear_parents();
    if (!trial.weights_kept()) copy.mutable_result()->clear_weights_sha256();
    copy.set_weights_kept(false);
    copy.set_on_front(false);
    if (!trial.has_reused()) {
      copy.mutable_reused()->set_job_id(id);
      copy.mutable_reused()->set_trial(trial.number());
    }
    // Before there are so many that memory ends.
    if (trials.size() == kMostReused) {
      return InvalidField(kJobField, absl::StrCat("job ", id, " has more results than the ",
                                                  kMostReused, " that one job takes over"));
    }
    trials.push_back(std::move(copy));
    return absl::OkStatus();
  }));
  std::stable_sort(trials.begin(), trials.end(), [](const v1::Trial& a, const v1::Trial& b) {
    return std::pair(a.end_order(), a.number()) < std::pair(b.end_order(), b.number());
  });
  return trials;
}

}  // namespace frontier::coordinator
