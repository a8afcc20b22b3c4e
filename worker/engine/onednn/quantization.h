// Post-training quantization: number formats of activations from a run on calibration images.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_QUANTIZATION_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_QUANTIZATION_H_

#include <dnnl.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "frontier/v1/model.pb.h"
#include "worker/engine/graph_view.h"
#include "worker/engine/kernels/number_format.h"

namespace frontier::worker::onednn {

dnnl::memory::data_type DataType(NumberType type);

// Largest stored weight of a quantized layer. Where the CPU adds pairs of products of bytes in 16
// bits, which saturate, weights have one bit less.
float WeightLimit();

// kU8 for values that are never negative, kS8 for others; the scale maps `limit` to the largest
// number.
NumberFormat QuantizedFormat(float limit, bool negative);

// Quantized formats of the values of all nodes, from an f32 run over `images` (any number of
// samples). The input and output of a pool or a channel shuffle, and those of a concat, have one
// format, so that these layers only move numbers. INVALID_ARGUMENT for no images, a part of one or
// values that are not finite; OUT_OF_RANGE if an activation is not finite.
absl::StatusOr<std::vector<NumberFormat>> MeasureFormats(const GraphView& view,
                                                         const v1::Model& model,
                                                         absl::Span<const float> images,
                                                         int threads);

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_QUANTIZATION_H_
