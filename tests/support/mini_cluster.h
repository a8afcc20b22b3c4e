// A cluster of real processes on loopback, for end-to-end tests.
#ifndef FRONTIER_TESTS_SUPPORT_MINI_CLUSTER_H_
#define FRONTIER_TESTS_SUPPORT_MINI_CLUSTER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/rpc/client/job_client.h"
#include "tests/support/process.h"

namespace frontier::testing {

struct MiniClusterOptions {
  std::string folder;        // for databases, state and logs; emptied first
  std::string dataset_name;  // that each worker holds
  std::string dataset_folder;
  std::vector<std::string> coordinator_flags;  // besides addresses and folders
  std::vector<std::string> worker_flags;
};

// Not thread-safe. All processes are killed when it is dropped.
class MiniCluster {
 public:
  explicit MiniCluster(MiniClusterOptions options);

  // Starts the coordinator, on the same address and database each time. Does not wait for it:
  // clients and workers try again by themselves.
  absl::Status StartCoordinator();
  void KillCoordinator();  // SIGKILL
  absl::Status StartWorker(const std::string& id) { return StartWorkerAt(id, address_); }
  // With another way to the coordinator.
  absl::Status StartWorkerAt(const std::string& id, const std::string& coordinator);
  void KillWorker(const std::string& id);  // SIGKILL
  // SIGSTOP: it does nothing until it is told to go on.
  void SuspendCoordinator();
  void ResumeCoordinator();
  void SuspendWorker(const std::string& id);
  void ResumeWorker(const std::string& id);
  // SIGTERM; its exit code.
  int StopWorker(const std::string& id);
  int StopCoordinator();

  // Waits until `count` workers have registered.
  void AwaitWorker(int count = 1);

  const std::string& address() const { return address_; }
  JobClient& client() { return *client_; }
  // Runs the command line program against this cluster.
  absl::StatusOr<CommandResult> Frontier(std::vector<std::string> arguments,
                                         const std::string& input = "");

  // The ends of all logs, to print when a test fails.
  std::string Logs() const;

 private:
  const MiniClusterOptions options_;
  const std::string address_;
  std::unique_ptr<JobClient> client_;
  std::unique_ptr<Process> coordinator_;
  std::map<std::string, std::unique_ptr<Process>> workers_;
};

// Path of a binary of this build: "frontier", "frontier-coordinator", "frontier-worker".
std::string BinaryPath(absl::string_view name);

// Writes a data set of `train` + `test` samples of 1 x 8 x 8 pixels in 4 classes (a bright bar
// whose place and direction tell the class, with noise), as gzip-free IDX files, that small
// networks learn in a few epochs.
absl::Status WriteBarsDataset(const std::string& folder, int train, int test, uint64_t seed);

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_MINI_CLUSTER_H_
