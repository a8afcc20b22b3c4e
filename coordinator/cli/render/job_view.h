// A job for people: in a list, in detail, and live.
#ifndef FRONTIER_COORDINATOR_CLI_RENDER_JOB_VIEW_H_
#define FRONTIER_COORDINATOR_CLI_RENDER_JOB_VIEW_H_

#include <string>
#include <vector>

#include "coordinator/cli/render/text.h"
#include "frontier/v1/job_service.pb.h"
#include "google/protobuf/repeated_field.h"

namespace frontier::cli {

bool HasEnded(v1::JobState state);
Tone ToneOf(v1::JobState state);

std::string RenderJobList(const Look& look,
                          const google::protobuf::RepeatedPtrField<v1::Job>& jobs);

// What it is, how far it is, what it found and cost.
std::string RenderJob(const Look& look, const v1::Job& job);

// Why its space is as it is, one line for each decision; empty for a space that was not composed.
std::string RenderComposition(const Look& look, const v1::SearchSpace& space);

// CPU time, energy and CO2 with interval and method.
std::string RenderCost(const Look& look, const v1::JobUsage& usage);

// The picture that `watch` keeps redrawing; `events` are the last ones, oldest first. No line is
// wider than the terminal.
std::string RenderWatchFrame(const Look& look, const v1::Job& job,
                             const std::vector<v1::Event>& events);

// The same as one line for logs: "5 of 14 trials, 1 failed, best accuracy 0.89 (trial 3), ...".
std::string ProgressLine(const v1::Job& job);

// "02:33:10  trial 5 succeeded on worker-1: ..."
std::string RenderEvent(const Look& look, const v1::Event& event);

// "100 trials, 2 h of time"
std::string BudgetText(const v1::Budget& budget);

// "latency_ms <= 2"
std::string ConstraintText(const v1::Constraint& constraint);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_RENDER_JOB_VIEW_H_
