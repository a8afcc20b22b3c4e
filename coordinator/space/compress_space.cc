#include "coordinator/space/compress_space.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/architecture/compression.h"
#include "common/architecture/reference.h"
#include "common/base/status.h"
#include "coordinator/space/encoded_space.h"
#include "coordinator/space/encoding.h"

namespace frontier::coordinator {
namespace {

using Shares = google::protobuf::RepeatedField<double>;

absl::Status CheckShares(absl::string_view field, const Shares& shares) {
  if (shares.size() > kMaxShares) {
    return InvalidField(field, absl::StrCat(shares.size(), " shares, at most ", kMaxShares));
  }
  absl::flat_hash_set<double> seen;
  for (int i = 0; i < shares.size(); ++i) {
    const std::string item = absl::StrCat(field, "[", i, "]");
    if (!(shares[i] > 0 && shares[i] <= 1)) {
      return InvalidField(item, absl::StrCat("is ", shares[i], ", must be above 0 and at most 1"));
    }
    if (!seen.insert(shares[i]).second) {
      return InvalidField(item, absl::StrCat(shares[i], " is listed twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFits(const v1::Architecture& architecture, const v1::Shape& input, int classes) {
  const v1::Shape& own = architecture.input();
  if (own.channels() == input.channels() && own.height() == input.height() &&
      own.width() == input.width() && architecture.classes() == classes) {
    return absl::OkStatus();
  }
  return InvalidField("parent", absl::StrCat("takes samples of ", own.channels(), "x", own.height(),
                                             "x", own.width(), " and ", architecture.classes(),
                                             " classes, the data set has ", input.channels(), "x",
                                             input.height(), "x", input.width(), " and ", classes));
}

absl::string_view PrecisionName(int precision) {
  switch (precision) {
    case v1::INFERENCE_PRECISION_F32:
      return "f32";
    case v1::INFERENCE_PRECISION_BF16:
      return "bf16";
    case v1::INFERENCE_PRECISION_INT8:
      return "int8";
    default:
      return "";
  }
}

absl::Status CheckPrecisions(const v1::CompressSpace& spec) {
  absl::flat_hash_set<int> seen;
  for (int i = 0; i < spec.precisions_size(); ++i) {
    const int precision = spec.precisions(i);
    const std::string item = absl::StrCat("precisions[", i, "]");
    if (PrecisionName(precision).empty()) {
      return InvalidField(item, absl::StrCat("unknown precision ", precision));
    }
    if (!seen.insert(precision).second) {
      return InvalidField(item, absl::StrCat(PrecisionName(precision), " is listed twice"));
    }
  }
  return absl::OkStatus();
}

// What one option of one decision adds to a compression.
struct Change {
  enum class Kind { kNone, kPrecision, kDrop, kWidth, kForm };
  Kind kind = Kind::kNone;
  int node = 0;  // of kDrop
  v1::InferencePrecision precision = v1::INFERENCE_PRECISION_UNSPECIFIED;
  v1::WidthChange width;       // of kWidth
  v1::ConvolutionChange form;  // of kForm
  std::string word;            // for the summary
};

struct DecisionWithChanges {
  Decision decision;
  std::vector<Change> changes;  // one for each option
};

class Lister {
 public:
  Lister(const v1::CompressSpace& spec, const Compressor& compressor)
      : spec_(spec), compressor_(compressor) {}

  std::vector<DecisionWithChanges> Run() {
    if (!spec_.precisions().empty()) AddPrecision();
    if (spec_.drop_blocks()) {
      for (const DroppableBlock& block : compressor_.blocks()) AddBlock(block);
    }
    if (!spec_.widths().empty()) {
      const int groups = static_cast<int>(compressor_.channels().groups.size());
      for (int group = 0; group < groups; ++group) AddWidth(group);
    }
    for (int node = 0; node < compressor_.parent().nodes_size(); ++node) {
      if (compressor_.parent().nodes(node).op() == v1::OPERATOR_CONVOLUTION) AddForm(node);
    }
    return std::move(list_);
  }

 private:
  std::string NameOf(int node) const {
    const std::string& name = compressor_.parent().nodes(node).name();
    return name.empty() ? absl::StrCat("node", node) : name;
  }

  static void AddOption(std::string name, Change change, DecisionWithChanges* to) {
    to->decision.options.push_back(std::move(name));
    to->changes.push_back(std::move(change));
  }

  void AddPrecision() {
    DecisionWithChanges added;
    added.decision.name = "precision";
    for (const int precision : spec_.precisions()) {
      Change change;
      change.precision = static_cast<v1::InferencePrecision>(precision);
      change.word = std::string(PrecisionName(precision));
      if (precision != v1::INFERENCE_PRECISION_F32) change.kind = Change::Kind::kPrecision;
      const std::string name = change.word;
      AddOption(name, std::move(change), &added);
    }
    list_.push_back(std::move(added));
  }

  void AddBlock(const DroppableBlock& block) {
    DecisionWithChanges added;
    added.decision.name = absl::StrCat(block.name, ".block");
    AddOption("keep", Change(), &added);
    Change drop;
    drop.kind = Change::Kind::kDrop;
    drop.node = block.addition;
    drop.word = "block dropped";
    AddOption("drop", std::move(drop), &added);
    list_.push_back(std::move(added));
  }

  void AddWidth(int group) {
    DecisionWithChanges added;
    const ChannelGroup& channels = compressor_.channels().groups[static_cast<size_t>(group)];
    added.decision.name = absl::StrCat(NameOf(channels.producers.front()), ".width");
    for (const double share : spec_.widths()) {
      Change change;
      if (share < 1) {
        change.kind = Change::Kind::kWidth;
        change.width.set_group(group);
        change.width.set_share(share);
        change.word = absl::StrCat("width ", share);
      }
      AddOption(absl::StrCat(share), std::move(change), &added);
    }
    list_.push_back(std::move(added));
  }

  Change FormChange(int node, std::string word) const {
    Change change;
    change.kind = Change::Kind::kForm;
    change.form.set_node(node);
    change.word = std::move(word);
    return change;
  }

  void AddForm(int node) {
    DecisionWithChanges added;
    added.decision.name = absl::StrCat(NameOf(node), ".form");
    AddOption("dense", Change(), &added);
    if (spec_.kernels()) {
      for (const int side : compressor_.SmallerKernels(node)) {
        const std::string word = absl::StrCat("kernel", side);
        Change change = FormChange(node, word);
        change.form.set_kernel(side);
        AddOption(word, std::move(change), &added);
      }
    }
    if (MayBecomeTwo(node)) AddTwoLayers(node, &added);
    if (added.changes.size() > 1) list_.push_back(std::move(added));
  }

  bool MayBecomeTwo(int node) const {
    if (!compressor_.IsDense(node)) return false;
    const int from = compressor_.parent().nodes(node).inputs(0);
    const std::vector<NodeCosts>& costs = compressor_.costs().nodes;
    return costs[static_cast<size_t>(from)].output.channels() >= kLeastSplitChannels &&
           costs[static_cast<size_t>(node)].output.channels() >= kLeastSplitChannels;
  }

  void AddTwoLayers(int node, DecisionWithChanges* added) const {
    if (spec_.separable() && compressor_.HasWindow(node)) {
      Change change = FormChange(node, "separable");
      change.form.set_separable(true);
      AddOption("separable", std::move(change), added);
    }
    if (compressor_.HasSquareWindow(node)) {
      for (const double share : spec_.spatial_ranks()) {
        const std::string word = absl::StrCat("spatial", share);
        Change change = FormChange(node, word);
        change.form.set_spatial_rank(share);
        AddOption(word, std::move(change), added);
      }
    }
    for (const double share : spec_.channel_ranks()) {
      const std::string word = absl::StrCat("channel", share);
      Change change = FormChange(node, word);
      change.form.set_channel_rank(share);
      AddOption(word, std::move(change), added);
    }
  }

  const v1::CompressSpace& spec_;
  const Compressor& compressor_;
  std::vector<DecisionWithChanges> list_;
};

std::vector<Decision> DecisionsOf(const std::vector<DecisionWithChanges>& list) {
  std::vector<Decision> decisions;
  for (const DecisionWithChanges& entry : list) decisions.push_back(entry.decision);
  return decisions;
}

std::string ParentName(const v1::CompressParent& parent) {
  if (!parent.network().empty()) return parent.network();
  return absl::StrCat("job ", parent.job(), " trial ", parent.trial());
}

class CompressSpace final : public EncodedSpace {
 public:
  CompressSpace(std::string name, Compressor compressor, std::vector<DecisionWithChanges> list)
      : EncodedSpace(Encoding(DecisionsOf(list))),
        name_(std::move(name)),
        compressor_(std::move(compressor)),
        list_(std::move(list)) {}

  v1::Compression CompressionOf(const v1::Genotype& genotype) const override {
    v1::Compression compression;
    if (!encoding().Check(genotype).ok()) return compression;
    for (size_t i = 0; i < list_.size(); ++i) {
      const Change& change = Taken(genotype, i);
      switch (change.kind) {
        case Change::Kind::kNone:
        case Change::Kind::kPrecision:
          break;
        case Change::Kind::kDrop:
          compression.add_dropped(change.node);
          break;
        case Change::Kind::kWidth:
          *compression.add_widths() = change.width;
          break;
        case Change::Kind::kForm:
          *compression.add_convolutions() = change.form;
          break;
      }
    }
    return compression;
  }

  v1::InferencePrecision PrecisionOf(const v1::Genotype& genotype) const override {
    if (!encoding().Check(genotype).ok()) return v1::INFERENCE_PRECISION_UNSPECIFIED;
    for (size_t i = 0; i < list_.size(); ++i) {
      const Change& change = Taken(genotype, i);
      if (change.precision != v1::INFERENCE_PRECISION_UNSPECIFIED) return change.precision;
    }
    return v1::INFERENCE_PRECISION_UNSPECIFIED;
  }

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding().Check(genotype));
    ASSIGN_OR_RETURN(CompressedNetwork network, compressor_.Compress(CompressionOf(genotype)));
    return std::move(network.architecture);
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding().Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    std::map<std::string, int> counts;  // by word
    for (size_t i = 0; i < list_.size(); ++i) {
      const Change& change = Taken(genotype, i);
      if (change.kind != Change::Kind::kNone) ++counts[change.word];
    }
    std::vector<std::string> parts = {name_};
    for (const auto& [word, count] : counts) {
      parts.push_back(count == 1 ? word : absl::StrCat(count, " x ", word));
    }
    if (counts.empty()) parts.emplace_back("whole");
    return absl::StrJoin(parts, " | ");
  }

 private:
  const Change& Taken(const v1::Genotype& genotype, size_t decision) const {
    const int option = genotype.options(static_cast<int>(decision));
    return list_[decision].changes[static_cast<size_t>(option)];
  }

  const std::string name_;
  const Compressor compressor_;
  const std::vector<DecisionWithChanges> list_;
};

}  // namespace

absl::StatusOr<v1::Architecture> ParentArchitecture(const v1::CompressParent& parent,
                                                    const v1::Shape& input, int classes) {
  const bool trial = parent.job() != 0 || parent.trial() != 0;
  if (parent.network().empty() != trial) {
    return InvalidField("parent", trial ? "names a network and a trial, must be one of them"
                                        : "is missing; name a network, or a job and a trial");
  }
  if (trial) return InvalidField("parent", "names a trial that has not been looked up");
  absl::StatusOr<v1::Architecture> architecture =
      ReferenceArchitecture(parent.network(), input, classes);
  if (absl::IsNotFound(architecture.status())) {
    return InvalidField("parent.network", architecture.status().message());
  }
  return architecture;
}

absl::StatusOr<std::unique_ptr<Space>> CreateCompressSpace(const v1::CompressSpace& spec,
                                                           const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckShares("widths", spec.widths()));
  RETURN_IF_ERROR(CheckShares("spatial_ranks", spec.spatial_ranks()));
  RETURN_IF_ERROR(CheckShares("channel_ranks", spec.channel_ranks()));
  RETURN_IF_ERROR(CheckPrecisions(spec));
  v1::Architecture architecture = spec.parent().architecture();
  if (!spec.parent().has_architecture()) {
    ASSIGN_OR_RETURN(architecture, ParentArchitecture(spec.parent(), input, classes));
  }
  if (architecture.nodes_size() > kMaxParentNodes) {
    return InvalidField("parent", absl::StrCat("has ", architecture.nodes_size(),
                                               " layers, at most ", kMaxParentNodes));
  }
  absl::StatusOr<Compressor> compressor = Compressor::Create(architecture);
  if (!compressor.ok()) return InvalidField("parent", compressor.status().message());
  RETURN_IF_ERROR(CheckFits(architecture, input, classes));
  std::vector<DecisionWithChanges> list = Lister(spec, *compressor).Run();
  return std::make_unique<CompressSpace>(ParentName(spec.parent()), *std::move(compressor),
                                         std::move(list));
}

}  // namespace frontier::coordinator
