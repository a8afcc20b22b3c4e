#include "coordinator/space/fire_space.h"

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

// Iandola et al. 2016, table 1, and their later network 1.1, which pools earlier. Where a pool is
// in only one of the two, it is a choice; if there are too few pixels, it is as in 1.1.
void AddDefaultStages(bool large, reference::Halvings* halvings, v1::FireSpace* spec) {
  enum class Pool { kNo, kBoth, kOlder, kNewer };
  struct Stage {
    int squeeze, expand, modules;
    Pool pool;
  };
  for (const Stage& each : {Stage{16, 64, 2, Pool::kBoth}, Stage{32, 128, 1, Pool::kNewer},
                            Stage{32, 128, 1, Pool::kOlder}, Stage{48, 192, 2, Pool::kNewer},
                            Stage{64, 256, 1, Pool::kNo}, Stage{64, 256, 1, Pool::kOlder}}) {
    v1::FireStage* stage = spec->add_stages();
    for (const int divisor : {2, 1}) {
      stage->add_squeezes(each.squeeze / divisor);
      stage->add_expands(each.expand / divisor);
    }
    for (int depth = 1; depth <= each.modules; ++depth) stage->add_depths(depth);
    const bool newer = each.pool == Pool::kBoth || each.pool == Pool::kNewer;
    stage->add_strides(newer ? halvings->Next() : 1);
    if (!large) continue;
    if (each.pool == Pool::kNewer) stage->add_strides(1);
    if (each.pool == Pool::kOlder) stage->add_strides(2);
  }
}

