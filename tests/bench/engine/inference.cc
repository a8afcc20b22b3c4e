#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/graph.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/model_io/model_file.h"
#include "common/model_io/onnx_export.h"
#include "tests/bench/engine/commands.h"
#include "worker/benchmark/latency.h"

namespace frontier::bench {

absl::Status MeasureCalls(const Options& options) {
  v1::Model model;
  if (options.model.empty()) {
    ASSIGN_OR_RETURN(const v1::Architecture architecture, Network(options));
    ASSIGN_OR_RETURN(model, TrainedLike(architecture, options.seed));
  } else {
    ASSIGN_OR_RETURN(model, ReadModel(options.model));
  }
  worker::StartThreads(1);
  const v1::Shape& in = model.architecture().input();
  std::vector<float> images(
      static_cast<size_t>(int64_t{kCalibrationImages} * in.channels() * in.height() * in.width()));
  Rng rng(options.seed, /*stream=*/1);
  for (float& pixel : images) pixel = static_cast<float>(rng.UniformDouble() - 0.5);
  ASSIGN_OR_RETURN(const std::unique_ptr<worker::InferencePlan> plan,
                   PrepareInference(model, /*batch=*/1, options.precision, images));
  const auto image = absl::MakeConstSpan(images).subspan(0, images.size() / kCalibrationImages);
  std::vector<float> logits(static_cast<size_t>(model.architecture().classes()));
  SystemClock clock;
  return ForEachRound([&](double seconds) -> absl::Status {
    worker::LatencyOptions latency_options;
    latency_options.min_time = absl::Seconds(seconds);
    latency_options.max_runs = 100'000'000;
    ASSIGN_OR_RETURN(
        const worker::Latency latency,
        worker::MeasureLatency([&] { return plan->Run(image, absl::MakeSpan(logits)); }, &clock,
                               latency_options));
    PrintLine(
        absl::StrCat("{\"call_us\": ", 1e3 * latency.median_ms, ", \"runs\": ", latency.runs, "}"));
    return absl::OkStatus();
  });
}

absl::Status Export(const Options& options) {
  ASSIGN_OR_RETURN(const v1::Architecture architecture, Network(options));
  ASSIGN_OR_RETURN(const v1::Model model, TrainedLike(architecture, options.seed));
  if (!options.model.empty()) RETURN_IF_ERROR(WriteModel(options.model, model));
  if (!options.onnx.empty()) {
    ASSIGN_OR_RETURN(const std::string bytes, ExportOnnx(model, OnnxInput::kNormalized));
    RETURN_IF_ERROR(WriteFileAtomically(options.onnx, bytes));
  }
  PrintLine("{}");
  return absl::OkStatus();
}

absl::Status CountMacs(const Options& options) {
  ASSIGN_OR_RETURN(const v1::Architecture architecture, Network(options));
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  PrintLine(absl::StrCat("{\"macs\": ", costs.macs, ", \"parameters\": ", costs.parameters, "}"));
  return absl::OkStatus();
}

absl::Status Describe(const Options&) {
  PrintLine(absl::StrCat("{\"engine\": \"", worker::EngineDescription(), "\"}"));
  return absl::OkStatus();
}

}  // namespace frontier::bench
