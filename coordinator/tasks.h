// What frontier-coordinator does beside serving.
#ifndef FRONTIER_COORDINATOR_TASKS_H_
#define FRONTIER_COORDINATOR_TASKS_H_

#include "coordinator/flags.h"

namespace frontier::coordinator {

// Does `flags.task` with the data folder and says on standard output what came of it.
ExitCode RunTask(const Flags& flags);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_TASKS_H_
