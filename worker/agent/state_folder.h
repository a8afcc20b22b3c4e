// The folder a worker keeps between starts: its name, its lock, its outbox, what it has found out
// about its machine.
#ifndef FRONTIER_WORKER_AGENT_STATE_FOLDER_H_
#define FRONTIER_WORKER_AGENT_STATE_FOLDER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace frontier::worker {

// Held by one daemon at a time; given up when the object or the process goes.
class StateFolder {
 public:
  // Makes the folder if absent. FAILED_PRECONDITION, naming the process, if another daemon holds
  // it; NOT_FOUND, PERMISSION_DENIED and so on if it cannot be made or written to.
  static absl::StatusOr<std::unique_ptr<StateFolder>> Open(const std::string& path);
  ~StateFolder();
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string outbox() const { return path_ + "/outbox"; }
  std::string checkpoints() const { return path_ + "/checkpoints"; }
  std::string parents() const { return path_ + "/parents"; }
  std::string picks() const { return path_ + "/picks"; }
  // Readable by others than the holder, too.
  static std::string Split(const std::string& path) { return path + "/split"; }

  // The stored worker id; if there is none, stores `host` (made fit for an id) with `suffix`.
  // DATA_LOSS if what is stored is no worker id.
  absl::StatusOr<std::string> WorkerId(absl::string_view host, absl::string_view suffix);

 private:
  StateFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  const std::string path_;
  const int lock_;  // file descriptor
};

// OK for 1 to 128 of [A-Za-z0-9._-]; INVALID_ARGUMENT otherwise.
absl::Status CheckWorkerId(absl::string_view id);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_STATE_FOLDER_H_
