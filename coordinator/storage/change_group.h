// Several changes as one.
#ifndef FRONTIER_COORDINATOR_STORAGE_CHANGE_GROUP_H_
#define FRONTIER_COORDINATOR_STORAGE_CHANGE_GROUP_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

// Of a row that several changes write the last state alone is kept. Not thread-safe.
class ChangeGroup {
 public:
  void Add(v1::Change change);
  bool empty() const { return empty_; }

  // What does to a store what the changes would do one after another.
  v1::Change* change() { return &merged_; }

  // Rows as the changes leave them, specs and architectures if they are written; null = the changes
  // do not write the row.
  const v1::JobRecord* FindJob(int64_t job_id) const;
  const v1::Trial* FindTrial(int64_t job_id, int64_t number) const;
  const v1::RequestRecord* FindRequest(absl::string_view request_id) const;
  bool Deletes(int64_t job_id) const;

 private:
  using LeaseKey = std::tuple<int64_t, int64_t, int32_t>;

  v1::Change merged_;
  bool empty_ = true;
  // Places in the fields of merged_.
  absl::flat_hash_map<int64_t, int> jobs_;
  absl::flat_hash_map<std::pair<int64_t, int64_t>, int> trials_;
  absl::flat_hash_map<LeaseKey, int> leases_;
  absl::flat_hash_map<std::string, int> workers_;
  absl::flat_hash_map<std::string, int> requests_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_STORAGE_CHANGE_GROUP_H_
