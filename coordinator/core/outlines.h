// What a restart reads of a job's trials instead of all that is stored of them.
#ifndef FRONTIER_COORDINATOR_CORE_OUTLINES_H_
#define FRONTIER_COORDINATOR_CORE_OUTLINES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/base/strong_id.h"
#include "coordinator/storage/store.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// All of a trial that JobState::Restore looks at. `with_curve`: its epochs, too. Should it come to
// look at more, outlines that are stored lack that: a migration must empty their table.
v1::Trial OutlineOf(const v1::Trial& trial, bool with_curve);

// Outlines in the store that are not what their trials say, one line each. Reads all trials.
absl::StatusOr<std::vector<std::string>> FindWrongOutlines(const Store& store);

// Which of a job's trials, in blocks of one size, are to be outlined: those that are complete,
// closed and durable. Not thread-safe.
class OutlinePlan {
 public:
  // As the store has them; outlines of other blocks do not count. `block` is positive; the last
  // change by now is numbered `change`.
  OutlinePlan(int64_t block, int64_t trials_created, const std::vector<TrialRange>& outlined,
              int64_t change);

  // `number` is written by the change numbered `change`; the outline it is in is gone by then.
  void NoteWritten(TrialNumber number, int64_t change);
  void NoteOutlined(const TrialRange& range) { pending_.erase(BlockOf(range.first)); }

  struct Due {
    TrialRange range;
    int64_t change = 0;  // that wrote one of these trials last
  };
  // The first block of which all trials are among the first `trials_created` and closed, and were
  // written last by change `durable` or before.
  std::optional<Due> Next(int64_t trials_created, int64_t durable,
                          absl::FunctionRef<bool(const TrialRange&)> is_closed) const;
  // Whether none of its trials was written since.
  bool IsStillDue(const Due& due) const;

 private:
  int64_t BlockOf(int64_t number) const { return (number - 1) / block_; }
  TrialRange RangeOf(int64_t block) const { return {block * block_ + 1, (block + 1) * block_}; }

  int64_t block_;                       // trials
  std::map<int64_t, int64_t> pending_;  // blocks without an outline, and their last changes
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_OUTLINES_H_
