// Chooses among implementations of a pass of a layer.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_PASS_PICKER_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_PASS_PICKER_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/base/clock.h"
#include "worker/engine/picks.h"

namespace frontier::worker::onednn {

class PassPicker {
 public:
  // Without a clock nothing is timed. `remembered` may be null; what is timed is added to it.
  PassPicker(Clock* clock, Picks* remembered) : clock_(clock), remembered_(remembered) {}

  // Index of the implementation in `names` (at least one) for `key`: the one decided before, in
  // this plan or an earlier one; else the fastest, or without timing the first. `prepare` makes
  // implementation i ready, which is not timed, or says that there is no memory for it now: what is
  // picked without it is not remembered. `run` runs the one prepared last, once.
  size_t Pick(const std::string& key, const std::vector<std::string>& names,
              absl::FunctionRef<bool(size_t)> prepare, absl::FunctionRef<void()> run);

  // Whether an implementation whose name begins so may be picked for `key`: it is what was decided
  // before, or what is fastest has still to be found out.
  bool MayPick(const std::string& key, absl::string_view name_prefix) const;

  // Takes note of a decision made elsewhere.
  void Note(const std::string& key, const std::string& choice) { used_[key] = choice; }

  // What was decided so far.
  const Picks& used() const { return used_; }

 private:
  Clock* const clock_;
  Picks* const remembered_;
  Picks used_;
};

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_PASS_PICKER_H_
