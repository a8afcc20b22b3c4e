#include "common/rpc/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace frontier {
namespace {

absl::Status BadAddress(absl::string_view text, absl::string_view problem) {
  return absl::InvalidArgumentError(
      absl::StrCat("address '", text.substr(0, 100), "': ", problem, "; give host:port"));
}

absl::Status TryBind(const addrinfo& candidate, const std::string& name) {
  const int fd =
      socket(candidate.ai_family, candidate.ai_socktype | SOCK_CLOEXEC, candidate.ai_protocol);
  if (fd < 0) {
    return absl::InternalError(absl::StrCat("address ", name, ": ", std::strerror(errno)));
  }
  absl::Cleanup closer = [fd] { close(fd); };
  // As servers do, so that connections of an earlier one that still linger do not count.
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd, candidate.ai_addr, candidate.ai_addrlen) == 0 && listen(fd, 1) == 0) {
    return absl::OkStatus();
  }
  switch (errno) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(
          absl::StrCat("address ", name, " is in use by another process"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(
          absl::StrCat("address ", name, " cannot be listened on: ", std::strerror(errno)));
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("address ", name, " cannot be listened on: ", std::strerror(errno)));
  }
}

}  // namespace

std::string Address::ToString() const {
  if (absl::string_view(host).find(':') == absl::string_view::npos) {
    return absl::StrCat(host, ":", port);
  }
  return absl::StrCat("[", host, "]:", port);
}

bool Address::IsLoopback() const {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  return false;
}

bool Address::IsWildcard() const {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return v4.s_addr == INADDR_ANY;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6) != 0;
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return BadAddress(text, "no port");
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != absl::string_view::npos) {
    return BadAddress(text, "an IPv6 host needs brackets");
  }
  if (host.empty()) return BadAddress(text, "no host");
  if (host.find_first_of(" \t\r\n/[]") != absl::string_view::npos) {
    return BadAddress(text, "malformed host");
  }
  int number = 0;
  if (!absl::SimpleAtoi(port, &number) || number < 0 || number > 65535 ||
      port.find_first_not_of("0123456789") != absl::string_view::npos) {
    return BadAddress(text, absl::StrCat("port '", port, "' is not within 0 and 65535"));
  }
  return Address{std::string(host), static_cast<uint16_t>(number)};
}

absl::StatusOr<Address> ParsePeerAddress(absl::string_view text) {
  absl::StatusOr<Address> address = ParseAddress(text);
  if (address.ok() && address->port == 0) return BadAddress(text, "nobody is at port 0");
  return address;
}

absl::Status ProbeListen(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* candidates = nullptr;
  const int error =
      getaddrinfo(address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &candidates);
  if (error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("host '", address.host, "' cannot be resolved: ", gai_strerror(error)));
  }
  absl::Cleanup releaser = [candidates] { freeaddrinfo(candidates); };
  absl::Status status;
  for (const addrinfo* candidate = candidates; candidate != nullptr;
       candidate = candidate->ai_next) {
    absl::Status tried = TryBind(*candidate, address.ToString());
    // One address in use says more than another that does not exist.
    if (absl::IsAlreadyExists(tried)) return tried;
    if (!tried.ok()) status = tried;
  }
  return status;
}

}  // namespace frontier
