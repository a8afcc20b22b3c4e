#include "common/architecture/compression.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"

namespace frontier {
namespace {

using Part = NodeOrigin::Part;

constexpr int kLargestCrop = 31;  // pixels; odd

// Nodes from which the output is reached, if edge `input` of node `without` is not there.
std::vector<bool> Live(const v1::Architecture& architecture, int without, int input) {
  const int count = architecture.nodes_size();
  std::vector<bool> live(static_cast<size_t>(count), false);
  live.back() = true;
  for (int i = count - 1; i >= 0; --i) {
    if (!live[static_cast<size_t>(i)]) continue;
    const v1::Node& node = architecture.nodes(i);
    for (int k = 0; k < node.inputs_size(); ++k) {
      if (i != without || k != input) live[static_cast<size_t>(node.inputs(k))] = true;
    }
  }
  return live;
}

std::vector<DroppableBlock> FindBlocks(const v1::Architecture& architecture,
                                       const GraphCosts& costs) {
  std::vector<DroppableBlock> blocks;
  const std::vector<bool> live = Live(architecture, -1, -1);
  for (int i = 0; i < architecture.nodes_size(); ++i) {
    const v1::Node& node = architecture.nodes(i);
    if (node.op() != v1::OPERATOR_ADD || !live[static_cast<size_t>(i)]) continue;
    int64_t most = 0;
    int branch = -1;
    for (int k = 0; k < node.inputs_size(); ++k) {
      const std::vector<bool> still = Live(architecture, i, k);
      int64_t macs = 0;
      for (size_t n = 0; n < live.size(); ++n) {
        if (live[n] && !still[n]) macs += costs.nodes[n].macs;
      }
      if (macs > most) {
        most = macs;
        branch = k;
      }
    }
    if (branch < 0) continue;
    absl::string_view name = node.name();
    if (absl::EndsWith(name, ".add")) name.remove_suffix(4);
    blocks.push_back({i, branch, name.empty() ? absl::StrCat("node", i) : std::string(name)});
  }
  return blocks;
}

// A side of a kernel that is cropped to at most `side` pixels.
struct CroppedSide {
  int kernel = 0;
  int padding = 0;
};

// Empty if the output would have another extent.
std::optional<CroppedSide> Crop(int kernel, int padding, int dilation, int side) {
  if (kernel <= side) return CroppedSide{kernel, padding};
  if (kernel % 2 == 0) return std::nullopt;
  const int64_t less = int64_t{dilation} * ((kernel - side) / 2);
  if (padding < less) return std::nullopt;
  return CroppedSide{side, static_cast<int>(padding - less)};
}

// False if that is not possible; `convolution` is then as it was.
bool CropKernel(int side, v1::Convolution* convolution) {
  const std::optional<CroppedSide> height =
      Crop(convolution->kernel_height(), convolution->padding_height(),
           convolution->dilation_height(), side);
  const std::optional<CroppedSide> width =
      Crop(convolution->kernel_width(), convolution->padding_width(), convolution->dilation_width(),
           side);
  if (!height.has_value() || !width.has_value()) return false;
  convolution->set_kernel_height(height->kernel);
  convolution->set_padding_height(height->padding);
  convolution->set_kernel_width(width->kernel);
  convolution->set_padding_width(width->padding);
  return true;
}

v1::Convolution Pointwise(int out_channels, bool bias) {
  v1::Convolution convolution;
  convolution.set_out_channels(out_channels);
  convolution.set_kernel_height(1);
  convolution.set_kernel_width(1);
  convolution.set_stride_height(1);
  convolution.set_stride_width(1);
  convolution.set_dilation_height(1);
  convolution.set_dilation_width(1);
  convolution.set_groups(1);
  convolution.set_bias(bias);
  return convolution;
}

bool IsShare(double share) { return share > 0 && share <= 1; }

std::string ShareProblem(double share) {
  return absl::StrCat("is ", share, ", must be above 0 and at most 1");
}

// One child.
class CompressionRun {
 public:
  CompressionRun(const Compressor& compressor, const v1::Compression& compression)
      : compressor_(compressor), compression_(compression), parent_(compressor.parent()) {}

  absl::StatusOr<CompressedNetwork> Run() {
    RETURN_IF_ERROR(TakeDropped());
    RETURN_IF_ERROR(TakeWidths());
    RETURN_IF_ERROR(TakeConvolutions());
    Connect();
    Emit();
    // Kernels of a parent that is valid stay so; what may go wrong is a name used twice.
    RETURN_IF_ERROR(AnalyzeGraph(child_.architecture).status());
    return std::move(child_);
  }

