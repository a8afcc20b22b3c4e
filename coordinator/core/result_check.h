// Whether what workers report can be believed.
#ifndef FRONTIER_COORDINATOR_CORE_RESULT_CHECK_H_
#define FRONTIER_COORDINATOR_CORE_RESULT_CHECK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coordinator/core/legs.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"
#include "frontier/v1/worker_service.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace frontier::coordinator {

// A message that breaks the protocol, whatever the trial: no outcome, an unknown metric or cause, a
// metric twice, a digest that is none. INVALID_ARGUMENT (reason INVALID_FIELD).
absl::Status ValidateReport(const v1::ReportRequest& request);
absl::Status ValidateUsage(const google::protobuf::RepeatedPtrField<v1::Measurement>& usage);

// Why a result counts as a failed attempt, or nothing: a metric of an objective or constraint that
// is missing (internal), not finite (diverged) or out of its range (internal), more epochs than the
// `epochs` of its recipe, others than those of a leg that ends in a pause, or an early stop by a
// rule that the job does not have, epochs that are not numbered from 1 or whose accuracy is no
// share (internal).
std::optional<v1::Failure> JudgeResult(const v1::JobSpec& spec, const Leg& leg, int epochs,
                                       const v1::TrialResult& result);

// The same of a result on other data than the job's first (dataset).
std::optional<v1::Failure> JudgeDataset(const v1::Job& job, const v1::TrialResult& result);

// What is kept of an acceptable result: without figures nobody asked for that are not finite or
// out of range. `dropped` names those.
v1::TrialResult CleanResult(const v1::TrialResult& result, std::vector<std::string>* dropped);

// The problem with one epoch of a recipe of `epochs` ("epoch 3: train_loss is nan"); empty if none.
std::string FindEpochProblem(const v1::EpochMetrics& metrics, int epochs);

// `failure` with its message cut to what is stored.
v1::Failure BoundFailure(const v1::Failure& failure);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_RESULT_CHECK_H_
