// A way to run a pass of a layer that is none of the library's.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_OWN_PASS_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_OWN_PASS_H_

#include <functional>
#include <string>
#include <vector>

#include "worker/engine/onednn/program.h"

namespace frontier::worker::onednn {

struct OwnPass {
  std::string name;
  bool before_library = false;  // in the order of what is expected to be faster
  // Gets the addresses of its two arguments, the result and the scratch memory.
  std::function<void(const std::vector<float*>&)> run;
  std::vector<Md> arguments;  // formats in that order
  // Makes a run with these addresses ready, so that it takes no set-up and no memory; empty = every
  // run is.
  std::function<void(const std::vector<float*>&)> prepare = nullptr;
};

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_OWN_PASS_H_
