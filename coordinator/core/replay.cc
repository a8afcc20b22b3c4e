#include "coordinator/core/replay.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/core/composition.h"
#include "coordinator/core/job_state.h"
#include "coordinator/core/search_context.h"
#include "coordinator/space/space.h"
#include "coordinator/strategy/grid.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/record.pb.h"

namespace frontier::coordinator {
namespace {

constexpr int kDefaultLimit = 100;

struct LoggedTrial {
  v1::Trial trial;  // without its network, result and attempts
  Observation end;  // trial = 0: none that proposals know of
};

absl::StatusOr<v1::ReplayPosition> ParseToken(const std::string& token) {
  v1::ReplayPosition position;
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || !position.ParseFromString(bytes) ||
      position.after_trial() < 0) {
    return InvalidField("page_token", "was not given by this coordinator");
  }
  return position;
}

class Replay {
 public:
  static absl::StatusOr<Replay> Load(int64_t job_id, const Store& store) {
    ASSIGN_OR_RETURN(v1::JobRecord record, store.GetJob(job_id));
    Replay replay;
    replay.spec_ = std::move(*record.mutable_job()->mutable_spec());
    for (v1::PastSpace& past : *record.mutable_past_spaces()) {
      const int version = past.space().version();
      replay.spaces_[version] = std::move(*past.mutable_space());
    }
    replay.spaces_[replay.spec_.search_space().version()] = replay.spec_.search_space();
    replay.composed_version_ = replay.spec_.search_space().auto_().composition().version();
    RETURN_IF_ERROR(
        store.ForEachTrial(job_id, [&](const v1::Trial& trial) { return replay.Take(trial); }));
    replay.SortHistories();
    return replay;
  }

  absl::StatusOr<v1::ReplayJobResponse> Run(const v1::ReplayPosition& from, int limit) {
    v1::ReplayJobResponse response;
    size_t next = 0;
    for (; next < trials_.size() && trials_[next].trial.number() <= from.after_trial(); ++next) {
      taken_.insert(trials_[next].trial.canonical_hash());
    }
    if (next > 0) {
      RETURN_IF_ERROR(EnterSpace(trials_[next - 1].trial));
      RETURN_IF_ERROR(strategy_->Restore(from.strategy()));
    }
    for (; next < trials_.size() && response.compared() < limit; ++next) {
      RETURN_IF_ERROR(EnterSpace(trials_[next].trial));
      RETURN_IF_ERROR(Compare(trials_[next].trial, &response));
    }
    if (next < trials_.size()) {
      v1::ReplayPosition position;
      position.set_after_trial(trials_[next - 1].trial.number());
      *position.mutable_strategy() = strategy_->Save();
      response.set_next_page_token(absl::WebSafeBase64Escape(position.SerializeAsString()));
    }
    return response;
  }

 private:
  bool IsProbe(const v1::Trial& trial) const { return trial.space_version() < composed_version_; }

  absl::Status Take(const v1::Trial& trial) {
    if (trial.origin().strategy().empty()) {
      return ErrorWithReason(
          absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
          absl::StrCat("job ", trial.job_id(), " trial ", trial.number(),
                       " was proposed by a release that did not log what its proposal knew"));
    }
    LoggedTrial logged;
    if (trial.end_order() > 0) {
      ASSIGN_OR_RETURN(logged.end, JobState::Observe(spec_, trial));
    }
    v1::Trial& kept = logged.trial;
    kept.set_number(trial.number());
    *kept.mutable_genotype() = trial.genotype();
    kept.set_canonical_hash(trial.canonical_hash());
    kept.set_summary(trial.summary());
    kept.set_space_version(trial.space_version());
    kept.set_known_ends(trial.known_ends());
    kept.set_end_order(trial.end_order());
    trials_.push_back(std::move(logged));
    return absl::OkStatus();
  }

  void SortHistories() {
    std::vector<LoggedTrial*> ended;
    for (LoggedTrial& trial : trials_) {
      if (trial.end.trial > 0) ended.push_back(&trial);
    }
    std::sort(ended.begin(), ended.end(), [](const LoggedTrial* a, const LoggedTrial* b) {
      return a->trial.end_order() < b->trial.end_order();
    });
    for (LoggedTrial* trial : ended) {
      histories_[IsProbe(trial->trial)].push_back(std::move(trial->end));
    }
  }

