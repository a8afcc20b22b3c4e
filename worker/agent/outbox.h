// Finished outcomes on disk until the coordinator has answered for them, so that none is lost with
// the connection, the coordinator or the daemon.
#ifndef FRONTIER_WORKER_AGENT_OUTBOX_H_
#define FRONTIER_WORKER_AGENT_OUTBOX_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::worker {

// A folder with one ReportRequest a file, and beside it the trained weights it speaks of.
// Thread-safe for different leases.
class Outbox {
 public:
  // Makes the folder if absent. Removes weights without a report, whose attempt never ended, and
  // writes that were cut off; no process of an earlier start runs any more.
  static absl::StatusOr<std::unique_ptr<Outbox>> Open(const std::string& folder);

  // Where the weights of a lease's attempt belong.
  std::string WeightsPath(const v1::AttemptKey& key, int64_t token) const;

  // Durable once OK; replaces what is there for the same lease.
  absl::Status Put(const v1::ReportRequest& report);
  // All stored reports, oldest lease first. A file that cannot be read is logged, renamed to
  // "*.damaged" and left out.
  std::vector<v1::ReportRequest> List() const;
  // The report is settled, the attempt's process gone: report and weights go, also where a write
  // was cut off. Fine if they are not there.
  void Remove(const v1::AttemptKey& key, int64_t token);

 private:
  explicit Outbox(std::string folder) : folder_(std::move(folder)) {}
  std::string Stem(const v1::AttemptKey& key, int64_t token) const;

  const std::string folder_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_OUTBOX_H_
