#include "common/architecture/canonical.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/architecture/folding.h"
#include "common/architecture/graph.h"
#include "common/base/sha256.h"
#include "common/base/status.h"

namespace frontier {
namespace {

// Node visits of all refinements together; a visit takes 20 to 50 ns, sorting included.
constexpr int64_t kWorkLimit = 20'000'000;
// Colours kept on the way down, 8 bytes each.
constexpr int64_t kKeptLimit = 2'000'000;

// Operator, number of inputs, attributes in the order of the message (fractions by their bits),
// zero-filled. A zero has its shape as attributes.
using Label = std::array<int32_t, 13>;

int32_t FractionBits(float value) {
  return std::bit_cast<int32_t>(value + 0.0f);  // -0 becomes 0
}

Label MakeLabel(const v1::Node& node, int32_t inputs, const v1::Shape& output) {
  Label label{};
  label[0] = node.op();
  label[1] = inputs;
  if (node.has_convolution()) {
    const v1::Convolution& a = node.convolution();
    label = {node.op(),          inputs,
             a.out_channels(),   a.kernel_height(),
             a.kernel_width(),   a.stride_height(),
             a.stride_width(),   a.padding_height(),
             a.padding_width(),  a.dilation_height(),
             a.dilation_width(), a.groups(),
             a.bias() ? 1 : 0};
  } else if (node.has_linear()) {
    label[2] = node.linear().out_features();
    label[3] = node.linear().bias() ? 1 : 0;
  } else if (node.has_pool()) {
    const v1::Pool& a = node.pool();
    const std::array<int32_t, 6> values = {a.kernel_height(),  a.kernel_width(),
                                           a.stride_height(),  a.stride_width(),
                                           a.padding_height(), a.padding_width()};
    std::copy(values.begin(), values.end(), label.begin() + 2);
  } else if (node.has_leaky_relu()) {
    label[2] = FractionBits(node.leaky_relu().slope());
  } else if (node.has_channel_shuffle()) {
    label[2] = node.channel_shuffle().groups();
  } else if (node.has_dropout()) {
    label[2] = FractionBits(node.dropout().rate());
  } else if (node.has_channel_slice()) {
    label[2] = node.channel_slice().first();
    label[3] = node.channel_slice().channels();
  } else if (node.op() == v1::OPERATOR_ZERO) {
    label[2] = output.channels();
    label[3] = output.height();
    label[4] = output.width();
  }
  return label;
}

uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
  return x ^ (x >> 32);
}

uint64_t Mix(uint64_t a, uint64_t b) { return Mix(a * 0x9e3779b97f4a7c15ULL + Mix(b)); }

// The folded graph, live nodes only, in the order of the original.
struct Folded {
  struct Node {
    int32_t label = 0;  // index in `labels`
    bool ordered = false;
    int32_t first_input = 0;  // in `inputs`
    int32_t inputs_end = 0;
  };
  std::vector<Label> labels;  // sorted, each once
  std::vector<Node> nodes;    // the last one is the output
  std::vector<int32_t> inputs;

