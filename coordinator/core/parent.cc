#include "coordinator/core/parent.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/base/enum_names.h"
#include "common/base/status.h"
#include "coordinator/space/compress_space.h"

namespace frontier::coordinator {
namespace {

constexpr char kField[] = "search_space.compress.parent";

absl::Status ResolveTrial(const Store& store, v1::CompressParent* parent) {
  const absl::StatusOr<v1::JobRecord> job = store.GetJob(parent->job());
  if (absl::IsNotFound(job.status())) return InvalidField(kField, job.status().message());
  RETURN_IF_ERROR(job.status());
  const absl::StatusOr<v1::Trial> trial = store.GetTrial(parent->job(), parent->trial());
  if (absl::IsNotFound(trial.status())) return InvalidField(kField, trial.status().message());
  RETURN_IF_ERROR(trial.status());
  const std::string name = absl::StrCat("job ", parent->job(), " trial ", parent->trial());
  if (trial->state() != v1::TRIAL_STATE_SUCCEEDED) {
    return InvalidField(
        kField, absl::StrCat(name, " is ", EnumName(trial->state()), ", must have succeeded"));
  }
  if (!trial->weights_kept()) {
    return InvalidField(
        kField, absl::StrCat(name, ": no weights of it are kept, since it ",
                             trial->on_front() ? "was reported without" : "is not on the front"));
  }
  *parent->mutable_architecture() = trial->architecture();
  parent->set_weights_sha256(trial->result().weights_sha256());
  return absl::OkStatus();
}

}  // namespace

absl::Status ResolveParent(const Store& store, v1::JobSpec* spec) {
  if (!spec->search_space().has_compress()) return absl::OkStatus();
  v1::CompressParent* parent = spec->mutable_search_space()->mutable_compress()->mutable_parent();
  if (parent->has_architecture() || !parent->weights_sha256().empty()) {
    return InvalidField(kField,
                        "has an architecture or a digest of weights, which are filled in from the "
                        "network or trial that is named");
  }
  if (parent->network().empty() && (parent->job() != 0 || parent->trial() != 0)) {
    return ResolveTrial(store, parent);
  }
  const v1::DatasetSpec& dataset = spec->dataset();
  absl::StatusOr<v1::Architecture> architecture =
      ParentArchitecture(*parent, dataset.input(), dataset.classes());
  if (!architecture.ok()) return PrefixField("search_space.compress", architecture.status());
  *parent->mutable_architecture() = *std::move(architecture);
  return absl::OkStatus();
}

const std::string& ParentWeights(const v1::JobSpec& spec) {
  return spec.search_space().compress().parent().weights_sha256();
}

v1::Inheritance InheritanceOf(const v1::JobSpec& spec, const v1::Trial& trial) {
  const v1::CompressParent& parent = spec.search_space().compress().parent();
  v1::Inheritance inheritance;
  inheritance.set_job_id(parent.job());
  inheritance.set_trial(parent.trial());
  inheritance.set_weights_sha256(parent.weights_sha256());
  *inheritance.mutable_compression() = trial.compression();
  return inheritance;
}

void KeepParent(const v1::JobSpec& before, v1::JobSpec* after) {
  if (!before.search_space().has_compress() || !after->search_space().has_compress()) return;
  const v1::CompressParent& known = before.search_space().compress().parent();
  v1::CompressParent* parent = after->mutable_search_space()->mutable_compress()->mutable_parent();
  if (parent->network() == known.network() && parent->job() == known.job() &&
      parent->trial() == known.trial()) {
    *parent = known;
  }
}

void StripParent(v1::JobSpec* spec) {
  if (!spec->search_space().has_compress()) return;
  v1::CompressParent* parent = spec->mutable_search_space()->mutable_compress()->mutable_parent();
  parent->clear_architecture();
  parent->clear_weights_sha256();
}

}  // namespace frontier::coordinator
