// Trials and fronts for people.
#ifndef FRONTIER_COORDINATOR_CLI_RENDER_TRIAL_VIEW_H_
#define FRONTIER_COORDINATOR_CLI_RENDER_TRIAL_VIEW_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "coordinator/cli/render/text.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/trial.pb.h"
#include "google/protobuf/repeated_field.h"

namespace frontier::cli {

using Trials = google::protobuf::RepeatedPtrField<v1::Trial>;

// One line a trial.
std::string RenderTrialList(const Look& look, const Trials& trials);

// The front with its figures; columns are the job's objectives first.
std::string RenderFront(const Look& look, const v1::Job& job, const Trials& front);

// The front among `others` (its own members may be in there), by the first two objectives; against
// the trial's number if there is one objective. Empty if there is nothing to show.
std::string RenderFrontPlot(const Look& look, const v1::Job& job, const Trials& front,
                            const Trials& others);

// All there is to know about one trial.
std::string RenderTrial(const Look& look, const v1::Trial& trial);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_RENDER_TRIAL_VIEW_H_
