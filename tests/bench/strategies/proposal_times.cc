#include "tests/bench/strategies/proposal_times.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/core/search_context.h"
#include "coordinator/strategy/strategy.h"
#include "tests/bench/thread_clock.h"

namespace frontier::coordinator {
namespace {

// Each decision pulls every objective its own way, with some noise.
std::vector<double> MadeUpObjectives(const v1::Genotype& genotype, int count, Rng* rng) {
  std::vector<double> objectives;
  for (int m = 0; m < count; ++m) {
    double sum = 0;
    for (int d = 0; d < genotype.options_size(); ++d) {
      sum += std::sin(1.7 * genotype.options(d) + d + 2.3 * m);
    }
    objectives.push_back(sum + 0.1 * rng->Normal());
  }
  return objectives;
}

}  // namespace

absl::StatusOr<std::vector<double>> TimeProposals(const v1::JobSpec& job, const Space& space,
                                                  int64_t history, int64_t count) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Strategy> strategy, CreateStrategy(job));
  Rng rng(job.strategy().seed());
  std::vector<Observation> ended;
  absl::flat_hash_set<std::string> taken;
  const auto end = [&](v1::Genotype genotype, v1::Origin origin) {
    std::vector<double> objectives = MadeUpObjectives(genotype, job.objectives_size(), &rng);
    ended.push_back({static_cast<int64_t>(ended.size()) + 1, std::move(genotype), std::move(origin),
                     true, std::move(objectives), 0});
  };
  for (int64_t i = 0; i < history; ++i) end(space.Sample(&rng), {});
  std::vector<double> seconds;
  for (int64_t i = 0; i < count; ++i) {
    const JobSearchContext context({job, space, taken, static_cast<int64_t>(ended.size()) + 1,
                                    ended, [] { return std::vector<Running>(); }});
    const double before = ThreadSeconds();
    absl::StatusOr<Candidate> candidate = strategy->Propose(context);
    seconds.push_back(ThreadSeconds() - before);
    RETURN_IF_ERROR(candidate.status());
    taken.insert(candidate->hash);
    end(std::move(candidate->genotype), std::move(candidate->origin));
  }
  return seconds;
}

}  // namespace frontier::coordinator
