#include "worker/engine/onednn/plan_checks.h"

#include <cstdint>
#include <dnnl.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/model_io/model_file.h"

namespace frontier::worker::onednn {

absl::Status CheckPlan(const GraphView& view, int batch, const PlanOptions& options) {
  if (batch < 1) return InvalidField("batch_size", absl::StrCat(batch, " is below 1"));
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return InvalidField("threads",
                        absl::StrCat(options.threads, " is not between 1 and ", kMaxThreads));
  }
  if (view.architecture.classes() > 256) {
    return InvalidField("classes", absl::StrCat(view.architecture.classes(),
                                                " are more than the 256 a label can name"));
  }
  for (size_t i = 0; i < view.inputs.size(); ++i) {
    const v1::Shape& s = view.costs.nodes[i].output;
    // Some primitives of the library count elements, padded channels included, in 32 bits.
    const int64_t sample = (int64_t{s.channels()} + 15) / 16 * 16 * s.height() * s.width();
    if (sample > INT32_MAX / batch) {
      return InvalidField(absl::StrCat("nodes[", i, "]"),
                          absl::StrCat("output ", s.channels(), "x", s.height(), "x", s.width(),
                                       " at batch ", batch, " has more than 2^31 elements"));
    }
  }
  return absl::OkStatus();
}

bool HasBf16() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx:
      return true;
    default:
      return false;
  }
}

absl::Status CheckSize(absl::string_view what, size_t got, int64_t wanted) {
  if (static_cast<int64_t>(got) == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", got, " values, expected ", wanted));
}

absl::Status CheckFits(const v1::Model& model, const GraphView& view) {
  if (model.architecture().SerializeAsString() != view.architecture.SerializeAsString()) {
    return absl::InvalidArgumentError("the model has another architecture than the plan");
  }
  return CheckTensors(model);
}

}  // namespace frontier::worker::onednn
