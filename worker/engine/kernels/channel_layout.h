// How a batch of maps lies in memory, for kernels that must know the channel of a value.
#ifndef FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_LAYOUT_H_
#define FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_LAYOUT_H_

#include <algorithm>
#include <cstdint>

namespace frontier::worker {

// batch x blocks x positions x block, row-major; channel = number of the block * block + place in
// it. A block of 1 is the plain format, one of all channels puts channels last. The last block is
// padded with zeros if the channels do not fill it.
struct ChannelLayout {
  int64_t batch = 0;
  int64_t channels = 0;
  int64_t positions = 0;  // height x width
  int64_t block = 1;
  int64_t blocks = 0;  // channels / block, rounded up

  int64_t rows() const { return batch * blocks; }
  // Channels of block `b` that are not padding.
  int64_t used(int64_t b) const { return std::min(block, channels - b * block); }
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_KERNELS_CHANNEL_LAYOUT_H_
