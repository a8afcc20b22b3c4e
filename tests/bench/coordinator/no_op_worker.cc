#include "tests/bench/coordinator/no_op_worker.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::bench {

NoOpWorker::NoOpWorker(const std::string& coordinator, int number, Clock* clock)
    : client_(NewWorkerClient(coordinator)), clock_(clock), maker_(number) {}

absl::Status NoOpWorker::Register() { return client_->Register(maker_.Registration()).status(); }

absl::StatusOr<bool> NoOpWorker::TakeLease(absl::Duration patience) {
  if (lease_.has_value()) return true;
  if (!asking_.has_value()) {
    asking_ = maker_.Lease();
    asking_->set_wait_ms(absl::ToInt64Milliseconds(patience));
  }
  ASSIGN_OR_RETURN(const v1::LeaseResponse leased, client_->Lease(*asking_));
  asking_.reset();
  if (leased.has_lease()) lease_ = leased.lease();
  return leased.has_lease();
}

absl::StatusOr<bool> NoOpWorker::RunTrial(absl::Duration patience, Times* times) {
  const absl::Duration began = clock_->Elapsed();
  ASSIGN_OR_RETURN(const bool leased, TakeLease(patience));
  if (!leased) return false;
  const absl::Duration granted = clock_->Elapsed();
  if (!reporting_.has_value()) reporting_ = maker_.Report(*lease_);
  ASSIGN_OR_RETURN(const v1::ReportResponse reported, client_->Report(*reporting_));
  reporting_.reset();
  if (reported.trial_state() != v1::TRIAL_STATE_SUCCEEDED) {
    return absl::InternalError(absl::StrCat("trial ", lease_->task().key().trial(), " is in state ",
                                            reported.trial_state(), " after its report"));
  }
  lease_.reset();
  if (reported.has_next()) lease_ = reported.next();
  times->lease = granted - began;
  times->report = clock_->Elapsed() - granted;
  return true;
}

}  // namespace frontier::bench
