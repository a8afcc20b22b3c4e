#include "coordinator/core/replay.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/core/composition.h"
#include "coordinator/core/job_state.h"
#include "coordinator/core/legs.h"
#include "coordinator/core/search_context.h"
#include "coordinator/space/space.h"
#include "coordinator/strategy/grid.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/record.pb.h"

namespace frontier::coordinator {
namespace {

constexpr int kDefaultLimit = 100;
// What is not compared by then is left to the next call, also in the middle of a proposal that
// takes long.
constexpr absl::Duration kMostTime = absl::Seconds(2);

// What proposals were told of a trial: how it ended, or came to a rung.
struct LoggedEnd {
  int64_t order = 0;
  Observation observation;
};

struct LoggedTrial {
  v1::Trial trial;              // without its network, result and attempts
  std::vector<LoggedEnd> ends;  // that proposals know of
};

// "3.<position>", of job 3.
std::string MakeToken(int64_t job_id, const v1::ReplayPosition& position) {
  return absl::StrCat(job_id, ".", absl::WebSafeBase64Escape(position.SerializeAsString()));
}

absl::StatusOr<std::optional<v1::ReplayPosition>> ParseToken(int64_t job_id,
                                                             absl::string_view token) {
  v1::ReplayPosition position;
  if (token.empty()) return std::nullopt;
  std::string bytes;
  if (!absl::ConsumePrefix(&token, absl::StrCat(job_id, ".")) ||
      !absl::WebSafeBase64Unescape(token, &bytes) || !position.ParseFromString(bytes) ||
      position.after_trial() < 0) {
    return InvalidField("page_token", "was not given for this job");
  }
  return position;
}

class Replay {
 public:
  static absl::StatusOr<Replay> Load(int64_t job_id, const Store& store) {
    Replay replay;
    ASSIGN_OR_RETURN(const v1::JobRecord before, store.GetJob(job_id));
    if (before.job().dropped().trials()) {
      return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                             absl::StrCat("job ", job_id,
                                          ": its trials are not kept any more, "
                                          "but for the front"));
    }
    replay.spec_ = before.job().spec();
    replay.last_ = before.job().trials_created();
    RETURN_IF_ERROR(store.ForEachTrial(job_id, TrialParts::kWithoutArchitecture,
                                       [&](const v1::Trial& trial) { return replay.Take(trial); }));
    // Read after the trials, it knows the spaces of all of them.
    ASSIGN_OR_RETURN(v1::JobRecord record, store.GetJob(job_id));
    replay.job_id_ = job_id;
    replay.spec_ = std::move(*record.mutable_job()->mutable_spec());
    replay.cancelled_ = {record.cancelled().begin(), record.cancelled().end()};
    for (v1::SearchSpace& past : *record.mutable_past_spaces()) {
      const int version = past.version();
      replay.spaces_[version] = std::move(past);
    }
    replay.spaces_[replay.spec_.search_space().version()] = replay.spec_.search_space();
    replay.composed_version_ = replay.spec_.search_space().auto_().composition().version();
    replay.SortHistories();
    return replay;
  }

  absl::StatusOr<v1::ReplayJobResponse> Run(const std::optional<v1::ReplayPosition>& from,
                                            int limit, Clock* clock) {
    v1::ReplayJobResponse response;
    size_t next = 0;
    const int64_t known = from.has_value() ? from->after_trial() : 0;
    for (; next < trials_.size() && trials_[next].trial.number() <= known; ++next) {
      RETURN_IF_ERROR(EnterSpace(trials_[next].trial));
      Note(trials_[next].trial);
    }
    if (next == trials_.size()) return response;
    RETURN_IF_ERROR(EnterSpace(trials_[next].trial));
    if (from.has_value()) {
      const absl::Status restored = strategy_->Restore(from->strategy());
      if (!restored.ok()) return InvalidField("page_token", restored.message());
    }
    const absl::Duration end = clock->Elapsed() + kMostTime;
    do {
      ASSIGN_OR_RETURN(const bool compared, Compare(trials_[next].trial, &response));
      if (!compared) continue;
      if (++next == trials_.size()) return response;
      RETURN_IF_ERROR(EnterSpace(trials_[next].trial));
    } while (response.compared() < limit && clock->Elapsed() < end);
    v1::ReplayPosition position;
    position.set_after_trial(next == 0 ? 0 : trials_[next - 1].trial.number());
    *position.mutable_strategy() = strategy_->Save();
    response.set_next_page_token(MakeToken(job_id_, position));
    return response;
  }

 private:
  bool IsProbe(const v1::Trial& trial) const { return trial.space_version() < composed_version_; }

