// frontier-engine-bench: the engine's side of `scripts/bench.sh engine`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "tests/bench/engine/commands.h"
#include "worker/trial/memory_use.h"

namespace frontier::bench {
namespace {

struct Command {
  const char* name;
  const char* help;
  absl::Status (*run)(const Options&);
};

constexpr Command kCommands[] = {
    {"train", "Trained images a second, in rounds", Train},
    {"start", "Time from architecture to first step", Start},
    {"latency", "Time of a batch-1 call, in rounds", MeasureCalls},
    {"export", "Write a model as file and as ONNX", Export},
    {"floor", "Sum of the best single primitives of a training step", MeasureFloor},
    {"batches", "Prepared images a second, with all augmentation", PrepareBatches},
    {"accuracy", "Train on a data set, then its test accuracy", TrainToAccuracy},
    {"evaluate", "Test accuracy of a model file", EvaluateAccuracy},
    {"macs", "Multiply-accumulates of a network", CountMacs},
    {"describe", "Compute library and instruction set", Describe},
};

int Main(int argc, char** argv) {
  Options o;
  CLI::App app("Measures the engine for the benchmark", "frontier-engine-bench");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--network", o.network, "Reference network or architecture file");
  app.add_option("--input", o.input, "Channels x height x width");
  app.add_option("--precision", o.precision, "f32, mixed, auto; of inference f32, bf16, int8");
  app.add_option("--threads", o.threads, "Compute threads")->check(CLI::Range(1, 1024));
  app.add_option("--batch", o.batch, "Samples a step")->check(CLI::Range(1, 1 << 16));
  app.add_option("--picks", o.picks, "File of picks");
  app.add_option("--model", o.model, "Model file");
  app.add_option("--onnx", o.onnx, "ONNX file to write");
  app.add_option("--dataset", o.dataset, "Folder of IDX files");
  app.add_option("--epochs", o.epochs, "Epochs")->check(CLI::Range(1, 1000));
  app.add_option("--training_images", o.training_images, "The first ones; 0 = all")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  app.add_option("--learning_rate", o.learning_rate, "Peak");
  app.add_option("--warmup_epochs", o.warmup_epochs, "May be a fraction");
  app.add_option("--seed", o.seed, "Of weights, images and their order");
  const Command* chosen = nullptr;
  for (const Command& command : kCommands) {
    app.add_subcommand(command.name, command.help)->callback([&] { chosen = &command; });
  }
  CLI11_PARSE(app, argc, argv);
  worker::ReturnFreedMemory();  // as a trial's process
  absl::Status status;
  try {
    status = chosen->run(o);
  } catch (const std::exception& e) {
    status = absl::InternalError(e.what());
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "frontier-engine-bench: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace frontier::bench

int main(int argc, char** argv) { return frontier::bench::Main(argc, argv); }
