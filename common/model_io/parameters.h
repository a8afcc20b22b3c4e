// Which tensors a network has, by its architecture.
#ifndef FRONTIER_COMMON_MODEL_IO_PARAMETERS_H_
#define FRONTIER_COMMON_MODEL_IO_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/architecture/graph.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/model.pb.h"

namespace frontier {

struct TensorSpec {
  int node = 0;
  std::string name;                 // as in v1::Tensor
  std::vector<int64_t> dimensions;  // row-major
  bool trained = false;             // false for the statistics of a batch norm
  int64_t elements() const;
};

// All tensors of `architecture`, by node, then by name. `costs` is AnalyzeGraph(architecture).
std::vector<TensorSpec> TensorSpecs(const v1::Architecture& architecture, const GraphCosts& costs);

// The values of a tensor, or their replacement. Bytes are little-endian on every machine.
std::vector<float> TensorValues(const v1::Tensor& tensor);
void SetTensorValues(absl::Span<const float> values, v1::Tensor* tensor);

}  // namespace frontier

#endif  // FRONTIER_COMMON_MODEL_IO_PARAMETERS_H_