  absl::Status Take(const v1::Trial& trial) {
    // Trials are read one after the other: a later one may know ends that came when those before it
    // had been read. All that these know was there before.
    if (trial.number() > last_) return absl::OkStatus();
    if (trial.origin().strategy().empty()) {
      return ErrorWithReason(
          absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
          absl::StrCat("job ", trial.job_id(), " trial ", trial.number(),
                       " was proposed by a release that did not log what its proposal knew"));
    }
    LoggedTrial logged;
    for (const v1::RungResult& rung : trial.rungs()) {
      if (rung.end_order() == 0) continue;
      ASSIGN_OR_RETURN(Observation observation, ObserveRung(spec_, trial, rung));
      logged.ends.push_back({rung.end_order(), std::move(observation)});
    }
    if (trial.end_order() > 0) {
      ASSIGN_OR_RETURN(Observation observation, JobState::Observe(spec_, trial));
      logged.ends.push_back({trial.end_order(), std::move(observation)});
    }
    v1::Trial& kept = logged.trial;
    kept.set_number(trial.number());
    *kept.mutable_genotype() = trial.genotype();
    kept.set_canonical_hash(trial.canonical_hash());
    kept.set_summary(trial.summary());
    kept.set_space_version(trial.space_version());
    kept.set_known_ends(trial.known_ends());
    *kept.mutable_origin() = trial.origin();
    trials_.push_back(std::move(logged));
    return absl::OkStatus();
  }

  void SortHistories() {
    for (const bool probes : {false, true}) {
      std::vector<LoggedEnd> ends;
      for (LoggedTrial& trial : trials_) {
        if (IsProbe(trial.trial) != probes) continue;
        std::move(trial.ends.begin(), trial.ends.end(), std::back_inserter(ends));
      }
      std::sort(ends.begin(), ends.end(),
                [](const LoggedEnd& a, const LoggedEnd& b) { return a.order < b.order; });
      for (LoggedEnd& end : ends) histories_[probes].push_back(std::move(end.observation));
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
      known_ = 0;
      running_.clear();
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

  // That `trial` has been proposed.
  void Note(const v1::Trial& trial) {
    taken_.insert(trial.canonical_hash());
    running_[trial.number()] = &trial.genotype();
  }

  // False if the strategy has yet to find its proposal: the next call goes on from there.
  absl::StatusOr<bool> Compare(const v1::Trial& trial, v1::ReplayJobResponse* response) {
    if (trial.origin().strategy() == kWarmStart) {
      // Taken over, or named by the job: nobody proposed it.
      response->set_compared(response->compared() + 1);
      Note(trial);
      return true;
    }
    const std::vector<Observation>& history = histories_[probes_];
    if (trial.known_ends() > static_cast<int64_t>(history.size())) {
      return absl::DataLossError(absl::StrCat("trial ", trial.number(), " knew ",
                                              trial.known_ends(), " ends of trials, there are ",
                                              history.size()));
    }
    // Proposals never know less than those before them.
    for (; known_ < static_cast<size_t>(trial.known_ends()); ++known_) {
      running_.erase(history[known_].trial);
    }
    for (const v1::CancelledTrial& cancelled : cancelled_) {
      if (cancelled.trials_created() < trial.number()) running_.erase(cancelled.trial());
    }
    const auto running = [this] {
      std::vector<Running> found;
      for (const auto& [number, genotype] : running_) found.push_back({number, genotype});
      return found;
    };
    const JobSearchContext context({spec_, *space_, taken_, trial.number(),
                                    absl::MakeConstSpan(history).first(known_), running});
    const absl::StatusOr<Candidate> candidate = strategy_->Propose(context);
    if (absl::IsUnavailable(candidate.status())) return false;
    response->set_compared(response->compared() + 1);
    Note(trial);
    const bool same = candidate.ok() && candidate->genotype.SerializeAsString() ==
                                            trial.genotype().SerializeAsString();
    if (same) return true;
    v1::ReplayDifference* difference = response->add_differences();
    difference->set_trial(trial.number());
    difference->set_proposed(trial.summary());
    difference->set_rebuilt(candidate.ok() ? space_->Summarize(candidate->genotype)
                                           : std::string(candidate.status().message()));
    return true;
  }

  int64_t job_id_ = 0;
  v1::JobSpec spec_;
  std::map<int, v1::SearchSpace> spaces_;  // by version
  int composed_version_ = 0;
  int64_t last_ = 0;                       // of the trials that are compared
  std::vector<LoggedTrial> trials_;        // by number
  std::vector<Observation> histories_[2];  // of the search, of probes

  // As of the trial that is compared.
  std::unique_ptr<Space> space_;
  std::unique_ptr<Strategy> strategy_;
  int version_ = 0;
  bool probes_ = false;
  absl::flat_hash_set<std::string> taken_;
  size_t known_ = 0;                                // ends of trials, of the history
  std::map<int64_t, const v1::Genotype*> running_;  // by number
  std::vector<v1::CancelledTrial> cancelled_;
};

}  // namespace

absl::StatusOr<v1::ReplayJobResponse> ReplayProposals(const v1::ReplayJobRequest& request,
                                                      const Store& store, Clock* clock) {
  ASSIGN_OR_RETURN(const std::optional<v1::ReplayPosition> from,
                   ParseToken(request.job_id(), request.page_token()));
  ASSIGN_OR_RETURN(Replay replay, Replay::Load(request.job_id(), store));
  return replay.Run(from, request.limit() == 0 ? kDefaultLimit : request.limit(), clock);
}

}  // namespace frontier::coordinator
