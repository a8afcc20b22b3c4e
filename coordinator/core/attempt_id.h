// The coordinates of an attempt, as strong ids.
#ifndef FRONTIER_COORDINATOR_CORE_ATTEMPT_ID_H_
#define FRONTIER_COORDINATOR_CORE_ATTEMPT_ID_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/strong_id.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::coordinator {

struct AttemptId {
  JobId job;
  TrialNumber trial;
  int32_t attempt = 0;  // within the trial, from 1

  static AttemptId FromKey(const v1::AttemptKey& key) {
    return {JobId(key.job_id()), TrialNumber(key.trial()), key.attempt()};
  }

  v1::AttemptKey ToKey() const {
    v1::AttemptKey key;
    key.set_job_id(job.value());
    key.set_trial(trial.value());
    key.set_attempt(attempt);
    return key;
  }

  // "job 1 trial 17 attempt 2"
  std::string ToString() const {
    return absl::StrCat(job.ToString(), " ", trial.ToString(), " attempt ", attempt);
  }

  auto operator<=>(const AttemptId&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const AttemptId& id) {
    return H::combine(std::move(h), id.job, id.trial, id.attempt);
  }
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_ATTEMPT_ID_H_
