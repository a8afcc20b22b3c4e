// A wire between two processes that a test cuts.
#ifndef FRONTIER_TESTS_SUPPORT_CUTTING_PROXY_H_
#define FRONTIER_TESTS_SUPPORT_CUTTING_PROXY_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

namespace frontier::testing {

// Passes bytes on between those who connect to it and the address behind it. While it is cut
// nothing passes and no connection ends or comes about, as between two hosts whose switch is off;
// what was on its way arrives once it is joined again.
class CuttingProxy {
 public:
  // `behind` is host:port on this machine.
  static absl::StatusOr<std::unique_ptr<CuttingProxy>> Start(const std::string& behind);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  const std::string& address() const { return address_; }
  void Cut() { cut_ = true; }
  void Join() { cut_ = false; }

 private:
  struct Wire;
  CuttingProxy(int listener, std::string address, std::string behind);
  void Loop();
  void Accept();

  const int listener_;
  const std::string address_;
  const std::string behind_;
  std::atomic<bool> cut_ = false;
  std::atomic<bool> stopped_ = false;
  std::vector<std::unique_ptr<Wire>> wires_;  // of the thread
  std::thread thread_;
};

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_CUTTING_PROXY_H_
