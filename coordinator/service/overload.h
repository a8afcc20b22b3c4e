// What callers are told when there is too much to do.
#ifndef FRONTIER_COORDINATOR_SERVICE_OVERLOAD_H_
#define FRONTIER_COORDINATOR_SERVICE_OVERLOAD_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace frontier::coordinator {

// RESOURCE_EXHAUSTED, reason OVERLOADED, with when to come back.
absl::Status Overloaded(absl::string_view what);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_OVERLOAD_H_
