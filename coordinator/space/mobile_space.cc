#include "coordinator/space/mobile_space.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/reference/halvings.h"
#include "common/base/status.h"
#include "coordinator/space/choices.h"
#include "coordinator/space/encoded_space.h"
#include "coordinator/space/encoding.h"
#include "coordinator/space/mobile_lowering.h"
#include "coordinator/space/samples.h"

namespace frontier::coordinator {
namespace {

// Cai et al. 2020, "Once-for-all", section 4.1, and the strides and widths of its released network.
void AddDefaultUnits(reference::Halvings* halvings, v1::MobileSpace* spec) {
  v1::MobileUnit* first = spec->add_units();
  first->add_widths(16);
  first->add_depths(1);
  first->add_kernels(3);
  first->add_expansions(1);
  struct Unit {
    int width;
    bool halves;
  };
  for (const Unit& each :
       {Unit{24, true}, Unit{40, true}, Unit{80, true}, Unit{112, false}, Unit{160, true}}) {
    v1::MobileUnit* unit = spec->add_units();
    unit->add_widths(each.width);
    unit->add_strides(each.halves ? halvings->Next() : 1);
  }
}

absl::Status CheckUnit(const v1::MobileUnit& unit) {
  RETURN_IF_ERROR(CheckSomeChoices("widths", unit.widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckChoices("depths", unit.depths(), 1, kMaxDepth));
  RETURN_IF_ERROR(CheckKernels("kernels", unit.kernels()));
  RETURN_IF_ERROR(CheckChoices("expansions", unit.expansions(), 1, kMaxExpansion));
  RETURN_IF_ERROR(CheckChoices("strides", unit.strides(), 1, kMaxStride));
  RETURN_IF_ERROR(CheckSqueezeExcite("squeeze_excite", unit.squeeze_excite()));
  return CheckActivations("activations", unit.activations());
}

absl::Status CheckMultipliers(const v1::MobileSpace& spec) {
  for (int i = 0; i < spec.width_multipliers_size(); ++i) {
    const double multiplier = spec.width_multipliers(i);
    const std::string item = absl::StrCat("width_multipliers[", i, "]");
    // NaN is in no range.
    if (!(multiplier > 0 && multiplier <= kMaxWidthMultiplier)) {
      return InvalidField(item, absl::StrCat("is ", multiplier, ", must be more than 0, at most ",
                                             kMaxWidthMultiplier));
    }
    const auto end = spec.width_multipliers().begin() + i;
    if (std::find(spec.width_multipliers().begin(), end, multiplier) != end) {
      return InvalidField(item, absl::StrCat(multiplier, " is listed twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSpec(const v1::MobileSpace& spec, const v1::Shape& input) {
  RETURN_IF_ERROR(CheckChoices("stem_widths", spec.stem_widths(), 1, kMaxWidth));
  RETURN_IF_ERROR(CheckChoices("stem_strides", spec.stem_strides(), 1, kMaxStride));
  RETURN_IF_ERROR(CheckActivations("activations", spec.activations()));
  RETURN_IF_ERROR(CheckCount("units", spec.units_size()));
  for (int i = 0; i < spec.units_size(); ++i) {
    const absl::Status status = CheckUnit(spec.units(i));
    if (!status.ok()) return PrefixField(absl::StrCat("units[", i, "]"), status);
  }
  RETURN_IF_ERROR(CheckChoices("head_widths", spec.head_widths(), 0, kMaxWidth));
  RETURN_IF_ERROR(CheckMultipliers(spec));
  RETURN_IF_ERROR(CheckResolutions("resolutions", spec.resolutions(), input));
  return CheckDropout("dropout", spec.dropout());
}

// Indices of decisions.
struct UnitDecisions {
  int width = 0;
  int stride = 0;
  int squeeze_excite = 0;
  int activation = -1;  // -1 = the network's
  int depth = 0;
  std::vector<int> kernels;  // by block; a single one for all in a uniform unit
  std::vector<int> expansions;
};
struct MobileDecisions {
  int width_multiplier = 0;
  int resolution = 0;
  int stem_width = 0;
  int stem_stride = 0;
  int activation = 0;
  std::vector<UnitDecisions> units;
  int head_width = 0;
};

UnitDecisions ListUnit(const std::string& name, const v1::MobileUnit& unit, DecisionList* list) {
  UnitDecisions at;
  at.width = list->AddNumbers(name + ".width", unit.widths());
  at.stride = list->AddNumbers(name + ".stride", unit.strides());
  at.squeeze_excite = list->AddNumbers(name + ".squeeze_excite", unit.squeeze_excite());
  if (!unit.activations().empty()) {
    at.activation = list->AddActivations(name + ".activation", unit.activations());
  }
  at.depth = list->AddNumbers(name + ".depth", unit.depths());
  if (unit.uniform()) {
    at.kernels.push_back(list->AddNumbers(name + ".kernel", unit.kernels()));
    at.expansions.push_back(list->AddNumbers(name + ".expansion", unit.expansions()));
    return at;
  }
  const int deepest = *std::max_element(unit.depths().begin(), unit.depths().end());
  for (int block = 1; block <= deepest; ++block) {
    const std::vector<Condition> there = IfAtLeast(at.depth, unit.depths(), block);
    const std::string prefix = absl::StrCat(name, ".block", block);
    at.kernels.push_back(list->AddNumbers(prefix + ".kernel", unit.kernels(), there));
    at.expansions.push_back(list->AddNumbers(prefix + ".expansion", unit.expansions(), there));
  }
  return at;
}

MobileDecisions ListAll(const v1::MobileSpace& spec, DecisionList* list) {
  MobileDecisions at;
  std::vector<std::string> multipliers;
  for (const double each : spec.width_multipliers()) multipliers.push_back(absl::StrCat(each));
  at.width_multiplier = list->Add("width_multiplier", std::move(multipliers));
  at.resolution = list->AddNumbers("resolution", spec.resolutions());
  at.stem_width = list->AddNumbers("stem.width", spec.stem_widths());
  at.stem_stride = list->AddNumbers("stem.stride", spec.stem_strides());
  at.activation = list->AddActivations("activation", spec.activations());
  for (int i = 0; i < spec.units_size(); ++i) {
    at.units.push_back(ListUnit(absl::StrCat("unit", i + 1), spec.units(i), list));
  }
  at.head_width = list->AddNumbers("head.width", spec.head_widths());
  return at;
}

std::string SummarizeUnit(const std::vector<InvertedBottleneck>& unit, v1::Activation activation) {
  const InvertedBottleneck& first = unit.front();
  std::vector<int> kernels;
  std::vector<int> expansions;
  for (const InvertedBottleneck& block : unit) {
    kernels.push_back(block.kernel);
    expansions.push_back(block.expansion);
  }
  std::string text =
      absl::StrCat("w", first.width, " d", unit.size(), " s", first.stride, " k",
                   absl::StrJoin(kernels, ","), " e", absl::StrJoin(expansions, ","));
  if (first.squeeze_excite != 0) absl::StrAppend(&text, " se", first.squeeze_excite);
  if (first.activation != activation) {
    absl::StrAppend(&text, " ", ActivationName(first.activation));
  }
  return text;
}

class MobileSpace final : public EncodedSpace {
 public:
  MobileSpace(v1::MobileSpace spec, const v1::Shape& input, int classes, Encoding encoding,
              MobileDecisions decisions)
      : EncodedSpace(std::move(encoding)),
        spec_(std::move(spec)),
        input_(input),
        classes_(classes),
        at_(std::move(decisions)) {}

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding().Check(genotype));
    return LowerMobile(Choose(genotype), input_, classes_);
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding().Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    const MobileChoice choice = Choose(genotype);
    std::string stem = absl::StrCat("stem", choice.stem_width, " s", choice.stem_stride, " ",
                                    ActivationName(choice.activation));
    if (choice.reduction > 1) {
      absl::StrAppend(&stem, " r", spec_.resolutions(genotype.options(at_.resolution)));
    }
    std::vector<std::string> parts = {stem};
    for (const std::vector<InvertedBottleneck>& unit : choice.units) {
      parts.push_back(SummarizeUnit(unit, choice.activation));
    }
    if (choice.head_width > 0) parts.push_back(absl::StrCat("head", choice.head_width));
    return absl::StrJoin(parts, " | ");
  }

 private:
  // `genotype` is one of this space.
  MobileChoice Choose(const v1::Genotype& genotype) const {
    const double multiplier = spec_.width_multipliers(genotype.options(at_.width_multiplier));
    MobileChoice choice;
    choice.reduction = LongerSide(input_) / spec_.resolutions(genotype.options(at_.resolution));
    choice.stem_width =
        MultiplyWidth(spec_.stem_widths(genotype.options(at_.stem_width)), multiplier);
    choice.stem_stride = spec_.stem_strides(genotype.options(at_.stem_stride));
    choice.activation = spec_.activations(genotype.options(at_.activation));
    for (size_t i = 0; i < at_.units.size(); ++i) {
      choice.units.push_back(ChooseUnit(spec_.units(static_cast<int>(i)), at_.units[i], genotype,
                                        multiplier, choice.activation));
    }
    // Sandler et al. 2018, section 6.1.
    choice.head_width = spec_.head_widths(genotype.options(at_.head_width));
    if (choice.head_width > 0) {
      choice.head_width = MultiplyWidth(choice.head_width, std::max(1.0, multiplier));
    }
    choice.dropout = spec_.dropout();
    return choice;
  }

  static std::vector<InvertedBottleneck> ChooseUnit(const v1::MobileUnit& unit,
                                                    const UnitDecisions& at,
                                                    const v1::Genotype& genotype, double multiplier,
                                                    v1::Activation activation) {
    InvertedBottleneck block;
    block.width = MultiplyWidth(unit.widths(genotype.options(at.width)), multiplier);
    block.squeeze_excite = unit.squeeze_excite(genotype.options(at.squeeze_excite));
    block.activation =
        at.activation < 0 ? activation : unit.activations(genotype.options(at.activation));
    const int depth = unit.depths(genotype.options(at.depth));
    std::vector<InvertedBottleneck> blocks;
    for (int i = 0; i < depth; ++i) {
      const int layer = unit.uniform() ? 0 : i;
      block.kernel = unit.kernels(genotype.options(at.kernels[layer]));
      block.expansion = unit.expansions(genotype.options(at.expansions[layer]));
      block.stride = i == 0 ? unit.strides(genotype.options(at.stride)) : 1;
      blocks.push_back(block);
    }
    return blocks;
  }

  const v1::MobileSpace spec_;  // complete
  const v1::Shape input_;
  const int classes_;
  const MobileDecisions at_;
};

}  // namespace

v1::MobileSpace FillMobileSpace(const v1::MobileSpace& spec, const v1::Shape& input) {
  v1::MobileSpace full = spec;
  SetDefault(full.mutable_stem_widths(), {16});
  reference::Halvings halvings(input, 5);
  const int stem_stride = halvings.Next();
  SetDefault(full.mutable_stem_strides(), {stem_stride});
  SetDefault<int>(full.mutable_activations(), {v1::ACTIVATION_RELU});
  if (full.units().empty()) AddDefaultUnits(&halvings, &full);
  for (v1::MobileUnit& unit : *full.mutable_units()) {
    SetDefault(unit.mutable_depths(), {2, 3, 4});
    SetDefault(unit.mutable_kernels(), {3, 5, 7});
    SetDefault(unit.mutable_expansions(), {3, 4, 6});
    SetDefault(unit.mutable_strides(), {1});
    SetDefault(unit.mutable_squeeze_excite(), {0});
  }
  SetDefault(full.mutable_head_widths(), {960});
  SetDefault(full.mutable_width_multipliers(), {1.0});
  SetDefault(full.mutable_resolutions(), {LongerSide(input)});
  return full;
}

absl::StatusOr<std::unique_ptr<Space>> CreateMobileSpace(const v1::MobileSpace& spec,
                                                         const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  v1::MobileSpace full = FillMobileSpace(spec, input);
  RETURN_IF_ERROR(CheckSpec(full, input));
  DecisionList list;
  MobileDecisions decisions = ListAll(full, &list);
  ASSIGN_OR_RETURN(Encoding encoding, Encoding::Create(list.Take()));
  return std::make_unique<MobileSpace>(std::move(full), input, classes, std::move(encoding),
                                       std::move(decisions));
}

}  // namespace frontier::coordinator
