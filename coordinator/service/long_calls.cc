#include "coordinator/service/long_calls.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/service/overload.h"

namespace frontier::coordinator {

LongCalls::LongCalls(int threads, size_t waiting) : most_waiting_(waiting) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      pthread_setname_np(pthread_self(), "long calls");
      Work();
    });
  }
}

LongCalls::~LongCalls() {
  {
    MutexLock lock(&mutex_);
    ends_ = true;
  }
  changed_.SignalAll();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status LongCalls::Run(std::function<void()> call) {
  MutexLock lock(&mutex_);
  if (waiting_.size() >= most_waiting_) {
    return Overloaded(absl::StrCat(waiting_.size(), " calls that take long wait for others"));
  }
  waiting_.push_back(std::move(call));
  changed_.Signal();
  return absl::OkStatus();
}

void LongCalls::Work() {
  while (true) {
    std::function<void()> call;
    {
      MutexLock lock(&mutex_);
      while (waiting_.empty() && !ends_) changed_.Wait(&mutex_);
      if (waiting_.empty()) return;
      call = std::move(waiting_.front());
      waiting_.pop_front();
    }
    call();
  }
}

}  // namespace frontier::coordinator
