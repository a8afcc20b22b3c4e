// A whole network as plain loops in double.
#ifndef FRONTIER_WORKER_ENGINE_REFERENCE_NETWORK_H_
#define FRONTIER_WORKER_ENGINE_REFERENCE_NETWORK_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "frontier/v1/model.pb.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/kernels/optimizer.h"
#include "worker/engine/reference/layers.h"

namespace frontier::worker::reference {

class Network {
 public:
  // Weights and statistics as in `model`. INVALID_ARGUMENT as CheckTensors.
  static absl::StatusOr<Network> Create(const v1::Model& model);

  // Logits (batch x classes) with running statistics.
  std::vector<double> Infer(const std::vector<double>& images, int batch) const;

  // Mean loss with batch statistics and the dropout masks of the next step, changing nothing.
  double Loss(const std::vector<double>& images, const std::vector<uint8_t>& labels) const;

  // Gradients of Loss by each trained tensor, by (node, name).
  using Tensors = std::map<std::pair<int, std::string>, Vector>;
  Tensors Gradients(const std::vector<double>& images, const std::vector<uint8_t>& labels) const;

  // One training step as TrainingPlan::Step; returns the mean loss.
  double Step(const std::vector<double>& images, const std::vector<uint8_t>& labels,
              const OptimizerSettings& settings);
  double Step(const std::vector<double>& images, const Wanted& wanted,
              const OptimizerSettings& settings);

  // Moving averages of all tensors; empty before the first step.
  const Tensors& averages() const { return averages_; }

  // Masks of dropout, as TrainingPlan::SeedDropout.
  void SeedDropout(uint64_t seed, int64_t step) {
    dropout_seed_ = seed;
    step_ = step;
  }

  const Tensors& tensors() const { return tensors_; }
  Vector* tensor(int node, const std::string& name) { return &tensors_.at({node, name}); }

 private:
  // What a pass leaves behind, by node.
  struct Pass {
    std::vector<Tensor> values;
    std::vector<Vector> means, variances;
  };

  explicit Network(GraphView view) : view_(std::move(view)) {}
  Pass Forward(const std::vector<double>& images, int batch, bool training) const;
  Tensors Backward(const Pass& pass, const Tensor& dlogits) const;
  const Vector& get(int node, const std::string& name) const;
  DropoutMask Mask(int node) const;

  GraphView view_;
  Tensors tensors_;
  void Optimize(Tensors gradients, const OptimizerSettings& settings);

  Tensors velocities_;
  Tensors second_moments_;
  Tensors averages_;
  int64_t steps_ = 0;
  uint64_t dropout_seed_ = 0;
  int64_t step_ = 0;
};

}  // namespace frontier::worker::reference

#endif  // FRONTIER_WORKER_ENGINE_REFERENCE_NETWORK_H_
