#include "coordinator/strategy/exploration.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

// Draws before the scan takes over: with one genotype in fifty admitted, that is once in 170
// proposals.
constexpr int kMaxDraws = 256;
// Genotypes a scan looks at in one call, so that a call ends within a tenth of a second or so.
constexpr int kMaxScanned = 2000;

// Apart from the other uses of a job's seed.
constexpr uint64_t kProposalStream = 0x70726f706f73616c;

}  // namespace

absl::StatusOr<Candidate> Scan::Next(const SearchContext& context) {
  const Space& space = context.space();
  under_way_ = false;
  if (!ended_ && !cursor_.has_value()) cursor_ = space.First();
  for (int i = 0; i < kMaxScanned && !ended_; ++i) {
    std::optional<Candidate> candidate = context.Admit(*cursor_);
    if (!space.Advance(&*cursor_)) {
      ended_ = true;
      cursor_.reset();
    }
    if (candidate.has_value()) return *std::move(candidate);
  }
  if (ended_) {
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_SPACE_EXHAUSTED,
                           "search space exhausted: every architecture was proposed or is ruled "
                           "out by its shapes or by constraints on parameters and MACs");
  }
  under_way_ = true;
  return absl::UnavailableError(absl::StrCat("search space: none of the next ", kMaxScanned,
                                             " genotypes can be proposed; going on from there"));
}

void Scan::Restart() {
  cursor_.reset();
  ended_ = false;
  under_way_ = false;
}

void Scan::Save(v1::StrategyState* state) const {
  if (cursor_.has_value()) *state->mutable_cursor() = *cursor_;
  state->set_cursor_ended(ended_);
  state->set_scanning(under_way_);
}

absl::Status Scan::Restore(const v1::StrategyState& state) {
  if (state.cursor_ended() && state.has_cursor()) {
    return absl::InvalidArgumentError("strategy state: a cursor that has ended and has not");
  }
  cursor_.reset();
  if (state.has_cursor()) cursor_ = state.cursor();
  ended_ = state.cursor_ended();
  under_way_ = state.scanning();
  return absl::OkStatus();
}

absl::StatusOr<Candidate> ExploringStrategy::Propose(const SearchContext& context) {
  // One generator for each proposal: what was drawn for others, in vain too, makes no difference.
  Rng rng(Rng(seed_, kProposalStream).NextUint64(), static_cast<uint64_t>(context.number()));
  std::optional<Candidate> candidate;
  if (!scan_.ended() && !scan_.under_way()) {
    candidate = Suggest(context, &rng);
    for (int i = 0; i < kMaxDraws && !candidate.has_value(); ++i) {
      candidate = context.Admit(context.space().Sample(&rng));
    }
  }
  if (!candidate.has_value()) {
    ASSIGN_OR_RETURN(candidate, scan_.Next(context));
  }
  candidate->origin.set_strategy(name_);
  return *std::move(candidate);
}

void ExploringStrategy::SpaceExtended() {
  scan_.Restart();
  Forget();
}

v1::StrategyState ExploringStrategy::Save() const {
  v1::StrategyState state;
  scan_.Save(&state);
  return state;
}

absl::Status ExploringStrategy::Restore(const v1::StrategyState& state) {
  RETURN_IF_ERROR(scan_.Restore(state));
  Forget();
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