absl::Status CheckStage(const v1::FireStage& stage) {
  RETURN_IF_ERROR(CheckSomeChoices("squeezes", stage.squeezes(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckSomeChoices("expands", stage.expands(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckChoices("depths", stage.depths(), 1, kMaxDepth));
  RETURN_IF_ERROR(CheckKernels("kernels", stage.kernels()));
  return CheckChoices("strides", stage.strides(), 1, 2);
}

absl::Status CheckSpec(const v1::FireSpace& spec) {
  RETURN_IF_ERROR(CheckChoices("stem_widths", spec.stem_widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckKernels("stem_kernels", spec.stem_kernels()));
  RETURN_IF_ERROR(CheckChoices("stem_strides", spec.stem_strides(), 1, kMaxStride));
  RETURN_IF_ERROR(CheckCount("stages", spec.stages_size()));
  for (int i = 0; i < spec.stages_size(); ++i) {
    const absl::Status status = CheckStage(spec.stages(i));
    if (!status.ok()) return PrefixField(absl::StrCat("stages[", i, "]"), status);
  }
  RETURN_IF_ERROR(CheckFlags("norms", spec.norms()));
  return CheckDropout("dropout", spec.dropout());
}

// Decisions in the order in which they are listed.
enum NetworkDecision { kStemWidth, kStemKernel, kStemStride, kNorm, kNetworkDecisions };
enum StageDecision { kSqueeze, kExpand, kDepth, kKernel, kStride, kStageDecisions };

std::vector<Decision> ListDecisions(const v1::FireSpace& spec) {
  DecisionList list;
  list.AddNumbers("stem.width", spec.stem_widths());
  list.AddNumbers("stem.kernel", spec.stem_kernels());
  list.AddNumbers("stem.stride", spec.stem_strides());
  list.AddFlags("norm", spec.norms());
  for (int i = 0; i < spec.stages_size(); ++i) {
    const v1::FireStage& stage = spec.stages(i);
    const std::string name = absl::StrCat("stage", i + 1);
    list.AddNumbers(name + ".squeeze", stage.squeezes());
    list.AddNumbers(name + ".expand", stage.expands());
    list.AddNumbers(name + ".depth", stage.depths());
    list.AddNumbers(name + ".kernel", stage.kernels());
    list.AddNumbers(name + ".stride", stage.strides());
  }
  return list.Take();
}

// Without padding along the sides that are large enough for that, if it has a stride.
v1::Convolution Unpadded(v1::Convolution stem, const v1::Shape& input) {
  if (stem.stride_width() == 1 && stem.stride_height() == 1) return stem;
  if (input.height() >= stem.kernel_height()) stem.set_padding_height(0);
  if (input.width() >= stem.kernel_width()) stem.set_padding_width(0);
  return stem;
}

class FireSpace final : public EncodedSpace {
 public:
  FireSpace(v1::FireSpace spec, const v1::Shape& input, int classes)
      : EncodedSpace(Encoding(ListDecisions(spec))),
        spec_(std::move(spec)),
        input_(input),
        classes_(classes) {}

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding().Check(genotype));
    const bool norm = spec_.norms(genotype.options(kNorm));
    BlockBuilder b(input_, classes_);
    const v1::Convolution stem =
        Unpadded(b.Square(spec_.stem_widths(genotype.options(kStemWidth)),
                          spec_.stem_kernels(genotype.options(kStemKernel)),
                          spec_.stem_strides(genotype.options(kStemStride))),
                 input_);
    RETURN_IF_ERROR(CheckStride("stem", stem.stride_width(), input_));
    int x = norm ? b.ConvolutionNormRelu("stem", b.input(), stem)
                 : b.ConvolutionActivation("stem", b.input(), stem, v1::ACTIVATION_RELU);
    for (int i = 0; i < spec_.stages_size(); ++i) {
      const std::string name = absl::StrCat("stage", i + 1);
      const int stride = At(genotype, i, kStride);
      if (stride > 1) {
        RETURN_IF_ERROR(CheckStride(name, stride, b.shape(x)));
        x = b.MaxPool(absl::StrCat(name, ".pool"), x, reference::CeilPool(b.shape(x)));
      }
      Fire fire = Module(genotype, i);
      fire.norm = norm;
      const int depth = At(genotype, i, kDepth);
      for (int module = 0; module < depth; ++module) {
        x = b.AddFire(absl::StrCat(name, ".fire", module), x, fire);
      }
    }
    if (spec_.dropout() > 0) x = b.Dropout("dropout", x, static_cast<float>(spec_.dropout()));
    x = b.ConvolutionActivation("classifier", x, SquareConvolution(classes_, 1),
                                v1::ACTIVATION_RELU);
    b.GlobalAveragePool("pool", x);
    return b.Build();
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding().Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    std::string text = absl::StrCat("stem", spec_.stem_widths(genotype.options(kStemWidth)), " k",
                                    spec_.stem_kernels(genotype.options(kStemKernel)), " s",
                                    spec_.stem_strides(genotype.options(kStemStride)),
                                    spec_.norms(genotype.options(kNorm)) ? " norm" : "");
    for (int i = 0; i < spec_.stages_size(); ++i) {
      const Fire fire = Module(genotype, i);
      absl::StrAppend(&text, " | fire", fire.squeeze, "+2x", fire.wide, " d",
                      At(genotype, i, kDepth), " k", fire.kernel, " s", At(genotype, i, kStride));
    }
    return text;
  }

 private:
  // Both: `genotype` is one of this space; stages count from 0.
  int At(const v1::Genotype& genotype, int stage, StageDecision decision) const {
    const v1::FireStage& choices = spec_.stages(stage);
    const int option = genotype.options(kNetworkDecisions + kStageDecisions * stage + decision);
    switch (decision) {
      case kSqueeze:
        return choices.squeezes(option);
      case kExpand:
        return choices.expands(option);
      case kDepth:
        return choices.depths(option);
      case kKernel:
        return choices.kernels(option);
      default:
        return choices.strides(option);
    }
  }
  Fire Module(const v1::Genotype& genotype, int stage) const {
    Fire fire;
    fire.squeeze = At(genotype, stage, kSqueeze);
    fire.narrow = At(genotype, stage, kExpand);
    fire.wide = fire.narrow;
    fire.kernel = At(genotype, stage, kKernel);
    return fire;
  }

  const v1::FireSpace spec_;  // complete
  const v1::Shape input_;
  const int classes_;
};

}  // namespace

v1::FireSpace FillFireSpace(const v1::FireSpace& spec, const v1::Shape& input) {
  v1::FireSpace full = spec;
  reference::Halvings halvings(input, 4);
  // Six halvings, if all pools of both networks are taken.
  const bool large = std::max(input.height(), input.width()) >= 97;
  const int stem_stride = halvings.Next();
  SetDefault(full.mutable_stem_widths(), {64});
  SetDefault(full.mutable_stem_kernels(), {3});
  SetDefault(full.mutable_stem_strides(), {stem_stride});
  if (full.stages().empty()) AddDefaultStages(large, &halvings, &full);
  for (v1::FireStage& stage : *full.mutable_stages()) {
    SetDefault(stage.mutable_depths(), {1});
    SetDefault(stage.mutable_kernels(), {3});
    SetDefault(stage.mutable_strides(), {1});
  }
  SetDefault(full.mutable_norms(), {true});
  return full;
}

absl::StatusOr<std::unique_ptr<Space>> CreateFireSpace(const v1::FireSpace& spec,
                                                       const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  v1::FireSpace full = FillFireSpace(spec, input);
  RETURN_IF_ERROR(CheckSpec(full));
  return std::make_unique<FireSpace>(std::move(full), input, classes);
}

}  // namespace frontier::coordinator
