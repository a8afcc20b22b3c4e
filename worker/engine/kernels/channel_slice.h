// A range of the channels of a batch of maps. All f32.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_SLICE_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_SLICE_H_

#include <cstdint>

namespace frontier::worker {

// Maps as runs x channels x length, row-major: a run is a sample and its length the positions in
// the plain format; with channels last a run is a position, of length 1.
struct ChannelRange {
  int64_t runs = 0;
  int64_t channels = 0;  // of the whole
  int64_t length = 0;
  int64_t first = 0;  // of the range
  int64_t count = 0;  // channels of the range
};

// out (runs x count x length) = the range of x (runs x channels x length).
void SliceChannels(const ChannelRange& range, const float* x, float* out);

// dx = dy in the range, 0 elsewhere.
void SliceChannelsBackward(const ChannelRange& range, const float* dy, float* dx);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_SLICE_H_
