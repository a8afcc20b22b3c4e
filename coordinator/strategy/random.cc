#include "coordinator/strategy/random.h"

#include "coordinator/strategy/exploration.h"

namespace frontier::coordinator {
namespace {

class RandomStrategy final : public ExploringStrategy {
 public:
  explicit RandomStrategy(uint64_t seed) : ExploringStrategy("random", seed) {}

 private:
  std::optional<Candidate> Suggest(const SearchContext&, Rng*) override { return std::nullopt; }
};

}  // namespace

std::unique_ptr<Strategy> CreateRandomStrategy(uint64_t seed) {
  return std::make_unique<RandomStrategy>(seed);
}

}  // namespace frontier::coordinator
