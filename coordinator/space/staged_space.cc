#include "coordinator/space/staged_space.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"
#include "coordinator/space/encoding.h"
#include "coordinator/space/samples.h"
#include "coordinator/space/staged_lowering.h"

namespace frontier::coordinator {
namespace {

// Decisions of one stage, in the order in which they are listed.
enum StageDecision { kBlock, kKernel, kWidth, kDepth, kStride, kConnection, kStageDecisions };

absl::string_view BlockName(v1::Block block) {
  switch (block) {
    case v1::BLOCK_CONVOLUTION:
      return "conv";
    case v1::BLOCK_DEPTHWISE_SEPARABLE:
      return "separable";
    case v1::BLOCK_INVERTED_BOTTLENECK:
      return "bottleneck";
    case v1::BLOCK_RESIDUAL:
      return "residual";
    case v1::BLOCK_FIRE:
      return "fire";
    case v1::BLOCK_MAX_POOL:
      return "maxpool";
    case v1::BLOCK_AVERAGE_POOL:
      return "avgpool";
    case v1::BLOCK_SKIP:
      return "skip";
    default:
      return "";
  }
}

// At least one value, none twice, each within [least, most].
template <typename Values>
absl::Status CheckList(absl::string_view field, const Values& values, int least, int most) {
  if (values.empty()) return InvalidField(field, "empty, name at least one value");
  absl::flat_hash_set<int> seen;
  for (int i = 0; i < values.size(); ++i) {
    const int value = values[i];
    const std::string item = absl::StrCat(field, "[", i, "]");
    if (value < least || value > most) {
      return InvalidField(item, absl::StrCat("is ", value, ", must be ", least, " to ", most));
    }
    if (!seen.insert(value).second) {
      return InvalidField(item, absl::StrCat(value, " is listed twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckBlocks(const v1::StageChoices& stage) {
  for (int i = 0; i < stage.blocks_size(); ++i) {
    if (BlockName(stage.blocks(i)).empty()) {
      return InvalidField(absl::StrCat("blocks[", i, "]"),
                          absl::StrCat("unknown block ", static_cast<int>(stage.blocks(i))));
    }
  }
  return CheckList("blocks", stage.blocks(), 1, v1::Block_MAX);
}

// `number` counts from 1.
absl::Status CheckStage(const v1::StageChoices& stage, int number) {
  RETURN_IF_ERROR(CheckBlocks(stage));
  RETURN_IF_ERROR(CheckList("kernels", stage.kernels(), 1, kMaxKernel));
  for (int i = 0; i < stage.kernels_size(); ++i) {
    if (stage.kernels(i) % 2 == 0) {
      return InvalidField(absl::StrCat("kernels[", i, "]"),
                          absl::StrCat("is ", stage.kernels(i), ", must be odd"));
    }
  }
  RETURN_IF_ERROR(CheckList("widths", stage.widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckList("depths", stage.depths(), 1, kMaxDepth));
  RETURN_IF_ERROR(CheckList("strides", stage.strides(), 1, kMaxStride));
  if (stage.connections().empty()) {
    return InvalidField("connections", "empty, name at least one value (0 = none)");
  }
  for (int i = 0; i < stage.connections_size(); ++i) {
    const int from = stage.connections(i);
    if (from != 0 && (from < 0 || from > number - 2)) {
      return InvalidField(
          absl::StrCat("connections[", i, "]"),
          absl::StrCat("is ", from, ", stage ", number, " may have ",
                       number > 2 ? absl::StrCat("0 (none) to ", number - 2) : "only 0 (none)"));
    }
  }
  return CheckList("connections", stage.connections(), 0, kMaxStages);
}

absl::Status CheckSpec(const v1::StagedSpace& spec) {
  RETURN_IF_ERROR(CheckList("stem_widths", spec.stem_widths(), 1, kMaxWidth));
  if (spec.stages().empty()) return InvalidField("stages", "empty, name at least one stage");
  if (spec.stages_size() > kMaxStages) {
    return InvalidField("stages",
                        absl::StrCat(spec.stages_size(), " stages, at most ", kMaxStages));
  }
  for (int i = 0; i < spec.stages_size(); ++i) {
    const absl::Status status = CheckStage(spec.stages(i), i + 1);
    if (!status.ok()) return PrefixField(absl::StrCat("stages[", i, "]"), status);
  }
  return absl::OkStatus();
}

template <typename Values>
Decision NumberDecision(std::string name, const Values& values) {
  Decision decision{std::move(name), {}};
  for (int value : values) decision.options.push_back(absl::StrCat(value));
  return decision;
}

std::vector<Decision> ListDecisions(const v1::StagedSpace& spec) {
  std::vector<Decision> decisions = {NumberDecision("stem.width", spec.stem_widths())};
  for (int i = 0; i < spec.stages_size(); ++i) {
    const v1::StageChoices& stage = spec.stages(i);
    const std::string name = absl::StrCat("stage", i + 1);
    Decision block{absl::StrCat(name, ".block"), {}};
    for (int value : stage.blocks()) {
      block.options.emplace_back(BlockName(static_cast<v1::Block>(value)));
    }
    decisions.push_back(std::move(block));
    decisions.push_back(NumberDecision(absl::StrCat(name, ".kernel"), stage.kernels()));
    decisions.push_back(NumberDecision(absl::StrCat(name, ".width"), stage.widths()));
    decisions.push_back(NumberDecision(absl::StrCat(name, ".depth"), stage.depths()));
    decisions.push_back(NumberDecision(absl::StrCat(name, ".stride"), stage.strides()));
    Decision connection{absl::StrCat(name, ".connection"), {}};
    for (int from : stage.connections()) {
      connection.options.push_back(from == 0 ? "none" : absl::StrCat("stage", from));
    }
    decisions.push_back(std::move(connection));
  }
  return decisions;
}

std::string SummarizeStage(const StageChoice& stage) {
  std::string text(BlockName(stage.block));
  const bool pool = stage.block == v1::BLOCK_MAX_POOL || stage.block == v1::BLOCK_AVERAGE_POOL;
  if (stage.block != v1::BLOCK_SKIP) absl::StrAppend(&text, stage.kernel, "x", stage.kernel);
  absl::StrAppend(&text, " w", stage.width);
  if (stage.block != v1::BLOCK_SKIP && !pool) absl::StrAppend(&text, " d", stage.depth);
  absl::StrAppend(&text, " s", stage.stride);
  if (stage.connection != 0) absl::StrAppend(&text, " +stage", stage.connection);
  return text;
}

class StagedSpace final : public Space {
 public:
  StagedSpace(const v1::StagedSpace& spec, const v1::Shape& input, int classes)
      : spec_(spec), input_(input), classes_(classes), encoding_(ListDecisions(spec)) {}

  const std::vector<Decision>& decisions() const override { return encoding_.decisions(); }
  std::string Size() const override { return encoding_.Size(); }
  v1::Genotype Sample(Rng* rng) const override { return encoding_.Sample(rng); }
  v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const override {
    return encoding_.Mutate(parent, rng);
  }
  v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second,
                     Rng* rng) const override {
    return encoding_.Cross(first, second, rng);
  }
  std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const override {
    return encoding_.Neighbours(genotype);
  }
  std::vector<float> Features(const v1::Genotype& genotype) const override {
    return encoding_.Features(genotype);
  }
  v1::Genotype First() const override { return encoding_.First(); }
  bool Advance(v1::Genotype* genotype) const override { return encoding_.Advance(genotype); }

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding_.Check(genotype));
    return LowerStaged(StemWidth(genotype), Choices(genotype), input_, classes_);
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding_.Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    std::vector<std::string> parts = {absl::StrCat("stem", StemWidth(genotype))};
    for (const StageChoice& stage : Choices(genotype)) parts.push_back(SummarizeStage(stage));
    return absl::StrJoin(parts, " | ");
  }

 private:
  int StemWidth(const v1::Genotype& genotype) const {
    return spec_.stem_widths(genotype.options(0));
  }

  std::vector<StageChoice> Choices(const v1::Genotype& genotype) const {
    std::vector<StageChoice> choices;
    choices.reserve(spec_.stages_size());
    int first = 1;
    for (const v1::StageChoices& stage : spec_.stages()) {
      StageChoice choice;
      choice.block = stage.blocks(genotype.options(first + kBlock));
      choice.kernel = stage.kernels(genotype.options(first + kKernel));
      choice.width = stage.widths(genotype.options(first + kWidth));
      choice.depth = stage.depths(genotype.options(first + kDepth));
      choice.stride = stage.strides(genotype.options(first + kStride));
      choice.connection = stage.connections(genotype.options(first + kConnection));
      choices.push_back(choice);
      first += kStageDecisions;
    }
    return choices;
  }

  const v1::StagedSpace spec_;
  const v1::Shape input_;
  const int classes_;
  const Encoding encoding_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Space>> CreateStagedSpace(const v1::StagedSpace& spec,
                                                         const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  RETURN_IF_ERROR(CheckSpec(spec));
  return std::make_unique<StagedSpace>(spec, input, classes);
}

}  // namespace frontier::coordinator
