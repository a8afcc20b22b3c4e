#include "coordinator/space/nasbench201_space.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/space/encoded_space.h"
#include "coordinator/space/encoding.h"
#include "coordinator/space/samples.h"

namespace frontier::coordinator {
namespace {

constexpr int kMaxChannels = 4096;
constexpr int kMaxCellsPerStage = 64;

absl::Status CheckSpec(const v1::NasBench201Space& spec) {
  if (spec.channels() < 0 || spec.channels() > kMaxChannels) {
    return InvalidField(
        "channels", absl::StrCat("is ", spec.channels(), ", must be 0 (= 16) to ", kMaxChannels));
  }
  if (spec.cells_per_stage() < 0 || spec.cells_per_stage() > kMaxCellsPerStage) {
    return InvalidField(
        "cells_per_stage",
        absl::StrCat("is ", spec.cells_per_stage(), ", must be 0 (= 5) to ", kMaxCellsPerStage));
  }
  for (int i = 0; i < spec.operations_size(); ++i) {
    const std::string item = absl::StrCat("operations[", i, "]");
    const v1::CellOperation operation = spec.operations(i);
    if (CellOperationName(operation).empty()) {
      return InvalidField(item, absl::StrCat("unknown operation ", static_cast<int>(operation)));
    }
    for (int k = 0; k < i; ++k) {
      if (spec.operations(k) == operation) {
        return InvalidField(item, absl::StrCat(CellOperationName(operation), " is listed twice"));
      }
    }
  }
  return absl::OkStatus();
}

std::vector<v1::CellOperation> Operations(const v1::NasBench201Space& spec) {
  std::vector<v1::CellOperation> operations;
  for (const int operation : spec.operations()) {
    operations.push_back(static_cast<v1::CellOperation>(operation));
  }
  if (operations.empty()) {
    for (int i = v1::CellOperation_MIN + 1; i <= v1::CellOperation_MAX; ++i) {
      operations.push_back(static_cast<v1::CellOperation>(i));
    }
  }
  return operations;
}

std::vector<Decision> ListDecisions(const std::vector<v1::CellOperation>& operations) {
  std::vector<std::string> options;
  for (const v1::CellOperation operation : operations) {
    options.emplace_back(CellOperationName(operation));
  }
  std::vector<Decision> decisions;
  for (const CellEdge& edge : kNasBench201Edges) {
    decisions.push_back({absl::StrCat("edge", edge.from, "-", edge.to), options});
  }
  return decisions;
}

class NasBench201Space final : public EncodedSpace {
 public:
  NasBench201Space(std::vector<v1::CellOperation> operations, NasBench201Networks networks)
      : EncodedSpace(Encoding(ListDecisions(operations))),
        operations_(std::move(operations)),
        networks_(std::move(networks)) {}

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding().Check(genotype));
    return networks_.Lower(Cell(genotype));
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding().Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    return FormatNasBench201Cell(Cell(genotype));
  }

 private:
  NasBench201Cell Cell(const v1::Genotype& genotype) const {
    NasBench201Cell cell{};
    for (size_t i = 0; i < cell.size(); ++i) {
      cell[i] = operations_[genotype.options(static_cast<int>(i))];
    }
    return cell;
  }

  const std::vector<v1::CellOperation> operations_;
  const NasBench201Networks networks_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Space>> CreateNasBench201Space(const v1::NasBench201Space& spec,
                                                              const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  RETURN_IF_ERROR(CheckSpec(spec));
  NasBench201Skeleton skeleton;
  if (spec.channels() > 0) skeleton.channels = spec.channels();
  if (spec.cells_per_stage() > 0) skeleton.cells_per_stage = spec.cells_per_stage();
  absl::StatusOr<NasBench201Networks> networks =
      NasBench201Networks::Create(skeleton, input, classes);
  if (!networks.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("search space: ", networks.status().message()));
  }
  return std::make_unique<NasBench201Space>(Operations(spec), *std::move(networks));
}

}  // namespace frontier::coordinator
