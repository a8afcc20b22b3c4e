// Workers for people.
#ifndef FRONTIER_COORDINATOR_CLI_RENDER_WORKER_VIEW_H_
#define FRONTIER_COORDINATOR_CLI_RENDER_WORKER_VIEW_H_

#include <string>

#include "absl/time/time.h"
#include "coordinator/cli/render/text.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier::cli {

// `now` for "seen 12 s ago".
std::string RenderWorkers(const Look& look, const v1::ListWorkersResponse& response,
                          absl::Time now);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_RENDER_WORKER_VIEW_H_
