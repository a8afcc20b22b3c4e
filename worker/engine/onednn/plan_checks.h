// What both kinds of plan check of their arguments.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_PLAN_CHECKS_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_PLAN_CHECKS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/training_plan.h"

namespace frontier::worker::onednn {

// INVALID_ARGUMENT for batch or threads out of range, more classes than labels can name, and
// arrays of more elements than the library counts.
absl::Status CheckPlan(const GraphView& view, int batch, const PlanOptions& options);

// Whether the CPU computes bf16 products: AVX512-BF16 or AMX.
bool HasBf16();

// INVALID_ARGUMENT if `got` is not `wanted`: "images: 5 values, expected 784".
absl::Status CheckSize(absl::string_view what, size_t got, int64_t wanted);

// INVALID_ARGUMENT if `model` has another architecture or does not pass CheckTensors.
absl::Status CheckFits(const v1::Model& model, const GraphView& view);

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_PLAN_CHECKS_H_
