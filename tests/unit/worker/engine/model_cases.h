// Models and comparisons for tests of the engine.
#ifndef FRONTIER_TESTS_UNIT_WORKER_ENGINE_MODEL_CASES_H_
#define FRONTIER_TESTS_UNIT_WORKER_ENGINE_MODEL_CASES_H_

#include <cstdint>
#include <vector>

#include "common/base/random.h"
#include "common/model_io/parameters.h"
#include "frontier/v1/model.pb.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker {

// Initial weights with scales, shifts, biases and statistics that are not 0 and 1.
inline v1::Model RandomModel(const v1::Architecture& architecture, uint64_t seed) {
  v1::Model model = InitialModel(architecture, seed).value();
  Rng rng(seed, 1000);
  for (v1::Tensor& tensor : *model.mutable_tensors()) {
    if (tensor.name() == "weight") continue;
    std::vector<float> values = TensorValues(tensor);
    for (float& v : values) {
      v = tensor.name() == "variance" || tensor.name() == "scale"
              ? static_cast<float>(0.5 + rng.UniformDouble())
              : static_cast<float>(0.3 * rng.Normal());
    }
    SetTensorValues(values, &tensor);
  }
  return model;
}

// Mostly one: on a machine with other work, threads that wait for each other are slow.
inline int Threads(uint64_t seed) { return seed % 4 == 0 ? 2 : 1; }

}  // namespace frontier::worker

#endif  // FRONTIER_TESTS_UNIT_WORKER_ENGINE_MODEL_CASES_H_
