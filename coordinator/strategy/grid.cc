#include "coordinator/strategy/grid.h"

#include "common/base/status.h"
#include "coordinator/strategy/exploration.h"

namespace frontier::coordinator {
namespace {

class GridStrategy final : public Strategy {
 public:
  absl::StatusOr<Candidate> Propose(const SearchContext& context) override {
    ASSIGN_OR_RETURN(Candidate candidate, scan_.Next(context));
    candidate.origin.set_strategy("grid");
    return candidate;
  }

  void SpaceExtended() override { scan_.Restart(); }

  v1::StrategyState Save() const override {
    v1::StrategyState state;
    scan_.Save(&state);
    return state;
  }

  absl::Status Restore(const v1::StrategyState& state) override { return scan_.Restore(state); }

 private:
  Scan scan_;
};

}  // namespace

std::unique_ptr<Strategy> CreateGridStrategy() { return std::make_unique<GridStrategy>(); }

}  // namespace frontier::coordinator
