#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "tests/bench/engine/commands.h"

namespace frontier::bench {
namespace {

constexpr int kWarmupSteps = 3;

struct RandomBatch {
  std::vector<float> images;
  std::vector<uint8_t> labels;
};

RandomBatch MakeBatch(const v1::Architecture& architecture, const Options& options) {
  Rng rng(options.seed, /*stream=*/1);
  const v1::Shape& in = architecture.input();
  RandomBatch batch;
  batch.images.resize(
      static_cast<size_t>(int64_t{options.batch} * in.channels() * in.height() * in.width()));
  for (float& pixel : batch.images) pixel = static_cast<float>(rng.Normal());
  batch.labels.resize(static_cast<size_t>(options.batch));
  for (uint8_t& label : batch.labels) {
    label = static_cast<uint8_t>(rng.Uniform(static_cast<uint64_t>(architecture.classes())));
  }
  return batch;
}

// As torch_train.py trains.
worker::OptimizerSettings Optimizer() {
  worker::OptimizerSettings settings;
  settings.learning_rate = 0.05f;
  settings.momentum = 0.9f;
  settings.weight_decay = 5e-4f;
  return settings;
}

absl::StatusOr<std::unique_ptr<worker::TrainingPlan>> MakePlan(const v1::Architecture& architecture,
                                                               const Options& options,
                                                               worker::Picks* picks, Clock* clock) {
  worker::PlanOptions plan_options;
  plan_options.threads = options.threads;
  ASSIGN_OR_RETURN(plan_options.precision, TrainingPrecision(options.precision));
  plan_options.picking_clock = clock;
  plan_options.picks = picks;
  return worker::TrainingPlan::Create(architecture, options.batch, plan_options);
}

}  // namespace

absl::Status Train(const Options& options) {
  ASSIGN_OR_RETURN(const v1::Architecture architecture, Network(options));
  worker::StartThreads(options.threads);
  ASSIGN_OR_RETURN(worker::Picks picks, ReadPicks(options.picks));
  SystemClock clock;
  ASSIGN_OR_RETURN(const std::unique_ptr<worker::TrainingPlan> plan,
                   MakePlan(architecture, options, &picks, &clock));
  RETURN_IF_ERROR(WritePicks(options.picks, picks));
  {
    ASSIGN_OR_RETURN(const v1::Model model, worker::InitialModel(architecture, options.seed));
    RETURN_IF_ERROR(plan->ImportModel(model));
  }
  const RandomBatch batch = MakeBatch(architecture, options);
  const worker::OptimizerSettings settings = Optimizer();
  for (int i = 0; i < kWarmupSteps; ++i) {
    RETURN_IF_ERROR(plan->Step(batch.images, batch.labels, settings).status());
  }
  const auto round = [&](double seconds) -> absl::Status {
    const absl::Duration begin = clock.Elapsed();
    double elapsed = 0;
    int64_t steps = 0;
    while (elapsed < seconds) {
      RETURN_IF_ERROR(plan->Step(batch.images, batch.labels, settings).status());
      ++steps;
      elapsed = absl::ToDoubleSeconds(clock.Elapsed() - begin);
    }
    PrintLine(absl::StrCat(
        "{\"images_per_second\": ", static_cast<double>(steps * options.batch) / elapsed, "}"));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachRound(round));
  PrintLine(absl::StrCat("{\"peak_rss_bytes\": ", PeakResidentBytes(),
                         ", \"plan_bytes\": ", plan->memory_bytes(), ", \"precision\": \"",
                         PrecisionName(plan->precision()), "\"}"));
  return absl::OkStatus();
}

absl::Status Start(const Options& options) {
  ASSIGN_OR_RETURN(const v1::Architecture architecture, Network(options));
  worker::StartThreads(options.threads);
  ASSIGN_OR_RETURN(worker::Picks picks, ReadPicks(options.picks));
  const RandomBatch batch = MakeBatch(architecture, options);
  SystemClock clock;
  const absl::Duration begin = clock.Elapsed();
  ASSIGN_OR_RETURN(const std::unique_ptr<worker::TrainingPlan> plan,
                   MakePlan(architecture, options, &picks, &clock));
  const absl::Duration built = clock.Elapsed();
  ASSIGN_OR_RETURN(const v1::Model model, worker::InitialModel(architecture, options.seed));
  RETURN_IF_ERROR(plan->ImportModel(model));
  const absl::Duration ready = clock.Elapsed();
  RETURN_IF_ERROR(plan->Step(batch.images, batch.labels, Optimizer()).status());
  const absl::Duration done = clock.Elapsed();
  RETURN_IF_ERROR(WritePicks(options.picks, picks));
  PrintLine(absl::StrCat("{\"first_step_ms\": ", absl::ToDoubleMilliseconds(done - begin),
                         ", \"ready_ms\": ", absl::ToDoubleMilliseconds(ready - begin),
                         ", \"plan_ms\": ", absl::ToDoubleMilliseconds(built - begin), "}"));
  return absl::OkStatus();
}

}  // namespace frontier::bench
