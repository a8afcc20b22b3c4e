#include "coordinator/simulation/simulator.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <set>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "common/base/status.h"
#include "coordinator/core/search_context.h"
#include "coordinator/stopping/ladders.h"
#include "coordinator/stopping/rungs.h"

namespace frontier::coordinator {

namespace {

// A trial on its way to one of its rungs.
struct Leg {
  double ends = 0;
  int64_t number = 0;
  int rung = 0;
  // By the time they end; of equal times the trial that was proposed first.
  bool operator>(const Leg& other) const {
    return std::tie(ends, number) > std::tie(other.ends, other.number);
  }
};

// From the pause before to rung `rung`, or to the end.
double LegSeconds(const Outcome& outcome, int rung) {
  const auto until = [&](size_t i) {
    return i < outcome.rungs.size() ? outcome.rungs[i].seconds : outcome.seconds;
  };
  const auto last = static_cast<size_t>(rung);
  return until(last) - (last == 0 ? 0 : until(last - 1));
}

absl::Status CheckRungs(const Outcome& outcome, const Ladder& ladder) {
  if (!outcome.succeeded) return absl::OkStatus();
  bool same = outcome.rungs.size() + 1 == ladder.size();
  for (size_t i = 0; same && i < outcome.rungs.size(); ++i) {
    same = outcome.rungs[i].epochs == ladder[i];
  }
  if (same) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("trials pause after ", absl::StrJoin(ladder, ", "),
                                                 " epochs; there are results of other rungs"));
}

}  // namespace

// The context of one search, and its trials.
class Simulator::Search final : public SearchContext {
 public:
  Search(Simulator* simulator, const v1::JobSpec& job) : simulator_(*simulator), job_(job) {}

  int64_t number() const override { return static_cast<int64_t>(genotypes_.size()) + 1; }
  const Space& space() const override { return *simulator_.space_; }
  absl::Span<const Observation> history() const override { return history_; }

  std::optional<Candidate> Admit(const v1::Genotype& genotype) const override {
    const Known& known = simulator_.Find(job_, genotype);
    if (!known.candidate.has_value()) return std::nullopt;
    if (!job_.strategy().allow_repeats() && taken_.contains(known.candidate->hash)) {
      return std::nullopt;
    }
    return known.candidate;
  }

  std::vector<Running> running() const override {
    std::vector<Running> running;
    for (const int64_t number : running_) {
      running.push_back({number, genotypes_[static_cast<size_t>(number - 1)].get()});
    }
    return running;
  }

  // The next trial, which begins now.
  SimulatedTrial* Start(Candidate candidate, double now) {
    SimulatedTrial trial;
    trial.number = number();
    trial.hash = candidate.hash;
    trial.origin = candidate.origin;
    trial.started = now;
    trial.outcome = simulator_.Find(job_, candidate.genotype).outcome;
    taken_.insert(std::move(candidate.hash));
    running_.insert(trial.number);
    genotypes_.push_back(std::make_unique<v1::Genotype>(std::move(candidate.genotype)));
    trials_.push_back(std::make_unique<SimulatedTrial>(std::move(trial)));
    return trials_.back().get();
  }

  SimulatedTrial* trial(int64_t number) { return trials_[static_cast<size_t>(number - 1)].get(); }

  // Notes what `trial` came to, for proposals to come.
  Observation Observe(const SimulatedTrial& trial, bool succeeded, std::vector<double> objectives,
                      double violation) {
    running_.erase(trial.number);
    const bool again = !told_.insert(trial.number).second;
    history_.push_back({trial.number, *genotypes_[static_cast<size_t>(trial.number - 1)],
                        trial.origin, succeeded, std::move(objectives), violation, again});
    return history_.back();
  }

 private:
  Simulator& simulator_;
  const v1::JobSpec& job_;
  absl::flat_hash_set<std::string> taken_;
  std::set<int64_t> running_;
  std::set<int64_t> told_;                                // of by the history
  std::vector<std::unique_ptr<v1::Genotype>> genotypes_;  // of all trials, by number
  std::vector<std::unique_ptr<SimulatedTrial>> trials_;   // likewise
  std::vector<Observation> history_;
};

