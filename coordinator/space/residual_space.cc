#include "coordinator/space/residual_space.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/reference/halvings.h"
#include "common/base/status.h"
#include "coordinator/space/blocks.h"
#include "coordinator/space/choices.h"
#include "coordinator/space/encoded_space.h"
#include "coordinator/space/encoding.h"
#include "coordinator/space/samples.h"

namespace frontier::coordinator {
namespace {

absl::Status CheckStage(const v1::ResidualStage& stage) {
  RETURN_IF_ERROR(CheckSomeChoices("widths", stage.widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckChoices("depths", stage.depths(), 1, kMaxDepth));
  RETURN_IF_ERROR(CheckKernels("kernels", stage.kernels()));
  RETURN_IF_ERROR(CheckChoices("strides", stage.strides(), 1, kMaxStride));
  return CheckSqueezeExcite("squeeze_excite", stage.squeeze_excite());
}

absl::Status CheckSpec(const v1::ResidualSpace& spec) {
  for (int i = 0; i < spec.blocks_size(); ++i) {
    if (spec.blocks(i) != v1::RESIDUAL_BLOCK_BASIC &&
        spec.blocks(i) != v1::RESIDUAL_BLOCK_BOTTLENECK) {
      return InvalidField(absl::StrCat("blocks[", i, "]"),
                          absl::StrCat("unknown block ", static_cast<int>(spec.blocks(i))));
    }
  }
  RETURN_IF_ERROR(CheckChoices("blocks", spec.blocks(), 1, v1::ResidualBlock_MAX));
  RETURN_IF_ERROR(CheckChoices("stem_widths", spec.stem_widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckKernels("stem_kernels", spec.stem_kernels()));
  RETURN_IF_ERROR(CheckChoices("stem_strides", spec.stem_strides(), 1, kMaxStride));
  RETURN_IF_ERROR(CheckChoices("stem_pools", spec.stem_pools(), 1, kMaxStride));
  RETURN_IF_ERROR(CheckActivations("activations", spec.activations()));
  RETURN_IF_ERROR(CheckCount("stages", spec.stages_size()));
  for (int i = 0; i < spec.stages_size(); ++i) {
    const absl::Status status = CheckStage(spec.stages(i));
    if (!status.ok()) return PrefixField(absl::StrCat("stages[", i, "]"), status);
  }
  return absl::OkStatus();
}

// Decisions in the order in which they are listed.
enum NetworkDecision {
  kBlock,
  kStemWidth,
  kStemKernel,
  kStemStride,
  kStemPool,
  kActivation,
  kNetworkDecisions
};
enum StageDecision { kWidth, kDepth, kKernel, kStride, kSqueezeExcite, kStageDecisions };

std::vector<Decision> ListDecisions(const v1::ResidualSpace& spec) {
  DecisionList list;
  std::vector<std::string> blocks;
  for (const int block : spec.blocks()) {
    blocks.emplace_back(block == v1::RESIDUAL_BLOCK_BASIC ? "basic" : "bottleneck");
  }
  list.Add("block", std::move(blocks));
  list.AddNumbers("stem.width", spec.stem_widths());
  list.AddNumbers("stem.kernel", spec.stem_kernels());
  list.AddNumbers("stem.stride", spec.stem_strides());
  list.AddNumbers("stem.pool", spec.stem_pools());
  list.AddActivations("activation", spec.activations());
  for (int i = 0; i < spec.stages_size(); ++i) {
    const v1::ResidualStage& stage = spec.stages(i);
    const std::string name = absl::StrCat("stage", i + 1);
    list.AddNumbers(name + ".width", stage.widths());
    list.AddNumbers(name + ".depth", stage.depths());
    list.AddNumbers(name + ".kernel", stage.kernels());
    list.AddNumbers(name + ".stride", stage.strides());
    list.AddNumbers(name + ".squeeze_excite", stage.squeeze_excite());
  }
  return list.Take();
}

class ResidualSpace final : public EncodedSpace {
 public:
  ResidualSpace(v1::ResidualSpace spec, const v1::Shape& input, int classes)
      : EncodedSpace(Encoding(ListDecisions(spec))),
        spec_(std::move(spec)),
        input_(input),
        classes_(classes) {}

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding().Check(genotype));
    const int stem_stride = spec_.stem_strides(genotype.options(kStemStride));
    const int stem_pool = spec_.stem_pools(genotype.options(kStemPool));
    const v1::Activation activation = spec_.activations(genotype.options(kActivation));
    BlockBuilder b(input_, classes_);
    RETURN_IF_ERROR(CheckStride("stem", stem_stride, input_));
    int x = b.ConvolutionNormActivation(
        "stem", b.input(),
        b.Square(spec_.stem_widths(genotype.options(kStemWidth)),
                 spec_.stem_kernels(genotype.options(kStemKernel)), stem_stride),
        activation);
    if (stem_pool > 1) {
      RETURN_IF_ERROR(CheckStride("stem.pool", stem_pool, b.shape(x)));
      x = b.MaxPool("stem.pool", x, b.Pool(3, stem_pool));
    }
    for (int i = 0; i < spec_.stages_size(); ++i) {
      const std::string name = absl::StrCat("stage", i + 1);
      const int depth = Depth(genotype, i);
      Residual block = Block(genotype, i);
      block.activation = activation;
      RETURN_IF_ERROR(CheckStride(name, block.stride, b.shape(x)));
      for (int number = 0; number < depth; ++number) {
        const std::string block_name = absl::StrCat(name, ".block", number);
        x = IsBasic(genotype) ? b.AddBasicResidual(block_name, x, block)
                              : b.AddBottleneckResidual(block_name, x, block);
        block.stride = 1;
      }
    }
    b.Classifier(x);
    return b.Build();
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding().Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    std::string text =
        absl::StrCat(IsBasic(genotype) ? "basic" : "bottleneck", " ",
                     ActivationName(spec_.activations(genotype.options(kActivation))), " | stem",
                     spec_.stem_widths(genotype.options(kStemWidth)), " k",
                     spec_.stem_kernels(genotype.options(kStemKernel)), " s",
                     spec_.stem_strides(genotype.options(kStemStride)));
    const int pool = spec_.stem_pools(genotype.options(kStemPool));
    if (pool > 1) absl::StrAppend(&text, " pool", pool);
    for (int i = 0; i < spec_.stages_size(); ++i) {
      const Residual block = Block(genotype, i);
      absl::StrAppend(&text, " | w", block.width, " d", Depth(genotype, i), " k", block.kernel,
                      " s", block.stride);
      if (block.squeeze_excite != 0) absl::StrAppend(&text, " se", block.squeeze_excite);
    }
    return text;
  }

 private:
  // All: `genotype` is one of this space; stages count from 0.
  bool IsBasic(const v1::Genotype& genotype) const {
    return spec_.blocks(genotype.options(kBlock)) == v1::RESIDUAL_BLOCK_BASIC;
  }
  static int At(const v1::Genotype& genotype, int stage, StageDecision decision) {
    return genotype.options(kNetworkDecisions + kStageDecisions * stage + decision);
  }
  int Depth(const v1::Genotype& genotype, int stage) const {
    return spec_.stages(stage).depths(At(genotype, stage, kDepth));
  }
  Residual Block(const v1::Genotype& genotype, int stage) const {
    const v1::ResidualStage& choices = spec_.stages(stage);
    Residual block;
    block.width = choices.widths(At(genotype, stage, kWidth));
    block.kernel = choices.kernels(At(genotype, stage, kKernel));
    block.stride = choices.strides(At(genotype, stage, kStride));
    block.squeeze_excite = choices.squeeze_excite(At(genotype, stage, kSqueezeExcite));
    return block;
  }

  const v1::ResidualSpace spec_;  // complete
  const v1::Shape input_;
  const int classes_;
};

}  // namespace

v1::ResidualSpace FillResidualSpace(const v1::ResidualSpace& spec, const v1::Shape& input) {
  v1::ResidualSpace full = spec;
  reference::Halvings halvings(input, 5);
  const int stem_stride = halvings.Next();
  const int stem_pool = halvings.Next();
  SetDefault<int>(full.mutable_blocks(), {v1::RESIDUAL_BLOCK_BASIC});
  SetDefault(full.mutable_stem_widths(), {16, 32});
  SetDefault(full.mutable_stem_kernels(), {3});
  SetDefault(full.mutable_stem_strides(), {stem_stride});
  SetDefault(full.mutable_stem_pools(), {stem_pool});
  SetDefault<int>(full.mutable_activations(), {v1::ACTIVATION_RELU});
  if (full.stages().empty()) {
    for (const int width : {16, 32, 64, 128}) {
      v1::ResidualStage* stage = full.add_stages();
      stage->add_widths(width);
      stage->add_widths(2 * width);
      stage->add_strides(full.stages_size() == 1 ? 1 : halvings.Next());
    }
  }
  for (v1::ResidualStage& stage : *full.mutable_stages()) {
    SetDefault(stage.mutable_depths(), {1, 2, 3});
    SetDefault(stage.mutable_kernels(), {3});
    SetDefault(stage.mutable_strides(), {1});
    SetDefault(stage.mutable_squeeze_excite(), {0});
  }
  return full;
}

absl::StatusOr<std::unique_ptr<Space>> CreateResidualSpace(const v1::ResidualSpace& spec,
                                                           const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  v1::ResidualSpace full = FillResidualSpace(spec, input);
  RETURN_IF_ERROR(CheckSpec(full));
  return std::make_unique<ResidualSpace>(std::move(full), input, classes);
}

}  // namespace frontier::coordinator
