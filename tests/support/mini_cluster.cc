#include "tests/support/mini_cluster.h"

#include <signal.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "gtest/gtest.h"

namespace frontier::testing {
namespace {

void AppendBigEndian(uint32_t value, std::string* out) {
  for (const int shift : {24, 16, 8, 0}) out->push_back(static_cast<char>(value >> shift));
}

std::string Tail(const std::string& text, size_t bytes) {
  return text.size() <= bytes ? text : text.substr(text.size() - bytes);
}

}  // namespace

std::string BinaryPath(absl::string_view name) { return absl::StrCat(FRONTIER_BIN_DIR, "/", name); }

MiniCluster::MiniCluster(MiniClusterOptions options)
    : options_(std::move(options)), address_(absl::StrCat("127.0.0.1:", FreePort())) {
  std::filesystem::remove_all(options_.folder);
  std::filesystem::create_directories(options_.folder);
  client_ = NewJobClient(
      {.address = address_, .deadline = absl::Seconds(20), .retry_for = absl::Seconds(60)});
}

absl::Status MiniCluster::StartCoordinator() {
  std::vector<std::string> argv = {BinaryPath("frontier-coordinator"), "--listen", address_,
                                   "--data_dir", absl::StrCat(options_.folder, "/coordinator")};
  argv.insert(argv.end(), options_.coordinator_flags.begin(), options_.coordinator_flags.end());
  ASSIGN_OR_RETURN(coordinator_,
                   Process::Start(argv, absl::StrCat(options_.folder, "/coordinator.log")));
  return absl::OkStatus();
}

void MiniCluster::KillCoordinator() { coordinator_.reset(); }

absl::Status MiniCluster::StartWorkerAt(const std::string& id, const std::string& coordinator) {
  std::vector<std::string> argv = {
      BinaryPath("frontier-worker"),
      "--coordinator",
      coordinator,
      "--worker_id",
      id,
      "--state_dir",
      absl::StrCat(options_.folder, "/", id),
      "--slots",
      "1",
      "--threads_per_trial",
      "1",
      "--dataset",
      absl::StrCat(options_.dataset_name, "=", options_.dataset_folder)};
  argv.insert(argv.end(), options_.worker_flags.begin(), options_.worker_flags.end());
  ASSIGN_OR_RETURN(workers_[id],
                   Process::Start(argv, absl::StrCat(options_.folder, "/", id, ".log")));
  return absl::OkStatus();
}

void MiniCluster::KillWorker(const std::string& id) { workers_.erase(id); }

int MiniCluster::StopWorker(const std::string& id) {
  workers_.at(id)->Signal(SIGTERM);
  const int exit_code = workers_.at(id)->Wait();
  workers_.erase(id);
  return exit_code;
}

void MiniCluster::SuspendCoordinator() { coordinator_->Signal(SIGSTOP); }
void MiniCluster::ResumeCoordinator() { coordinator_->Signal(SIGCONT); }
void MiniCluster::SuspendWorker(const std::string& id) { workers_.at(id)->Signal(SIGSTOP); }
void MiniCluster::ResumeWorker(const std::string& id) { workers_.at(id)->Signal(SIGCONT); }

int MiniCluster::StopCoordinator() {
  coordinator_->Signal(SIGTERM);
  const int exit_code = coordinator_->Wait();
  coordinator_.reset();
  return exit_code;
}

void MiniCluster::AwaitWorker(int count) {
  for (int alive = 0; alive < count;) {
    const absl::StatusOr<v1::ListWorkersResponse> response =
        client_->ListWorkers(v1::ListWorkersRequest());
    ASSERT_TRUE(response.ok()) << response.status();
    alive = 0;
    for (const v1::Worker& worker : response->workers()) alive += worker.alive();
  }
}

absl::StatusOr<CommandResult> MiniCluster::Frontier(std::vector<std::string> arguments,
                                                    const std::string& input) {
  std::vector<std::string> argv = {BinaryPath("frontier"), "--coordinator", address_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunCommand(argv, input);
}

std::string MiniCluster::Logs() const {
  std::string out;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder)) {
    if (entry.path().extension() != ".log") continue;
    const absl::StatusOr<std::string> content = ReadFile(entry.path().string());
    absl::StrAppend(&out, "--- ", entry.path().filename().string(), "\n",
                    content.ok() ? Tail(*content, 6000) : content.status().ToString(), "\n");
  }
  return out;
}

absl::Status WriteBarsDataset(const std::string& folder, int train, int test, uint64_t seed) {
  RETURN_IF_ERROR(MakeDirectories(folder));
  constexpr int kSize = 8;
  Rng rng(seed);
  for (const auto& [part, count] : {std::pair<std::string, int>("train", train), {"t10k", test}}) {
    std::string images, labels;
    AppendBigEndian(0x00000803, &images);
    AppendBigEndian(count, &images);
    AppendBigEndian(kSize, &images);
    AppendBigEndian(kSize, &images);
    AppendBigEndian(0x00000801, &labels);
    AppendBigEndian(count, &labels);
    for (int i = 0; i < count; ++i) {
      const int label = i % 4;  // horizontal or vertical bar, in the first or second half
      const int place = static_cast<int>(rng.Uniform(kSize / 2)) + (label / 2) * (kSize / 2);
      for (int y = 0; y < kSize; ++y) {
        for (int x = 0; x < kSize; ++x) {
          const bool lit = (label % 2 == 0 ? y : x) == place;
          images.push_back(static_cast<char>(rng.Uniform(120) + (lit ? 120 : 0)));
        }
      }
      labels.push_back(static_cast<char>(label));
    }
    RETURN_IF_ERROR(
        WriteFileAtomically(absl::StrCat(folder, "/", part, "-images-idx3-ubyte"), images));
    RETURN_IF_ERROR(
        WriteFileAtomically(absl::StrCat(folder, "/", part, "-labels-idx1-ubyte"), labels));
  }
  return absl::OkStatus();
}

}  // namespace frontier::testing
