// The command line client as a function of its arguments and its surroundings.
#ifndef FRONTIER_COORDINATOR_CLI_APP_H_
#define FRONTIER_COORDINATOR_CLI_APP_H_

#include <string>
#include <vector>

#include "coordinator/cli/session.h"

namespace frontier::cli {

// `arguments` without the program's name. The exit code; all else goes to the streams.
int RunFrontier(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_APP_H_
