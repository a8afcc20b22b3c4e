#include "coordinator/strategy/random.h"

#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/strategy/exploration.h"

namespace frontier::coordinator {
namespace {

class RandomStrategy final : public Strategy {
 public:
  explicit RandomStrategy(uint64_t seed) : rng_(seed) {}

  absl::StatusOr<Candidate> Propose(const SearchContext& context) override {
    return DrawNew(context, &rng_, &scan_);
  }

  void Observe(const Observation&) override {}

  void SpaceExtended() override { scan_.Restart(); }

  v1::StrategyState Save() const override {
    v1::StrategyState state;
    SaveRng(rng_, &state);
    scan_.Save(&state);
    return state;
  }

  absl::Status Restore(const v1::StrategyState& state) override {
    if (state.has_evolution()) {
      return absl::InvalidArgumentError("strategy state: not of a random strategy");
    }
    ASSIGN_OR_RETURN(const Rng rng, RestoreRng(state));
    RETURN_IF_ERROR(scan_.Restore(state));
    rng_ = rng;
    return absl::OkStatus();
  }

 private:
  Rng rng_;
  Scan scan_;
};

}  // namespace

std::unique_ptr<Strategy> CreateRandomStrategy(uint64_t seed) {
  return std::make_unique<RandomStrategy>(seed);
}

}  // namespace frontier::coordinator
