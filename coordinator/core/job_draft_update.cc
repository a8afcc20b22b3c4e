// What users change about a job besides its state and its space.
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/enum_names.h"
#include "common/base/status.h"
#include "coordinator/core/budget.h"
#include "coordinator/core/job_draft.h"
#include "google/protobuf/util/message_differencer.h"

namespace frontier::coordinator {
namespace {

std::optional<std::string> UsedLimit(const v1::JobRecord& record, absl::Time now) {
  std::optional<std::string> used = UsedResourceBudget(record.job(), WallSeconds(record, now));
  return used.has_value() ? used : UsedTrialBudget(record.job());
}

std::string DescribeBudget(const v1::Budget& budget) {
  std::vector<std::string> limits;
  if (budget.has_trials()) limits.push_back(absl::StrCat(budget.trials(), " trials"));
  if (budget.has_wall_seconds()) {
    limits.push_back(absl::StrCat(budget.wall_seconds(), " s wall time"));
  }
  if (budget.has_cpu_seconds()) {
    limits.push_back(absl::StrCat(budget.cpu_seconds(), " s CPU time"));
  }
  if (budget.has_energy_kwh()) limits.push_back(absl::StrCat(budget.energy_kwh(), " kWh"));
  return absl::StrJoin(limits, ", ");
}

std::string DescribeUpdate(const v1::UpdateJobRequest& request) {
  std::vector<std::string> changes;
  if (request.has_budget()) {
    changes.push_back(absl::StrCat("budget ", DescribeBudget(request.budget())));
  }
  if (request.has_priority()) changes.push_back(absl::StrCat("priority ", request.priority()));
  if (request.has_share()) changes.push_back(absl::StrCat("share ", request.share()));
  if (request.has_max_parallel_trials()) {
    changes.push_back(absl::StrCat("at most ", request.max_parallel_trials(),
                                   " trials at a time (0 = no limit)"));
  }
  return absl::StrJoin(changes, ", ");
}

}  // namespace

absl::Status JobDraft::Update(const v1::UpdateJobRequest& request) {
  if (request.has_budget() && request.has_from_budget() &&
      !google::protobuf::util::MessageDifferencer::Equals(request.from_budget(),
                                                          state_->spec().budget())) {
    return absl::AbortedError(absl::StrCat(state_->id().ToString(), " has a budget of ",
                                           DescribeBudget(state_->spec().budget()),
                                           " by now; nothing was changed"));
  }
  const bool ended = HasEnded(record_.job().state());
  const std::string before = record_.job().reason();
  const bool by_limit = UsedLimit(record_, now_).has_value() && before != kSpaceExhausted;
  const bool reopens = by_limit && (record_.job().state() == v1::JOB_STATE_COMPLETED ||
                                    record_.job().state() == v1::JOB_STATE_FAILED);
  if (ended && !(reopens && request.has_budget())) {
    return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
        absl::StrCat(state_->id().ToString(), " has ended: ", EnumName(record_.job().state()), " (",
                     before, "); only a larger budget lets a job go on, if it ended by that"));
  }
  v1::JobSpec* spec = OwnSpec();
  if (request.has_budget()) *spec->mutable_budget() = request.budget();
  if (request.has_priority()) spec->set_priority(request.priority());
  if (request.has_share()) spec->set_share(request.share());
  if (request.has_max_parallel_trials()) {
    spec->set_max_parallel_trials(request.max_parallel_trials());
  }
  AddEvent(v1::EVENT_KIND_JOB_UPDATED, 0, 0, "",
           absl::StrCat("updated: ", DescribeUpdate(request)));
  const std::optional<std::string> limit = UsedLimit(record_, now_);
  if (ended && limit.has_value())
    return InvalidField("budget", absl::StrCat("leaves nothing: ", *limit));
  if (ended) return SetJobState(JobEvent::kReopened, "");
  const bool drained = record_.job().state() == v1::JOB_STATE_DRAINING && by_limit;
  if (drained && !limit.has_value()) return SetJobState(JobEvent::kExtended, "");
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
