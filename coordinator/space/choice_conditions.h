// Conditions as users write them, by names, to conditions on decisions.
#ifndef FRONTIER_COORDINATOR_SPACE_CHOICE_CONDITIONS_H_
#define FRONTIER_COORDINATOR_SPACE_CHOICE_CONDITIONS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace frontier::coordinator {

// `what` people call a decision ("choice"); its name is `prefix` and what the condition says. An
// option is meant by its text, or by another text of the same number ("0.10" for "0.1").
// INVALID_ARGUMENT (reason INVALID_FIELD, path such as "only_if[0].options[1]" for `field`
// "only_if") for a name that is none of `earlier`, for no options, and for one it does not have.
absl::StatusOr<std::vector<Condition>> ResolveConditions(
    const google::protobuf::RepeatedPtrField<v1::ChoiceCondition>& conditions,
    const std::vector<Decision>& earlier, absl::string_view field, absl::string_view prefix,
    absl::string_view what);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_CHOICE_CONDITIONS_H_
