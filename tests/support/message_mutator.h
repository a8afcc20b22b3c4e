// Damages protobuf messages at random, for fuzz tests.
#ifndef FRONTIER_TESTS_SUPPORT_MESSAGE_MUTATOR_H_
#define FRONTIER_TESTS_SUPPORT_MESSAGE_MUTATOR_H_

#include <google/protobuf/message.h>

#include "common/base/random.h"

namespace frontier::testing {

// Changes one field somewhere in `message`: numbers to hostile values (0, negative, largest, not
// finite), enums to unknown ones, strings to empty or long; repeated fields lose, double, swap or
// gain elements; messages are cleared.
void MutateMessage(google::protobuf::Message* message, Rng* rng);

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_MESSAGE_MUTATOR_H_
