#include "coordinator/space/staged_space.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/status.h"
#include "coordinator/space/choices.h"
#include "coordinator/space/encoded_space.h"
#include "coordinator/space/encoding.h"
#include "coordinator/space/samples.h"
#include "coordinator/space/staged_lowering.h"

namespace frontier::coordinator {
namespace {

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

// Blocks in which a decision of the stage means something.
bool HasExpansion(int block) { return block == v1::BLOCK_INVERTED_BOTTLENECK; }
bool HasConvolutions(int block) {
  return block != v1::BLOCK_MAX_POOL && block != v1::BLOCK_AVERAGE_POOL && block != v1::BLOCK_SKIP;
}

absl::Status CheckBlocks(const v1::StageChoices& stage) {
  for (int i = 0; i < stage.blocks_size(); ++i) {
    if (BlockName(stage.blocks(i)).empty()) {
      return InvalidField(absl::StrCat("blocks[", i, "]"),
                          absl::StrCat("unknown block ", static_cast<int>(stage.blocks(i))));
    }
  }
  return CheckSomeChoices("blocks", stage.blocks(), 1, v1::Block_MAX);
}

absl::Status CheckConnections(const v1::StageChoices& stage, int number) {
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
  return CheckChoices("connections", stage.connections(), 0, kMaxStages);
}

// A list is of no use if the stage has no block in which it means something.
absl::Status CheckUse(absl::string_view field, absl::Span<const int32_t> values,
                      const v1::StageChoices& stage, bool (*has)(int block)) {
  if (values.empty() || std::any_of(stage.blocks().begin(), stage.blocks().end(), has)) {
    return absl::OkStatus();
  }
  return InvalidField(field, "is without effect on all blocks of the stage");
}

// `number` counts from 1.
absl::Status CheckStage(const v1::StageChoices& stage, int number) {
  RETURN_IF_ERROR(CheckBlocks(stage));
  RETURN_IF_ERROR(CheckSomeChoices("kernels", stage.kernels(), 1, kMaxKernel));
  RETURN_IF_ERROR(CheckKernels("kernels", stage.kernels()));
  RETURN_IF_ERROR(CheckSomeChoices("widths", stage.widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckSomeChoices("depths", stage.depths(), 1, kMaxDepth));
  RETURN_IF_ERROR(CheckSomeChoices("strides", stage.strides(), 1, kMaxStride));
  RETURN_IF_ERROR(CheckConnections(stage, number));
  RETURN_IF_ERROR(CheckChoices("expansions", stage.expansions(), 1, kMaxExpansion));
  RETURN_IF_ERROR(CheckUse("expansions", stage.expansions(), stage, HasExpansion));
  RETURN_IF_ERROR(CheckSqueezeExcite("squeeze_excite", stage.squeeze_excite()));
  RETURN_IF_ERROR(CheckUse("squeeze_excite", stage.squeeze_excite(), stage, HasConvolutions));
  return CheckActivations("activations", stage.activations());
}

absl::Status CheckSpec(const v1::StagedSpace& spec, const v1::Shape& input) {
  RETURN_IF_ERROR(CheckSomeChoices("stem_widths", spec.stem_widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckCount("stages", spec.stages_size()));
  for (int i = 0; i < spec.stages_size(); ++i) {
    const absl::Status status = CheckStage(spec.stages(i), i + 1);
    if (!status.ok()) return PrefixField(absl::StrCat("stages[", i, "]"), status);
  }
  return CheckResolutions("resolutions", spec.resolutions(), input);
}

// Indices of the decisions of one stage; -1 for a list that is not there.
struct StageDecisions {
  int block, kernel, width, depth, stride, connection;
  int expansion = -1;
  int squeeze_excite = -1;
  int activation = -1;
};

// Conditions that hold for the blocks that have something.
std::vector<Condition> IfBlockHas(int block, const v1::StageChoices& stage, bool (*has)(int)) {
  Condition condition{block, {}};
  for (int i = 0; i < stage.blocks_size(); ++i) {
    if (has(stage.blocks(i))) condition.options.push_back(i);
  }
  return {condition};
}

StageDecisions ListStage(const std::string& name, const v1::StageChoices& stage,
                         DecisionList* list) {
  StageDecisions indices;
  std::vector<std::string> blocks;
  for (const int block : stage.blocks()) {
    blocks.emplace_back(BlockName(static_cast<v1::Block>(block)));
  }
  indices.block = list->Add(name + ".block", std::move(blocks));
  indices.kernel = list->AddNumbers(name + ".kernel", stage.kernels());
  indices.width = list->AddNumbers(name + ".width", stage.widths());
  indices.depth = list->AddNumbers(name + ".depth", stage.depths());
  indices.stride = list->AddNumbers(name + ".stride", stage.strides());
  std::vector<std::string> connections;
  for (const int from : stage.connections()) {
    connections.push_back(from == 0 ? "none" : absl::StrCat("stage", from));
  }
  indices.connection = list->Add(name + ".connection", std::move(connections));
  if (!stage.expansions().empty()) {
    indices.expansion = list->AddNumbers(name + ".expansion", stage.expansions(),
                                         IfBlockHas(indices.block, stage, HasExpansion));
  }
  if (!stage.squeeze_excite().empty()) {
    indices.squeeze_excite = list->AddNumbers(name + ".squeeze_excite", stage.squeeze_excite(),
                                              IfBlockHas(indices.block, stage, HasConvolutions));
  }
  if (!stage.activations().empty()) {
    indices.activation = list->AddActivations(name + ".activation", stage.activations());
  }
  return indices;
}

std::string SummarizeStage(const StageChoice& stage) {
  std::string text(BlockName(stage.block));
  const bool pool = stage.block == v1::BLOCK_MAX_POOL || stage.block == v1::BLOCK_AVERAGE_POOL;
  if (stage.block != v1::BLOCK_SKIP) absl::StrAppend(&text, stage.kernel, "x", stage.kernel);
  absl::StrAppend(&text, " w", stage.width);
  if (stage.block != v1::BLOCK_SKIP && !pool) absl::StrAppend(&text, " d", stage.depth);
  absl::StrAppend(&text, " s", stage.stride);
  if (HasExpansion(stage.block) && stage.expansion != StageChoice().expansion) {
    absl::StrAppend(&text, " e", stage.expansion);
  }
  if (HasConvolutions(stage.block) && stage.squeeze_excite != 0) {
    absl::StrAppend(&text, " se", stage.squeeze_excite);
  }
  if (stage.activation != v1::ACTIVATION_RELU) {
    absl::StrAppend(&text, " ", ActivationName(stage.activation));
  }
  if (stage.connection != 0) absl::StrAppend(&text, " +stage", stage.connection);
  return text;
}

class StagedSpace final : public EncodedSpace {
 public:
  StagedSpace(v1::StagedSpace spec, const v1::Shape& input, int classes, Encoding encoding,
              int resolution, std::vector<StageDecisions> stages)
      : EncodedSpace(std::move(encoding)),
        spec_(std::move(spec)),
        input_(input),
        classes_(classes),
        resolution_(resolution),
        stages_(std::move(stages)) {}

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding().Check(genotype));
    return LowerStaged(Reduction(genotype), StemWidth(genotype), Choices(genotype), input_,
                       classes_);
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding().Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    std::vector<std::string> parts = {absl::StrCat("stem", StemWidth(genotype))};
    if (Reduction(genotype) > 1) {
      absl::StrAppend(&parts.front(), " r", spec_.resolutions(genotype.options(resolution_)));
    }
    for (const StageChoice& stage : Choices(genotype)) parts.push_back(SummarizeStage(stage));
    return absl::StrJoin(parts, " | ");
  }

 private:
  int StemWidth(const v1::Genotype& genotype) const {
    return spec_.stem_widths(genotype.options(0));
  }

  int Reduction(const v1::Genotype& genotype) const {
    if (resolution_ < 0) return 1;
    return LongerSide(input_) / spec_.resolutions(genotype.options(resolution_));
  }

  std::vector<StageChoice> Choices(const v1::Genotype& genotype) const {
    std::vector<StageChoice> choices;
    choices.reserve(stages_.size());
    for (size_t i = 0; i < stages_.size(); ++i) {
      const v1::StageChoices& stage = spec_.stages(static_cast<int>(i));
      const StageDecisions& at = stages_[i];
      StageChoice choice;
      choice.block = stage.blocks(genotype.options(at.block));
      choice.kernel = stage.kernels(genotype.options(at.kernel));
      choice.width = stage.widths(genotype.options(at.width));
      choice.depth = stage.depths(genotype.options(at.depth));
      choice.stride = stage.strides(genotype.options(at.stride));
      choice.connection = stage.connections(genotype.options(at.connection));
      // An inactive decision's option is 0: without effect on this block.
      if (at.expansion >= 0) choice.expansion = stage.expansions(genotype.options(at.expansion));
      if (at.squeeze_excite >= 0) {
        choice.squeeze_excite = stage.squeeze_excite(genotype.options(at.squeeze_excite));
      }
      if (at.activation >= 0) {
        choice.activation = stage.activations(genotype.options(at.activation));
      }
      choices.push_back(choice);
    }
    return choices;
  }

  const v1::StagedSpace spec_;  // complete
  const v1::Shape input_;
  const int classes_;
  const int resolution_;  // index of the decision; -1 = none
  const std::vector<StageDecisions> stages_;
};

}  // namespace

v1::StagedSpace FillStagedSpace(const v1::StagedSpace& spec) {
  v1::StagedSpace full = spec;
  SetDefault(full.mutable_stem_widths(), {16});
  if (!full.stages().empty()) return full;
  struct Stage {
    std::initializer_list<int32_t> widths;
    std::initializer_list<int32_t> strides;
  };
  for (const Stage& each : {Stage{{16, 24}, {1, 2}}, Stage{{32, 48}, {2}}, Stage{{64, 96}, {2}}}) {
    v1::StageChoices* stage = full.add_stages();
    SetDefault<int>(stage->mutable_blocks(),
                    {v1::BLOCK_CONVOLUTION, v1::BLOCK_DEPTHWISE_SEPARABLE,
                     v1::BLOCK_INVERTED_BOTTLENECK, v1::BLOCK_RESIDUAL, v1::BLOCK_FIRE});
    SetDefault(stage->mutable_kernels(), {3, 5});
    SetDefault(stage->mutable_widths(), each.widths);
    SetDefault(stage->mutable_depths(), {1, 2});
    SetDefault(stage->mutable_strides(), each.strides);
    SetDefault(stage->mutable_connections(), {0});
  }
  return full;
}

absl::StatusOr<std::unique_ptr<Space>> CreateStagedSpace(const v1::StagedSpace& spec,
                                                         const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  v1::StagedSpace full = FillStagedSpace(spec);
  RETURN_IF_ERROR(CheckSpec(full, input));
  DecisionList list;
  list.AddNumbers("stem.width", full.stem_widths());
  const int resolution =
      full.resolutions().empty() ? -1 : list.AddNumbers("resolution", full.resolutions());
  std::vector<StageDecisions> stages;
  for (int i = 0; i < full.stages_size(); ++i) {
    stages.push_back(ListStage(absl::StrCat("stage", i + 1), full.stages(i), &list));
  }
  ASSIGN_OR_RETURN(Encoding encoding, Encoding::Create(list.Take()));
  return std::make_unique<StagedSpace>(std::move(full), input, classes, std::move(encoding),
                                       resolution, std::move(stages));
}

}  // namespace frontier::coordinator
