#include "coordinator/space/staged_lowering.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"
#include "coordinator/space/blocks.h"
#include "coordinator/space/choices.h"

namespace frontier::coordinator {
namespace {

constexpr int kSqueezeDivisor = 4;  // of a fire block

class StagedLowering {
 public:
  StagedLowering(const v1::Shape& input, int classes) : b_(input, classes) {}

  absl::StatusOr<v1::Architecture> Run(int reduction, int stem_width,
                                       absl::Span<const StageChoice> stages) {
    int x = b_.AddReduction("resolution", b_.input(), reduction);
    x = b_.ConvolutionNormRelu("stem", x, b_.Square(stem_width, 3));
    std::vector<int> outputs = {x};         // of the stem and of each stage so far
    std::vector<int64_t> reductions = {1};  // stride of all stages up to there
    for (size_t i = 0; i < stages.size(); ++i) {
      const StageChoice& stage = stages[i];
      const std::string name = absl::StrCat("stage", i + 1);
      RETURN_IF_ERROR(CheckStride(name, stage.stride, b_.shape(x)));
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
  // `from` brought to the shape of `x` and added to it. All layers map n pixels to ceil(n /
  // stride), so one 1 x 1 convolution with the product of the strides between meets the size
  // exactly.
  int Join(absl::string_view name, int x, int from, int64_t reduction) {
    if (!SameShape(b_.shape(x), b_.shape(from))) {
      from = b_.ConvolutionNorm(absl::StrCat(name, ".join"), from,
                                b_.Square(b_.shape(x).channels(), 1, static_cast<int>(reduction)));
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
        return b_.ConvolutionNormActivation(absl::StrCat(name, ".block0.conv"), x,
                                            b_.Square(stage.width, 1, stage.stride),
                                            stage.activation);
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
      x = b_.AveragePool(pool, x, b_.Pool(stage.kernel, stage.stride));
    } else if (stage.kernel > 1 || stage.stride > 1) {
      x = b_.MaxPool(pool, x, b_.Pool(stage.kernel, stage.stride));
    }
    if (b_.shape(x).channels() == stage.width) return x;
    return b_.ConvolutionNormActivation(absl::StrCat(name, ".conv"), x, b_.Square(stage.width, 1),
                                        stage.activation);
  }

  int AddBlock(const std::string& name, const StageChoice& stage, int x, int stride) {
    switch (stage.block) {
      case v1::BLOCK_DEPTHWISE_SEPARABLE:
        x = b_.ConvolutionNormActivation(
            absl::StrCat(name, ".depthwise"), x,
            b_.Square(b_.shape(x).channels(), stage.kernel, stride, /*groups=*/0),
            stage.activation);
        x = b_.AddSqueezeExcite(name, x, stage.squeeze_excite);
        return b_.ConvolutionNormActivation(absl::StrCat(name, ".pointwise"), x,
                                            b_.Square(stage.width, 1), stage.activation);
      case v1::BLOCK_INVERTED_BOTTLENECK:
        return b_.AddInvertedBottleneck(name, x,
                                        {stage.width, stage.kernel, stage.expansion, stride,
                                         stage.squeeze_excite, stage.activation});
      case v1::BLOCK_RESIDUAL:
        return b_.AddBasicResidual(
            name, x, {stage.width, stage.kernel, stride, stage.squeeze_excite, stage.activation});
      case v1::BLOCK_FIRE: {
        Fire fire;
        fire.squeeze = std::max(1, stage.width / kSqueezeDivisor);
        fire.narrow = stage.width / 2;
        fire.wide = stage.width - fire.narrow;
        fire.kernel = stage.kernel;
        fire.stride = stride;
        fire.activation = stage.activation;
        return b_.AddSqueezeExcite(name, b_.AddFire(name, x, fire), stage.squeeze_excite);
      }
      default:
        x = b_.ConvolutionNormActivation(absl::StrCat(name, ".conv"), x,
                                         b_.Square(stage.width, stage.kernel, stride),
                                         stage.activation);
        return b_.AddSqueezeExcite(name, x, stage.squeeze_excite);
    }
  }

  BlockBuilder b_;
};

}  // namespace

absl::StatusOr<v1::Architecture> LowerStaged(int reduction, int stem_width,
                                             absl::Span<const StageChoice> stages,
                                             const v1::Shape& input, int classes) {
  return StagedLowering(input, classes).Run(reduction, stem_width, stages);
}

}  // namespace frontier::coordinator
