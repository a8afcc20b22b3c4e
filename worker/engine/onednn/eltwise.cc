#include "worker/engine/onednn/eltwise.h"

#include <vector>

namespace frontier::worker::onednn {

std::optional<Eltwise> EltwiseOf(const v1::Node& node) {
  using dnnl::algorithm;
  switch (node.op()) {
    case v1::OPERATOR_RELU:
      return Eltwise{algorithm::eltwise_relu, 0, 0, algorithm::eltwise_relu_use_dst_for_bwd};
    case v1::OPERATOR_RELU6:
      return Eltwise{algorithm::eltwise_clip_v2, 0, 6, algorithm::undef};
    case v1::OPERATOR_LEAKY_RELU:
      return Eltwise{algorithm::eltwise_relu, node.leaky_relu().slope(), 0,
                     algorithm::eltwise_relu_use_dst_for_bwd};
    case v1::OPERATOR_SIGMOID:
      return Eltwise{algorithm::eltwise_logistic, 0, 0,
                     algorithm::eltwise_logistic_use_dst_for_bwd};
    case v1::OPERATOR_SILU:
      return Eltwise{algorithm::eltwise_swish, 1, 0, algorithm::undef};
    case v1::OPERATOR_HARD_SWISH:
      return Eltwise{algorithm::eltwise_hardswish, 0, 0, algorithm::undef};
    case v1::OPERATOR_GELU:
      return Eltwise{algorithm::eltwise_gelu_erf, 0, 0, algorithm::undef};
    default:
      return std::nullopt;
  }
}

int SoleActivation(const GraphView& view, int n) {
  const std::vector<int>& users = view.consumers[static_cast<size_t>(n)];
  if (n == view.output || users.size() != 1) return -1;
  return EltwiseOf(view.node(users[0])).has_value() ? users[0] : -1;
}

std::optional<ChannelLayout> LayoutOf(const Md& md) {
  using Tag = dnnl::memory::format_tag;
  const dnnl::memory::dims dims = md.dims();
  ChannelLayout layout;
  layout.batch = dims[0];
  layout.channels = dims[1];
  layout.positions = dims[2] * dims[3];
  const struct {
    Tag tag;
    int64_t block;
  } formats[] = {
      {Tag::nchw, 1}, {Tag::nhwc, dims[1]}, {Tag::nChw16c, 16}, {Tag::nChw8c, 8}, {Tag::nChw4c, 4}};
  for (const auto& format : formats) {
    if (md != Md(dims, dnnl::memory::data_type::f32, format.tag)) continue;
    layout.block = format.block;
    layout.blocks = (layout.channels + layout.block - 1) / layout.block;
    return layout;
  }
  return std::nullopt;
}

SliceFormat SliceFormatOf(const Md& map, const v1::ChannelSlice& slice) {
  using Tag = dnnl::memory::format_tag;
  const dnnl::memory::dims dims = map.dims();
  const bool last = map == Md(dims, map.data_type(), Tag::nhwc);
  const Tag tag = last ? Tag::nhwc : Tag::nchw;
  dnnl::memory::dims part = dims;
  part[1] = slice.channels();
  const int64_t positions = dims[2] * dims[3];
  SliceFormat format;
  format.whole = Md(dims, dnnl::memory::data_type::f32, tag);
  format.part = Md(part, dnnl::memory::data_type::f32, tag);
  format.range = {last ? dims[0] * positions : dims[0], dims[1], last ? 1 : positions,
                  slice.first(), slice.channels()};
  return format;
}

}  // namespace frontier::worker::onednn
