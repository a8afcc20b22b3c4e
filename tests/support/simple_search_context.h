// A SearchContext over a real space, with its own record of what was proposed.
#ifndef FRONTIER_TESTS_SUPPORT_SIMPLE_SEARCH_CONTEXT_H_
#define FRONTIER_TESTS_SUPPORT_SIMPLE_SEARCH_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "coordinator/space/space.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::testing {

class SimpleSearchContext final : public coordinator::SearchContext {
 public:
  // `job` counts for its constraints on parameters and MACs.
  SimpleSearchContext(const v1::SearchSpace& space, const v1::Shape& input, int classes,
                      v1::JobSpec job = {});

  int64_t number() const override { return static_cast<int64_t>(trials_.size()) + 1; }
  const coordinator::Space& space() const override { return *space_; }
  std::optional<coordinator::Candidate> Admit(const v1::Genotype& genotype) const override;
  absl::Span<const coordinator::Observation> history() const override { return history_; }
  std::vector<coordinator::Running> running() const override;

  // To be called with what a strategy proposed, which is then a running trial of number() before
  // the call; false if it had been proposed before.
  bool Record(const coordinator::Candidate& candidate);
  // Ends a trial that runs: genotype and origin are those that it was proposed with.
  void End(coordinator::Observation observation);
  // What a trial that ended, at a rung, came to later.
  void EndAgain(coordinator::Observation observation);

  // The space of `spec` from now on, for the same samples and classes; what was proposed stays so.
  void Extend(const v1::SearchSpace& spec);

  // Number of different architectures of the space that can be proposed, by enumeration.
  int64_t CountAdmissible() const;
  // Calls of Admit so far.
  int64_t tries() const { return tries_; }

 private:
  void Tell(coordinator::Observation observation);

  const v1::Shape input_;
  const int classes_;
  std::unique_ptr<coordinator::Space> space_;
  v1::JobSpec job_;
  absl::flat_hash_set<std::string> proposed_;
  std::vector<coordinator::Candidate> trials_;  // by number, from 1
  std::set<int64_t> running_;
  std::vector<coordinator::Observation> history_;
  mutable int64_t tries_ = 0;
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_SIMPLE_SEARCH_CONTEXT_H_
