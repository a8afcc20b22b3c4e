// The command line and configuration file of `frontier-worker`.
#ifndef FRONTIER_WORKER_AGENT_OPTIONS_H_
#define FRONTIER_WORKER_AGENT_OPTIONS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "worker/agent/hardware.h"
#include "worker/energy/energy_model.h"

namespace frontier::worker {

// Exit codes of the daemon, as --help lists them.
inline constexpr int kExitOk = 0;
inline constexpr int kExitInternal = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNoCoordinator = 3;
inline constexpr int kExitProtocolVersion = 4;
inline constexpr int kExitStateFolder = 5;
inline constexpr int kExitRefused = 6;
// Of `rerun`, beside kExitOk for weights that are the same and kExitUsage for what cannot be run.
inline constexpr int kExitDifferent = 1;

struct WorkerOptions {
  std::string coordinator = "127.0.0.1:7070";
  std::string state_dir = "./frontier-worker-state";
  std::string worker_id;      // empty = made once and kept in state_dir
  int slots = 0;              // trials at a time
  int threads_per_trial = 0;  // of a trial whose job does not say
  // If both are 0 the best pair is found by measuring; if one is, it follows from the other: slots
  // = cores / threads_per_trial, or one thread.
  bool pin = true;                    // each slot has CPUs of its own
  int64_t memory_mb_per_trial = 0;    // 0 = four fifths of the memory, shared by the slots
  std::vector<std::string> datasets;  // "name=folder"; with a table "name=1x28x28/10"
  std::vector<std::string> labels;    // that jobs may ask for
  std::string evaluator = "train";    // or "table:FILE"
  std::string dataset_root = "/usr/share/datasets";
  double connect_timeout_seconds = 0;  // 0 = for ever
  double shutdown_seconds = 10;
  LogOptions log;
  std::optional<double> cpu_idle_watts;
  std::optional<double> cpu_full_watts;
  std::optional<double> carbon_g_per_kwh;
  double pue = 1.0;
  HardwarePaths paths;
};

struct RunTrialOptions {
  int64_t memory_bytes = 0;
  pid_t parent_pid = 0;
};

struct EvaluateOptions {
  std::string model;
  std::string dataset_folder;
  std::string part = "validation";
  uint64_t split_seed = 0;
  double validation_fraction = 0;
  int32_t validation_samples = 0;
  int threads = 1;
};

struct ProfileCommandOptions {
  std::string architecture;
  std::string input;  // "1x28x28"; empty = the file's own, or that
  int classes = 0;    // 0 = the file's own, or 10
  int batch = 128;
  int threads = 1;
  int steps = 20;
  std::string precision = "auto";
  bool json = false;
};

struct RerunCommandOptions {
  std::string trial;  // file of what `frontier show JOB TRIAL --json` prints; "-" = standard input
  std::string dataset_folder;
  std::string output;  // where to keep the trained model; empty = nowhere
  std::string parent;  // model that the trial inherits from; empty = none
};

struct MeasureTrainingOptions {
  int threads = 1;
  int milliseconds = 1000;
  std::string picks_path;
  std::string hardware_class;
};

struct CommandLine {
  enum class Command {
    kDaemon,
    kRunTrial,
    kEvaluate,
    kHardware,
    kProfile,
    kRerun,
    kMeasureTraining
  };

  Command command = Command::kDaemon;
  WorkerOptions worker;
  RunTrialOptions run_trial;
  EvaluateOptions evaluate;
  ProfileCommandOptions profile;
  RerunCommandOptions rerun;
  MeasureTrainingOptions measure_training;
  std::string effective_config;  // in the form of a configuration file

  // If set there is nothing to run: print `message` (to standard error if the code is not 0) and
  // exit. So for --help, --version, --print_config and for every mistake.
  std::optional<int> exit_code;
  std::string message;
};

CommandLine ParseCommandLine(int argc, const char* const* argv);

// The energy model's part of `options`.
EnergyOptions MakeEnergyOptions(const WorkerOptions& options);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_OPTIONS_H_
