#include "coordinator/cli/job_file/schema.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "coordinator/cli/job_file/units.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/words.h"
#include "frontier/v1/job.pb.h"

namespace frontier::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Ranges are those that job.proto and search_space.proto state; the coordinator has the last word.
constexpr FieldRule kRules[] = {
    {.field = "frontier.v1.JobSpec.name", .required = true},
    {.field = "frontier.v1.JobSpec.dataset", .required = true},
    {.field = "frontier.v1.JobSpec.search_space", .required = true},
    {.field = "frontier.v1.JobSpec.strategy", .required = true},
    {.field = "frontier.v1.JobSpec.training", .required = true},
    {.field = "frontier.v1.JobSpec.objectives", .required = true},
    {.field = "frontier.v1.JobSpec.budget", .required = true},
    {.field = "frontier.v1.JobSpec.max_parallel_trials", .range = "[0, inf)"},
    {.field = "frontier.v1.JobSpec.priority", .range = "[-100, 100]"},
    {.field = "frontier.v1.JobSpec.share", .range = "(0, inf)"},
    {.field = "frontier.v1.Placement.labels", .distinct = true},
    {.field = "frontier.v1.Placement.hardware_classes", .distinct = true},
    {.field = "frontier.v1.DatasetSpec.name", .required = true},
    {.field = "frontier.v1.DatasetSpec.classes", .range = "[2, inf)"},
    {.field = "frontier.v1.DatasetSpec.validation_fraction", .range = "(0, 1)"},
    {.field = "frontier.v1.DatasetSpec.train_samples", .range = "[0, inf)"},
    {.field = "frontier.v1.DatasetSpec.validation_samples", .range = "[0, inf)"},
    {.field = "frontier.v1.Shape.channels", .required = true, .range = "[1, inf)"},
    {.field = "frontier.v1.Shape.height", .required = true, .range = "[1, inf)"},
    {.field = "frontier.v1.Shape.width", .required = true, .range = "[1, inf)"},
    {.field = "frontier.v1.StagedSpace.stem_widths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.StagedSpace.resolutions", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.AutoSpace.probes", .range = "[0, 32]"},
    {.field = "frontier.v1.StageChoices.expansions", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.StageChoices.squeeze_excite", .range = "[0, inf)", .distinct = true},
    {.field = "frontier.v1.StageChoices.activations", .distinct = true},
    {.field = "frontier.v1.MobileSpace.stem_widths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.MobileSpace.stem_strides", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.MobileSpace.activations", .distinct = true},
    {.field = "frontier.v1.MobileSpace.head_widths", .range = "[0, inf)", .distinct = true},
    {.field = "frontier.v1.MobileSpace.width_multipliers", .range = "(0, 8]", .distinct = true},
    {.field = "frontier.v1.MobileSpace.resolutions", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.MobileSpace.dropout", .range = "[0, 1)"},
    {.field = "frontier.v1.MobileUnit.widths",
     .required = true,
     .range = "[1, inf)",
     .distinct = true},
    {.field = "frontier.v1.MobileUnit.depths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.MobileUnit.kernels", .range = "[1, inf)", .distinct = true, .odd = true},
    {.field = "frontier.v1.MobileUnit.expansions", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.MobileUnit.strides", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.MobileUnit.squeeze_excite", .range = "[0, inf)", .distinct = true},
    {.field = "frontier.v1.MobileUnit.activations", .distinct = true},
    {.field = "frontier.v1.FireSpace.stem_widths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.FireSpace.stem_kernels",
     .range = "[1, inf)",
     .distinct = true,
     .odd = true},
    {.field = "frontier.v1.FireSpace.stem_strides", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.FireSpace.norms", .distinct = true},
    {.field = "frontier.v1.FireSpace.dropout", .range = "[0, 1)"},
    {.field = "frontier.v1.FireStage.squeezes",
     .required = true,
     .range = "[1, inf)",
     .distinct = true},
    {.field = "frontier.v1.FireStage.expands",
     .required = true,
     .range = "[1, inf)",
     .distinct = true},
    {.field = "frontier.v1.FireStage.depths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.FireStage.kernels", .range = "[1, inf)", .distinct = true, .odd = true},
    {.field = "frontier.v1.FireStage.strides", .range = "[1, 2]", .distinct = true},
    {.field = "frontier.v1.ResidualSpace.blocks", .distinct = true},
    {.field = "frontier.v1.ResidualSpace.stem_widths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.ResidualSpace.stem_kernels",
     .range = "[1, inf)",
     .distinct = true,
     .odd = true},
    {.field = "frontier.v1.ResidualSpace.stem_strides", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.ResidualSpace.stem_pools", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.ResidualSpace.activations", .distinct = true},
    {.field = "frontier.v1.ResidualStage.widths",
     .required = true,
     .range = "[1, inf)",
     .distinct = true},
    {.field = "frontier.v1.ResidualStage.depths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.ResidualStage.kernels",
     .range = "[1, inf)",
     .distinct = true,
     .odd = true},
    {.field = "frontier.v1.ResidualStage.strides", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.ResidualStage.squeeze_excite", .range = "[0, inf)", .distinct = true},
    {.field = "frontier.v1.VggSpace.norms", .distinct = true},
    {.field = "frontier.v1.VggSpace.hidden_layers", .range = "[0, inf)", .distinct = true},
    {.field = "frontier.v1.VggSpace.hidden_widths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.VggSpace.dropout", .range = "[0, 1)"},
    {.field = "frontier.v1.VggStage.widths",
     .required = true,
     .range = "[1, inf)",
     .distinct = true},
    {.field = "frontier.v1.VggStage.depths", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.VggStage.kernels", .range = "[1, inf)", .distinct = true, .odd = true},
    {.field = "frontier.v1.VggStage.strides", .range = "[1, 2]", .distinct = true},
    {.field = "frontier.v1.StageChoices.blocks", .required = true, .distinct = true},
    {.field = "frontier.v1.StageChoices.kernels",
     .required = true,
     .range = "[1, inf)",
     .distinct = true,
     .odd = true},
    {.field = "frontier.v1.StageChoices.widths",
     .required = true,
     .range = "[1, inf)",
     .distinct = true},
    {.field = "frontier.v1.StageChoices.depths",
     .required = true,
     .range = "[1, inf)",
     .distinct = true},
    {.field = "frontier.v1.StageChoices.strides",
     .required = true,
     .range = "[1, inf)",
     .distinct = true},
    {.field = "frontier.v1.StageChoices.connections",
     .required = true,
     .range = "[0, inf)",
     .distinct = true},
    {.field = "frontier.v1.NasBench201Space.channels", .range = "[0, inf)"},
    {.field = "frontier.v1.NasBench201Space.cells_per_stage", .range = "[0, inf)"},
    {.field = "frontier.v1.NasBench201Space.operations", .distinct = true},
    {.field = "frontier.v1.NasBench101Space.stem_channels", .range = "[0, inf)"},
    {.field = "frontier.v1.NasBench101Space.modules_per_stack", .range = "[0, inf)"},
    {.field = "frontier.v1.NasBench101Space.max_vertices", .range = "[0, inf)"},
    {.field = "frontier.v1.NasBench101Space.max_edges", .range = "[0, inf)"},
    {.field = "frontier.v1.ChoiceCondition.choice", .required = true},
    {.field = "frontier.v1.ChoiceCondition.options", .required = true, .distinct = true},
    {.field = "frontier.v1.GraphChoice.name", .required = true},
    {.field = "frontier.v1.GraphChoice.options", .required = true, .distinct = true},
    {.field = "frontier.v1.GraphConstraint.never", .required = true},
    {.field = "frontier.v1.GraphNode.name", .required = true},
    {.field = "frontier.v1.GraphNode.op", .required = true},
    {.field = "frontier.v1.GraphSpace.nodes", .required = true},
    {.field = "frontier.v1.LinearRange.low", .required = true},
    {.field = "frontier.v1.LinearRange.high", .required = true},
    {.field = "frontier.v1.LinearRange.steps", .required = true, .range = "[2, 1000]"},
    {.field = "frontier.v1.LogRange.low", .required = true, .range = "(0, inf)"},
    {.field = "frontier.v1.LogRange.high", .required = true, .range = "(0, inf)"},
    {.field = "frontier.v1.LogRange.steps", .required = true, .range = "[2, 1000]"},
    {.field = "frontier.v1.IntegerRange.low", .required = true},
    {.field = "frontier.v1.IntegerRange.high", .required = true},
    {.field = "frontier.v1.IntegerRange.step", .range = "[0, inf)"},
    {.field = "frontier.v1.CategoricalValues.values", .required = true, .distinct = true},
    {.field = "frontier.v1.Hyperparameter.name", .required = true},
    {.field = "frontier.v1.SearchSpace.version", .range = "[0, inf)"},
    {.field = "frontier.v1.CompressSpace.parent", .required = true},
    {.field = "frontier.v1.CompressSpace.widths", .range = "(0, 1]", .distinct = true},
    {.field = "frontier.v1.CompressSpace.spatial_ranks", .range = "(0, 1]", .distinct = true},
    {.field = "frontier.v1.CompressSpace.channel_ranks", .range = "(0, 1]", .distinct = true},
    {.field = "frontier.v1.CompressSpace.precisions", .distinct = true},
    {.field = "frontier.v1.CompressParent.job", .range = "[0, inf)"},
    {.field = "frontier.v1.CompressParent.trial", .range = "[0, inf)"},
    {.field = "frontier.v1.EvolutionStrategy.population_size", .range = "[0, inf)"},
    {.field = "frontier.v1.EvolutionStrategy.sample_size", .range = "[0, inf)"},
    {.field = "frontier.v1.EvolutionStrategy.crossover_rate", .range = "[0, 1]"},
    {.field = "frontier.v1.LocalSearchStrategy.initial_samples", .range = "[0, inf)"},
    {.field = "frontier.v1.Nsga2Strategy.population_size", .range = "[0, inf)"},
    {.field = "frontier.v1.Nsga2Strategy.crossover_rate", .range = "[0, 1]"},
    {.field = "frontier.v1.Nsga3Strategy.population_size", .range = "[0, inf)"},
    {.field = "frontier.v1.Nsga3Strategy.divisions", .range = "[0, 100]"},
    {.field = "frontier.v1.Nsga3Strategy.crossover_rate", .range = "[0, 1]"},
    {.field = "frontier.v1.ReinforceStrategy.learning_rate", .range = "[0, inf)"},
    {.field = "frontier.v1.ReinforceStrategy.baseline_decay", .range = "[0, 1)"},
    {.field = "frontier.v1.ReinforceStrategy.entropy_weight", .range = "[0, inf)"},
    {.field = "frontier.v1.RewardTarget.metric", .required = true},
    {.field = "frontier.v1.RewardTarget.target", .required = true, .range = "(0, inf)"},
    {.field = "frontier.v1.TpeStrategy.initial_samples", .range = "[0, inf)"},
    {.field = "frontier.v1.TpeStrategy.candidates", .range = "[0, inf)"},
    {.field = "frontier.v1.TpeStrategy.good_share", .range = "[0, 1)"},
    {.field = "frontier.v1.BayesianStrategy.initial_samples", .range = "[0, inf)"},
    {.field = "frontier.v1.BayesianStrategy.candidates", .range = "[0, inf)"},
    {.field = "frontier.v1.AshaStopping.min_epochs", .range = "[0, inf)"},
    {.field = "frontier.v1.AshaStopping.reduction", .range = "[0, inf)"},
    {.field = "frontier.v1.AshaStopping.rungs", .range = "[1, inf)", .distinct = true},
    {.field = "frontier.v1.HyperbandStopping.min_epochs", .range = "[0, inf)"},
    {.field = "frontier.v1.HyperbandStopping.reduction", .range = "[0, inf)"},
    {.field = "frontier.v1.MedianStopping.min_epochs", .range = "[0, inf)"},
    {.field = "frontier.v1.MedianStopping.min_trials", .range = "[0, inf)"},
    {.field = "frontier.v1.PatienceStopping.epochs", .range = "[0, inf)"},
    {.field = "frontier.v1.PatienceStopping.min_gain", .range = "[0, 1)"},
    {.field = "frontier.v1.ExtrapolationStopping.min_epochs", .range = "[0, inf)"},
    {.field = "frontier.v1.ExtrapolationStopping.margin", .range = "[0, 1)"},
    {.field = "frontier.v1.Screening.proxy", .required = true},
    {.field = "frontier.v1.Screening.pool", .range = "[0, 100]"},
    {.field = "frontier.v1.WarmStart.job", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.epochs", .required = true, .range = "[1, inf)"},
    {.field = "frontier.v1.TrainingRecipe.batch_size", .required = true, .range = "[1, inf)"},
    {.field = "frontier.v1.TrainingRecipe.learning_rate", .required = true, .range = "(0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.momentum", .range = "[0, 1)"},
    {.field = "frontier.v1.TrainingRecipe.weight_decay", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.warmup_epochs", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.label_smoothing", .range = "[0, 1)"},
    {.field = "frontier.v1.TrainingRecipe.class_weights", .range = "(0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.beta2", .range = "[0, 1)"},
    {.field = "frontier.v1.TrainingRecipe.epsilon", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.clip_norm", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.step_epochs", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.step_factor", .range = "[0, 1]"},
    {.field = "frontier.v1.TrainingRecipe.crop_padding", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.cutout_size", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.mixup_alpha", .range = "[0, inf)"},
    {.field = "frontier.v1.TrainingRecipe.erasing_probability", .range = "[0, 1]"},
    {.field = "frontier.v1.TrainingRecipe.average_decay", .range = "[0, 1)"},
    {.field = "frontier.v1.Objective.metric", .required = true},
    {.field = "frontier.v1.Objective.direction", .required = true},
    {.field = "frontier.v1.Constraint.metric", .required = true},
    {.field = "frontier.v1.Constraint.comparison", .required = true},
    {.field = "frontier.v1.Constraint.bound", .required = true},
    {.field = "frontier.v1.Budget.trials", .range = "[1, inf)"},
    {.field = "frontier.v1.Budget.wall_seconds",
     .short_name = "wall_time",
     .unit = Unit::kDuration,
     .range = "(0, inf)"},
    {.field = "frontier.v1.Budget.cpu_seconds",
     .short_name = "cpu_time",
     .unit = Unit::kDuration,
     .range = "(0, inf)"},
    {.field = "frontier.v1.Budget.energy_kwh", .range = "(0, inf)"},
    {.field = "frontier.v1.TrialLimits.memory_bytes",
     .short_name = "memory",
     .unit = Unit::kBytes,
     .range = "[0, inf)"},
    {.field = "frontier.v1.TrialLimits.wall_seconds",
     .short_name = "wall_time",
     .unit = Unit::kDuration,
     .range = "[0, inf)"},
    {.field = "frontier.v1.TrialLimits.max_attempts", .range = "[0, inf)"},
    {.field = "frontier.v1.TrialLimits.threads", .range = "[0, inf)"},
};

Node Scalar(const Position& position, absl::string_view text) {
  Node node;
  node.kind = Node::Kind::kScalar;
  node.position = position;
  node.scalar = std::string(text);
  return node;
}

Node Map(const Position& position) {
  Node node;
  node.kind = Node::Kind::kMap;
  node.position = position;
  return node;
}

void Add(Node* map, absl::string_view key, Node value) {
  const Position position = value.position;
  map->entries.push_back({std::string(key), position, std::move(value)});
}

std::string WriteTextList(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return absl::StrCat("[",
                      absl::StrJoin(texts, ", ",
                                    [](std::string* out, const std::string& text) {
                                      absl::StrAppend(out, QuoteText(text));
                                    }),
                      "]");
}

// --- Shape: [channels, height, width]

bool ExpandShape(const std::string& path, Node* node, std::vector<Problem>* problems) {
  if (node->kind != Node::Kind::kSequence) return true;
  if (node->items.size() != 3) {
    problems->push_back({node->position, path,
                         absl::StrCat("a shape is [channels, height, width], not ",
                                      node->items.size(), " numbers")});
    return false;
  }
  Node map = Map(node->position);
  const char* const names[] = {"channels", "height", "width"};
  for (int i = 0; i < 3; ++i) Add(&map, names[i], std::move(node->items[i]));
  *node = std::move(map);
  return true;
}

std::optional<std::string> WriteShape(const Message& message) {
  const auto& shape = static_cast<const v1::Shape&>(message);
  return absl::StrCat("[", shape.channels(), ", ", shape.height(), ", ", shape.width(), "]");
}

// --- StrategySpec, SearchSpace, EarlyStopping: "random", "auto", "asha"

bool ExpandName(const std::string&, Node* node, std::vector<Problem>*) {
  if (node->kind != Node::Kind::kScalar) return true;
  Node map = Map(node->position);
  Node nothing;
  nothing.position = node->position;
  Add(&map, node->scalar, std::move(nothing));
  *node = std::move(map);
  return true;
}

// --- CompressParent: "resnet20"

bool ExpandParent(const std::string&, Node* node, std::vector<Problem>*) {
  if (node->kind != Node::Kind::kScalar) return true;
  Node map = Map(node->position);
  Add(&map, "network", Scalar(node->position, node->scalar));
  *node = std::move(map);
  return true;
}

// --- Objective: {accuracy: maximize}

bool ExpandObjective(const std::string& path, Node* node, std::vector<Problem>* problems) {
  if (node->kind == Node::Kind::kScalar) {
    problems->push_back({node->position, absl::StrCat(path, ".direction"),
                         absl::StrCat("missing; write {", Printable(node->scalar),
                                      ": maximize} or {", Printable(node->scalar), ": minimize}")});
    return false;
  }
  if (node->kind != Node::Kind::kMap || node->entries.size() != 1) return true;
  const Node::Entry entry = node->entries[0];
  if (FindField(*v1::Objective::descriptor(), entry.key).field != nullptr) return true;
  Node map = Map(node->position);
  Add(&map, "metric", Scalar(entry.position, entry.key));
  Add(&map, "direction", entry.value);
  *node = std::move(map);
  return true;
}

std::optional<std::string> WriteObjective(const Message& message) {
  const auto& objective = static_cast<const v1::Objective&>(message);
  return absl::StrCat("{", EnumWord(objective.metric()), ": ", EnumWord(objective.direction()),
                      "}");
}

// --- CategoricalValues: [nesterov, adamw]

bool ExpandCategorical(const std::string&, Node* node, std::vector<Problem>*) {
  if (node->kind != Node::Kind::kSequence) return true;
  Node map = Map(node->position);
  Add(&map, "values", std::move(*node));
  *node = std::move(map);
  return true;
}

std::optional<std::string> WriteCategorical(const Message& message) {
  return WriteTextList(static_cast<const v1::CategoricalValues&>(message).values());
}

// --- Genotype: [0, 2, 1]

bool ExpandGenotype(const std::string&, Node* node, std::vector<Problem>*) {
  if (node->kind != Node::Kind::kSequence) return true;
  Node map = Map(node->position);
  Add(&map, "options", std::move(*node));
  *node = std::move(map);
  return true;
}

std::optional<std::string> WriteGenotype(const Message& message) {
  const auto& genotype = static_cast<const v1::Genotype&>(message);
  return absl::StrCat("[", absl::StrJoin(genotype.options(), ", "), "]");
}

// --- ChoiceCondition: {optimizer: adamw} or {kernel: [3, 5]}

bool IsFieldOfCondition(const std::string& name) {
  return FindField(*v1::ChoiceCondition::descriptor(), name).field != nullptr;
}

bool ExpandCondition(const std::string&, Node* node, std::vector<Problem>*) {
  if (node->kind != Node::Kind::kMap || node->entries.size() != 1) return true;
  Node::Entry entry = node->entries[0];
  if (IsFieldOfCondition(entry.key)) return true;
  Node options;
  options.kind = Node::Kind::kSequence;
  options.position = entry.value.position;
  if (entry.value.kind == Node::Kind::kScalar) {
    options.items.push_back(entry.value);
  } else {
    options = entry.value;
  }
  Node map = Map(node->position);
  Add(&map, "choice", Scalar(entry.position, entry.key));
  Add(&map, "options", std::move(options));
  *node = std::move(map);
  return true;
}

std::optional<std::string> WriteCondition(const Message& message) {
  const auto& condition = static_cast<const v1::ChoiceCondition&>(message);
  if (condition.choice().empty() || condition.options().empty()) return std::nullopt;
  if (IsFieldOfCondition(condition.choice())) return std::nullopt;
  return absl::StrCat("{", QuoteText(condition.choice()), ": ",
                      condition.options_size() == 1 ? QuoteText(condition.options(0))
                                                    : WriteTextList(condition.options()),
                      "}");
}

// --- Constraint: "latency_ms <= 2"

bool ExpandConstraint(const std::string& path, Node* node, std::vector<Problem>* problems) {
  if (node->kind != Node::Kind::kScalar) return true;
  const absl::string_view text = node->scalar;
  const size_t sign = text.find_first_of("<>=");
  size_t end = sign;
  while (end < text.size() && absl::string_view("<>=").find(text[end]) != absl::string_view::npos) {
    ++end;
  }
  const absl::string_view comparison =
      sign == absl::string_view::npos ? "" : text.substr(sign, end - sign);
  if (comparison != "<=" && comparison != ">=") {
    problems->push_back({node->position, path,
                         absl::StrCat(DescribeNode(*node),
                                      " is not a constraint; write one as \"latency_ms <= 2\" or "
                                      "\"accuracy >= 0.8\"")});
    return false;
  }
  Node map = Map(node->position);
  Add(&map, "metric", Scalar(node->position, absl::StripAsciiWhitespace(text.substr(0, sign))));
  Add(&map, "comparison", Scalar(node->position, comparison == "<=" ? "at_most" : "at_least"));
  Add(&map, "bound", Scalar(node->position, absl::StripAsciiWhitespace(text.substr(end))));
  *node = std::move(map);
  return true;
}

std::optional<std::string> WriteConstraint(const Message& message) {
  const auto& constraint = static_cast<const v1::Constraint&>(message);
  if (constraint.comparison() == v1::COMPARISON_UNSPECIFIED) return std::nullopt;
  return absl::StrCat("\"", EnumWord(constraint.metric()),
                      constraint.comparison() == v1::COMPARISON_AT_MOST ? " <= " : " >= ",
                      WriteNumber(constraint.bound()), "\"");
}

struct ShortForm {
  const char* type;
  const char* expected;
  bool (*expand)(const std::string& path, Node* node, std::vector<Problem>* problems);
  std::optional<std::string> (*write)(const Message& message);  // null = long form
};
constexpr ShortForm kShortForms[] = {
    {"frontier.v1.Shape", "[channels, height, width]", ExpandShape, WriteShape},
    {"frontier.v1.StrategySpec", "a name such as random, or a map", ExpandName, nullptr},
    {"frontier.v1.SearchSpace", "a name such as auto, or a map", ExpandName, nullptr},
    {"frontier.v1.EarlyStopping", "a name such as asha, or a map", ExpandName, nullptr},
    {"frontier.v1.Genotype", "the number of each decision's option, such as [0, 2, 1]",
     ExpandGenotype, WriteGenotype},
    {"frontier.v1.CategoricalValues", "a list such as [nesterov, adamw]", ExpandCategorical,
     WriteCategorical},
    {"frontier.v1.ChoiceCondition", "{choice: option} or {choice: [option, option]}",
     ExpandCondition, WriteCondition},
    {"frontier.v1.CompressParent", "a network such as resnet20, or {job: 3, trial: 17}",
     ExpandParent, nullptr},
    {"frontier.v1.Objective", "{metric: direction}, such as {accuracy: maximize}", ExpandObjective,
     WriteObjective},
    {"frontier.v1.Constraint", "a comparison such as \"latency_ms <= 2\"", ExpandConstraint,
     WriteConstraint},
};

const ShortForm* FindShortForm(const Descriptor& type) {
  for (const ShortForm& form : kShortForms) {
    if (type.full_name() == form.type) return &form;
  }
  return nullptr;
}

// --- Whole messages

void Report(std::string field, std::string message, std::vector<Problem>* problems) {
  Problem problem;
  problem.field = std::move(field);
  problem.message = std::move(message);
  problems->push_back(std::move(problem));
}

void CheckBudget(const Message& message, const std::string& path, std::vector<Problem>* problems) {
  const auto& budget = static_cast<const v1::Budget&>(message);
  if (!budget.has_trials() && !budget.has_wall_seconds() && !budget.has_cpu_seconds() &&
      !budget.has_energy_kwh()) {
    Report(path,
           absl::StrCat("no limit is given; give at least one of ",
                        Listing(FileNames(*v1::Budget::descriptor()))),
           problems);
  }
}

void CheckJob(const Message& message, const std::string&, std::vector<Problem>* problems) {
  const auto& job = static_cast<const v1::JobSpec&>(message);
  std::set<int> seen;
  for (int i = 0; i < job.objectives_size(); ++i) {
    const v1::Metric metric = job.objectives(i).metric();
    if (metric != v1::METRIC_UNSPECIFIED && !seen.insert(metric).second) {
      Report(absl::StrCat("objectives[", i, "]"),
             absl::StrCat("metric ", EnumWord(metric), " is an objective already"), problems);
    }
  }
  if (job.objectives_size() > 6) {
    Report("objectives", absl::StrCat(job.objectives_size(), " objectives; at most 6 are accepted"),
           problems);
  }
}

struct MessageCheck {
  const char* type;
  void (*check)(const Message& message, const std::string& path, std::vector<Problem>* problems);
};
constexpr MessageCheck kMessageChecks[] = {{"frontier.v1.Budget", CheckBudget},
                                           {"frontier.v1.JobSpec", CheckJob}};

}  // namespace

const FieldRule& RuleFor(const FieldDescriptor& field) {
  static constexpr FieldRule kNoDemands = {.field = ""};
  for (const FieldRule& rule : kRules) {
    if (field.full_name() == rule.field) return rule;
  }
  return kNoDemands;
}

FieldName FindField(const Descriptor& type, absl::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (absl::string_view(field.name()) == name) return {&field, Unit::kNone};
    const FieldRule& rule = RuleFor(field);
    if (rule.short_name[0] != '\0' && name == rule.short_name) return {&field, rule.unit};
  }
  return {};
}

std::string FileName(const FieldDescriptor& field) {
  const FieldRule& rule = RuleFor(field);
  return rule.short_name[0] != '\0' ? rule.short_name : field.name();
}

std::vector<std::string> FileNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(FileName(*type.field(i)));
  return names;
}

bool InRange(absl::string_view range, double value) {
  if (range.empty()) return true;
  const std::pair<absl::string_view, absl::string_view> bounds =
      absl::StrSplit(range.substr(1, range.size() - 2), absl::MaxSplits(", ", 1));
  const std::optional<double> low = ParseNumber(bounds.first);
  const std::optional<double> high = ParseNumber(bounds.second);  // none for "inf"
  if (low.has_value() && (range.front() == '[' ? value < *low : value <= *low)) return false;
  return !high.has_value() || (range.back() == ']' ? value <= *high : value < *high);
}

bool ExpandShortForm(const Descriptor& type, const std::string& path, Node* node,
                     std::vector<Problem>* problems) {
  const ShortForm* form = FindShortForm(type);
  return form == nullptr || form->expand(path, node, problems);
}

std::string ExpectedForm(const Descriptor& type) {
  const ShortForm* form = FindShortForm(type);
  return form == nullptr ? "a map" : form->expected;
}

std::optional<std::string> WriteShortForm(const Message& message) {
  const ShortForm* form = FindShortForm(*message.GetDescriptor());
  if (form == nullptr || form->write == nullptr) return std::nullopt;
  return form->write(message);
}

void CheckMessage(const Message& message, const std::string& path, std::vector<Problem>* problems) {
  for (const MessageCheck& check : kMessageChecks) {
    if (message.GetDescriptor()->full_name() == check.type) {
      check.check(message, path, problems);
    }
  }
}

}  // namespace frontier::cli
