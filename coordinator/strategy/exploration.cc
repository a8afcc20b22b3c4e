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

}  // namespace

absl::StatusOr<Candidate> Scan::Next(const SearchContext& context) {
  const Space& space = context.space();
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
  return absl::UnavailableError(absl::StrCat("search space: none of the next ", kMaxScanned,
                                             " genotypes can be proposed; going on from there"));
}

void Scan::Restart() {
  cursor_.reset();
  ended_ = false;
}

void Scan::Save(v1::StrategyState* state) const {
  if (cursor_.has_value()) *state->mutable_cursor() = *cursor_;
  state->set_cursor_ended(ended_);
}

absl::Status Scan::Restore(const v1::StrategyState& state) {
  if (state.cursor_ended() && state.has_cursor()) {
    return absl::InvalidArgumentError("strategy state: a cursor that has ended and has not");
  }
  cursor_.reset();
  if (state.has_cursor()) cursor_ = state.cursor();
  ended_ = state.cursor_ended();
  return absl::OkStatus();
}

absl::StatusOr<Candidate> DrawNew(const SearchContext& context, Rng* rng, Scan* scan) {
  for (int i = 0; i < kMaxDraws && !scan->ended(); ++i) {
    std::optional<Candidate> candidate = context.Admit(context.space().Sample(rng));
    if (candidate.has_value()) return *std::move(candidate);
  }
  return scan->Next(context);
}

void SaveRng(const Rng& rng, v1::StrategyState* state) {
  for (uint64_t word : rng.state()) state->mutable_rng()->add_words(word);
}

absl::StatusOr<Rng> RestoreRng(const v1::StrategyState& state) {
  Rng::State words{};
  if (!state.has_rng() || state.rng().words_size() != static_cast<int>(words.size())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "strategy state: generator of ", state.rng().words_size(), " words, not ", words.size()));
  }
  bool any = false;
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = state.rng().words(static_cast<int>(i));
    any |= words[i] != 0;
  }
  // From all zeros the generator never moves.
  if (!any) return absl::InvalidArgumentError("strategy state: generator is all zeros");
  return Rng::FromState(words);
}

}  // namespace frontier::coordinator
