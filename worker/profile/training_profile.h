// Where the time of a training step goes.
#ifndef FRONTIER_WORKER_PROFILE_TRAINING_PROFILE_H_
#define FRONTIER_WORKER_PROFILE_TRAINING_PROFILE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/clock.h"
#include "frontier/v1/architecture.pb.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {

enum class StepKind {
  kConvolution,
  kLinear,
  kNorm,
  kPool,
  kElementwise,  // activations, sums, products, concatenations, dropout
  kReorder,      // from one memory format or precision to another
  kLoss,
  kOptimizer,  // clipping, update, average, and the copy of the batch
  kOther,
};

// "convolutions", "batch norms", ...
absl::string_view StepKindName(StepKind kind);

// What a step of a plan's program is, by its label.
struct StepIdentity {
  int node = -1;  // of the architecture; -1 if it belongs to none
  StepKind kind = StepKind::kOther;
  std::string pass = "forward";  // or "backward", "backward.data", "backward.weights"
  bool product = false;          // a convolution or linear layer itself: its MACs are done here
};
StepIdentity IdentifyStep(const v1::Architecture& architecture, absl::string_view label);

struct ProfileOptions {
  int batch = 128;
  int threads = 1;
  int steps = 20;  // timed, after two that are not
  Precision precision = Precision::kAuto;
  uint64_t seed = 1;  // of weights and images
};

struct ProfiledStep {
  std::string label;           // of StepTime
  std::string implementation;  // of StepTime
  StepIdentity identity;
  double milliseconds = 0;  // median
  double share = 0;         // of TrainingProfile::step_ms
  double gflops = 0;        // 10^9 floating-point operations a second, a MAC counted as two; 0 if
                            // the step is no product
};

struct TrainingProfile {
  Precision precision = Precision::kF32;  // decided
  ProfileOptions options;
  std::string input;                // "1x28x28"
  std::vector<ProfiledStep> steps;  // in the order they run; the optimizer is none of them
  std::map<StepKind, double> sums;  // milliseconds by kind, the optimizer too
  double step_ms = 0;               // median of whole training steps
  double images_per_second = 0;     // of this plan alone
  double product_gflops = 0;        // of convolutions and linear layers together, over their time
  int64_t macs_per_step = 0;        // of the forward pass
  int64_t memory_bytes = 0;         // of the plan
  double plan_seconds = 0;          // building it, with the timing of implementations
  double cached_plan_seconds = 0;   // building it again with these picks
  Picks picks;
};

// Trains on random images, each whole step followed by one whose parts are timed, so that both see
// the machine alike. Errors as TrainingPlan::Create; INVALID_ARGUMENT for fewer than one step.
absl::StatusOr<TrainingProfile> ProfileTraining(const v1::Architecture& architecture,
                                                const ProfileOptions& options, Clock* clock);

// For people: a table of the steps, slowest kinds summed below.
std::string ProfileTable(const TrainingProfile& profile);
// The same as one JSON object.
std::string ProfileJson(const TrainingProfile& profile);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_PROFILE_TRAINING_PROFILE_H_
