#include "worker/engine/kernels/channel_slice.h"

#include <algorithm>

#include "worker/engine/kernels/parallel_rows.h"

namespace frontier::worker {
namespace {

// A row for each run.
ChannelLayout Runs(const ChannelRange& range) {
  ChannelLayout layout;
  layout.batch = range.runs;
  layout.channels = layout.block = layout.blocks = 1;
  layout.positions = range.channels * range.length;
  return layout;
}

}  // namespace

void SliceChannels(const ChannelRange& range, const float* x, float* out) {
  const int64_t whole = range.channels * range.length, part = range.count * range.length;
  const int64_t offset = range.first * range.length;
  ParallelRows(Runs(range), [=](int64_t begin, int64_t end) {
    for (int64_t run = begin; run < end; ++run) {
      std::copy_n(x + run * whole + offset, part, out + run * part);
    }
  });
}

void SliceChannelsBackward(const ChannelRange& range, const float* dy, float* dx) {
  const int64_t whole = range.channels * range.length, part = range.count * range.length;
  const int64_t offset = range.first * range.length;
  ParallelRows(Runs(range), [=](int64_t begin, int64_t end) {
    for (int64_t run = begin; run < end; ++run) {
      float* to = dx + run * whole;
      std::fill_n(to, offset, 0.0f);
      std::copy_n(dy + run * part, part, to + offset);
      std::fill_n(to + offset + part, whole - offset - part, 0.0f);
    }
  });
}

}  // namespace frontier::worker
