#include "worker/trial/training_speed.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/reference.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/training_plan.h"
#include "worker/trial/pick_store.h"

namespace frontier::worker {
namespace {

constexpr int kBatch = 64;
constexpr int kSide = 28;
constexpr int kClasses = 10;

}  // namespace

absl::StatusOr<double> MeasureTrainingSpeed(const TrainingSpeedOptions& options, Clock* clock) {
  v1::Shape shape;
  shape.set_channels(1);
  shape.set_height(kSide);
  shape.set_width(kSide);
  ASSIGN_OR_RETURN(const v1::Architecture architecture,
                   ReferenceArchitecture("resnet20", shape, kClasses));
  StartThreads(options.threads);
  const PickStore store(options.picks_path, EngineDescription(), options.hardware_class);
  Picks picks = store.Load();
  PlanOptions plan_options;
  plan_options.threads = options.threads;
  plan_options.precision = Precision::kAuto;
  plan_options.picking_clock = clock;
  plan_options.picks = &picks;
  ASSIGN_OR_RETURN(const std::unique_ptr<TrainingPlan> plan,
                   TrainingPlan::Create(architecture, kBatch, plan_options));
  if (const absl::Status added = store.Add(picks); !added.ok()) {
    LogWarning({}, absl::StrCat("picks are not remembered: ", added.message()));
  }
  ASSIGN_OR_RETURN(const v1::Model model, InitialModel(architecture, /*seed=*/1));
  RETURN_IF_ERROR(plan->ImportModel(model));

  Rng rng(1);
  std::vector<float> images(size_t{kBatch} * kSide * kSide);
  for (float& value : images) value = static_cast<float>(rng.Uniform(256)) / 128.0f - 1.0f;
  std::vector<uint8_t> labels(kBatch);
  for (uint8_t& label : labels) label = static_cast<uint8_t>(rng.Uniform(kClasses));
  OptimizerSettings optimizer;
  optimizer.learning_rate = 0.001f;
  RETURN_IF_ERROR(plan->Step(images, labels, optimizer).status());  // the first is slower
  const absl::Duration begin = clock->Elapsed();
  absl::Duration passed = absl::ZeroDuration();
  int64_t trained = 0;
  while (passed < options.length || passed == absl::ZeroDuration()) {
    RETURN_IF_ERROR(plan->Step(images, labels, optimizer).status());
    trained += kBatch;
    passed = clock->Elapsed() - begin;
  }
  return static_cast<double>(trained) / absl::ToDoubleSeconds(passed);
}

}  // namespace frontier::worker