  int size() const { return static_cast<int>(nodes.size()); }
};

Folded Fold(const v1::Architecture& architecture, const GraphCosts& costs) {
  const Folding folding = FoldGraph(architecture);
  const int count = architecture.nodes_size();
  Folded folded;
  std::vector<int32_t> index(count, -1);
  std::vector<Label> labels;
  for (int i = 0; i <= folding.output; ++i) {
    if (!folding.live[i]) continue;
    const v1::Node& source = architecture.nodes(i);
    index[i] = folded.size();
    const std::vector<int32_t>& inputs = folding.inputs[i];
    labels.push_back(MakeLabel(source, static_cast<int32_t>(inputs.size()), costs.nodes[i].output));
    Folded::Node node;
    node.ordered = source.op() == v1::OPERATOR_CONCAT;
    node.first_input = static_cast<int32_t>(folded.inputs.size());
    for (int32_t input : inputs) folded.inputs.push_back(index[input]);
    node.inputs_end = static_cast<int32_t>(folded.inputs.size());
    folded.nodes.push_back(node);
  }
  folded.labels = labels;
  std::sort(folded.labels.begin(), folded.labels.end());
  folded.labels.erase(std::unique(folded.labels.begin(), folded.labels.end()), folded.labels.end());
  for (int i = 0; i < folded.size(); ++i) {
    folded.nodes[i].label = static_cast<int32_t>(
        std::lower_bound(folded.labels.begin(), folded.labels.end(), labels[i]) -
        folded.labels.begin());
  }
  return folded;
}

// A colour of each node. Equal colours mean "not told apart yet". Every colour is a function of the
// structure alone, never of the order in which nodes are listed; should two mixes collide, nodes
// are told apart later, and the result is the same.
using Colours = std::vector<uint64_t>;

// A numbering of the nodes and the graph written down in it.
struct Leaf {
  std::vector<int32_t> order;        // node at each place
  std::vector<int32_t> certificate;  // for each place: label, places of the inputs
};

// Finds the smallest certificate over all ways to break ties.
class Labelling {
 public:
  explicit Labelling(const Folded& graph) : graph_(graph), sorted_(graph.size()) {}

  absl::StatusOr<std::vector<int32_t>> Run() {
    Colours colours(graph_.size());
    for (int i = 0; i < graph_.size(); ++i) colours[i] = Mix(graph_.nodes[i].label, 1);
    colours.back() = Mix(colours.back(), 2);
    Refine(&colours);
    std::vector<int32_t> certificate = Search(std::move(colours));
    if (Exhausted()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("architecture of ", graph_.size(),
                       " nodes is too regular: no canonical form within the work limit"));
    }
    return certificate;
  }

 private:
  struct Level {
    Colours colours;            // before a node of the cell is singled out
    std::vector<int32_t> cell;  // nodes of one colour, at least two
    int32_t chosen = 0;         // the one the first path took
  };

  bool Exhausted() const { return work_ > kWorkLimit || kept_ > kKeptLimit; }

  // Splits colours by inputs and consumers until nothing splits any more. Counts the work.
  void Refine(Colours* colours) {
    size_t classes = CountClasses(*colours);
    while (classes < colours->size() && !Exhausted()) {
      work_ += graph_.size();
      // Nodes stand in topological order, so one sweep carries all that lies before a node ...
      for (int i = 0; i < graph_.size(); ++i) {
        const Folded::Node& node = graph_.nodes[i];
        uint64_t before = 0;
        for (int32_t k = node.first_input; k < node.inputs_end; ++k) {
          before += Mix((*colours)[graph_.inputs[k]], node.ordered ? k - node.first_input : -1);
        }
        (*colours)[i] = Mix((*colours)[i], before);
      }
      // ... and one back all that lies behind it.
      behind_.assign(graph_.size(), 0);
      for (int i = graph_.size() - 1; i >= 0; --i) {
        const Folded::Node& node = graph_.nodes[i];
        (*colours)[i] = Mix((*colours)[i], behind_[i]);
        for (int32_t k = node.first_input; k < node.inputs_end; ++k) {
          behind_[graph_.inputs[k]] += Mix((*colours)[i], node.ordered ? k - node.first_input : -1);
        }
      }
      const size_t now = CountClasses(*colours);
      if (now <= classes) break;
      classes = now;
    }
  }

  size_t CountClasses(const Colours& colours) {
    sorted_ = colours;
    std::sort(sorted_.begin(), sorted_.end());
    return std::unique(sorted_.begin(), sorted_.end()) - sorted_.begin();
  }

  // The nodes of the smallest colour that several share; empty if all differ.
  std::vector<int32_t> FindCell(const Colours& colours) {
    sorted_ = colours;
    std::sort(sorted_.begin(), sorted_.end());
    std::vector<int32_t> cell;
    const auto twice = std::adjacent_find(sorted_.begin(), sorted_.end());
    if (twice == sorted_.end()) return cell;
    for (int i = 0; i < graph_.size(); ++i) {
      if (colours[i] == *twice) cell.push_back(i);
    }
    return cell;
  }

