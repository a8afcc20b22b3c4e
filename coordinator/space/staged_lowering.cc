#include "coordinator/space/staged_lowering.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/architecture/builder.h"

namespace frontier::coordinator {
namespace {

constexpr int kExpansion = 4;       // of an inverted bottleneck
constexpr int kSqueezeDivisor = 4;  // of a fire block

bool SameShape(const v1::Shape& a, const v1::Shape& b) {
  return a.channels() == b.channels() && a.height() == b.height() && a.width() == b.width();
}

class StagedLowering {
 public:
  StagedLowering(const v1::Shape& input, int classes)
      : b_(input, classes), signal_(input.height() == 1) {}

  absl::StatusOr<v1::Architecture> Run(int stem_width, absl::Span<const StageChoice> stages) {
    int x = b_.ConvolutionNormRelu("stem", b_.input(), Square(stem_width, 3));
    std::vector<int> outputs = {x};         // of the stem and of each stage so far
    std::vector<int64_t> reductions = {1};  // stride of all stages up to there
    for (size_t i = 0; i < stages.size(); ++i) {
      const StageChoice& stage = stages[i];
      const std::string name = absl::StrCat("stage", i + 1);
      const v1::Shape& shape = b_.shape(x);
      // Such a stride only thins out what is a single pixel already.
      if (stage.stride > 1 && stage.stride > std::max(shape.height(), shape.width())) {
        return absl::InvalidArgumentError(absl::StrCat(name, ": stride ", stage.stride,
                                                       " on a map of ", shape.height(), " x ",
                                                       shape.width()));
      }
      if (stage.connection > 0) {
        x = Join(name, x, outputs[stage.connection],
                 reductions.back() / reductions[stage.connection]);
      }
      x = AddStage(name, stage, x);
      outputs.push_back(x);
      reductions.push_back(
          std::min<int64_t>(reductions.back() * stage.stride, std::numeric_limits<int32_t>::max()));
    }
    b_.Classifier(x);
    return b_.Build();
  }

 private:
  v1::Convolution Square(int width, int kernel, int stride = 1, int groups = 1) const {
    v1::Convolution attributes = SquareConvolution(width, kernel, stride, groups);
    if (signal_) {
      attributes.set_kernel_height(1);
      attributes.set_stride_height(1);
      attributes.set_padding_height(0);
    }
    return attributes;
  }

  v1::Pool Pool(int kernel, int stride) const {
    v1::Pool attributes = SquarePool(kernel, stride);
    if (signal_) {
      attributes.set_kernel_height(1);
      attributes.set_stride_height(1);
      attributes.set_padding_height(0);
    }
    return attributes;
  }

  // `from` brought to the shape of `x` and added to it. All layers map n pixels to ceil(n /
  // stride), so one 1 x 1 convolution with the product of the strides between meets the size
  // exactly.
  int Join(absl::string_view name, int x, int from, int64_t reduction) {
    if (!SameShape(b_.shape(x), b_.shape(from))) {
      from = b_.ConvolutionNorm(absl::StrCat(name, ".join"), from,
                                Square(b_.shape(x).channels(), 1, static_cast<int>(reduction)));
    }
    return b_.Relu(absl::StrCat(name, ".join.relu"),
                   b_.Add(absl::StrCat(name, ".join.add"), {x, from}));
  }

  int AddStage(absl::string_view name, const StageChoice& stage, int x) {
    switch (stage.block) {
      case v1::BLOCK_MAX_POOL:
      case v1::BLOCK_AVERAGE_POOL:
        return PoolStage(absl::StrCat(name, ".block0"), stage, x);
      case v1::BLOCK_SKIP:
        if (stage.stride == 1 && stage.width == b_.shape(x).channels()) return x;
        return b_.ConvolutionNormRelu(absl::StrCat(name, ".block0.conv"), x,
                                      Square(stage.width, 1, stage.stride));
      default:
        break;
    }
    for (int block = 0; block < stage.depth; ++block) {
      x = AddBlock(absl::StrCat(name, ".block", block), stage, x, block == 0 ? stage.stride : 1);
    }
    return x;
  }

