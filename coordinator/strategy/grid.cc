#include "coordinator/strategy/grid.h"

#include "coordinator/strategy/exploration.h"

namespace frontier::coordinator {
namespace {

class GridStrategy final : public Strategy {
 public:
  absl::StatusOr<Candidate> Propose(const SearchContext& context) override {
    return scan_.Next(context);
  }

  void Observe(const Observation&) override {}

  void SpaceExtended() override { scan_.Restart(); }

  v1::StrategyState Save() const override {
    v1::StrategyState state;
    scan_.Save(&state);
    return state;
  }

  absl::Status Restore(const v1::StrategyState& state) override {
    if (state.has_rng() || state.has_evolution()) {
      return absl::InvalidArgumentError("strategy state: not of a grid strategy");
    }
    return scan_.Restore(state);
  }

 private:
  Scan scan_;
};

}  // namespace

std::unique_ptr<Strategy> CreateGridStrategy() { return std::make_unique<GridStrategy>(); }

}  // namespace frontier::coordinator
