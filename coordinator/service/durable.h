// Answers wait for what they rest on.
#ifndef FRONTIER_COORDINATOR_SERVICE_DURABLE_H_
#define FRONTIER_COORDINATOR_SERVICE_DURABLE_H_

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "coordinator/core/dispatcher.h"

namespace frontier::coordinator {

// Calls `answer` with `status` once all that it may tell of is durable, or with why that was lost:
// a refusal may rest on a change, too. `losses` is from before the call that gave the status.
template <typename Answer>
void AnswerWhenDurable(Dispatcher* dispatcher, int64_t losses, absl::Status status, Answer answer) {
  dispatcher->WhenDurable(losses, [status = std::move(status), answer = std::move(answer)](
                                      const absl::Status& durable) mutable {
    answer(durable.ok() ? status : durable);
  });
}

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SERVICE_DURABLE_H_
