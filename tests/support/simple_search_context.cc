#include "tests/support/simple_search_context.h"

#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "coordinator/space/candidate.h"
#include "coordinator/strategy/objectives.h"

namespace frontier::testing {

using coordinator::Candidate;

SimpleSearchContext::SimpleSearchContext(const v1::SearchSpace& space, const v1::Shape& input,
                                         int classes, v1::JobSpec job)
    : input_(input),
      classes_(classes),
      space_(coordinator::CreateSpace(space, input, classes).value()),
      job_(std::move(job)) {}

void SimpleSearchContext::Extend(const v1::SearchSpace& spec) {
  space_ = coordinator::CreateSpace(spec, input_, classes_).value();
}

std::optional<Candidate> SimpleSearchContext::Admit(const v1::Genotype& genotype) const {
  ++tries_;
  absl::StatusOr<v1::Architecture> architecture = space_->Lower(genotype);
  if (!architecture.ok()) return std::nullopt;
  const absl::StatusOr<GraphCosts> costs = AnalyzeGraph(*architecture);
  if (!costs.ok() || !coordinator::MeetsAnalyticConstraints(job_, costs->parameters, costs->macs)) {
    return std::nullopt;
  }
  absl::StatusOr<std::string> hash = CanonicalHash(*architecture);
  if (!hash.ok()) return std::nullopt;
  *hash = coordinator::CandidateHash(*space_, genotype, *hash);
  if (proposed_.contains(*hash)) return std::nullopt;
  return Candidate{genotype, *std::move(architecture), *std::move(hash), costs->parameters,
                   costs->macs};
}

bool SimpleSearchContext::Record(const Candidate& candidate) {
  running_.insert(number());
  trials_.push_back(candidate);
  return proposed_.insert(candidate.hash).second;
}

void SimpleSearchContext::End(coordinator::Observation observation) {
  if (running_.erase(observation.trial) != 1) {
    throw std::logic_error(absl::StrCat("trial ", observation.trial, " does not run"));
  }
  Tell(std::move(observation));
}

void SimpleSearchContext::EndAgain(coordinator::Observation observation) {
  observation.again = true;
  Tell(std::move(observation));
}

void SimpleSearchContext::Tell(coordinator::Observation observation) {
  const Candidate& candidate = trials_[static_cast<size_t>(observation.trial - 1)];
  observation.genotype = candidate.genotype;
  observation.origin = candidate.origin;
  history_.push_back(std::move(observation));
}

std::vector<coordinator::Running> SimpleSearchContext::running() const {
  std::vector<coordinator::Running> running;
  for (const int64_t number : running_) {
    running.push_back({number, &trials_[static_cast<size_t>(number - 1)].genotype});
  }
  return running;
}

int64_t SimpleSearchContext::CountAdmissible() const {
  absl::flat_hash_set<std::string> hashes;
  v1::Genotype genotype = space_->First();
  do {
    if (std::optional<Candidate> candidate = Admit(genotype)) hashes.insert(candidate->hash);
  } while (space_->Advance(&genotype));
  return static_cast<int64_t>(hashes.size());
}

}  // namespace frontier::testing
