// Weights that a compressed network takes over from its parent.
#ifndef FRONTIER_COMMON_MODEL_IO_INHERIT_H_
#define FRONTIER_COMMON_MODEL_IO_INHERIT_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/architecture/compression.h"
#include "frontier/v1/compression.pb.h"
#include "frontier/v1/model.pb.h"

namespace frontier {

// How much each unit of `compressor.channels()` counts for, at least 0: the sum over the
// convolutions and linear layers that make it of the Euclidean norms of its filters, times the sum
// over those that read it of the norms of their weights for it. A batch norm behind a filter is
// part of it. Each layer's norms count relative to their mean. (Norms: Li et al. 2017, "Pruning
// Filters for Efficient ConvNets"; over all that is cut with a unit: Fang et al. 2023, "DepGraph",
// section 3.3.) `parent` has the compressor's architecture and passes CheckTensors.
std::vector<double> UnitImportance(const Compressor& compressor, const v1::Model& parent);

// The child of `parent` by `compression`, with its weights:
//   - of each group the units that count most stay, ties by their order; filters, norms and their
//     statistics lose the others;
//   - kernels are cropped around their centres;
//   - a convolution that becomes two gets factors of its kernel: for k x 1 and 1 x k of the matrix
//     (inputs, rows) x (outputs, columns) (Jaderberg et al. 2014, "Speeding up Convolutional Neural
//     Networks with Low Rank Expansions", scheme 2), for k x k and 1 x 1 of (outputs) x (inputs,
//     rows, columns) (Zhang et al. 2016, "Accelerating Very Deep Convolutional Networks", section
//     2.1), for a depthwise and a 1 x 1 one, input by input, of (outputs) x (rows, columns), rank
//     1. See low_rank.h.
// Normalization and data set are the parent's. Depends on the arguments alone. Errors of
// CheckTensors and Compressor::Compress.
absl::StatusOr<v1::Model> InheritModel(const v1::Model& parent, const v1::Compression& compression);

}  // namespace frontier

#endif  // FRONTIER_COMMON_MODEL_IO_INHERIT_H_