 private:
  absl::Status TakeDropped() {
    for (int i = 0; i < compression_.dropped_size(); ++i) {
      const int node = compression_.dropped(i);
      const std::string field = absl::StrCat("dropped[", i, "]");
      const auto block = std::find_if(compressor_.blocks().begin(), compressor_.blocks().end(),
                                      [node](const auto& b) { return b.addition == node; });
      if (block == compressor_.blocks().end()) {
        return InvalidField(field, absl::StrCat("node ", node, " has no branch to be dropped"));
      }
      if (!dropped_.emplace(node, block->input).second) {
        return InvalidField(field, absl::StrCat("node ", node, " is named twice"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status TakeWidths() {
    const std::vector<ChannelGroup>& groups = compressor_.channels().groups;
    for (const ChannelGroup& group : groups) kept_.push_back(static_cast<int>(group.units.size()));
    absl::flat_hash_set<int> named;
    for (int i = 0; i < compression_.widths_size(); ++i) {
      const v1::WidthChange& change = compression_.widths(i);
      const std::string field = absl::StrCat("widths[", i, "]");
      if (change.group() < 0 || static_cast<size_t>(change.group()) >= groups.size()) {
        return InvalidField(
            absl::StrCat(field, ".group"),
            absl::StrCat(change.group(), " is none of the ", groups.size(), " channel groups"));
      }
      if (!named.insert(change.group()).second) {
        return InvalidField(absl::StrCat(field, ".group"),
                            absl::StrCat(change.group(), " is named twice"));
      }
      if (!IsShare(change.share())) {
        return InvalidField(absl::StrCat(field, ".share"), ShareProblem(change.share()));
      }
      int& kept = kept_[static_cast<size_t>(change.group())];
      kept = KeptChannels(kept, change.share());
    }
    return absl::OkStatus();
  }

  absl::Status TakeConvolutions() {
    for (int i = 0; i < compression_.convolutions_size(); ++i) {
      const v1::ConvolutionChange& change = compression_.convolutions(i);
      const absl::Status status = TakeConvolution(change);
      if (!status.ok()) return PrefixField(absl::StrCat("convolutions[", i, "]"), status);
    }
    return absl::OkStatus();
  }

  absl::Status TakeConvolution(const v1::ConvolutionChange& change) {
    const int node = change.node();
    if (node < 0 || node >= parent_.nodes_size() ||
        parent_.nodes(node).op() != v1::OPERATOR_CONVOLUTION) {
      return InvalidField("node", absl::StrCat(node, " is no convolution"));
    }
    if (!changes_.emplace(node, &change).second) {
      return InvalidField("node", absl::StrCat(node, " is named twice"));
    }
    const auto refuse = [&](absl::string_view field) {
      return InvalidField(field, absl::StrCat("node ", node, " cannot be changed so"));
    };
    switch (change.change_case()) {
      case v1::ConvolutionChange::kKernel: {
        const std::vector<int> sides = compressor_.SmallerKernels(node);
        if (std::find(sides.begin(), sides.end(), change.kernel()) == sides.end()) {
          return InvalidField("kernel", absl::StrCat("node ", node, " has no kernel that can be ",
                                                     "cropped to ", change.kernel()));
        }
        return absl::OkStatus();
      }
      case v1::ConvolutionChange::kSeparable:
        if (!change.separable()) return InvalidField("separable", "must be true");
        return compressor_.IsDense(node) && compressor_.HasWindow(node) ? absl::OkStatus()
                                                                        : refuse("separable");
      case v1::ConvolutionChange::kSpatialRank:
        if (!IsShare(change.spatial_rank())) {
          return InvalidField("spatial_rank", ShareProblem(change.spatial_rank()));
        }
        return compressor_.IsDense(node) && compressor_.HasSquareWindow(node)
                   ? absl::OkStatus()
                   : refuse("spatial_rank");
      case v1::ConvolutionChange::kChannelRank:
        if (!IsShare(change.channel_rank())) {
          return InvalidField("channel_rank", ShareProblem(change.channel_rank()));
        }
        return compressor_.IsDense(node) ? absl::OkStatus() : refuse("channel_rank");
      case v1::ConvolutionChange::CHANGE_NOT_SET:
        break;
    }
    return InvalidField("change", "is missing");
  }

  // Inputs of each node without dropped branches; an addition of one input stands for that.
  void Connect() {
    const size_t count = static_cast<size_t>(parent_.nodes_size());
    inputs_.resize(count);
    stands_for_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const v1::Node& node = parent_.nodes(static_cast<int>(i));
      const auto dropped = dropped_.find(static_cast<int>(i));
      for (int k = 0; k < node.inputs_size(); ++k) {
        if (dropped != dropped_.end() && dropped->second == k) continue;
        inputs_[i].push_back(stands_for_[static_cast<size_t>(node.inputs(k))]);
      }
      const bool alone = dropped != dropped_.end() && inputs_[i].size() == 1;
      stands_for_[i] = alone ? inputs_[i][0] : static_cast<int>(i);
    }
  }

  void Emit() {
    const size_t count = inputs_.size();
    const size_t output = static_cast<size_t>(stands_for_.back());
    std::vector<bool> live(count, false);
    live[output] = true;
    for (size_t i = count; i-- > 0;) {
      if (!live[i]) continue;
      for (const int input : inputs_[i]) live[static_cast<size_t>(input)] = true;
    }
    live[0] = true;
    for (const v1::Node& node : parent_.nodes()) names_.insert(node.name());
    *child_.architecture.mutable_input() = parent_.input();
    child_.architecture.set_classes(parent_.classes());
    place_.assign(count, -1);
    // What stands behind the output (an addition that was dropped) is not live.
    for (size_t i = 0; i <= output; ++i) {
      if (live[i]) EmitNode(static_cast<int>(i));
    }
  }

  void EmitNode(int index) {
    const v1::Node& node = parent_.nodes(index);
    const auto change = changes_.find(index);
    if (node.op() != v1::OPERATOR_CONVOLUTION) {
      v1::Node* added = Add(index, Part::kWhole, node.name(), Inputs(index));
      if (node.op() == v1::OPERATOR_LINEAR) {
        added->mutable_linear()->set_out_features(Width(index));
      }
      return;
    }
    v1::Convolution whole = node.convolution();
    whole.set_out_channels(Width(index));
    if (whole.groups() > 1 && whole.groups() == node.convolution().out_channels()) {
      whole.set_groups(whole.out_channels());
    }
    if (change == changes_.end()) {
      *Add(index, Part::kWhole, node.name(), Inputs(index))->mutable_convolution() = whole;
      return;
    }
    switch (change->second->change_case()) {
      case v1::ConvolutionChange::kKernel:
        CropKernel(change->second->kernel(), &whole);
        *Add(index, Part::kWhole, node.name(), Inputs(index))->mutable_convolution() = whole;
        return;
      case v1::ConvolutionChange::kSeparable: {
        const int in = Width(node.inputs(0));
        v1::Convolution first = whole;
        first.set_out_channels(in);
        first.set_groups(in);
        return EmitTwo(index, "depthwise", first, "pointwise",
                       Pointwise(whole.out_channels(), whole.bias()));
      }
      case v1::ConvolutionChange::kSpatialRank: {
        const int rank = Rank(index, change->second->spatial_rank());
        v1::Convolution first = whole;
        first.set_out_channels(rank);
        first.set_kernel_width(1);
        first.set_stride_width(1);
        first.set_padding_width(0);
        first.set_dilation_width(1);
        v1::Convolution second = whole;
        second.set_kernel_height(1);
        second.set_stride_height(1);
        second.set_padding_height(0);
        second.set_dilation_height(1);
        return EmitTwo(index, "vertical", first, "horizontal", second);
      }
      default: {
        v1::Convolution first = whole;
        first.set_out_channels(Rank(index, change->second->channel_rank()));
        return EmitTwo(index, "reduce", first, "restore",
                       Pointwise(whole.out_channels(), whole.bias()));
      }
    }
  }

  int Rank(int index, double share) const {
    return KeptChannels(std::min(Width(parent_.nodes(index).inputs(0)), Width(index)), share);
  }

  void EmitTwo(int index, absl::string_view first_name, v1::Convolution first,
               absl::string_view second_name, const v1::Convolution& second) {
    first.set_bias(false);
    const std::string& name = parent_.nodes(index).name();
    *Add(index, Part::kFirst, PartName(name, first_name), Inputs(index))->mutable_convolution() =
        first;
    const int between = child_.architecture.nodes_size() - 1;
    *Add(index, Part::kSecond, PartName(name, second_name), {between})->mutable_convolution() =
        second;
  }

  std::string PartName(const std::string& name, absl::string_view part) {
    if (name.empty()) return name;
    std::string unused = absl::StrCat(name, ".", part);
    while (!names_.insert(unused).second) unused += "_";
    return unused;
  }

  // Channels of the child's form of a node's output.
  int Width(int node) const { return compressor_.Width(node, kept_); }

  std::vector<int> Inputs(int index) const {
    std::vector<int> places;
    for (const int input : inputs_[static_cast<size_t>(index)]) {
      places.push_back(place_[static_cast<size_t>(input)]);
    }
    return places;
  }

  v1::Node* Add(int parent, Part part, std::string name, const std::vector<int>& inputs) {
    place_[static_cast<size_t>(parent)] = child_.architecture.nodes_size();
    v1::Node* node = child_.architecture.add_nodes();
    *node = parent_.nodes(parent);
    node->set_name(std::move(name));
    node->clear_inputs();
    for (const int input : inputs) node->add_inputs(input);
    child_.origins.push_back({parent, part});
    return node;
  }

  const Compressor& compressor_;
  const v1::Compression& compression_;
  const v1::Architecture& parent_;
  absl::flat_hash_map<int, int> dropped_;  // additions, and which input goes
  std::vector<int> kept_;                  // by group: units
  absl::flat_hash_map<int, const v1::ConvolutionChange*> changes_;
  std::vector<std::vector<int>> inputs_;
  std::vector<int> stands_for_;
  std::vector<int> place_;  // by node of the parent: of its (last) form in the child
  std::set<std::string> names_;
  CompressedNetwork child_;
};

}  // namespace

int KeptChannels(int channels, double share) {
  return std::clamp(static_cast<int>(std::lround(share * channels)), 1, std::max(1, channels));
}

absl::StatusOr<Compressor> Compressor::Create(const v1::Architecture& parent) {
  Compressor compressor;
  ASSIGN_OR_RETURN(compressor.costs_, AnalyzeGraph(parent));
  ASSIGN_OR_RETURN(compressor.channels_, MapChannels(parent, compressor.costs_));
  compressor.parent_ = parent;
  compressor.blocks_ = FindBlocks(parent, compressor.costs_);
  for (const std::vector<int>& units : compressor.channels_.units) {
    Composition& composition = compressor.compositions_.emplace_back();
    absl::flat_hash_map<int, int> channels;  // by group
    for (const int unit : units) {
      const int group = compressor.channels_.group_of[static_cast<size_t>(unit)];
      ++(group < 0 ? composition.fixed : channels[group]);
    }
    // Every unit of a group stands equally often in a node's output.
    for (const auto& [group, count] : channels) {
      const size_t size = compressor.channels_.groups[static_cast<size_t>(group)].units.size();
      composition.groups.emplace_back(group, count / static_cast<int>(size));
    }
  }
  return compressor;
}

int Compressor::Width(int node, absl::Span<const int> kept) const {
  const Composition& composition = compositions_[static_cast<size_t>(node)];
  int width = composition.fixed;
  for (const auto& [group, times] : composition.groups) {
    width += times * kept[static_cast<size_t>(group)];
  }
  return width;
}

std::vector<int> Compressor::SmallerKernels(int node) const {
  std::vector<int> sides;
  if (parent_.nodes(node).op() != v1::OPERATOR_CONVOLUTION) return sides;
  const v1::Convolution& convolution = parent_.nodes(node).convolution();
  const int longest = std::max(convolution.kernel_height(), convolution.kernel_width());
  for (int side = std::min(longest - 2, kLargestCrop); side >= 1; side -= 2) {
    v1::Convolution cropped = convolution;
    if (side % 2 == 1 && CropKernel(side, &cropped)) sides.push_back(side);
  }
  return sides;
}

bool Compressor::IsDense(int node) const {
  return parent_.nodes(node).op() == v1::OPERATOR_CONVOLUTION &&
         parent_.nodes(node).convolution().groups() == 1;
}

bool Compressor::HasWindow(int node) const {
  const v1::Convolution& convolution = parent_.nodes(node).convolution();
  return convolution.kernel_height() > 1 || convolution.kernel_width() > 1;
}

bool Compressor::HasSquareWindow(int node) const {
  const v1::Convolution& convolution = parent_.nodes(node).convolution();
  return convolution.kernel_height() > 1 && convolution.kernel_width() > 1;
}

absl::StatusOr<CompressedNetwork> Compressor::Compress(const v1::Compression& compression) const {
  return CompressionRun(*this, compression).Run();
}

}  // namespace frontier
