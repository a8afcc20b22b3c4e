#include "common/architecture/canonical.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
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

// `b` is mixed already.
uint64_t MixWith(uint64_t a, uint64_t b) { return Mix(a * 0x9e3779b97f4a7c15ULL + b); }

uint64_t Mix(uint64_t a, uint64_t b) { return MixWith(a, Mix(b)); }

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
  std::vector<int32_t> source;  // of each node: its index in the architecture

  int size() const { return static_cast<int>(nodes.size()); }
};

Folded Fold(const v1::Architecture& architecture, const GraphCosts& costs) {
  const Folding folding = FoldGraph(architecture);
  const size_t count = static_cast<size_t>(architecture.nodes_size());
  Folded folded;
  folded.nodes.reserve(count);
  folded.source.reserve(count);
  folded.inputs.reserve(folding.edges.size());
  std::vector<int32_t> index(count, -1);
  absl::flat_hash_map<Label, int32_t> known;  // numbered as they come
  // The same of most nodes, those without attributes, by operator and number of inputs; -1 = not
  // met yet.
  std::array<std::array<int32_t, 4>, v1::Operator_ARRAYSIZE> plain;
  for (auto& row : plain) row.fill(-1);
  for (int i = 0; i <= folding.output; ++i) {
    if (!folding.live[i]) continue;
    const v1::Node& source = architecture.nodes(i);
    index[i] = folded.size();
    folded.source.push_back(i);
    const absl::Span<const int32_t> inputs = folding.inputs(static_cast<size_t>(i));
    const bool is_plain = source.attributes_case() == v1::Node::ATTRIBUTES_NOT_SET &&
                          source.op() != v1::OPERATOR_ZERO && inputs.size() < plain[0].size();
    int32_t unknown = -1;
    int32_t& number = is_plain ? plain[source.op()][inputs.size()] : unknown;
    if (number < 0) {
      const Label label =
          MakeLabel(source, static_cast<int32_t>(inputs.size()), costs.nodes[i].output);
      number = known.emplace(label, static_cast<int32_t>(known.size())).first->second;
    }
    Folded::Node node;
    node.label = number;
    node.ordered = source.op() == v1::OPERATOR_CONCAT;
    node.first_input = static_cast<int32_t>(folded.inputs.size());
    for (int32_t input : inputs) folded.inputs.push_back(index[input]);
    node.inputs_end = static_cast<int32_t>(folded.inputs.size());
    folded.nodes.push_back(node);
  }
  std::vector<std::pair<Label, int32_t>> labels(known.begin(), known.end());
  std::sort(labels.begin(), labels.end());
  std::vector<int32_t> place(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    folded.labels.push_back(labels[i].first);
    place[labels[i].second] = static_cast<int32_t>(i);
  }
  for (Folded::Node& node : folded.nodes) node.label = place[node.label];
  return folded;
}

// A colour of each node. Equal colours mean "not told apart yet". Every colour is a function of the
// structure alone, never of the order in which nodes are listed; should two mixes collide, nodes
// are told apart later, and the result is the same.
using Colours = std::vector<uint64_t>;

// Counts distinct colours without sorting them. Keeps its memory from one count to the next.
class ColourCounter {
 public:
  // Returns the number of distinct ones and keeps the smallest of those that come more than once.
  size_t Count(const Colours& colours) {
    const size_t size = std::bit_ceil(2 * colours.size() + 1);
    table_.assign(size, kEmpty);
    repeated_.reset();
    size_t distinct = 0;
    bool seen_empty = false;  // the colour that marks empty slots
    for (const uint64_t colour : colours) {
      bool seen = seen_empty;
      if (colour == kEmpty) {
        seen_empty = true;
      } else {
        // Colours are mixes, so their low bits are as good as any.
        size_t slot = colour & (size - 1);
        while (table_[slot] != kEmpty && table_[slot] != colour) slot = (slot + 1) & (size - 1);
        seen = table_[slot] == colour;
        table_[slot] = colour;
      }
      if (!seen) {
        ++distinct;
      } else if (!repeated_.has_value() || colour < *repeated_) {
        repeated_ = colour;
      }
    }
    return distinct;
  }
  const std::optional<uint64_t>& repeated() const { return repeated_; }

 private:
  static constexpr uint64_t kEmpty = 0;
  std::vector<uint64_t> table_;
  std::optional<uint64_t> repeated_;
};

