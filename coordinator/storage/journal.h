// The way of changes from the core to the store.
#ifndef FRONTIER_COORDINATOR_STORAGE_JOURNAL_H_
#define FRONTIER_COORDINATOR_STORAGE_JOURNAL_H_

#include <cstdint>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// Takes changes in at once and makes them durable later, in the order in which they came. Nobody
// outside may hear of a change before WhenDurable says so.
//
// Should the store fail, all that is not durable by then is lost together, since later changes
// stand on earlier ones. `losses` counts this; whoever decides on what was written must then begin
// anew from the store. After a loss nothing is taken in until Resume succeeds. A change that no
// store would take is a mistake of the caller's and takes those that are committed with it along.
//
// Thread-safe. Errors are those of the store.
class Journal {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  virtual ~Journal() = default;

  virtual int64_t losses() const = 0;

  // Takes in a change that was decided when `losses` was as given; UNAVAILABLE if it was another.
  // Nothing of it is taken in if this fails.
  virtual absl::Status Write(int64_t losses, v1::Change change) = 0;

  // Calls `done` once all that has been written by now is durable: here and now, or from the thread
  // that commits, which it must not hold up. With an error if it was lost, or if there was a loss
  // since `losses` was as given.
  virtual void WhenDurable(int64_t losses, Done done) = 0;

  // Changes that have been written and are not durable yet.
  virtual int64_t backlog() const = 0;

  // After a loss takes changes in again if the store takes `probe`, which must change a row: what
  // is there already SQLite does not write.
  virtual absl::Status Resume(v1::Change probe) = 0;

  // As in Store, with what is written but not durable yet.
  virtual absl::StatusOr<v1::JobRecord> GetJob(int64_t job_id) const = 0;
  virtual absl::StatusOr<v1::Trial> GetTrial(int64_t job_id, int64_t number) const = 0;
  virtual absl::StatusOr<std::optional<v1::RequestRecord>> FindRequest(
      absl::string_view request_id) const = 0;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_JOURNAL_H_
