#include "worker/profile/training_profile.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

constexpr int kWarmupSteps = 2;
// Small enough that random labels do not make the loss diverge.
constexpr float kLearningRate = 1e-3f;

double Median(std::vector<double> values) {
  const size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(middle), values.end());
  const double high = values[middle];
  if (values.size() % 2 == 1) return high;
  return (high +
          *std::max_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(middle))) /
         2;
}

StepKind KindOf(v1::Operator op) {
  switch (op) {
    case v1::OPERATOR_CONVOLUTION:
      return StepKind::kConvolution;
    case v1::OPERATOR_LINEAR:
      return StepKind::kLinear;
    case v1::OPERATOR_BATCH_NORM:
      return StepKind::kNorm;
    case v1::OPERATOR_MAX_POOL:
    case v1::OPERATOR_AVERAGE_POOL:
    case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
      return StepKind::kPool;
    default:
      return StepKind::kElementwise;
  }
}

// The node that `label` begins with ("node 3 conv1.backward"), and what follows its name.
int TakeNode(const v1::Architecture& architecture, absl::string_view* label) {
  absl::string_view rest = *label;
  if (!absl::ConsumePrefix(&rest, "node ")) return -1;
  int node = 0;
  size_t digits = 0;
  while (digits < rest.size() && digits < 9 && rest[digits] >= '0' && rest[digits] <= '9') {
    node = node * 10 + (rest[digits++] - '0');
  }
  if (digits == 0 || node >= architecture.nodes_size()) return -1;
  rest.remove_prefix(digits);
  const std::string& name = architecture.nodes(node).name();
  if (!name.empty()) absl::ConsumePrefix(&rest, absl::StrCat(" ", name));
  *label = rest;
  return node;
}

struct Times {
  std::vector<StepTime> steps;            // labels and implementations; times of the last round
  std::vector<std::vector<double>> each;  // by step, by round, milliseconds
  std::vector<double> whole, optimizer;   // by round, milliseconds
};

absl::StatusOr<Times> TimeSteps(TrainingPlan* plan, const std::vector<float>& images,
                                const std::vector<uint8_t>& labels, int rounds, Clock* clock) {
  Times times;
  OptimizerSettings settings;
  settings.learning_rate = kLearningRate;
  settings.momentum = 0.9f;
  settings.weight_decay = 5e-4f;
  for (int round = -kWarmupSteps; round < rounds; ++round) {
    const absl::Duration begin = clock->Elapsed();
    RETURN_IF_ERROR(plan->Step(images, labels, settings).status());
    const double whole = absl::ToDoubleMilliseconds(clock->Elapsed() - begin);
    ASSIGN_OR_RETURN(times.steps, plan->Profile(images, labels, clock));
    if (round < 0) continue;
    times.each.resize(times.steps.size());
    double passes = 0;
    for (size_t i = 0; i < times.steps.size(); ++i) {
      times.each[i].push_back(times.steps[i].milliseconds);
      passes += times.steps[i].milliseconds;
    }
    times.whole.push_back(whole);
    times.optimizer.push_back(whole - passes);
  }
  return times;
}

}  // namespace

absl::string_view StepKindName(StepKind kind) {
  switch (kind) {
    case StepKind::kConvolution:
      return "convolutions";
    case StepKind::kLinear:
      return "linear layers";
    case StepKind::kNorm:
      return "batch norms";
    case StepKind::kPool:
      return "pools";
    case StepKind::kElementwise:
      return "element-wise";
    case StepKind::kReorder:
      return "reorders";
    case StepKind::kLoss:
      return "loss";
    case StepKind::kOptimizer:
      return "optimizer";
    case StepKind::kOther:
      return "other";
  }
  return "other";
}

