#include "common/architecture/nasbench101.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/architecture/builder.h"
#include "common/architecture/cell_layers.h"

namespace frontier {
namespace {

constexpr int kStacks = 3;
constexpr int kMaxStemChannels = 1 << 20;  // far from overflow

// The cell in one number: two cells of as many vertices have equal codes only if they are equal.
uint64_t Code(const NasBench101Cell& cell) {
  uint64_t code = 0;
  for (int i = 0; i + 1 < cell.vertices; ++i) code = code << 7 | cell.edges[i];
  for (int i = 1; i + 1 < cell.vertices; ++i) {
    code = code << 2 | static_cast<uint64_t>(cell.operations[i]);
  }
  return code;
}

// Channels of each vertex's output (of vertex 0: unread).
using Channels = std::array<int, kNasBench101MaxVertices>;

absl::StatusOr<Channels> VertexChannels(const NasBench101Cell& cell, int width) {
  const int output = cell.vertices - 1;
  Channels channels{};
  channels[output] = width;
  int shares = 0;
  for (int v = 1; v < output; ++v) shares += cell.HasEdge(v, output) ? 1 : 0;
  if (shares == 0) return channels;
  if (width < shares) {
    return absl::InvalidArgumentError(absl::StrCat("nasbench101 cell: ", width, " channels for ",
                                                   shares, " vertices that lead to the output"));
  }
  int left_over = width % shares;
  for (int v = 1; v < output; ++v) {
    if (!cell.HasEdge(v, output)) continue;
    channels[v] = width / shares + (left_over > 0 ? 1 : 0);
    if (left_over > 0) --left_over;
  }
  for (int v = output - 1; v > 0; --v) {
    if (cell.HasEdge(v, output)) continue;
    for (int to = v + 1; to < output; ++to) {
      if (cell.HasEdge(v, to)) channels[v] = std::max(channels[v], channels[to]);
    }
  }
  return channels;
}

class Lowering {
 public:
  Lowering(const NasBench101Cell& cell, const v1::Shape& input, int classes)
      : cell_(cell), sample_(input), b_(input, classes) {}

  absl::StatusOr<v1::Architecture> Run(const NasBench101Skeleton& skeleton) {
    int width = skeleton.stem_channels;
    int x = Convolution("stem", b_.input(), width, 3);
    for (int stack = 1; stack <= kStacks; ++stack) {
      const std::string name = absl::StrCat("stack", stack);
      if (stack > 1) {
        width *= 2;
        x = b_.MaxPool(absl::StrCat(name, ".pool"), x, HalvingCellPool(b_.shape(x)));
      }
      absl::StatusOr<Channels> channels = VertexChannels(cell_, width);
      if (!channels.ok()) return channels.status();
      for (int module = 1; module <= skeleton.modules_per_stack; ++module) {
        x = Module(absl::StrCat(name, ".module", module), x, *channels);
      }
    }
    b_.Classifier(x);
    return b_.Build();
  }

 private:
  int Convolution(absl::string_view name, int x, int width, int kernel) {
    return b_.ConvolutionNormRelu(name, x, CellConvolution(sample_, width, kernel));
  }

  int Module(absl::string_view name, int x, const Channels& channels) {
    const int output = cell_.vertices - 1;
    std::array<int, kNasBench101MaxVertices> values{};
    std::vector<int> parts;
    for (int v = 1; v < output; ++v) {
      const std::string vertex = absl::StrCat(name, ".vertex", v);
      std::vector<int> inputs;
      for (int from = 1; from < v; ++from) {
        if (!cell_.HasEdge(from, v)) continue;
        inputs.push_back(channels[from] == channels[v]
                             ? values[from]
                             : b_.ChannelSlice(absl::StrCat(vertex, ".slice", from), values[from],
                                               0, channels[v]));
      }
      if (cell_.HasEdge(0, v)) {
        inputs.push_back(Convolution(absl::StrCat(vertex, ".projection"), x, channels[v], 1));
      }
      values[v] = Vertex(vertex, Sum(vertex, inputs), cell_.operations[v], channels[v]);
      if (cell_.HasEdge(v, output)) parts.push_back(values[v]);
    }
    const std::string out = absl::StrCat(name, ".output");
    std::vector<int> outputs;
    if (parts.size() == 1) outputs.push_back(parts[0]);
    if (parts.size() > 1) outputs.push_back(b_.Concat(absl::StrCat(out, ".concat"), parts));
    if (cell_.HasEdge(0, output)) {
      outputs.push_back(Convolution(absl::StrCat(out, ".projection"), x, channels[output], 1));
    }
    return Sum(out, outputs);
  }

  int Sum(absl::string_view name, const std::vector<int>& inputs) {
    return inputs.size() == 1 ? inputs[0] : b_.Add(absl::StrCat(name, ".add"), inputs);
  }

  int Vertex(absl::string_view name, int x, VertexOperation operation, int width) {
    switch (operation) {
      case VertexOperation::kConvolution1x1:
        return Convolution(name, x, width, 1);
      case VertexOperation::kMaxPool3x3:
        return b_.MaxPool(name, x, CellPool(sample_, 3));
      default:
        return Convolution(name, x, width, 3);
    }
  }

