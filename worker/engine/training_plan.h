// Training of one network, prepared once for an architecture, a batch size and a number of threads.
#ifndef FRONTIER_WORKER_ENGINE_TRAINING_PLAN_H_
#define FRONTIER_WORKER_ENGINE_TRAINING_PLAN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/clock.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/checkpoint.pb.h"
#include "frontier/v1/model.pb.h"
#include "worker/engine/kernels/loss.h"
#include "worker/engine/kernels/optimizer.h"
#include "worker/engine/picks.h"

namespace frontier::worker {

inline constexpr int kMaxThreads = 1024;

enum class Precision {
  kF32,
  kMixed,  // bf16 activations and products, the rest f32; kF32 on a CPU without bf16 arithmetic
  kAuto,   // the faster of the two
};

struct PlanOptions {
  int threads = 1;  // compute threads, 1 to kMaxThreads
  // Of training: memory for AdamW, and for a moving average of weights and running statistics.
  bool adamw = false;
  bool average = false;
  Precision precision = Precision::kF32;
  // Of training. Implementations named in `picks` are used; the others are timed with
  // `picking_clock` once and added to it, or follow from the CPU's features alone if there is none.
  // Both may be null.
  Clock* picking_clock = nullptr;
  Picks* picks = nullptr;
  // Of training: gets the output of each activation (ReLU and those like it) after each forward
  // pass, as batch x C x H x W. Costs a copy of each. May be empty.
  std::function<void(int node, absl::Span<const float> values)> observe_activation = nullptr;
  // Of training: asked with a lower bound of the plan's memory first, with memory_bytes() once they
  // are known and before they are taken; its error is that of Create. May be empty.
  std::function<absl::Status(int64_t memory_bytes)> admit = nullptr;
};

// What one step of a plan's program took.
struct StepTime {
  std::string label;           // "node 3 conv1.backward.weights"
  std::string implementation;  // of the compute library, or "kernel"
  double milliseconds = 0;
};

struct StepStats {
  double loss = 0;      // mean over the batch (TargetCrossEntropy), nats
  int64_t correct = 0;  // samples classified correctly
};

// A mean loss above this counts as divergence (a network that guesses has ln(classes) <= 5.6).
inline constexpr double kDivergenceBound = 1e4;

// Weights, optimizer state, statistics and loss are f32 in every precision. Batch norm uses the
// statistics of the batch (epsilon 1e-5) and keeps running ones (momentum 0.1); a channel with a
// single value in the batch (batch 1, 1 x 1 map) has variance 0, so that its output is the shift.
//
// Determinism: the same architecture, batch, threads, precision, picks, model, dropout seed and
// sequence of steps give bit-identical weights on the same kind of CPU. Not thread-safe; all calls
// come from one thread, whose number of OpenMP threads they set. A step takes no memory but for
// short lists of arguments within the library.
class TrainingPlan {
 public:
  virtual ~TrainingPlan() = default;

  // INVALID_ARGUMENT as AnalyzeGraph, and for batch or threads out of range or more than 256
  // classes; RESOURCE_EXHAUSTED if there is no memory for it; UNIMPLEMENTED if the library has no
  // primitive for a layer. All weights are zero until a model is imported.
  static absl::StatusOr<std::unique_ptr<TrainingPlan>> Create(const v1::Architecture& architecture,
                                                              int batch,
                                                              const PlanOptions& options);

  // Forward, backward, clipping, update, average. `images` is batch x C x H x W, normalized;
  // `targets` have batch entries. INVALID_ARGUMENT for other sizes, labels or class weights out of
  // range, and AdamW without PlanOptions::adamw; OUT_OF_RANGE if the loss is not finite or above
  // kDivergenceBound or the norm to be clipped is not finite (the weights are then as before the
  // step, the running statistics are not) or if a weight is not finite after the update: a ReLU may
  // hide NaN from the loss, since the library takes max(NaN, 0) for 0.
  virtual absl::StatusOr<StepStats> Step(absl::Span<const float> images, const Targets& targets,
                                         const OptimizerSettings& optimizer,
                                         const LossSettings& loss) = 0;
  // The same with the plain loss.
  absl::StatusOr<StepStats> Step(absl::Span<const float> images, absl::Span<const uint8_t> labels,
                                 const OptimizerSettings& optimizer) {
    return Step(images, Targets{labels, {}, {}}, optimizer, LossSettings());
  }

  // Makes the masks of dropout in the steps that follow: those of step `step` under `seed`, `step`
  // + 1, and so on. A mask is a function of seed, step, node and place of the value alone, so a
  // training that resumes after k steps calls this with k. Seed 0 and step 0 unless called. A step
  // that fails for its loss is not counted.
  virtual void SeedDropout(uint64_t seed, int64_t step) = 0;

  // Weights and statistics in or out (CheckModel holds afterwards if it diverged in no step);
  // import resets the optimizer, and the average begins at the model. Export sets architecture and
  // tensors of `model`, leaving the rest. INVALID_ARGUMENT if the model's tensors are not those of
  // the architecture.
  virtual absl::Status ImportModel(const v1::Model& model) = 0;
  virtual absl::Status ExportModel(v1::Model* model) = 0;
  // As ExportModel, of the moving averages; FAILED_PRECONDITION without PlanOptions::average.
  virtual absl::Status ExportAverage(v1::Model* model) = 0;

  // All that the next steps depend on beside their arguments, out or in: a plan of the same
  // architecture, batch and threads that imports it goes on bit for bit as the one that exported
  // it. INVALID_ARGUMENT if `state` is not of such a plan; the plan's state is then undefined until
  // the next import.
  virtual absl::Status ExportState(v1::TrainingState* state) = 0;
  virtual absl::Status ImportState(const v1::TrainingState& state) = 0;

  // What was decided: kF32 or kMixed, and the picks in use.
  virtual Precision precision() const = 0;
  virtual const Picks& picks() const = 0;

  // One forward and backward pass, each step timed. The weights stay as they are, running
  // statistics move. Errors of arguments as Step.
  virtual absl::StatusOr<std::vector<StepTime>> Profile(absl::Span<const float> images,
                                                        absl::Span<const uint8_t> labels,
                                                        Clock* clock) = 0;

  // Weights, gradients, activations and scratch memory of the plan.
  virtual int64_t memory_bytes() const = 0;
};

// Weights to begin with: convolutions normal with variance 2 / fan_out, fan_out = kernel area times
// output channels per group (He et al. 2015, "Delving Deep into Rectifiers", section 2.2, backward
// case); linear layers normal with variance 1 / inputs; biases and shifts 0, scales 1; running mean
// 0 and variance 1. Depends on architecture and seed alone. Errors as AnalyzeGraph.
absl::StatusOr<v1::Model> InitialModel(const v1::Architecture& architecture, uint64_t seed);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_TRAINING_PLAN_H_
