#include <sys/resource.h>

#include <cstdio>
#include <iostream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/architecture/architecture_argument.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/model_io/parameters.h"
#include "tests/bench/engine/commands.h"

namespace frontier::bench {

absl::StatusOr<v1::Architecture> Network(const Options& options) {
  return FindArchitecture(options.network, options.input, options.classes);
}

absl::StatusOr<worker::Precision> TrainingPrecision(const std::string& name) {
  if (name == "f32") return worker::Precision::kF32;
  if (name == "mixed") return worker::Precision::kMixed;
  if (name == "auto") return worker::Precision::kAuto;
  return absl::InvalidArgumentError(
      absl::StrCat("precision '", name, "' of training is not f32, mixed or auto"));
}

std::string PrecisionName(worker::Precision precision) {
  switch (precision) {
    case worker::Precision::kF32:
      return "f32";
    case worker::Precision::kMixed:
      return "mixed";
    case worker::Precision::kAuto:
      return "auto";
  }
  return "";
}

absl::StatusOr<v1::Model> TrainedLike(const v1::Architecture& architecture, uint64_t seed) {
  ASSIGN_OR_RETURN(v1::Model model, worker::InitialModel(architecture, seed));
  Rng rng(seed, /*stream=*/1'000'000);
  for (v1::Tensor& tensor : *model.mutable_tensors()) {
    if (tensor.name() == "weight") continue;
    std::vector<float> values = TensorValues(tensor);
    const bool positive = tensor.name() == "scale" || tensor.name() == "variance";
    for (float& v : values) {
      v = static_cast<float>(positive ? 0.75 + 0.5 * rng.UniformDouble() : 0.1 * rng.Normal());
    }
    SetTensorValues(values, &tensor);
  }
  for (int c = 0; c < architecture.input().channels(); ++c) {
    model.mutable_normalization()->add_mean(0.25f);
    model.mutable_normalization()->add_deviation(0.35f);
  }
  model.set_dataset("none");
  return model;
}

absl::StatusOr<std::unique_ptr<worker::InferencePlan>> PrepareInference(
    const v1::Model& model, int batch, const std::string& precision,
    absl::Span<const float> images) {
  for (const worker::InferencePrecision known :
       {worker::InferencePrecision::kF32, worker::InferencePrecision::kBf16,
        worker::InferencePrecision::kInt8}) {
    if (worker::InferencePrecisionName(known) != precision) continue;
    worker::InferenceOptions options;
    options.precision = known;
    options.calibration.images = images;
    return worker::InferencePlan::Create(model, batch, options);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("precision '", precision, "' of inference is not f32, bf16 or int8"));
}

// A line each: key, tab, name.
absl::StatusOr<worker::Picks> ReadPicks(const std::string& path) {
  worker::Picks picks;
  if (path.empty()) return picks;
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) return picks;
  RETURN_IF_ERROR(text.status());
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(line, '\t');
    picks.insert(pair);
  }
  return picks;
}

absl::Status WritePicks(const std::string& path, const worker::Picks& picks) {
  if (path.empty()) return absl::OkStatus();
  std::string text;
  for (const auto& [key, name] : picks) absl::StrAppend(&text, key, "\t", name, "\n");
  return WriteFileAtomically(path, text);
}

int64_t PeakResidentBytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

absl::Status ForEachRound(absl::FunctionRef<absl::Status(double seconds)> round) {
  std::string line;
  while (std::getline(std::cin, line)) {
    double seconds = 0;
    if (!absl::SimpleAtod(line, &seconds) || !(seconds > 0 && seconds < 1e6)) {
      return absl::InvalidArgumentError(
          absl::StrCat("round '", line, "' is not a number of seconds"));
    }
    RETURN_IF_ERROR(round(seconds));
  }
  return absl::OkStatus();
}

void PrintLine(const std::string& json) {
  std::printf("%s\n", json.c_str());
  std::fflush(stdout);
}

}  // namespace frontier::bench
