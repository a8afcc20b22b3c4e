// The data a space makes networks for.
#ifndef FRONTIER_COORDINATOR_SPACE_SAMPLES_H_
#define FRONTIER_COORDINATOR_SPACE_SAMPLES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier::coordinator {

// INVALID_ARGUMENT unless samples have at least one channel and pixel, and there is a class.
absl::Status CheckDataShape(const v1::Shape& input, int classes);

int LongerSide(const v1::Shape& input);

// Resolutions that a space lists: no value twice, each the longer side divided by a whole number
// that also fits into the shorter one. INVALID_ARGUMENT (reason INVALID_FIELD) about `field` or one
// of its items.
absl::Status CheckResolutions(absl::string_view field, absl::Span<const int32_t> resolutions,
                              const v1::Shape& input);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_SAMPLES_H_
