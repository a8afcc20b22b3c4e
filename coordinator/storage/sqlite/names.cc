#include "coordinator/storage/sqlite/names.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace frontier::coordinator {
namespace {

std::string Name(const google::protobuf::EnumDescriptor* type, int number,
                 absl::string_view prefix) {
  const google::protobuf::EnumValueDescriptor* value = type->FindValueByNumber(number);
  if (value == nullptr) return absl::StrCat(number);
  return absl::AsciiStrToLower(absl::StripPrefix(value->name(), prefix));
}

constexpr char kKindPrefix[] = "EVENT_KIND_";

}  // namespace

std::string StateName(v1::JobState state) {
  return Name(v1::JobState_descriptor(), state, "JOB_STATE_");
}

std::string StateName(v1::TrialState state) {
  return Name(v1::TrialState_descriptor(), state, "TRIAL_STATE_");
}

std::string StateName(v1::AttemptState state) {
  return Name(v1::AttemptState_descriptor(), state, "ATTEMPT_STATE_");
}

std::string CauseName(v1::FailureCause cause) {
  return Name(v1::FailureCause_descriptor(), cause, "FAILURE_CAUSE_");
}

std::string MetricName(v1::Metric metric) {
  return Name(v1::Metric_descriptor(), metric, "METRIC_");
}

std::string KindName(v1::EventKind kind) {
  return Name(v1::EventKind_descriptor(), kind, kKindPrefix);
}

v1::EventKind ParseKind(const std::string& name) {
  v1::EventKind kind;
  if (v1::EventKind_Parse(absl::StrCat(kKindPrefix, absl::AsciiStrToUpper(name)), &kind)) {
    return kind;
  }
  int number = 0;
  if (absl::SimpleAtoi(name, &number)) return static_cast<v1::EventKind>(number);
  return v1::EVENT_KIND_UNSPECIFIED;
}

std::string MetricUnit(v1::Metric metric) {
  switch (metric) {
    case v1::METRIC_LATENCY_MS:
      return "ms";
    case v1::METRIC_ENERGY_J:
      return "J";
    case v1::METRIC_CO2_G:
      return "g";
    case v1::METRIC_CPU_SECONDS:
    case v1::METRIC_WALL_SECONDS:
      return "s";
    case v1::METRIC_LOSS:
      return "nat";
    default:
      return "1";
  }
}

}  // namespace frontier::coordinator
