#include "common/architecture/channels.h"

#include <map>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace frontier {
namespace {

// Disjoint sets of provisional units.
class UnitSets {
 public:
  int Add() {
    parent_.push_back(static_cast<int>(parent_.size()));
    stays_.push_back(false);
    return parent_.back();
  }
  int Find(int unit) {
    while (parent_[unit] != unit) {
      parent_[unit] = parent_[parent_[unit]];
      unit = parent_[unit];
    }
    return unit;
  }
  // The older unit stands for both, so that numbers follow the order of the nodes.
  void Join(int a, int b) {
    a = Find(a);
    b = Find(b);
    if (a == b) return;
    if (b < a) std::swap(a, b);
    parent_[b] = a;
    if (stays_[b]) stays_[a] = true;
  }
  void Keep(int unit) { stays_[Find(unit)] = true; }
  size_t size() const { return parent_.size(); }
  bool stays(int unit) { return stays_[Find(unit)]; }

 private:
  std::vector<int> parent_;
  std::vector<bool> stays_;
};

using Units = std::vector<int>;

class Mapper {
 public:
  Mapper(const v1::Architecture& architecture, const GraphCosts& costs)
      : architecture_(architecture), costs_(costs) {}

  ChannelMap Run() {
    const int count = architecture_.nodes_size();
    for (int i = 0; i < count; ++i) map_.units.push_back(UnitsOf(i));
    Keep(map_.units.back());
    Number();
    return std::move(map_);
  }

 private:
  const Units& InputUnits(const v1::Node& node, int index) const {
    return map_.units[static_cast<size_t>(node.inputs(index))];
  }

  Units NewUnits(int node) {
    Units units(static_cast<size_t>(costs_.nodes[static_cast<size_t>(node)].output.channels()));
    for (int& unit : units) unit = sets_.Add();
    return units;
  }

  Units Produce(int node) {
    Units units = NewUnits(node);
    for (const int unit : units) made_.emplace_back(unit, node);
    return units;
  }

  void Keep(const Units& units) {
    for (const int unit : units) sets_.Keep(unit);
  }

  Units UnitsOf(int index) {
    const v1::Node& node = architecture_.nodes(index);
    switch (node.op()) {
      case v1::OPERATOR_INPUT: {
        Units units = NewUnits(index);
        Keep(units);
        return units;
      }
      case v1::OPERATOR_CONVOLUTION: {
        const Units& in = InputUnits(node, 0);
        const v1::Convolution& c = node.convolution();
        if (c.groups() == 1) return Produce(index);
        if (static_cast<size_t>(c.groups()) == in.size() && c.out_channels() == c.groups()) {
          return in;
        }
        Units units = NewUnits(index);
        Keep(in);
        Keep(units);
        return units;
      }
      case v1::OPERATOR_LINEAR:
        return Produce(index);
      case v1::OPERATOR_CHANNEL_SHUFFLE: {
        Keep(InputUnits(node, 0));
        Units units = NewUnits(index);
        Keep(units);
        return units;
      }
      case v1::OPERATOR_CHANNEL_SLICE: {
        // Its bounds are numbers of channels, so those before it must all stay.
        const Units& in = InputUnits(node, 0);
        Keep(in);
        const v1::ChannelSlice& slice = node.channel_slice();
        return Units(in.begin() + slice.first(), in.begin() + slice.first() + slice.channels());
      }
      case v1::OPERATOR_CONCAT: {
        Units units;
        for (int i = 0; i < node.inputs_size(); ++i) {
          const Units& in = InputUnits(node, i);
          units.insert(units.end(), in.begin(), in.end());
        }
        return units;
      }
      default: {
        // Channel by channel, whatever the operator does within one.
        Units units = InputUnits(node, 0);
        for (int i = 1; i < node.inputs_size(); ++i) {
          const Units& in = InputUnits(node, i);
          for (size_t c = 0; c < units.size(); ++c) sets_.Join(units[c], in[c]);
        }
        return units;
      }
    }
  }

  // Final numbers, groups.
  void Number() {
    std::vector<int> numbers(sets_.size(), -1);  // by representative
    int next = 0;
    for (int unit = 0; unit < static_cast<int>(numbers.size()); ++unit) {
      if (sets_.Find(unit) == unit) numbers[static_cast<size_t>(unit)] = next++;
    }
    const auto number = [&](int unit) { return numbers[static_cast<size_t>(sets_.Find(unit))]; };
    std::vector<std::vector<int>> producers(static_cast<size_t>(next));
    for (const auto& [unit, node] : made_) {
      producers[static_cast<size_t>(number(unit))].push_back(node);
    }
    map_.group_of.assign(producers.size(), -1);
    std::map<std::vector<int>, int> groups;  // by producers
    for (int unit = 0; unit < static_cast<int>(numbers.size()); ++unit) {
      if (sets_.Find(unit) != unit || sets_.stays(unit)) continue;
      const int numbered = number(unit);
      const std::vector<int>& makers = producers[static_cast<size_t>(numbered)];
      if (makers.empty()) continue;
      const auto [group, added] = groups.emplace(makers, static_cast<int>(map_.groups.size()));
      if (added) map_.groups.push_back({makers, {}});
      map_.groups[static_cast<size_t>(group->second)].units.push_back(numbered);
      map_.group_of[static_cast<size_t>(numbered)] = group->second;
    }
    for (std::vector<int>& units : map_.units) {
      for (int& unit : units) unit = number(unit);
    }
  }

  const v1::Architecture& architecture_;
  const GraphCosts& costs_;
  UnitSets sets_;
  std::vector<std::pair<int, int>> made_;  // provisional unit and its producer, by producer
  ChannelMap map_;
};

}  // namespace

absl::StatusOr<ChannelMap> MapChannels(const v1::Architecture& architecture,
                                       const GraphCosts& costs) {
  int64_t channels = 0;
  for (const NodeCosts& node : costs.nodes) channels += node.output.channels();
  if (channels > kMaxChannels) {
    return absl::InvalidArgumentError(absl::StrCat("network of ", channels,
                                                   " channels in all its layers, at most ",
                                                   kMaxChannels, " can be compressed"));
  }
  return Mapper(architecture, costs).Run();
}

}  // namespace frontier
