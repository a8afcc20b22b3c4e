// frontier-worker: trains and measures architectures for a coordinator.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_format.h"
#include "common/architecture/architecture_argument.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "worker/agent/daemon.h"
#include "worker/agent/hardware.h"
#include "worker/agent/options.h"
#include "worker/agent/trial_limits.h"
#include "worker/engine/inference_plan.h"
#include "worker/profile/training_profile.h"
#include "worker/trial/evaluate.h"
#include "worker/trial/memory_use.h"
#include "worker/trial/rerun.h"
#include "worker/trial/training_speed.h"
#include "worker/trial/trial_process.h"

namespace frontier::worker {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "frontier-worker: %s\n", std::string(status.message()).c_str());
  return absl::IsInternal(status) ? kExitInternal : kExitUsage;
}

int RunTrialCommand(const RunTrialOptions& options) {
  if (absl::Status status = ApplyTrialLimits(options.memory_bytes, options.parent_pid);
      !status.ok()) {
    return Fail(status);
  }
  ExitWhenOutOfMemory(options.memory_bytes);
  return RunTrialProcess(STDIN_FILENO, STDOUT_FILENO);
}

int EvaluateCommand(const EvaluateOptions& options) {
  v1::DatasetSpec spec;
  spec.set_validation_fraction(options.validation_fraction);
  spec.set_split_seed(options.split_seed);
  spec.set_validation_samples(options.validation_samples);
  StartThreads(options.threads);
  const absl::StatusOr<Evaluation> evaluation =
      EvaluateModel(options.model, options.dataset_folder, spec,
                    options.part == "test" ? EvaluationPart::kTest : EvaluationPart::kValidation,
                    options.threads);
  if (!evaluation.ok()) return Fail(evaluation.status());
  // %.17g: the figure is found again exactly.
  absl::PrintF(
      "{\"part\": \"%s\", \"samples\": %d, \"correct\": %d, \"accuracy\": %.17g, "
      "\"accuracy_low\": %.17g, \"accuracy_high\": %.17g, \"loss\": %.17g}\n",
      options.part, evaluation->samples, evaluation->correct, evaluation->accuracy,
      evaluation->accuracy_low, evaluation->accuracy_high, evaluation->loss);
  return kExitOk;
}

int ProfileCommand(const ProfileCommandOptions& options) {
  const absl::StatusOr<v1::Architecture> architecture =
      FindArchitecture(options.architecture, options.input, options.classes);
  if (!architecture.ok()) return Fail(architecture.status());
  ProfileOptions profile_options;
  profile_options.batch = options.batch;
  profile_options.threads = options.threads;
  profile_options.steps = options.steps;
  profile_options.precision = options.precision == "f32"     ? Precision::kF32
                              : options.precision == "mixed" ? Precision::kMixed
                                                             : Precision::kAuto;
  StartThreads(options.threads);
  SystemClock clock;
  const absl::StatusOr<TrainingProfile> profile =
      ProfileTraining(*architecture, profile_options, &clock);
  if (!profile.ok()) return Fail(profile.status());
  const std::string text = options.json ? ProfileJson(*profile) : ProfileTable(*profile);
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

// A file of its own in the folder for temporary files; removed with the object.
class TemporaryFile {
 public:
  TemporaryFile() : path_((std::filesystem::temp_directory_path() / "frontier-XXXXXX").string()) {
    const int fd = mkstemp(path_.data());
    if (fd >= 0) close(fd);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int RerunCommand(const RerunCommandOptions& options, const HardwarePaths& paths) {
  const auto fail = [&options](const absl::Status& status) {
    std::fprintf(stderr, "frontier-worker: %s: %s\n", options.trial.c_str(),
                 std::string(status.message()).c_str());
    return kExitUsage;
  };
  const absl::StatusOr<std::string> json =
      ReadFile(options.trial == "-" ? "/dev/stdin" : options.trial);
  if (!json.ok()) return fail(json.status());
  const absl::StatusOr<v1::GetTrialResponse> trial = ParseRecordedTrial(*json);
  if (!trial.ok()) return fail(trial.status());
  const absl::StatusOr<v1::Hardware> hardware = DetectHardware(paths);
  if (!hardware.ok()) return fail(hardware.status());
  ReturnFreedMemory();
  const TemporaryFile scratch;
  SystemClock clock;
  const absl::StatusOr<Rerun> rerun =
      RerunTrial(*trial,
                 {options.dataset_folder, hardware->hardware_class(),
                  options.output.empty() ? scratch.path() : options.output, options.parent},
                 &clock);
  if (!rerun.ok()) return fail(rerun.status());
  std::fputs(rerun->Describe(trial->trial().job_id(), trial->trial().number()).c_str(), stdout);
  return rerun->identical() ? kExitOk : kExitDifferent;
}

int MeasureTrainingCommand(const MeasureTrainingOptions& options) {
  ReturnFreedMemory();
  SystemClock clock;
  const absl::StatusOr<double> speed =
      MeasureTrainingSpeed({.threads = options.threads,
                            .length = absl::Milliseconds(options.milliseconds),
                            .picks_path = options.picks_path,
                            .hardware_class = options.hardware_class},
                           &clock);
  if (!speed.ok()) return Fail(speed.status());
  absl::PrintF("%.17g\n", *speed);
  return kExitOk;
}

int HardwareCommand(const WorkerOptions& options) {
  const absl::StatusOr<std::string> json = DescribeMachine(options, EngineDescription());
  if (!json.ok()) return Fail(json.status());
  std::printf("%s", json->c_str());
  return kExitOk;
}

int Main(int argc, char** argv) {
  const CommandLine line = ParseCommandLine(argc, argv);
  if (line.exit_code.has_value()) {
    std::fputs(line.message.c_str(), *line.exit_code == kExitOk ? stdout : stderr);
    return *line.exit_code;
  }
  switch (line.command) {
    case CommandLine::Command::kRunTrial:
      return RunTrialCommand(line.run_trial);
    case CommandLine::Command::kEvaluate:
      return EvaluateCommand(line.evaluate);
    case CommandLine::Command::kRerun:
      return RerunCommand(line.rerun, line.worker.paths);
    case CommandLine::Command::kMeasureTraining:
      return MeasureTrainingCommand(line.measure_training);
    case CommandLine::Command::kHardware:
      return HardwareCommand(line.worker);
    case CommandLine::Command::kProfile:
      return ProfileCommand(line.profile);
    case CommandLine::Command::kDaemon:
      break;
  }
  return RunDaemon(line, EngineDescription());
}

}  // namespace
}  // namespace frontier::worker

int main(int argc, char** argv) { return frontier::worker::Main(argc, argv); }
