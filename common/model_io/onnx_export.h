// Trained networks for other programs.
#ifndef FRONTIER_COMMON_MODEL_IO_ONNX_EXPORT_H_
#define FRONTIER_COMMON_MODEL_IO_ONNX_EXPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "frontier/v1/model.pb.h"

namespace frontier {

// What the exported graph takes as its input.
enum class OnnxInput {
  kPixels,      // bytes / 255, so 0 to 1; the graph begins with (x - mean) / deviation
  kNormalized,  // what that gives
};

// The bytes of an ONNX file (operator set 13, IR version 7) that computes what `model` does at
// inference: batch norm by its running statistics, epsilon 1e-5. f32.
//   input   "input", N x C x H x W, as `input` says; N is any number
//   output  "logits", N x classes, before softmax
// Nodes are named as in the architecture ("node7" for one without a name); those that do not reach
// the output are left out and identities folded. The file's metadata: dataset, classes,
// frontier_version, input ("pixels/255" or "normalized"), mean and deviation (one number a channel,
// with commas). Equal models give equal bytes.
//
// Errors as CheckModel; UNIMPLEMENTED names a node whose operator has no form in ONNX;
// RESOURCE_EXHAUSTED for more than the 2 GiB that such a file can hold.
absl::StatusOr<std::string> ExportOnnx(const v1::Model& model, OnnxInput input);

}  // namespace frontier

#endif  // FRONTIER_COMMON_MODEL_IO_ONNX_EXPORT_H_
