// Activations as oneDNN's element-wise algorithms, and formats as our kernels' layouts.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_ELTWISE_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_ELTWISE_H_

#include <dnnl.hpp>
#include <optional>

#include "frontier/v1/architecture.pb.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/kernels/channel_layout.h"
#include "worker/engine/kernels/channel_slice.h"
#include "worker/engine/onednn/program.h"

namespace frontier::worker::onednn {

struct Eltwise {
  dnnl::algorithm algorithm = dnnl::algorithm::undef;
  float alpha = 0;
  float beta = 0;
  // Same forward pass; the backward pass takes the output instead of the input. `undef` if the
  // derivative does not follow from the output.
  dnnl::algorithm from_output = dnnl::algorithm::undef;
};

// Nothing if `node` is not an activation.
std::optional<Eltwise> EltwiseOf(const v1::Node& node);

// The only consumer of `n` if that is one activation using it once; -1 otherwise.
int SoleActivation(const GraphView& view, int n);

// Of a format of batch x C x H x W that is plain, has channels last, or blocks of channels; nothing
// for others.
std::optional<ChannelLayout> LayoutOf(const Md& md);

// How a range of channels is taken out of a map: f32, channels last if they are, plain otherwise (a
// blocked format has parts only at whole blocks).
struct SliceFormat {
  Md whole, part;
  ChannelRange range;
};
SliceFormat SliceFormatOf(const Md& map, const v1::ChannelSlice& slice);

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_ELTWISE_H_
