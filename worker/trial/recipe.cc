#include "worker/trial/recipe.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

absl::Status CheckShare(absl::string_view field, double value) {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(value, " is not in [0, 1)"));
}

absl::Status CheckNotNegative(absl::string_view field, double value) {
  if (value >= 0 && std::isfinite(value)) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(value, " is negative or not finite"));
}

absl::Status CheckLoss(const v1::TrainingRecipe& recipe, int classes) {
  RETURN_IF_ERROR(CheckShare("training.label_smoothing", recipe.label_smoothing()));
  if (recipe.class_weights_size() != 0 && recipe.class_weights_size() != classes) {
    return InvalidField(
        "training.class_weights",
        absl::StrCat(recipe.class_weights_size(), " weights for ", classes, " classes"));
  }
  for (int c = 0; c < recipe.class_weights_size(); ++c) {
    const float weight = static_cast<float>(recipe.class_weights(c));
    if (weight > 0 && std::isfinite(weight)) continue;
    return InvalidField(absl::StrCat("training.class_weights[", c, "]"),
                        absl::StrCat(recipe.class_weights(c), " is not positive and finite"));
  }
  return absl::OkStatus();
}

absl::Status CheckAugmentation(const v1::TrainingRecipe& recipe) {
  RETURN_IF_ERROR(CheckNotNegative("training.crop_padding", recipe.crop_padding()));
  RETURN_IF_ERROR(CheckNotNegative("training.cutout_size", recipe.cutout_size()));
  RETURN_IF_ERROR(CheckNotNegative("training.mixup_alpha", recipe.mixup_alpha()));
  if (recipe.erasing_probability() >= 0 && recipe.erasing_probability() <= 1) {
    return absl::OkStatus();
  }
  return InvalidField("training.erasing_probability",
                      absl::StrCat(recipe.erasing_probability(), " is not in [0, 1]"));
}

}  // namespace

absl::Status CheckRecipe(const v1::TrainingRecipe& recipe, int classes) {
  if (recipe.epochs() < 1) {
    return InvalidField("training.epochs", absl::StrCat(recipe.epochs(), " is below 1"));
  }
  if (recipe.batch_size() < 1) {
    return InvalidField("training.batch_size", absl::StrCat(recipe.batch_size(), " is below 1"));
  }
  if (!(recipe.learning_rate() > 0) || !std::isfinite(recipe.learning_rate())) {
    return InvalidField("training.learning_rate",
                        absl::StrCat(recipe.learning_rate(), " is not positive and finite"));
  }
  if (!(recipe.momentum() >= 0 && recipe.momentum() < 1)) {
    return InvalidField("training.momentum", absl::StrCat(recipe.momentum(), " is not in [0, 1)"));
  }
  if (!(recipe.weight_decay() >= 0) || !std::isfinite(recipe.weight_decay())) {
    return InvalidField("training.weight_decay",
                        absl::StrCat(recipe.weight_decay(), " is negative or not finite"));
  }
  if (!(recipe.warmup_epochs() >= 0) || !std::isfinite(recipe.warmup_epochs())) {
    return InvalidField("training.warmup_epochs",
                        absl::StrCat(recipe.warmup_epochs(), " is negative or not finite"));
  }
  RETURN_IF_ERROR(CheckLoss(recipe, classes));
  if (!v1::Optimizer_IsValid(recipe.optimizer())) {
    return InvalidField("training.optimizer",
                        absl::StrCat("unknown optimizer ", static_cast<int>(recipe.optimizer())));
  }
  RETURN_IF_ERROR(CheckShare("training.beta2", recipe.beta2()));
  RETURN_IF_ERROR(CheckNotNegative("training.epsilon", recipe.epsilon()));
  RETURN_IF_ERROR(CheckNotNegative("training.clip_norm", recipe.clip_norm()));
  if (!v1::Schedule_IsValid(recipe.schedule())) {
    return InvalidField("training.schedule",
                        absl::StrCat("unknown schedule ", static_cast<int>(recipe.schedule())));
  }
  if (recipe.schedule() == v1::SCHEDULE_STEP &&
      !(recipe.step_epochs() > 0 && std::isfinite(recipe.step_epochs()))) {
    return InvalidField("training.step_epochs",
                        absl::StrCat(recipe.step_epochs(), " is not positive and finite"));
  }
  if (!(recipe.step_factor() >= 0 && recipe.step_factor() <= 1)) {
    return InvalidField("training.step_factor",
                        absl::StrCat(recipe.step_factor(), " is not in [0, 1]"));
  }
  RETURN_IF_ERROR(CheckAugmentation(recipe));
  return CheckShare("training.average_decay", recipe.average_decay());
}

AugmentationOptions AugmentationOf(const v1::TrainingRecipe& recipe) {
  AugmentationOptions options;
  options.horizontal_flip = recipe.horizontal_flip();
  options.crop_padding = recipe.crop_padding();
  options.cutout_size = recipe.cutout_size();
  options.erasing_probability = recipe.erasing_probability();
  options.mixup_alpha = recipe.mixup_alpha();
  return options;
}

OptimizerSettings OptimizerOf(const v1::TrainingRecipe& recipe) {
  OptimizerSettings settings;
  settings.momentum = static_cast<float>(recipe.momentum());
  settings.weight_decay = static_cast<float>(recipe.weight_decay());
  if (recipe.optimizer() == v1::OPTIMIZER_SGD) settings.kind = OptimizerKind::kSgd;
  if (recipe.optimizer() == v1::OPTIMIZER_ADAMW) settings.kind = OptimizerKind::kAdamW;
  if (recipe.beta2() > 0) settings.beta2 = static_cast<float>(recipe.beta2());
  if (recipe.epsilon() > 0) settings.epsilon = static_cast<float>(recipe.epsilon());
  settings.clip_norm = static_cast<float>(recipe.clip_norm());
  settings.average_decay = static_cast<float>(recipe.average_decay());
  return settings;
}

ScheduleSettings ScheduleOf(const v1::TrainingRecipe& recipe, int64_t steps_per_epoch) {
  const double per_epoch = static_cast<double>(steps_per_epoch);
  ScheduleSettings settings;
  if (recipe.schedule() == v1::SCHEDULE_CONSTANT) settings.kind = ScheduleKind::kConstant;
  if (recipe.schedule() == v1::SCHEDULE_STEP) settings.kind = ScheduleKind::kStep;
  if (recipe.schedule() == v1::SCHEDULE_ONE_CYCLE) settings.kind = ScheduleKind::kOneCycle;
  settings.peak = recipe.learning_rate();
  settings.steps = steps_per_epoch * recipe.epochs();
  settings.warmup_steps = recipe.warmup_epochs() * per_epoch;
  settings.period_steps = recipe.step_epochs() * per_epoch;
  if (recipe.step_factor() > 0) settings.factor = recipe.step_factor();
  return settings;
}

std::vector<float> ClassWeightsOf(const v1::TrainingRecipe& recipe) {
  std::vector<float> weights;
  for (const double weight : recipe.class_weights()) weights.push_back(static_cast<float>(weight));
  return weights;
}

}  // namespace frontier::worker