// A numbering of the nodes and the graph written down in it.
struct Leaf {
  std::vector<int32_t> order;        // node at each place
  std::vector<int32_t> certificate;  // for each place: label, places of the inputs
};

// Finds the smallest certificate over all ways to break ties.
class Labelling {
 public:
  explicit Labelling(const Folded& graph) : graph_(graph) {}

  absl::StatusOr<Leaf> Run() {
    Colours colours(graph_.size());
    for (int i = 0; i < graph_.size(); ++i) colours[i] = Mix(graph_.nodes[i].label, 1);
    colours.back() = Mix(colours.back(), 2);
    Refine(&colours);
    Leaf best = Search(std::move(colours));
    if (Exhausted()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("architecture of ", graph_.size(),
                       " nodes is too regular: no canonical form within the work limit"));
    }
    return best;
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
    size_t classes = counter_.Count(*colours);
    while (classes < colours->size() && !Exhausted()) {
      work_ += graph_.size();
      Sweep(colours->data());
      const size_t now = counter_.Count(*colours);
      if (now <= classes) break;
      classes = now;
    }
  }

  // One round of refinement: mixes into the colour of each node those of all that lies before it
  // and behind it.
  void Sweep(uint64_t* colours) {
    const uint64_t unordered = Mix(static_cast<uint64_t>(-1));
    const auto place = [unordered](const Folded::Node& node, int32_t k) {
      return node.ordered ? Mix(static_cast<uint64_t>(k - node.first_input)) : unordered;
    };
    // Nodes stand in topological order, so one pass carries all that lies before a node ...
    for (int i = 0; i < graph_.size(); ++i) {
      const Folded::Node& node = graph_.nodes[i];
      uint64_t before = 0;
      for (int32_t k = node.first_input; k < node.inputs_end; ++k) {
        before += MixWith(colours[graph_.inputs[k]], place(node, k));
      }
      colours[i] = Mix(colours[i], before);
    }
    // ... and one back all that lies behind it.
    behind_.assign(graph_.size(), 0);
    for (int i = graph_.size() - 1; i >= 0; --i) {
      const Folded::Node& node = graph_.nodes[i];
      colours[i] = Mix(colours[i], behind_[i]);
      for (int32_t k = node.first_input; k < node.inputs_end; ++k) {
        behind_[graph_.inputs[k]] += MixWith(colours[i], place(node, k));
      }
    }
  }

  // The nodes of the smallest colour that several share; empty if all differ.
  std::vector<int32_t> FindCell(const Colours& colours) {
    counter_.Count(colours);
    std::vector<int32_t> cell;
    if (!counter_.repeated().has_value()) return cell;
    for (int i = 0; i < graph_.size(); ++i) {
      if (colours[i] == *counter_.repeated()) cell.push_back(i);
    }
    return cell;
  }

  Colours SingleOut(const Colours& colours, int32_t node) {
    Colours result = colours;
    result[node] = Mix(result[node], 3);
    Refine(&result);
    return result;
  }

  // `nodes`, which come by number, by colour; those of one colour stay by number. Colours are
  // spread evenly, so dealing them out by their highest bits nearly sorts them.
  static std::vector<int32_t> Sorted(const Colours& colours, const std::vector<int32_t>& nodes) {
    constexpr int kBits = 9;
    constexpr auto bucket = [](uint64_t colour) { return colour >> (64 - kBits); };
    std::array<int32_t, (1 << kBits) + 1> start{};
    for (const int32_t node : nodes) ++start[bucket(colours[node]) + 1];
    for (size_t i = 1; i < start.size(); ++i) start[i] += start[i - 1];
    std::array<int32_t, (1 << kBits) + 1> next = start;
    std::vector<int32_t> sorted(nodes.size());
    for (const int32_t node : nodes) sorted[next[bucket(colours[node])]++] = node;
    for (size_t i = 1; i < start.size(); ++i) {
      if (start[i] - start[i - 1] < 2) continue;
      std::sort(sorted.begin() + start[i - 1], sorted.begin() + start[i],
                [&colours](int32_t x, int32_t y) {
                  return std::pair(colours[x], x) < std::pair(colours[y], y);
                });
    }
    return sorted;
  }

  Leaf MakeLeaf(const Colours& colours) {
    Leaf leaf;
    std::vector<int32_t> place(graph_.size());
    std::iota(place.begin(), place.end(), 0);
    leaf.order = Sorted(colours, place);
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
  Leaf Search(Colours colours) {
    std::vector<Level> levels;
    const Colours last = FollowFirst(std::move(colours), &levels);
    const Leaf first = MakeLeaf(last);
    if (levels.empty()) return first;
    Leaf best = first;
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
        Leaf other = Search(std::move(branch));
        if (other.certificate < best.certificate) best = std::move(other);
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
    std::vector<int32_t> image(from.size());
    std::iota(image.begin(), image.end(), 0);
    std::vector<int32_t> changed;
    for (const int32_t node : image) {
      if (from[node] != to[node]) changed.push_back(node);
    }
    const std::vector<int32_t> sources = Sorted(from, changed);
    const std::vector<int32_t> targets = Sorted(to, changed);
    for (size_t i = 0; i < changed.size(); ++i) {
      if (from[sources[i]] != to[targets[i]]) return {};
      image[sources[i]] = targets[i];
    }
    return image;
  }

  // Whether `image` is an automorphism that keeps all colours down to `depth` and takes the choice
  // there to `node`.
  bool IsSymmetry(const std::vector<int32_t>& image, const std::vector<Level>& levels, size_t depth,
                  int32_t node) {
    if (image.empty() || image[levels[depth].chosen] != node) return false;
    // What stays in place, and whose inputs do, needs no look.
    std::vector<int32_t> moved;
    for (int i = 0; i < graph_.size(); ++i) {
      if (image[i] != i) moved.push_back(i);
    }
    for (size_t k = 0; k <= depth; ++k) {
      const Colours& colours = levels[k].colours;
      for (const int32_t i : moved) {
        if (colours[image[i]] != colours[i]) return false;
      }
    }
    work_ += static_cast<int64_t>(depth * image.size() / 8);  // a look is less than a visit
    std::vector<int32_t> inputs;
    std::vector<int32_t> expected;
    for (int i = 0; i < graph_.size(); ++i) {
      const Folded::Node& from = graph_.nodes[i];
      const Folded::Node& to = graph_.nodes[image[i]];
      bool touched = image[i] != i;
      for (int32_t k = from.first_input; !touched && k < from.inputs_end; ++k) {
        touched = image[graph_.inputs[k]] != graph_.inputs[k];
      }
      if (!touched) continue;
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
  ColourCounter counter_;
  Colours behind_;  // scratch
};

// Little-endian words, whatever the machine.
class WordWriter {
 public:
  explicit WordWriter(size_t words) { bytes_.reserve(4 * words); }

  void Add(int32_t value) {
    const auto word = static_cast<uint32_t>(value);
    const char bytes[4] = {static_cast<char>(word), static_cast<char>(word >> 8),
                           static_cast<char>(word >> 16), static_cast<char>(word >> 24)};
    bytes_.append(bytes, 4);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

absl::StatusOr<CanonicalForm> Canonicalize(const v1::Architecture& architecture,
                                           const GraphCosts& costs) {
  const Folded folded = Fold(architecture, costs);
  ASSIGN_OR_RETURN(const Leaf leaf, Labelling(folded).Run());
  WordWriter writer(6 + folded.labels.size() * std::tuple_size_v<Label> + leaf.certificate.size());
  writer.Add(1);  // version of this form
  writer.Add(architecture.input().channels());
  writer.Add(architecture.input().height());
  writer.Add(architecture.input().width());
  writer.Add(architecture.classes());
  writer.Add(static_cast<int32_t>(folded.labels.size()));
  for (const Label& label : folded.labels) {
    for (int32_t word : label) writer.Add(word);
  }
  for (int32_t word : leaf.certificate) writer.Add(word);
  CanonicalForm form;
  form.hash = Sha256Hex(writer.bytes());
  form.order.reserve(leaf.order.size());
  for (const int32_t node : leaf.order) form.order.push_back(folded.source[node]);
  return form;
}

}  // namespace

absl::StatusOr<CanonicalForm> FindCanonicalForm(const v1::Architecture& architecture) {
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  return Canonicalize(architecture, costs);
}

absl::StatusOr<std::string> CanonicalHash(const v1::Architecture& architecture,
                                          const GraphCosts& costs) {
  ASSIGN_OR_RETURN(CanonicalForm form, Canonicalize(architecture, costs));
  return std::move(form.hash);
}

absl::StatusOr<std::string> CanonicalHash(const v1::Architecture& architecture) {
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  return CanonicalHash(architecture, costs);
}

}  // namespace frontier