  const NasBench101Cell& cell_;
  const v1::Shape& sample_;
  ArchitectureBuilder b_;
};

}  // namespace

absl::string_view VertexOperationName(VertexOperation operation) {
  switch (operation) {
    case VertexOperation::kConvolution1x1:
      return "conv1x1-bn-relu";
    case VertexOperation::kMaxPool3x3:
      return "maxpool3x3";
    default:
      return "conv3x3-bn-relu";
  }
}

int NasBench101Cell::EdgeCount() const {
  int count = 0;
  for (const uint8_t row : edges) count += std::popcount(row);
  return count;
}

unsigned VerticesOnPaths(const NasBench101Cell& cell) {
  const int output = cell.vertices - 1;
  unsigned behind = 1;  // vertices that the input leads to
  for (int v = 0; v < output; ++v) {
    if ((behind >> v & 1) != 0) behind |= cell.edges[v];
  }
  unsigned kept = 1U << output;  // of those, the ones that lead to the output
  for (int v = output - 1; v >= 0; --v) {
    if ((behind >> v & 1) != 0 && (cell.edges[v] & kept) != 0) kept |= 1U << v;
  }
  return (kept & 1) != 0 ? kept : 0;
}

int EdgesOnPaths(const NasBench101Cell& cell) {
  const unsigned kept = VerticesOnPaths(cell);
  int count = 0;
  for (int v = 0; v + 1 < cell.vertices; ++v) {
    if ((kept >> v & 1) != 0) count += std::popcount(cell.edges[v] & kept);
  }
  return count;
}

std::optional<NasBench101Cell> PruneNasBench101Cell(const NasBench101Cell& cell) {
  const int output = cell.vertices - 1;
  const unsigned kept = VerticesOnPaths(cell);
  if (kept == 0) return std::nullopt;
  NasBench101Cell pruned;
  pruned.vertices = std::popcount(kept);
  std::array<int, kNasBench101MaxVertices> place{};
  for (int v = 0, next = 0; v <= output; ++v) {
    if ((kept >> v & 1) != 0) place[v] = next++;
  }
  for (int v = 0; v < output; ++v) {
    if ((kept >> v & 1) == 0) continue;
    pruned.operations[place[v]] = v == 0 ? VertexOperation{} : cell.operations[v];
    for (int to = v + 1; to <= output; ++to) {
      if ((kept >> to & 1) != 0 && cell.HasEdge(v, to)) {
        pruned.edges[place[v]] = static_cast<uint8_t>(pruned.edges[place[v]] | 1U << place[to]);
      }
    }
  }
  return pruned;
}

NasBench101Cell CanonicalNasBench101Cell(const NasBench101Cell& cell) {
  const int output = cell.vertices - 1;
  std::array<int, kNasBench101MaxVertices> place{};  // of each vertex
  std::iota(place.begin(), place.end(), 0);
  NasBench101Cell best;
  bool first = true;
  do {
    NasBench101Cell renumbered;
    renumbered.vertices = cell.vertices;
    bool forward = true;
    for (int v = 0; forward && v < output; ++v) {
      if (v > 0) renumbered.operations[place[v]] = cell.operations[v];
      for (int to = v + 1; to <= output; ++to) {
        if (!cell.HasEdge(v, to)) continue;
        forward = forward && place[v] < place[to];
        renumbered.edges[place[v]] =
            static_cast<uint8_t>(renumbered.edges[place[v]] | 1U << place[to]);
      }
    }
    if (forward && (first || Code(renumbered) < Code(best))) {
      best = renumbered;
      first = false;
    }
  } while (output > 1 && std::next_permutation(place.begin() + 1, place.begin() + output));
  return best;
}

std::string FormatNasBench101Cell(const NasBench101Cell& cell) {
  std::string text;
  for (int v = 0; v + 1 < cell.vertices; ++v) {
    if (v > 0) text += '/';
    for (int to = v + 1; to < cell.vertices; ++to) text += cell.HasEdge(v, to) ? '1' : '0';
  }
  for (int v = 1; v + 1 < cell.vertices; ++v) {
    absl::StrAppend(&text, " ", VertexOperationName(cell.operations[v]));
  }
  return text;
}

absl::StatusOr<v1::Architecture> LowerNasBench101(const NasBench101Cell& cell,
                                                  const NasBench101Skeleton& skeleton,
                                                  const v1::Shape& input, int classes) {
  if (cell.vertices < 2 || cell.vertices > kNasBench101MaxVertices) {
    return absl::InvalidArgumentError(
        absl::StrCat("nasbench101 cell: ", cell.vertices, " vertices, must be 2 to 7"));
  }
  if (skeleton.stem_channels < 1 || skeleton.stem_channels > kMaxStemChannels) {
    return absl::InvalidArgumentError(
        absl::StrCat("nasbench101 networks: ", skeleton.stem_channels, " channels in the stem"));
  }
  const std::optional<NasBench101Cell> pruned = PruneNasBench101Cell(cell);
  if (!pruned.has_value() || pruned->vertices != cell.vertices) {
    return absl::InvalidArgumentError(
        absl::StrCat("nasbench101 cell ", FormatNasBench101Cell(cell),
                     ": some vertices are on no path from the input to the output"));
  }
  return Lowering(cell, input, classes).Run(skeleton);
}

}  // namespace frontier