StepIdentity IdentifyStep(const v1::Architecture& architecture, absl::string_view label) {
  StepIdentity identity;
  absl::string_view rest = label;
  identity.node = TakeNode(architecture, &rest);
  const bool gradient = absl::StrContains(rest, ".gradient");
  if (absl::StrContains(rest, ".backward.weights")) {
    identity.pass = "backward.weights";
  } else if (absl::StrContains(rest, ".backward.data")) {
    identity.pass = "backward.data";
  } else if (absl::StrContains(rest, ".backward") || gradient) {
    identity.pass = "backward";
  }
  if (absl::StrContains(rest, "reorder")) {
    identity.kind = StepKind::kReorder;
  } else if (identity.node < 0) {
    identity.kind = absl::StartsWith(rest, "loss") ? StepKind::kLoss : StepKind::kOther;
  } else if (absl::StrContains(rest, ".relu") || absl::StrContains(rest, ".sum")) {
    identity.kind = StepKind::kElementwise;
  } else {
    identity.kind = KindOf(architecture.nodes(identity.node).op());
    identity.product =
        (identity.kind == StepKind::kConvolution || identity.kind == StepKind::kLinear) &&
        (rest.empty() || rest == ".backward.data" || rest == ".backward.weights");
  }
  return identity;
}

absl::StatusOr<TrainingProfile> ProfileTraining(const v1::Architecture& architecture,
                                                const ProfileOptions& options, Clock* clock) {
  if (options.steps < 1) {
    return absl::InvalidArgumentError(absl::StrCat(options.steps, " steps are fewer than one"));
  }
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  TrainingProfile profile;
  profile.options = options;
  profile.input = ShapeText(architecture.input());
  profile.macs_per_step = costs.macs * options.batch;

  PlanOptions plan_options;
  plan_options.threads = options.threads;
  plan_options.precision = options.precision;
  plan_options.picking_clock = clock;
  plan_options.picks = &profile.picks;
  // Built twice: as the first trial of a network sees it, and as those after it.
  std::unique_ptr<TrainingPlan> plan;
  for (double* seconds : {&profile.plan_seconds, &profile.cached_plan_seconds}) {
    plan.reset();
    const absl::Duration begin = clock->Elapsed();
    ASSIGN_OR_RETURN(plan, TrainingPlan::Create(architecture, options.batch, plan_options));
    *seconds = absl::ToDoubleSeconds(clock->Elapsed() - begin);
  }
  profile.precision = plan->precision();
  profile.memory_bytes = plan->memory_bytes();
  profile.picks = plan->picks();
  ASSIGN_OR_RETURN(const v1::Model model, InitialModel(architecture, options.seed));
  RETURN_IF_ERROR(plan->ImportModel(model));

  Rng rng(options.seed, /*stream=*/1);
  const v1::Shape& in = architecture.input();
  std::vector<float> images(
      static_cast<size_t>(int64_t{options.batch} * in.channels() * in.height() * in.width()));
  for (float& pixel : images) pixel = static_cast<float>(rng.Normal());
  std::vector<uint8_t> labels(static_cast<size_t>(options.batch));
  for (uint8_t& label : labels) {
    label = static_cast<uint8_t>(rng.Uniform(static_cast<uint64_t>(architecture.classes())));
  }
  ASSIGN_OR_RETURN(const Times times, TimeSteps(plan.get(), images, labels, options.steps, clock));

  profile.step_ms = Median(times.whole);
  if (profile.step_ms > 0) profile.images_per_second = 1e3 * options.batch / profile.step_ms;
  double product_flops = 0, product_ms = 0;
  bool after_loss = false;
  for (size_t i = 0; i < times.steps.size(); ++i) {
    ProfiledStep step;
    step.label = times.steps[i].label;
    step.implementation = times.steps[i].implementation;
    step.identity = IdentifyStep(architecture, step.label);
    // A reorder's label does not say for which pass it is made.
    if (after_loss && step.identity.pass == "forward") step.identity.pass = "backward";
    after_loss = after_loss || step.identity.kind == StepKind::kLoss;
    step.milliseconds = Median(times.each[i]);
    if (profile.step_ms > 0) step.share = step.milliseconds / profile.step_ms;
    if (step.identity.product) {
      const double flops =
          2.0 * options.batch *
          static_cast<double>(costs.nodes[static_cast<size_t>(step.identity.node)].macs);
      if (step.milliseconds > 0) step.gflops = flops / step.milliseconds * 1e-6;
      product_flops += flops;
      product_ms += step.milliseconds;
    }
    profile.sums[step.identity.kind] += step.milliseconds;
    profile.steps.push_back(std::move(step));
  }
  if (product_ms > 0) profile.product_gflops = product_flops / product_ms * 1e-6;
  // A difference of two timings: noise may take it below zero.
  profile.sums[StepKind::kOptimizer] = std::max(0.0, Median(times.optimizer));
  return profile;
}

}  // namespace frontier::worker
