// The data a space makes networks for.
#ifndef FRONTIER_COORDINATOR_SPACE_SAMPLES_H_
#define FRONTIER_COORDINATOR_SPACE_SAMPLES_H_

#include "absl/status/status.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT unless samples have at least one channel and pixel, and there is a class.
absl::Status CheckDataShape(const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_SAMPLES_H_
