#include "common/base/enum_names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace frontier {
namespace {

std::string Word(absl::string_view name, absl::string_view prefix, int value) {
  if (!absl::ConsumePrefix(&name, prefix)) return absl::StrCat(value);
  return absl::AsciiStrToLower(name);
}

std::string Words(absl::string_view name, absl::string_view prefix, int value) {
  return absl::StrReplaceAll(Word(name, prefix, value), {{"_", " "}});
}

}  // namespace

std::string EnumName(v1::JobState state) {
  return Words(v1::JobState_Name(state), "JOB_STATE_", state);
}

std::string EnumName(v1::TrialState state) {
  return Words(v1::TrialState_Name(state), "TRIAL_STATE_", state);
}

std::string EnumName(v1::AttemptState state) {
  return Words(v1::AttemptState_Name(state), "ATTEMPT_STATE_", state);
}

std::string EnumName(v1::FailureCause cause) {
  return Words(v1::FailureCause_Name(cause), "FAILURE_CAUSE_", cause);
}

std::string EnumName(v1::Metric metric) { return Word(v1::Metric_Name(metric), "METRIC_", metric); }

}  // namespace frontier
