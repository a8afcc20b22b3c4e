// Builds architectures node by node.
#ifndef FRONTIER_COMMON_ARCHITECTURE_BUILDER_H_
#define FRONTIER_COMMON_ARCHITECTURE_BUILDER_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "frontier/v1/architecture.pb.h"

namespace frontier {

// A square convolution without bias and dilation, padded by (kernel - 1) / 2: with an odd kernel
// and stride 1 it keeps height and width. `groups` 0 = depthwise, one group for each output
// channel.
v1::Convolution SquareConvolution(int out_channels, int kernel, int stride = 1, int groups = 1);

// A square pool, padded likewise.
v1::Pool SquarePool(int kernel, int stride);

// Each method adds a node and returns its index. The first mistake is kept and told by Build();
// from then on nothing is added and indices are 0. Not thread-safe.
class ArchitectureBuilder {
 public:
  ArchitectureBuilder(const v1::Shape& input, int classes);

  int classes() const { return architecture_.classes(); }
  // Index of the input node.
  int input() const { return 0; }
  // Output of `node`, per sample; empty after a mistake.
  const v1::Shape& shape(int node) const;

  int Convolution(absl::string_view name, int input, const v1::Convolution& attributes);
  int BatchNorm(absl::string_view name, int input);
  int Relu(absl::string_view name, int input);
  int Relu6(absl::string_view name, int input);
  int LeakyRelu(absl::string_view name, int input, float slope);
  int Sigmoid(absl::string_view name, int input);
  int Silu(absl::string_view name, int input);
  int HardSwish(absl::string_view name, int input);
  int HardSigmoid(absl::string_view name, int input);
  int Gelu(absl::string_view name, int input);
  int MaxPool(absl::string_view name, int input, const v1::Pool& attributes);
  int AveragePool(absl::string_view name, int input, const v1::Pool& attributes);
  int GlobalAveragePool(absl::string_view name, int input);
  int Add(absl::string_view name, absl::Span<const int> inputs);
  int Concat(absl::string_view name, absl::Span<const int> inputs);
  // Of one shape, or one of C x 1 x 1 (a gate) with one of C x H x W.
  int Multiply(absl::string_view name, int input, int other);
  int ChannelShuffle(absl::string_view name, int input, int groups);
  int ChannelSlice(absl::string_view name, int input, int first, int channels);
  int Dropout(absl::string_view name, int input, float rate);
  int Identity(absl::string_view name, int input);
  // Zeros of the shape of `input`.
  int Zero(absl::string_view name, int input);
  int Linear(absl::string_view name, int input, int out_features, bool bias = true);

  // Convolution `name` with a bias, then "name.relu".
  int ConvolutionRelu(absl::string_view name, int input, v1::Convolution attributes);
  // Convolution `name`, then "name.norm", and for the second "name.relu".
  int ConvolutionNorm(absl::string_view name, int input, const v1::Convolution& attributes);
  int ConvolutionNormRelu(absl::string_view name, int input, const v1::Convolution& attributes);
  // "pool" and "classifier": global average pooling and a linear layer to the classes.
  int Classifier(int input);

  // The architecture, valid by AnalyzeGraph; the last node added is its output. INVALID_ARGUMENT as
  // AnalyzeGraph. May be called more than once.
  absl::StatusOr<v1::Architecture> Build() const;

 private:
  v1::Node* NewNode(absl::string_view name, v1::Operator op, absl::Span<const int> inputs);
  int Finish();
  int AddPlain(absl::string_view name, v1::Operator op, absl::Span<const int> inputs);

  v1::Architecture architecture_;
  std::vector<v1::Shape> shapes_;  // of the nodes
  absl::Status status_;
};

}  // namespace frontier

#endif  // FRONTIER_COMMON_ARCHITECTURE_BUILDER_H_
