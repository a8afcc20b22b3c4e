#include "coordinator/simulation/simulator.h"

#include <queue>
#include <set>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "common/base/status.h"
#include "coordinator/core/search_context.h"

namespace frontier::coordinator {

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

  SimulatedTrial Start(Candidate candidate, double now) {
    const Outcome& outcome = simulator_.Find(job_, candidate.genotype).outcome;
    SimulatedTrial trial{number(), candidate.hash,        candidate.origin,
                         now,      now + outcome.seconds, outcome};
    taken_.insert(std::move(candidate.hash));
    running_.insert(trial.number);
    genotypes_.push_back(std::make_unique<v1::Genotype>(std::move(candidate.genotype)));
    return trial;
  }

  void End(const SimulatedTrial& trial) {
    running_.erase(trial.number);
    history_.push_back({trial.number, *genotypes_[static_cast<size_t>(trial.number - 1)],
                        trial.origin, trial.outcome.succeeded, trial.outcome.objectives,
                        trial.outcome.violation});
  }

 private:
  Simulator& simulator_;
  const v1::JobSpec& job_;
  absl::flat_hash_set<std::string> taken_;
  std::set<int64_t> running_;
  std::vector<std::unique_ptr<v1::Genotype>> genotypes_;  // of all trials, by number
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
  // By the time they end; of equal times the one that was proposed first.
  const auto later = [](const SimulatedTrial& a, const SimulatedTrial& b) {
    return std::tie(a.ended, a.number) > std::tie(b.ended, b.number);
  };
  std::priority_queue<SimulatedTrial, std::vector<SimulatedTrial>, decltype(later)> running(later);
  std::vector<SimulatedTrial> ended;
  double now = 0;
  bool more = true;
  while (true) {
    while (more && static_cast<int>(running.size()) < limits.workers) {
      if (limits.trials > 0 && search.number() > limits.trials) break;
      absl::StatusOr<Candidate> candidate = strategy->Propose(search);
      RETURN_IF_ERROR(problem_);
      if (absl::IsUnavailable(candidate.status())) continue;
      if (GetErrorReason(candidate.status()) == v1::ERROR_REASON_SPACE_EXHAUSTED) {
        more = false;
        break;
      }
      RETURN_IF_ERROR(candidate.status());
      running.push(search.Start(*std::move(candidate), now));
    }
    if (running.empty()) return ended;
    SimulatedTrial trial = running.top();
    running.pop();
    now = trial.ended;
    if (limits.seconds > 0 && now > limits.seconds) return ended;
    search.End(trial);
    ended.push_back(std::move(trial));
  }
}

}  // namespace frontier::coordinator
