#include "tests/support/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace frontier::testing {
namespace {

constexpr int kPollMs = 10;  // how soon a cut is noticed
constexpr size_t kBuffer = 64 << 10;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Connect(const std::string& behind) {
  uint32_t port = 0;
  if (!absl::SimpleAtoi(behind.substr(behind.rfind(':') + 1), &port)) return -1;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(static_cast<uint16_t>(port));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

bool SendAll(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

// One connection: its two sockets.
struct CuttingProxy::Wire {
  ~Wire() {
    for (const int fd : ends) close(fd);
  }
  int ends[2] = {-1, -1};
  bool broken = false;
};

absl::StatusOr<std::unique_ptr<CuttingProxy>> CuttingProxy::Start(const std::string& behind) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, SOMAXCONN) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    const std::string why = std::strerror(errno);
    close(listener);
    return absl::InternalError(absl::StrCat("a proxy cannot listen: ", why));
  }
  return absl::WrapUnique(
      new CuttingProxy(listener, absl::StrCat("127.0.0.1:", ntohs(address.sin_port)), behind));
}

CuttingProxy::CuttingProxy(int listener, std::string address, std::string behind)
    : listener_(listener), address_(std::move(address)), behind_(std::move(behind)) {
  thread_ = std::thread([this] { Loop(); });
}

CuttingProxy::~CuttingProxy() {
  stopped_ = true;
  thread_.join();
  close(listener_);
}

void CuttingProxy::Accept() {
  auto wire = std::make_unique<Wire>();
  wire->ends[0] = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  wire->ends[1] = Connect(behind_);
  // Nobody listens behind: the connection ends, as it would without the proxy.
  if (wire->ends[0] >= 0 && wire->ends[1] >= 0) wires_.push_back(std::move(wire));
}

void CuttingProxy::Loop() {
  std::vector<char> buffer(kBuffer);
  while (!stopped_) {
    if (cut_) {
      poll(nullptr, 0, kPollMs);
      continue;
    }
    std::vector<pollfd> items = {{listener_, POLLIN, 0}};
    for (const auto& wire : wires_) {
      for (const int fd : wire->ends) items.push_back({fd, POLLIN, 0});
    }
    if (poll(items.data(), items.size(), kPollMs) <= 0 || cut_) continue;
    for (size_t i = 0; i < wires_.size(); ++i) {
      for (size_t end = 0; end < 2; ++end) {
        if (items[1 + 2 * i + end].revents == 0) continue;
        const ssize_t got = recv(wires_[i]->ends[end], buffer.data(), buffer.size(), 0);
        const bool passed =
            got > 0 && SendAll(wires_[i]->ends[1 - end], buffer.data(), static_cast<size_t>(got));
        wires_[i]->broken |= !passed;
      }
    }
    if ((items[0].revents & POLLIN) != 0) Accept();
    wires_.erase(
        std::remove_if(wires_.begin(), wires_.end(), [](const auto& wire) { return wire->broken; }),
        wires_.end());
  }
}

}  // namespace frontier::testing
