#include "common/model_io/model_file.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/architecture/graph.h"
#include "common/base/file.h"
#include "common/base/serialize.h"
#include "common/base/status.h"
#include "common/model_io/parameters.h"

namespace frontier {
namespace {

std::string Describe(int node, absl::string_view name, const v1::Architecture& architecture) {
  const std::string& node_name = architecture.nodes(node).name();
  return absl::StrCat("tensor '", name, "' of node ", node,
                      node_name.empty() ? "" : absl::StrCat(" ('", node_name, "')"));
}

absl::Status CheckTensor(const v1::Tensor& tensor, const TensorSpec& spec,
                         const v1::Architecture& architecture) {
  const std::string what = Describe(spec.node, spec.name, architecture);
  if (tensor.node() != spec.node || tensor.name() != spec.name) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is missing: found tensor '",
                                                   tensor.name(), "' of node ", tensor.node(),
                                                   " in its place"));
  }
  const std::vector<int64_t> dimensions(tensor.dimensions().begin(), tensor.dimensions().end());
  if (dimensions != spec.dimensions) {
    return absl::InvalidArgumentError(absl::StrCat(what, " has dimensions ",
                                                   absl::StrJoin(dimensions, "x"), ", expected ",
                                                   absl::StrJoin(spec.dimensions, "x")));
  }
  const size_t bytes = static_cast<size_t>(spec.elements()) * sizeof(float);
  if (tensor.data().size() != bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " has ", tensor.data().size(), " bytes of data, expected ", bytes));
  }
  const std::vector<float> values = TensorValues(tensor);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": element ", i, " is ", values[i]));
    }
    if (spec.name == "variance" && values[i] < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": element ", i, " is negative: ", values[i]));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTensors(const v1::Model& model) {
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(model.architecture()));
  const std::vector<TensorSpec> specs = TensorSpecs(model.architecture(), costs);
  for (size_t i = 0; i < specs.size(); ++i) {
    if (i >= static_cast<size_t>(model.tensors_size())) {
      return absl::InvalidArgumentError(absl::StrCat(
          Describe(specs[i].node, specs[i].name, model.architecture()),
          " is missing: the model has ", model.tensors_size(), " tensors of ", specs.size()));
    }
    RETURN_IF_ERROR(
        CheckTensor(model.tensors(static_cast<int>(i)), specs[i], model.architecture()));
  }
  if (static_cast<size_t>(model.tensors_size()) > specs.size()) {
    const v1::Tensor& extra = model.tensors(static_cast<int>(specs.size()));
    return absl::InvalidArgumentError(absl::StrCat("tensor '", extra.name(), "' of node ",
                                                   extra.node(), " is none of the architecture's"));
  }
  return absl::OkStatus();
}

absl::Status CheckModel(const v1::Model& model) {
  RETURN_IF_ERROR(CheckTensors(model));
  const int channels = model.architecture().input().channels();
  const v1::Normalization& normalization = model.normalization();
  if (normalization.mean_size() != channels || normalization.deviation_size() != channels) {
    return absl::InvalidArgumentError(absl::StrCat(
        "normalization has ", normalization.mean_size(), " means and ",
        normalization.deviation_size(), " deviations for ", channels, " input channels"));
  }
  for (int c = 0; c < channels; ++c) {
    if (!std::isfinite(normalization.mean(c)) || !std::isfinite(normalization.deviation(c)) ||
        normalization.deviation(c) <= 0) {
      return absl::InvalidArgumentError(absl::StrCat("normalization of channel ", c, " has mean ",
                                                     normalization.mean(c), " and deviation ",
                                                     normalization.deviation(c)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SerializeModel(const v1::Model& model) {
  RETURN_IF_ERROR(CheckModel(model));
  return SerializeDeterministically(model, "the model");
}

absl::StatusOr<v1::Model> ParseModel(absl::string_view bytes, absl::string_view name) {
  v1::Model model;
  if (bytes.size() > INT32_MAX ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(absl::StrCat("'", name, "' is no model file"));
  }
  const absl::Status checked = CheckModel(model);
  if (!checked.ok()) {
    return absl::Status(checked.code(), absl::StrCat("'", name, "': ", checked.message()));
  }
  return model;
}

absl::Status WriteModel(const std::string& path, const v1::Model& model) {
  ASSIGN_OR_RETURN(const std::string bytes, SerializeModel(model));
  return WriteFileAtomically(path, bytes);
}

absl::StatusOr<v1::Model> ReadModel(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  return ParseModel(bytes, path);
}

}  // namespace frontier
