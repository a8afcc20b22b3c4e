#include "coordinator/core/recipe_check.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/core/field_checks.h"
#include "coordinator/space/hyperparameters.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxCombinations = 10'000;
// Its own stream, so that checking does not move what the strategy draws.
constexpr uint64_t kCheckStream = 0x726563697065;
absl::Status CheckShare(const char* field, double value) {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return InvalidField(field, absl::StrCat("must be at least 0 and below 1, is ", value));
}

absl::Status CheckClassWeights(const v1::TrainingRecipe& training, int classes) {
  const int count = training.class_weights_size();
  if (count != 0 && count != classes) {
    return InvalidField(
        "training.class_weights",
        absl::StrCat("must be none or one for each of the ", classes, " classes, are ", count));
  }
  for (int c = 0; c < count; ++c) {
    const double weight = training.class_weights(c);
    if (weight >= 1e-6 && weight <= 1e6) continue;
    return InvalidField(absl::StrCat("training.class_weights[", c, "]"),
                        absl::StrCat("must be 1e-06 to 1e+06, is ", weight));
  }
  return absl::OkStatus();
}

absl::Status CheckSchedule(const v1::TrainingRecipe& training) {
  if (!v1::Schedule_IsValid(training.schedule())) {
    return InvalidField("training.schedule",
                        absl::StrCat("unknown schedule ", static_cast<int>(training.schedule())));
  }
  const double step = training.step_epochs();
  if (training.schedule() == v1::SCHEDULE_STEP) {
    if (!(step > 0 && step <= training.epochs())) {
      return InvalidField("training.step_epochs",
                          absl::StrCat("must be above 0 and at most ", training.epochs(),
                                       " for the step schedule, is ", step));
    }
    return CheckRange("training.step_factor", training.step_factor(), 0.0, 1.0);
  }
  if (step != 0) {
    return InvalidField("training.step_epochs",
                        absl::StrCat("is for the step schedule alone, is ", step));
  }
  if (training.step_factor() != 0) {
    return InvalidField("training.step_factor", absl::StrCat("is for the step schedule alone, is ",
                                                             training.step_factor()));
  }
  return absl::OkStatus();
}

absl::Status CheckOptimizer(const v1::TrainingRecipe& training) {
  if (!v1::Optimizer_IsValid(training.optimizer())) {
    return InvalidField("training.optimizer",
                        absl::StrCat("unknown optimizer ", static_cast<int>(training.optimizer())));
  }
  RETURN_IF_ERROR(CheckShare("training.beta2", training.beta2()));
  RETURN_IF_ERROR(CheckRange("training.epsilon", training.epsilon(), 0.0, 1.0));
  if (training.optimizer() != v1::OPTIMIZER_ADAMW) {
    if (training.beta2() != 0) {
      return InvalidField("training.beta2",
                          absl::StrCat("is for adamw alone, is ", training.beta2()));
    }
    if (training.epsilon() != 0) {
      return InvalidField("training.epsilon",
                          absl::StrCat("is for adamw alone, is ", training.epsilon()));
    }
  }
  return CheckRange("training.clip_norm", training.clip_norm(), 0.0, 1e6);
}

absl::Status CheckAugmentation(const v1::TrainingRecipe& training, const v1::Shape& input) {
  const int extent = std::max(input.height(), input.width());
  RETURN_IF_ERROR(CheckRange("training.crop_padding", training.crop_padding(), 0, extent));
  RETURN_IF_ERROR(CheckRange("training.cutout_size", training.cutout_size(), 0, 2 * extent));
  RETURN_IF_ERROR(CheckRange("training.mixup_alpha", training.mixup_alpha(), 0.0, 100.0));
  return CheckRange("training.erasing_probability", training.erasing_probability(), 0.0, 1.0);
}

// The genotype in which `decision` takes `option` and every decision that this needs is active, all
// others their first; nothing if conditions contradict each other.
std::optional<v1::Genotype> WithOption(const Encoding& encoding, int decision, int32_t option) {
  v1::Genotype genotype = encoding.First();
  std::vector<std::pair<int, int32_t>> wanted = {{decision, option}};
  while (!wanted.empty()) {
    const auto [index, value] = wanted.back();
    wanted.pop_back();
    genotype.set_options(index, value);
    for (const Condition& condition : encoding.decisions()[index].conditions) {
      wanted.emplace_back(condition.decision, condition.options.front());
    }
  }
  const std::vector<bool> active = encoding.Active(genotype);
  for (size_t i = 0; i < active.size(); ++i) {
    if (!active[i]) genotype.set_options(static_cast<int>(i), 0);
  }
  if (!active[decision]) return std::nullopt;
  return genotype;
}