  // Makes space and strategy those of the time of `trial`.
  absl::Status EnterSpace(const v1::Trial& trial) {
    if (space_ != nullptr && trial.space_version() == version_) return absl::OkStatus();
    const auto spec = spaces_.find(trial.space_version());
    if (spec == spaces_.end()) {
      return absl::DataLossError(absl::StrCat("trial ", trial.number(), " is of version ",
                                              trial.space_version(),
                                              " of the search space, which is not known"));
    }
    ASSIGN_OR_RETURN(space_,
                     CreateSpace(spec->second, spec_.dataset().input(), spec_.dataset().classes()));
    version_ = trial.space_version();
    *spec_.mutable_search_space() = spec->second;
    if (strategy_ == nullptr || IsProbe(trial) != probes_) {
      probes_ = IsProbe(trial);
      if (IsProbing(spec_)) {
        strategy_ = CreateGridStrategy();
      } else {
        ASSIGN_OR_RETURN(strategy_, CreateStrategy(spec_));
      }
    } else {
      strategy_->SpaceExtended();
    }
    return absl::OkStatus();
  }

  absl::Status Compare(const v1::Trial& trial, v1::ReplayJobResponse* response) {
    const std::vector<Observation>& history = histories_[probes_];
    if (trial.known_ends() > static_cast<int64_t>(history.size())) {
      return absl::DataLossError(absl::StrCat("trial ", trial.number(), " knew ",
                                              trial.known_ends(), " ends of trials, there are ",
                                              history.size()));
    }
    const auto known = absl::MakeConstSpan(history).first(static_cast<size_t>(trial.known_ends()));
    std::set<int64_t> ended;
    for (const Observation& end : known) ended.insert(end.trial);
    std::vector<Running> running;
    for (const LoggedTrial& other : trials_) {
      if (other.trial.number() >= trial.number()) break;
      if (IsProbe(other.trial) != probes_ || ended.contains(other.trial.number())) continue;
      running.push_back({other.trial.number(), &other.trial.genotype()});
    }
    const JobSearchContext context(
        {spec_, *space_, taken_, trial.number(), known, std::move(running)});
    absl::StatusOr<Candidate> candidate = absl::UnavailableError("");
    while (absl::IsUnavailable(candidate.status())) candidate = strategy_->Propose(context);
    response->set_compared(response->compared() + 1);
    taken_.insert(trial.canonical_hash());
    const bool same = candidate.ok() && candidate->genotype.SerializeAsString() ==
                                            trial.genotype().SerializeAsString();
    if (same) return absl::OkStatus();
    v1::ReplayDifference* difference = response->add_differences();
    difference->set_trial(trial.number());
    difference->set_proposed(trial.summary());
    difference->set_rebuilt(candidate.ok() ? space_->Summarize(candidate->genotype)
                                           : std::string(candidate.status().message()));
    return absl::OkStatus();
  }

  v1::JobSpec spec_;
  std::map<int, v1::SearchSpace> spaces_;  // by version
  int composed_version_ = 0;
  std::vector<LoggedTrial> trials_;        // by number
  std::vector<Observation> histories_[2];  // of the search, of probes

  // As of the trial that is compared.
  std::unique_ptr<Space> space_;
  std::unique_ptr<Strategy> strategy_;
  int version_ = 0;
  bool probes_ = false;
  absl::flat_hash_set<std::string> taken_;
};

}  // namespace

absl::StatusOr<v1::ReplayJobResponse> ReplayProposals(const v1::ReplayJobRequest& request,
                                                      const Store& store) {
  ASSIGN_OR_RETURN(const v1::ReplayPosition from, ParseToken(request.page_token()));
  ASSIGN_OR_RETURN(Replay replay, Replay::Load(request.job_id(), store));
  return replay.Run(from, request.limit() == 0 ? kDefaultLimit : request.limit());
}

}  // namespace frontier::coordinator
