#include "worker/trial/memory_reserve.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace frontier::worker {
namespace {

// Handlers of `new` take no argument, so this cannot be a member.
std::atomic<void*> reserve{nullptr};

void GiveBack() {
  std::free(reserve.exchange(nullptr));
  throw std::bad_alloc();
}

}  // namespace

MemoryReserve::MemoryReserve(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory != nullptr) std::memset(memory, 1, bytes);  // pages that are really there
  std::free(reserve.exchange(memory));
  previous_ = std::set_new_handler(GiveBack);
}

MemoryReserve::~MemoryReserve() {
  std::set_new_handler(previous_);
  std::free(reserve.exchange(nullptr));
}

}  // namespace frontier::worker