// What `problem` with one candidate's recipe says about the hyperparameters.
absl::Status Explain(const v1::JobSpec& spec, const std::vector<v1::HyperparameterValue>& values,
                     const absl::Status& problem) {
  const std::optional<v1::ErrorDetail> detail = GetErrorDetail(problem);
  const std::string field = detail.has_value() ? detail->field() : "";
  absl::string_view message = problem.message();
  const std::string at =
      absl::StrJoin(values, ", ", [](std::string* out, const v1::HyperparameterValue& value) {
        absl::StrAppend(out, value.name(), " ", value.value());
      });
  const auto& hyperparameters = spec.search_space().hyperparameters();
  for (int i = 0; i < hyperparameters.size(); ++i) {
    if (field != absl::StrCat("training.", hyperparameters[i].name())) continue;
    absl::ConsumePrefix(&message, absl::StrCat(field, ": "));
    return InvalidField(absl::StrCat("search_space.hyperparameters[", i, "]"),
                        absl::StrCat(hyperparameters[i].name(), " ", message, " (at ", at, ")"));
  }
  return InvalidField("search_space.hyperparameters", absl::StrCat("at ", at, ": ", message));
}

}  // namespace

absl::Status CheckTraining(const v1::TrainingRecipe& training, const v1::DatasetSpec& dataset) {
  RETURN_IF_ERROR(CheckRange("training.epochs", training.epochs(), 1, 10000));
  RETURN_IF_ERROR(CheckRange("training.batch_size", training.batch_size(), 1, 65536));
  const double rate = training.learning_rate();
  if (!(rate > 0 && rate <= 1000)) {
    return InvalidField("training.learning_rate",
                        absl::StrCat("must be above 0 and at most 1000, is ", rate));
  }
  const double momentum = training.momentum();
  if (!(momentum >= 0 && momentum < 1)) {
    return InvalidField("training.momentum",
                        absl::StrCat("must be at least 0 and below 1, is ", momentum));
  }
  RETURN_IF_ERROR(CheckRange("training.weight_decay", training.weight_decay(), 0.0, 1.0));
  RETURN_IF_ERROR(CheckRange("training.warmup_epochs", training.warmup_epochs(), 0.0,
                             static_cast<double>(training.epochs())));
  RETURN_IF_ERROR(CheckShare("training.label_smoothing", training.label_smoothing()));
  RETURN_IF_ERROR(CheckClassWeights(training, dataset.classes()));
  RETURN_IF_ERROR(CheckOptimizer(training));
  RETURN_IF_ERROR(CheckSchedule(training));
  RETURN_IF_ERROR(CheckAugmentation(training, dataset.input()));
  if (!v1::Precision_IsValid(training.precision())) {
    return InvalidField("training.precision",
                        absl::StrCat("unknown precision ", static_cast<int>(training.precision())));
  }
  return CheckShare("training.average_decay", training.average_decay());
}

absl::Status CheckHyperparameters(
    const v1::JobSpec& spec, absl::FunctionRef<absl::Status(const v1::TrainingRecipe&)> check) {
  if (spec.search_space().hyperparameters().empty()) return absl::OkStatus();
  absl::StatusOr<Hyperparameters> created =
      Hyperparameters::Create(spec.search_space().hyperparameters());
  if (!created.ok()) return PrefixField("search_space", created.status());
  const Hyperparameters& hyperparameters = *created;
  const Encoding& encoding = hyperparameters.encoding();
  const auto try_out = [&](const v1::Genotype& genotype) {
    const absl::Status status = check(hyperparameters.Apply(genotype, spec.training()));
    return status.ok() ? status : Explain(spec, hyperparameters.Values(genotype), status);
  };
  int64_t size = 0;
  if (absl::SimpleAtoi(encoding.Size(), &size) && size <= kMaxCombinations) {
    v1::Genotype genotype = encoding.First();
    do {
      RETURN_IF_ERROR(try_out(genotype));
    } while (encoding.Advance(&genotype));
    return absl::OkStatus();
  }
  for (size_t i = 0; i < encoding.decisions().size(); ++i) {
    const auto options = static_cast<int32_t>(encoding.decisions()[i].options.size());
    for (int32_t option = 0; option < options; ++option) {
      const auto genotype = WithOption(encoding, static_cast<int>(i), option);
      if (genotype.has_value()) RETURN_IF_ERROR(try_out(*genotype));
    }
  }
  Rng rng(spec.strategy().seed(), kCheckStream);
  for (int i = 0; i < kMaxCombinations; ++i) RETURN_IF_ERROR(try_out(encoding.Sample(&rng)));
  return absl::OkStatus();
}

}  // namespace frontier::coordinator