const Simulator::Known& Simulator::Find(const v1::JobSpec& job, const v1::Genotype& genotype) {
  std::unique_ptr<Known>& known = known_[genotype.SerializeAsString()];
  if (known != nullptr) return *known;
  known = std::make_unique<Known>();
  known->candidate = AdmitCandidate(job, *space_, /*taken=*/{}, genotype);
  if (!known->candidate.has_value()) return *known;
  known->candidate->architecture.Clear();
  absl::StatusOr<Outcome> outcome = evaluate_(genotype);
  if (outcome.ok()) {
    known->outcome = *std::move(outcome);
  } else {
    if (!absl::IsNotFound(outcome.status())) problem_.Update(outcome.status());
    known->candidate.reset();
  }
  return *known;
}

absl::StatusOr<std::vector<SimulatedTrial>> Simulator::Run(const v1::JobSpec& job,
                                                           const SimulationLimits& limits) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Strategy> strategy, CreateStrategy(job));
  problem_ = absl::OkStatus();
  Search search(this, job);
  const Ladders ladders(job);
  Rungs rungs(ladders.reduction());
  std::vector<SimulatedTrial> ended;
  std::priority_queue<Leg, std::vector<Leg>, std::greater<Leg>> running;
  double now = 0;
  bool more = true;
  int64_t whole = 0;  // trials that were trained to their end
  while (true) {
    while (static_cast<int>(running.size()) < limits.workers) {
      std::optional<int64_t> next = rungs.Next();
      const bool last = !more || (limits.trials > 0 && search.number() > limits.trials);
      // As a coordinator, one is trained to its end in any case.
      if (!next.has_value() && last && running.empty() && whole == 0) next = rungs.Best();
      if (next.has_value()) {
        const int rung = rungs.PlaceOf(*next)->rung;
        rungs.GoOn(*next);
        const Outcome& outcome = search.trial(*next)->outcome;
        running.push({now + LegSeconds(outcome, rung + 1), *next, rung + 1});
        continue;
      }
      if (last) break;
      absl::StatusOr<Candidate> candidate = strategy->Propose(search);
      RETURN_IF_ERROR(problem_);
      if (absl::IsUnavailable(candidate.status())) continue;
      if (GetErrorReason(candidate.status()) == v1::ERROR_REASON_SPACE_EXHAUSTED) {
        more = false;
        break;
      }
      RETURN_IF_ERROR(candidate.status());
      const SimulatedTrial* trial = search.Start(*std::move(candidate), now);
      RETURN_IF_ERROR(CheckRungs(trial->outcome, ladders.ladder(ladders.BracketOf(trial->number))));
      running.push({now + LegSeconds(trial->outcome, 0), trial->number, 0});
    }
    if (running.empty()) break;
    const Leg leg = running.top();
    if (limits.seconds > 0 && leg.ends > limits.seconds) break;
    running.pop();
    now = leg.ends;
    SimulatedTrial* trial = search.trial(leg.number);
    const Ladder& ladder = ladders.ladder(ladders.BracketOf(leg.number));
    trial->ended = now;
    trial->epochs = ladder[static_cast<size_t>(leg.rung)];
    const Outcome& outcome = trial->outcome;
    trial->stopped = outcome.succeeded && trial->epochs < ladder.back();
    if (!trial->stopped) {
      whole += outcome.succeeded;
      search.Observe(*trial, outcome.succeeded, outcome.objectives, outcome.violation);
      ended.push_back(*trial);
      continue;
    }
    const RungOutcome& rung = outcome.rungs[static_cast<size_t>(leg.rung)];
    rungs.Add({ladders.BracketOf(leg.number), leg.rung},
              search.Observe(*trial, true, rung.objectives, rung.violation));
    rungs.Keep();
  }
  // Those that wait at a rung, or had gone on from it when the time was over.
  std::vector<std::pair<int64_t, int>> stopped;
  for (const int64_t number : rungs.Waiting()) {
    stopped.emplace_back(number, rungs.PlaceOf(number)->rung);
  }
  for (; !running.empty(); running.pop()) {
    if (running.top().rung > 0) stopped.emplace_back(running.top().number, running.top().rung - 1);
  }
  for (const auto& [number, last_rung] : stopped) {
    SimulatedTrial* trial = search.trial(number);
    const RungOutcome& rung = trial->outcome.rungs[static_cast<size_t>(last_rung)];
    trial->stopped = true;
    trial->outcome.objectives = rung.objectives;
    trial->outcome.violation = rung.violation;
    ended.push_back(*trial);
  }
  std::stable_sort(
      ended.begin(), ended.end(),
      [](const SimulatedTrial& x, const SimulatedTrial& y) { return x.ended < y.ended; });
  return ended;
}

}  // namespace frontier::coordinator
