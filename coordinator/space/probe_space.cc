#include "coordinator/space/probe_space.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/architecture/graph.h"
#include "common/base/status.h"
#include "coordinator/space/choices.h"
#include "coordinator/space/encoded_space.h"
#include "coordinator/space/encoding.h"
#include "coordinator/space/samples.h"

namespace frontier::coordinator {
namespace {

using Architectures = google::protobuf::RepeatedPtrField<v1::Architecture>;

class ProbeSpace final : public EncodedSpace {
 public:
  ProbeSpace(Encoding encoding, Architectures probes)
      : EncodedSpace(std::move(encoding)), probes_(std::move(probes)) {}

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(encoding().Check(genotype));
    return probes_.Get(genotype.options(0));
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = encoding().Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    return absl::StrCat("probe ", genotype.options(0) + 1, " of ", probes_.size());
  }

 private:
  const Architectures probes_;
};

absl::Status CheckProbe(const v1::Architecture& probe, const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(AnalyzeGraph(probe).status());
  const v1::Shape& shape = probe.input();
  if (shape.channels() == input.channels() && shape.height() == input.height() &&
      shape.width() == input.width() && probe.classes() == classes) {
    return absl::OkStatus();
  }
  return InvalidField("input",
                      absl::StrCat("takes ", ShapeText(shape), " to ", probe.classes(),
                                   " classes, samples are ", ShapeText(input), " of ", classes));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Space>> CreateProbeSpace(const Architectures& probes,
                                                        const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  if (probes.empty()) return InvalidField("probes", "empty, name at least one");
  std::vector<std::string> names;
  for (int i = 0; i < probes.size(); ++i) {
    const absl::Status status = CheckProbe(probes[i], input, classes);
    if (!status.ok()) return PrefixField(absl::StrCat("probes[", i, "]"), status);
    names.push_back(absl::StrCat(i + 1));
  }
  DecisionList list;
  list.Add("probe", std::move(names));
  ASSIGN_OR_RETURN(Encoding encoding, Encoding::Create(list.Take()));
  return std::make_unique<ProbeSpace>(std::move(encoding), probes);
}

}  // namespace frontier::coordinator
