// A SearchContext over a real space, with its own record of what was proposed.
#ifndef FRONTIER_TESTS_SUPPORT_SIMPLE_SEARCH_CONTEXT_H_
#define FRONTIER_TESTS_SUPPORT_SIMPLE_SEARCH_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
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

  const coordinator::Space& space() const override { return *space_; }
  std::optional<coordinator::Candidate> Admit(const v1::Genotype& genotype) const override;

  // To be called with what a strategy proposed; false if it had been proposed before.
  bool Record(const coordinator::Candidate& candidate);

  // The space of `spec` from now on, for the same samples and classes; what was proposed stays so.
  void Extend(const v1::SearchSpace& spec);

  // Number of different architectures of the space that can be proposed, by enumeration.
  int64_t CountAdmissible() const;
  // Calls of Admit so far.
  int64_t tries() const { return tries_; }

 private:
  const v1::Shape input_;
  const int classes_;
  std::unique_ptr<coordinator::Space> space_;
  v1::JobSpec job_;
  absl::flat_hash_set<std::string> proposed_;
  mutable int64_t tries_ = 0;
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_SIMPLE_SEARCH_CONTEXT_H_
