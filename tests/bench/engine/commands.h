// What frontier-engine-bench measures. Each command prints one JSON object a line on standard
// output. Those that take rounds read standard input: for each line "SECONDS" they work that long
// and answer; what is known only at the end is answered at the end of input.
#ifndef FRONTIER_TESTS_BENCH_ENGINE_COMMANDS_H_
#define FRONTIER_TESTS_BENCH_ENGINE_COMMANDS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/model.pb.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/training_plan.h"

namespace frontier::bench {

struct Options {
  std::string network = "resnet20";  // or an architecture file
  std::string input = "1x28x28";
  int classes = 10;
  std::string precision = "f32";  // of training: f32, mixed, auto; of inference: f32, bf16, int8
  int threads = 1;
  int batch = 128;
  std::string picks;    // file of picks: read if it is there, written with what was timed
  std::string model;    // model file: read or written
  std::string onnx;     // ONNX file: written
  std::string dataset;  // folder of IDX files
  int epochs = 5;
  int64_t training_images = 0;  // the first ones; 0 = all
  double learning_rate = 0.1;
  double warmup_epochs = 0.5;
  uint64_t seed = 1;
};

// Rounds of {"images_per_second"}; then {"peak_rss_bytes", "plan_bytes", "precision"}.
absl::Status Train(const Options& options);
// {"plan_ms", "ready_ms", "first_step_ms"}: from an architecture in memory until the plan is built,
// the weights are in it, the first step has ended.
absl::Status Start(const Options& options);
// Rounds of {"call_us", "runs"} of batch 1.
absl::Status MeasureCalls(const Options& options);
// Writes an initial model with the statistics and biases of a trained one to `model` and `onnx`.
absl::Status Export(const Options& options);
// {"images_per_second", "gflops", "layers": [...]}: the best single primitives of oneDNN for each
// layer and pass of a training step, summed. Precision f32, or mixed: the better of f32 and bf16.
absl::Status MeasureFloor(const Options& options);
// {"images_per_second"} that one thread prepares for training, with all augmentation.
absl::Status PrepareBatches(const Options& options);
// {"test_accuracy", "train_seconds", "precision"}: trains on the data set, evaluates on its test
// part; keeps the model in `model` if that is given.
absl::Status TrainToAccuracy(const Options& options);
// {"test_accuracy"} of the model file in an inference precision.
absl::Status EvaluateAccuracy(const Options& options);
// {"macs", "parameters"} of the forward pass of one sample.
absl::Status CountMacs(const Options& options);
// {"engine"}: library, version, instruction set.
absl::Status Describe(const Options& options);

// Shared by them.
absl::StatusOr<v1::Architecture> Network(const Options& options);
absl::StatusOr<worker::Precision> TrainingPrecision(const std::string& name);
std::string PrecisionName(worker::Precision precision);
absl::StatusOr<v1::Model> TrainedLike(const v1::Architecture& architecture, uint64_t seed);
// A plan for inference in the precision named; int8 is calibrated on `images`, normalized.
// UNIMPLEMENTED if this build or CPU has none.
absl::StatusOr<std::unique_ptr<worker::InferencePlan>> PrepareInference(
    const v1::Model& model, int batch, const std::string& precision,
    absl::Span<const float> images);
inline constexpr int kCalibrationImages = 256;
absl::StatusOr<worker::Picks> ReadPicks(const std::string& path);
absl::Status WritePicks(const std::string& path, const worker::Picks& picks);
int64_t PeakResidentBytes();
// Calls `round` with the seconds of each line of standard input until its end.
absl::Status ForEachRound(absl::FunctionRef<absl::Status(double seconds)> round);
void PrintLine(const std::string& json);

}  // namespace frontier::bench

#endif  // FRONTIER_TESTS_BENCH_ENGINE_COMMANDS_H_
