// Which implementation does a pass of a layer.
#ifndef FRONTIER_WORKER_ENGINE_PICKS_H_
#define FRONTIER_WORKER_ENGINE_PICKS_H_

#include <map>
#include <string>

namespace frontier::worker {

// From the pass and all that its speed depends on (shapes, precision, threads) to the name of an
// implementation: "forward mixed 1 thread 128x16x28x28 16x16x3x3 s1x1 p1x1" -> "row_winograd".
using Picks = std::map<std::string, std::string>;

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_PICKS_H_
