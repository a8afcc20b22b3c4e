#include "coordinator/composer/outline.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/architecture/graph.h"
#include "coordinator/space/samples.h"
#include "google/protobuf/repeated_field.h"

namespace frontier::coordinator {
namespace {

// All that can be tuned.

struct Scale {
  int width;      // of the first stage
  int deepest;    // blocks in a stage, from 1
  double growth;  // of the width from stage to stage
  bool lean;      // only the cheapest blocks, kernels, strides and resolutions
};
constexpr Scale kScales[] = {
    {4, 1, 1.25, true}, {4, 1, 1.5, true}, {4, 1, 2, true},   {4, 1, 2, false},  {4, 2, 2, false},
    {6, 2, 2, false},   {8, 2, 2, false},  {12, 2, 2, false}, {16, 2, 2, false}, {16, 3, 2, false},
    {24, 2, 2, false},  {24, 3, 2, false}, {32, 3, 2, false}, {48, 3, 2, false}, {64, 3, 2, false}};
// Widths of a stage for its least. More of them where little else is left to choose.
constexpr double kWidths[] = {1, 1.25, 1.5};
constexpr double kLeanWidths[] = {1, 1.25, 1.5, 1.75};
constexpr double kStemWidths[] = {1, 1.5};
constexpr int kMaxStageWidth = 512;
constexpr int kMaxClassWidth = 128;  // of what many classes ask of the last stage

// From so many training samples on, the scale of this index is worth while.
struct Worth {
  int64_t samples;
  int scale;
};
constexpr Worth kWorth[] = {{0, 8}, {6000, 10}, {20000, 11}, {50000, 12}};

constexpr int kLeastPlainScale = 6;

// Steps from which on blocks that are slow to train pay, and gates do.
constexpr int64_t kLargeSteps = 4000;
constexpr int64_t kGateSteps = 10000;
constexpr int kGateReduction = 4;

constexpr int kFewestStages = 2;
constexpr int kMostStages = 5;
constexpr int kLastPixels = 4;       // about which the last stage of images has on its longer side
constexpr int kLastSamples = 8;      // of a signal
constexpr int kNoStridePixels = 16;  // up to these the first stage keeps the size
constexpr int kSomeStridePixels = 40;  // up to these it may halve it, above it does
constexpr int kHalvedPixels = 96;      // from these on half the resolution is tried too
constexpr int kSmallMap = 8;           // pixels, below which large kernels see only padding

int CeilDivide(int a, int b) { return (a + b - 1) / b; }

bool IsSignal(const v1::Shape& input) { return input.height() == 1 && input.width() > 1; }

int StageCount(const v1::Shape& input) {
  const double halvings = std::log2(static_cast<double>(LongerSide(input)) / kLastPixels);
  return std::clamp(static_cast<int>(std::ceil(halvings)), kFewestStages, kMostStages);
}

// Of the first block of each stage.
std::vector<std::vector<int>> ImageStrides(int pixels, int stages) {
  std::vector<std::vector<int>> strides;
  int least = pixels;  // longer side of the smallest map
  for (int i = 0; i < stages; ++i) {
    std::vector<int> each = {2};
    if (i == 0 && pixels <= kNoStridePixels) each = {1};
    if (i == 0 && pixels > kNoStridePixels && pixels <= kSomeStridePixels) each = {1, 2};
    if (least < 2 || (i > 0 && least < kLastPixels)) each = {1};
    least = CeilDivide(least, each.back());
    strides.push_back(std::move(each));
  }
  return strides;
}

std::vector<std::vector<int>> SignalStrides(int length, int stages) {
  int halvings = std::max(
      0, static_cast<int>(std::lround(std::log2(static_cast<double>(length) / kLastSamples))));
  std::vector<std::vector<int>> strides;
  for (int i = 0; i < stages; ++i) {
    const int here = std::min(CeilDivide(halvings, stages - i), 4);
    halvings -= here;
    const int stride = 1 << here;
    strides.push_back(i == 0 && here == 2 ? std::vector<int>{2, 4} : std::vector<int>{stride});
  }
  return strides;
}

int RoundWidth(double width) {
  const int whole = static_cast<int>(std::lround(width));
  return whole < 16 ? whole : (whole + 4) / 8 * 8;
}

// Each once.
void AddWidths(double least, absl::Span<const double> factors,
               google::protobuf::RepeatedField<int32_t>* widths) {
  for (const double factor : factors) {
    const int width = RoundWidth(factor * least);
    if (widths->empty() || *widths->rbegin() != width) widths->Add(width);
  }
}

int ClassWidth(int classes) { return std::min(kMaxClassWidth, CeilDivide(classes / 2, 8) * 8); }

std::string DescribeOptions(absl::Span<const int32_t> values) {
  return absl::StrJoin(values, " or ");
}

std::string DescribeRange(absl::string_view name, int least, int most) {
  return least == most ? absl::StrCat(name, " ", least)
                       : absl::StrCat(name, " ", least, " to ", most);
}

std::string BlockName(int block) {
  switch (block) {
    case v1::BLOCK_CONVOLUTION:
      return "convolution";
    case v1::BLOCK_DEPTHWISE_SEPARABLE:
      return "separable";
    case v1::BLOCK_INVERTED_BOTTLENECK:
      return "inverted-bottleneck";
    default:
      return "residual";
  }
}

bool HasGates(const DataFacts& facts) { return StepsOf(facts) >= kGateSteps; }

}  // namespace

int ScaleCount() { return static_cast<int>(std::size(kScales)); }

int LeastPlainScale() { return kLeastPlainScale; }

int ScaleForData(int64_t train_samples) {
  int scale = 0;
  for (const Worth& worth : kWorth) {
    if (train_samples >= worth.samples) scale = worth.scale;
  }
  return scale;
}

int64_t StepsOf(const DataFacts& facts) {
  const int64_t batch = std::max(1, facts.batch_size);
  return std::max<int64_t>(facts.train_samples / batch, facts.train_samples > 0 ? 1 : 0) *
         facts.epochs;
}

bool IsLargeData(const DataFacts& facts) { return StepsOf(facts) >= kLargeSteps; }

v1::StagedSpace OutlineSpace(const DataFacts& facts, int scale, const Style& style) {
  const Scale& size = kScales[scale];
  const bool frugal = style.frugal;
  const bool even = style.even || size.lean;
  const bool signal = IsSignal(facts.input);
  const int pixels = LongerSide(facts.input);
  const int stages = StageCount(facts.input);
  v1::StagedSpace space;
  int smallest = pixels;
  const int shorter = std::min(facts.input.height(), facts.input.width());
  if (!signal && pixels >= kHalvedPixels && shorter >= 2) {
    if (!size.lean) space.add_resolutions(pixels);
    space.add_resolutions(pixels / 2);
    smallest = pixels / 2;
  }
  AddWidths(size.width, kStemWidths, space.mutable_stem_widths());
  const std::vector<std::vector<int>> strides =
      signal ? SignalStrides(pixels, stages) : ImageStrides(smallest, stages);
  int map = smallest;
  double width = size.width;
  for (int i = 0; i < stages; ++i, width = std::min<double>(size.growth * width, kMaxStageWidth)) {
    v1::StageChoices* stage = space.add_stages();
    if (!size.lean) stage->add_blocks(v1::BLOCK_RESIDUAL);
    stage->add_blocks(v1::BLOCK_CONVOLUTION);
    if (size.lean || frugal) stage->add_blocks(v1::BLOCK_DEPTHWISE_SEPARABLE);
    if (!size.lean && frugal) {
      stage->add_blocks(v1::BLOCK_INVERTED_BOTTLENECK);
      stage->add_expansions(3);
      stage->add_expansions(6);
    }
    // Large kernels where there is something for them to see, and in images where they are cheap.
    const bool long_kernels = signal && map >= 2 * kSmallMap;
    stage->add_kernels(long_kernels ? 5 : 3);
    if (!even && long_kernels) stage->add_kernels(9);
    if (!even && !long_kernels && map >= kSmallMap) stage->add_kernels(5);
    double least = width;
    if (i == stages - 1 && !size.lean) least = std::max<double>(least, ClassWidth(facts.classes));
    AddWidths(least, even ? absl::MakeConstSpan(kLeanWidths) : absl::MakeConstSpan(kWidths),
              stage->mutable_widths());
    for (int depth = 1; depth <= size.deepest; ++depth) stage->add_depths(depth);
    for (const int stride : strides[i]) {
      if (!even || stride == strides[i].back()) stage->add_strides(stride);
    }
    stage->add_connections(0);
    if (!size.lean && HasGates(facts)) {
      stage->add_squeeze_excite(0);
      stage->add_squeeze_excite(kGateReduction);
    }
    map = CeilDivide(map, strides[i].back());
  }
  return space;
}

std::string DescribeScale(const v1::StagedSpace& space) {
  const v1::StageChoices& first = space.stages(0);
  const v1::StageChoices& last = space.stages(space.stages_size() - 1);
  return absl::StrCat(
      DescribeRange("widths", first.widths(0), last.widths(last.widths_size() - 1)), ", ",
      DescribeRange("depths", first.depths(0), first.depths(first.depths_size() - 1)));
}

std::vector<std::string> DescribeOutline(const DataFacts& facts, const v1::StagedSpace& space,
                                         const Style& style) {
  std::vector<std::string> reasons;
  std::vector<std::string> strides;
  for (const v1::StageChoices& stage : space.stages()) {
    strides.push_back(DescribeOptions(stage.strides()));
  }
  reasons.push_back(absl::StrCat(IsSignal(facts.input) ? "signals" : "samples", " of ",
                                 ShapeText(facts.input), ": ", space.stages_size(),
                                 " stages of strides ", absl::StrJoin(strides, ", "),
                                 ", kernels of ", DescribeOptions(space.stages(0).kernels())));
  if (!space.resolutions().empty()) {
    reasons.push_back(
        absl::StrCat("that many pixels: resolutions of ", DescribeOptions(space.resolutions())));
  }
  const std::string training =
      facts.train_samples == 0
          ? "the number of training samples is not known"
          : absl::StrCat(facts.train_samples, " training samples make ", StepsOf(facts), " steps");
  const v1::StageChoices& first = space.stages(0);
  std::vector<std::string> blocks;
  for (const int block : first.blocks()) blocks.push_back(BlockName(block));
  reasons.push_back(
      absl::StrCat(training, style.frugal && !IsLargeData(facts) ? ", limits bind" : "", ": ",
                   absl::StrJoin(blocks, ", "), " blocks",
                   first.squeeze_excite().empty() ? "" : ", with squeeze-and-excite or without"));
  const v1::StageChoices& last = space.stages(space.stages_size() - 1);
  if (last.widths(0) == ClassWidth(facts.classes) && space.stages_size() > 1 &&
      last.widths(0) > 2 * space.stages(space.stages_size() - 2).widths(0)) {
    reasons.push_back(
        absl::StrCat(facts.classes, " classes: at least ", last.widths(0), " channels at the end"));
  }
  return reasons;
}

}  // namespace frontier::coordinator