  int PoolStage(absl::string_view name, const StageChoice& stage, int x) {
    const std::string pool = absl::StrCat(name, ".pool");
    // A pool of one pixel keeps the pixel: nothing to do, or thinning out, whichever the kind.
    if (stage.kernel > 1 && stage.block == v1::BLOCK_AVERAGE_POOL) {
      x = b_.AveragePool(pool, x, Pool(stage.kernel, stage.stride));
    } else if (stage.kernel > 1 || stage.stride > 1) {
      x = b_.MaxPool(pool, x, Pool(stage.kernel, stage.stride));
    }
    if (b_.shape(x).channels() == stage.width) return x;
    return b_.ConvolutionNormRelu(absl::StrCat(name, ".conv"), x, Square(stage.width, 1));
  }

  int AddBlock(const std::string& name, const StageChoice& stage, int x, int stride) {
    switch (stage.block) {
      case v1::BLOCK_DEPTHWISE_SEPARABLE:
        x = b_.ConvolutionNormRelu(
            absl::StrCat(name, ".depthwise"), x,
            Square(b_.shape(x).channels(), stage.kernel, stride, /*groups=*/0));
        return b_.ConvolutionNormRelu(absl::StrCat(name, ".pointwise"), x, Square(stage.width, 1));
      case v1::BLOCK_INVERTED_BOTTLENECK:
        return InvertedBottleneck(name, stage, x, stride);
      case v1::BLOCK_RESIDUAL:
        return Residual(name, stage, x, stride);
      case v1::BLOCK_FIRE:
        return Fire(name, stage, x, stride);
      default:
        return b_.ConvolutionNormRelu(absl::StrCat(name, ".conv"), x,
                                      Square(stage.width, stage.kernel, stride));
    }
  }

  int InvertedBottleneck(const std::string& name, const StageChoice& stage, int x, int stride) {
    const int hidden = b_.shape(x).channels() * kExpansion;
    int y = b_.ConvolutionNormRelu(absl::StrCat(name, ".expand"), x, Square(hidden, 1));
    y = b_.ConvolutionNormRelu(absl::StrCat(name, ".depthwise"), y,
                               Square(hidden, stage.kernel, stride, /*groups=*/0));
    y = b_.ConvolutionNorm(absl::StrCat(name, ".project"), y, Square(stage.width, 1));
    if (!SameShape(b_.shape(x), b_.shape(y))) return y;
    return b_.Add(absl::StrCat(name, ".add"), {x, y});
  }

  int Residual(const std::string& name, const StageChoice& stage, int x, int stride) {
    int y = b_.ConvolutionNormRelu(absl::StrCat(name, ".conv1"), x,
                                   Square(stage.width, stage.kernel, stride));
    y = b_.ConvolutionNorm(absl::StrCat(name, ".conv2"), y, Square(stage.width, stage.kernel));
    if (!SameShape(b_.shape(x), b_.shape(y))) {
      x = b_.ConvolutionNorm(absl::StrCat(name, ".shortcut"), x, Square(stage.width, 1, stride));
    }
    return b_.Relu(absl::StrCat(name, ".relu"), b_.Add(absl::StrCat(name, ".add"), {x, y}));
  }

  int Fire(const std::string& name, const StageChoice& stage, int x, int stride) {
    const int squeezed = std::max(1, stage.width / kSqueezeDivisor);
    const int narrow = stage.width / 2;
    x = b_.ConvolutionNormRelu(absl::StrCat(name, ".squeeze"), x, Square(squeezed, 1));
    const int wide = b_.ConvolutionNormRelu(absl::StrCat(name, ".expand_wide"), x,
                                            Square(stage.width - narrow, stage.kernel, stride));
    if (narrow == 0) return wide;
    const int thin =
        b_.ConvolutionNormRelu(absl::StrCat(name, ".expand"), x, Square(narrow, 1, stride));
    return b_.Concat(absl::StrCat(name, ".concat"), {thin, wide});
  }

  ArchitectureBuilder b_;
  const bool signal_;  // samples of height 1
};

}  // namespace

absl::StatusOr<v1::Architecture> LowerStaged(int stem_width, absl::Span<const StageChoice> stages,
                                             const v1::Shape& input, int classes) {
  return StagedLowering(input, classes).Run(stem_width, stages);
}

}  // namespace frontier::coordinator
