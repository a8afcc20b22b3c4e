// Ids by which a repeated request is known.
#ifndef FRONTIER_COMMON_RPC_REQUEST_ID_H_
#define FRONTIER_COMMON_RPC_REQUEST_ID_H_

#include <string>

namespace frontier {

// 128 bits from the operating system's random source, as 32 hex digits. Thread-safe.
std::string NewRequestId();

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_REQUEST_ID_H_
