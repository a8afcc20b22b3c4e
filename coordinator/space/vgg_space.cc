#include "coordinator/space/vgg_space.h"

#include <algorithm>
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

absl::Status CheckStage(const v1::VggStage& stage) {
  RETURN_IF_ERROR(CheckSomeChoices("widths", stage.widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckChoices("depths", stage.depths(), 1, kMaxDepth));
  RETURN_IF_ERROR(CheckKernels("kernels", stage.kernels()));
  return CheckChoices("strides", stage.strides(), 1, 2);
}

absl::Status CheckSpec(const v1::VggSpace& spec) {
  RETURN_IF_ERROR(CheckCount("stages", spec.stages_size()));
  for (int i = 0; i < spec.stages_size(); ++i) {
    const absl::Status status = CheckStage(spec.stages(i));
    if (!status.ok()) return PrefixField(absl::StrCat("stages[", i, "]"), status);
  }
  RETURN_IF_ERROR(CheckFlags("norms", spec.norms()));
  RETURN_IF_ERROR(CheckChoices("hidden_layers", spec.hidden_layers(), 0, kMaxHiddenLayers));
  RETURN_IF_ERROR(CheckChoices("hidden_widths", spec.hidden_widths(), 1, kMaxWidth));
  return CheckDropout("dropout", spec.dropout());
}

// Decisions in the order in which they are listed; there is a hidden width only if there can be
// hidden layers.
enum NetworkDecision { kNorm, kHiddenLayers, kHiddenWidth };
enum StageDecision { kWidth, kDepth, kKernel, kStride, kStageDecisions };

bool HasHiddenWidth(const v1::VggSpace& spec) {
  return spec.hidden_layers_size() > 1 || spec.hidden_layers(0) > 0;
}

std::vector<Decision> ListDecisions(const v1::VggSpace& spec) {
  DecisionList list;
  list.AddFlags("norm", spec.norms());
  const int layers = list.AddNumbers("hidden_layers", spec.hidden_layers());
  if (HasHiddenWidth(spec)) {
    list.AddNumbers("hidden_width", spec.hidden_widths(),
                    IfAtLeast(layers, spec.hidden_layers(), 1));
  }
  for (int i = 0; i < spec.stages_size(); ++i) {
    const v1::VggStage& stage = spec.stages(i);
    const std::string name = absl::StrCat("stage", i + 1);
    list.AddNumbers(name + ".width", stage.widths());
    list.AddNumbers(name + ".depth", stage.depths());
    list.AddNumbers(name + ".kernel", stage.kernels());
    list.AddNumbers(name + ".stride", stage.strides());
  }
  return list.Take();
}

class VggSpace final : public EncodedSpace {
 public:
  VggSpace(v1::VggSpace spec, const v1::Shape& input, int classes, Encoding encoding)
      : EncodedSpace(std::move(encoding)),
        spec_(std::move(spec)),
        input_(input),
        classes_(classes) {}

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding().Check(genotype));
    const bool norm = spec_.norms(genotype.options(kNorm));
    BlockBuilder b(input_, classes_);
    int x = b.input();
    for (int i = 0; i < spec_.stages_size(); ++i) {
      const std::string name = absl::StrCat("stage", i + 1);
      const int depth = At(genotype, i, kDepth);
      for (int layer = 0; layer < depth; ++layer) {
        const std::string convolution = absl::StrCat(name, ".conv", layer);
        const v1::Convolution attributes =
            b.Square(At(genotype, i, kWidth), At(genotype, i, kKernel));
        x = norm ? b.ConvolutionNormRelu(convolution, x, attributes)
                 : b.ConvolutionActivation(convolution, x, attributes, v1::ACTIVATION_RELU);
      }
      const int stride = At(genotype, i, kStride);
      if (stride > 1) {
        RETURN_IF_ERROR(CheckStride(name, stride, b.shape(x)));
        x = b.MaxPool(absl::StrCat(name, ".pool"), x, reference::HalvingPool(b.shape(x)));
      }
    }
    const int hidden_layers = spec_.hidden_layers(genotype.options(kHiddenLayers));
    if (hidden_layers == 0) {
      b.Classifier(x);
      return b.Build();
    }
    const v1::Pool head = reference::HeadPool(b.shape(x));
    if (head.kernel_height() > 1 || head.kernel_width() > 1) x = b.AveragePool("pool", x, head);
    for (int layer = 0; layer < hidden_layers; ++layer) {
      const std::string name = absl::StrCat("hidden", layer);
      x = b.Relu(name + ".relu",
                 b.Linear(name, x, spec_.hidden_widths(genotype.options(kHiddenWidth))));
      if (spec_.dropout() > 0) {
        x = b.Dropout(name + ".dropout", x, static_cast<float>(spec_.dropout()));
      }
    }
    b.Linear("classifier", x, classes_);
    return b.Build();
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding().Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    std::string text = spec_.norms(genotype.options(kNorm)) ? "norm" : "no norm";
    for (int i = 0; i < spec_.stages_size(); ++i) {
      absl::StrAppend(&text, " | w", At(genotype, i, kWidth), " d", At(genotype, i, kDepth), " k",
                      At(genotype, i, kKernel), " s", At(genotype, i, kStride));
    }
    const int hidden_layers = spec_.hidden_layers(genotype.options(kHiddenLayers));
    if (hidden_layers > 0) {
      absl::StrAppend(&text, " | hidden", hidden_layers, "x",
                      spec_.hidden_widths(genotype.options(kHiddenWidth)));
    }
    return text;
  }

 private:
  // `genotype` is one of this space; stages count from 0.
  int At(const v1::Genotype& genotype, int stage, StageDecision decision) const {
    const v1::VggStage& choices = spec_.stages(stage);
    const int first = HasHiddenWidth(spec_) ? kHiddenWidth + 1 : kHiddenWidth;
    const int option = genotype.options(first + kStageDecisions * stage + decision);
    switch (decision) {
      case kWidth:
        return choices.widths(option);
      case kDepth:
        return choices.depths(option);
      case kKernel:
        return choices.kernels(option);
      default:
        return choices.strides(option);
    }
  }

  const v1::VggSpace spec_;  // complete
  const v1::Shape input_;
  const int classes_;
};

}  // namespace

v1::VggSpace FillVggSpace(const v1::VggSpace& spec, const v1::Shape& input) {
  v1::VggSpace full = spec;
  if (full.stages().empty()) {
    reference::Halvings halvings(input, 5);
    for (const int width : {16, 32, 64, 128, 128}) {
      v1::VggStage* stage = full.add_stages();
      stage->add_widths(width);
      stage->add_widths(2 * width);
      stage->add_strides(halvings.Next());
    }
  }
  for (v1::VggStage& stage : *full.mutable_stages()) {
    SetDefault(stage.mutable_depths(), {1, 2, 3});
    SetDefault(stage.mutable_kernels(), {3});
    SetDefault(stage.mutable_strides(), {2});
  }
  SetDefault(full.mutable_norms(), {true});
  SetDefault(full.mutable_hidden_layers(), {0, 1});
  SetDefault(full.mutable_hidden_widths(), {256, 512});
  return full;
}

absl::StatusOr<std::unique_ptr<Space>> CreateVggSpace(const v1::VggSpace& spec,
                                                      const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  v1::VggSpace full = FillVggSpace(spec, input);
  RETURN_IF_ERROR(CheckSpec(full));
  ASSIGN_OR_RETURN(Encoding encoding, Encoding::Create(ListDecisions(full)));
  return std::make_unique<VggSpace>(std::move(full), input, classes, std::move(encoding));
}

}  // namespace frontier::coordinator
