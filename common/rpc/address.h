// "host:port", as users write it.
#ifndef FRONTIER_COMMON_RPC_ADDRESS_H_
#define FRONTIER_COMMON_RPC_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace frontier {

struct Address {
  std::string host;  // without the brackets of an IPv6 address
  uint16_t port = 0;

  // "host:port", IPv6 hosts in brackets.
  std::string ToString() const;
  // Whether only this machine can reach it.
  bool IsLoopback() const;
  // Whether it stands for all addresses of the machine that listens.
  bool IsWildcard() const;
};

// Takes "host:port" and "[ipv6]:port". INVALID_ARGUMENT names what is wrong with it.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// The same of somebody to call: nobody is at port 0.
absl::StatusOr<Address> ParsePeerAddress(absl::string_view text);

// Why nothing can listen on `address`, found by trying: ALREADY_EXISTS if it is in use,
// PERMISSION_DENIED, INVALID_ARGUMENT if it is none of this machine's. OK if something can.
absl::Status ProbeListen(const Address& address);

}  // namespace frontier

#endif  // FRONTIER_COMMON_RPC_ADDRESS_H_
