// Sizes both sides of a connection agree on.
#ifndef FRONTIER_COMMON_RPC_LIMITS_H_
#define FRONTIER_COMMON_RPC_LIMITS_H_

namespace frontier {

// Of one message. Larger data is streamed in chunks.
inline constexpr int kMaxMessageBytes = 16 << 20;

// Of one piece of streamed data.
inline constexpr int kMaxChunkBytes = 1 << 20;

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_LIMITS_H_