  Colours SingleOut(const Colours& colours, int32_t node) {
    Colours result = colours;
    result[node] = Mix(result[node], 3);
    Refine(&result);
    return result;
  }

  static std::vector<int32_t> Order(const Colours& colours) {
    std::vector<int32_t> order(colours.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return std::pair(colours[a], a) < std::pair(colours[b], b);
    });
    return order;
  }

  Leaf MakeLeaf(const Colours& colours) {
    Leaf leaf;
    leaf.order = Order(colours);
    std::vector<int32_t> place(graph_.size());
    for (int i = 0; i < graph_.size(); ++i) place[leaf.order[i]] = i;
    leaf.certificate.reserve(graph_.size() + graph_.inputs.size());
    for (int32_t index : leaf.order) {
      const Folded::Node& node = graph_.nodes[index];
      leaf.certificate.push_back(node.label);
      const auto begin = static_cast<std::ptrdiff_t>(leaf.certificate.size());
      for (int32_t k = node.first_input; k < node.inputs_end; ++k) {
        leaf.certificate.push_back(place[graph_.inputs[k]]);
      }
      if (!node.ordered) std::sort(leaf.certificate.begin() + begin, leaf.certificate.end());
    }
    return leaf;
  }

  // Breaks ties by always taking the first of a cell, to the end. Records where it chose, if asked
  // to.
  Colours FollowFirst(Colours colours, std::vector<Level>* levels) {
    while (!Exhausted()) {
      std::vector<int32_t> cell = FindCell(colours);
      if (cell.empty()) break;
      const int32_t chosen = cell[0];
      Colours next = SingleOut(colours, chosen);
      if (levels != nullptr) {
        kept_ += graph_.size();
        levels->push_back({std::move(colours), std::move(cell), chosen});
      }
      colours = std::move(next);
    }
    return colours;
  }

  // The smallest certificate below refined `colours`. Subtrees that an automorphism maps to one
  // already searched are left out; without that, k independent symmetries would cost 2^k.
  std::vector<int32_t> Search(Colours colours) {
    std::vector<Level> levels;
    const Colours last = FollowFirst(std::move(colours), &levels);
    const Leaf first = MakeLeaf(last);
    std::vector<int32_t> best = first.certificate;
    std::vector<int32_t> orbit(graph_.size());  // union-find under the automorphisms found
    std::iota(orbit.begin(), orbit.end(), 0);
    const auto find = [&orbit](int32_t x) {
      while (orbit[x] != x) x = orbit[x] = orbit[orbit[x]];
      return x;
    };
    // From the deepest level up: automorphisms found below fix all choices above, so they hold
    // there too.
    for (size_t depth = levels.size(); depth-- > 0;) {
      const Level& level = levels[depth];
      std::vector<int32_t> searched = {level.chosen};
      for (int32_t node : level.cell) {
        if (Exhausted()) return best;
        if (std::any_of(searched.begin(), searched.end(),
                        [&](int32_t other) { return find(other) == find(node); })) {
          continue;
        }
        Colours branch = SingleOut(level.colours, node);
        // Mostly what lies outside the two choices does not move, and one look will do; otherwise
        // compare where both paths end.
        std::vector<int32_t> image =
            ImageByColour(depth + 1 < levels.size() ? levels[depth + 1].colours : last, branch);
        if (!IsSymmetry(image, levels, depth, node)) {
          image = ImageByPlace(first, MakeLeaf(FollowFirst(branch, nullptr)));
        }
        if (IsSymmetry(image, levels, depth, node)) {
          for (int i = 0; i < graph_.size(); ++i) orbit[find(i)] = find(image[i]);
          continue;
        }
        best = std::min(best, Search(std::move(branch)));
        searched.push_back(node);
      }
    }
    kept_ -= static_cast<int64_t>(levels.size()) * graph_.size();
    return best;
  }

  static std::vector<int32_t> ImageByPlace(const Leaf& from, const Leaf& to) {
    std::vector<int32_t> image(from.order.size());
    for (size_t i = 0; i < from.order.size(); ++i) image[from.order[i]] = to.order[i];
    return image;
  }

  // Sends each node to itself if its colour is the same in both, and those that are left to those
  // left of their colour. Empty if the numbers of a colour differ.
  static std::vector<int32_t> ImageByColour(const Colours& from, const Colours& to) {
    const std::vector<int32_t> from_order = Order(from);
    const std::vector<int32_t> to_order = Order(to);
    std::vector<int32_t> image(from.size());
    size_t left = 0;  // place in `to_order` of the next node whose colour changed
    for (size_t i = 0; i < from.size(); ++i) {
      const int32_t node = from_order[i];
      if (from[node] != to[to_order[i]]) return {};
      if (to[node] == from[node]) {
        image[node] = node;
        continue;
      }
      while (left < to.size() && from[to_order[left]] == to[to_order[left]]) ++left;
      if (left == to.size()) return {};
      image[node] = to_order[left++];
    }
    return image;
  }

  // Whether `image` is an automorphism that keeps all colours down to `depth` and takes the choice
  // there to `node`.
  bool IsSymmetry(const std::vector<int32_t>& image, const std::vector<Level>& levels, size_t depth,
                  int32_t node) {
    if (image.empty() || image[levels[depth].chosen] != node) return false;
    for (size_t k = 0; k <= depth; ++k) {
      const Colours& colours = levels[k].colours;
      for (size_t i = 0; i < image.size(); ++i) {
        if (colours[image[i]] != colours[i]) return false;
      }
    }
    work_ += static_cast<int64_t>(depth * image.size() / 8);  // a look is less than a visit
    std::vector<int32_t> inputs;
    std::vector<int32_t> expected;
    for (int i = 0; i < graph_.size(); ++i) {
      const Folded::Node& from = graph_.nodes[i];
      const Folded::Node& to = graph_.nodes[image[i]];
      if (from.label != to.label) return false;
      inputs.clear();
      for (int32_t k = from.first_input; k < from.inputs_end; ++k) {
        inputs.push_back(image[graph_.inputs[k]]);
      }
      expected.assign(graph_.inputs.begin() + to.first_input,
                      graph_.inputs.begin() + to.inputs_end);
      if (!from.ordered) {
        std::sort(inputs.begin(), inputs.end());
        std::sort(expected.begin(), expected.end());
      }
      if (inputs != expected) return false;
    }
    return true;
  }

  const Folded& graph_;
  int64_t work_ = 0;
  int64_t kept_ = 0;
  Colours sorted_;  // scratch
  Colours behind_;  // scratch
};

// Little-endian words, whatever the machine.
class WordWriter {
 public:
  void Add(int32_t value) {
    const uint32_t word = static_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      bytes_.push_back(static_cast<char>((word >> shift) & 0xff));
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace

absl::StatusOr<std::string> CanonicalHash(const v1::Architecture& architecture) {
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  const Folded folded = Fold(architecture, costs);
  ASSIGN_OR_RETURN(const std::vector<int32_t> certificate, Labelling(folded).Run());
  WordWriter writer;
  writer.Add(1);  // version of this form
  writer.Add(architecture.input().channels());
  writer.Add(architecture.input().height());
  writer.Add(architecture.input().width());
  writer.Add(architecture.classes());
  writer.Add(static_cast<int32_t>(folded.labels.size()));
  for (const Label& label : folded.labels) {
    for (int32_t word : label) writer.Add(word);
  }
  for (int32_t word : certificate) writer.Add(word);
  return Sha256Hex(writer.bytes());
}

}  // namespace frontier
