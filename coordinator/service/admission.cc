#include "coordinator/service/admission.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace frontier::coordinator {

absl::Status Admission::Check() const {
  const int64_t backlog = dispatcher_->backlog();
  if (backlog <= limits_.backlog) return absl::OkStatus();
  return Overloaded(absl::StrCat(backlog, " changes wait for the disk"));
}

absl::StatusOr<std::unique_ptr<Admission::Transfer>> Admission::BeginTransfer(
    grpc::CallbackServerContext* context) {
  auto guard = std::make_shared<StreamGuard>(context);
  {
    MutexLock lock(&mutex_);
    if (transfers_.size() >= limits_.transfers) {
      return Overloaded(absl::StrCat(limits_.transfers, " models are on their way"));
    }
    transfers_.insert(guard);
  }
  return std::make_unique<Transfer>(this, std::move(guard));
}

void Admission::EndTransfer(const std::shared_ptr<StreamGuard>& guard) {
  MutexLock lock(&mutex_);
  transfers_.erase(guard);
}

void Admission::DropSlow() {
  const absl::Duration deadline = clock_->Elapsed() - limits_.slow_transfer;
  std::vector<std::shared_ptr<StreamGuard>> transfers;
  {
    MutexLock lock(&mutex_);
    transfers.assign(transfers_.begin(), transfers_.end());
  }
  for (const std::shared_ptr<StreamGuard>& transfer : transfers) transfer->CancelIfSlow(deadline);
}

}  // namespace frontier::coordinator
