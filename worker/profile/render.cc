#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "worker/profile/training_profile.h"

namespace frontier::worker {
namespace {

const char* PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kF32:
      return "f32";
    case Precision::kMixed:
      return "mixed";
    case Precision::kAuto:
      return "auto";
  }
  return "";
}

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppend(&out, absl::StrFormat("\\u%04x", static_cast<unsigned>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string Number(double value) { return absl::StrFormat("%.6g", value); }

size_t Width(const TrainingProfile& profile, std::string ProfiledStep::*field, size_t least) {
  size_t width = least;
  for (const ProfiledStep& step : profile.steps) width = std::max(width, (step.*field).size());
  return width;
}

// Slowest first.
std::vector<std::pair<StepKind, double>> Sums(const TrainingProfile& profile) {
  std::vector<std::pair<StepKind, double>> sums(profile.sums.begin(), profile.sums.end());
  std::stable_sort(sums.begin(), sums.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return sums;
}

double Percent(double ms, const TrainingProfile& profile) {
  return profile.step_ms > 0 ? 100 * ms / profile.step_ms : 0;
}

}  // namespace

std::string ProfileTable(const TrainingProfile& profile) {
  const int label = static_cast<int>(Width(profile, &ProfiledStep::label, 5));
  const int implementation = static_cast<int>(Width(profile, &ProfiledStep::implementation, 14));
  std::string out = absl::StrFormat("%-*s  %-*s  %9s  %8s  %6s\n", label, "step", implementation,
                                    "implementation", "ms", "GFLOP/s", "share");
  for (const ProfiledStep& step : profile.steps) {
    absl::StrAppendFormat(&out, "%-*s  %-*s  %9.4f  %8s  %5.1f%%\n", label, step.label,
                          implementation, step.implementation, step.milliseconds,
                          step.gflops > 0 ? absl::StrFormat("%.1f", step.gflops) : "",
                          100 * step.share);
  }
  absl::StrAppend(&out, "\n");
  for (const auto& [kind, ms] : Sums(profile)) {
    absl::StrAppendFormat(&out, "%-14s %9.3f ms  %5.1f%%\n", std::string(StepKindName(kind)), ms,
                          Percent(ms, profile));
  }
  absl::StrAppendFormat(&out,
                        "%-14s %9.3f ms  %.0f images/s with %d thread%s, batch %d of %s, %s\n",
                        "a whole step", profile.step_ms, profile.images_per_second,
                        profile.options.threads, profile.options.threads == 1 ? "" : "s",
                        profile.options.batch, profile.input, PrecisionName(profile.precision));
  absl::StrAppendFormat(&out, "%-14s %9.1f GFLOP/s over convolutions and linear layers\n",
                        "products", profile.product_gflops);
  absl::StrAppendFormat(&out, "%-14s %9.1f MiB\n", "memory",
                        static_cast<double>(profile.memory_bytes) / (1 << 20));
  absl::StrAppendFormat(&out, "%-14s %9.1f ms, %.1f ms with the picks at hand\n", "plan",
                        1e3 * profile.plan_seconds, 1e3 * profile.cached_plan_seconds);
  if (profile.picks.empty()) {
    absl::StrAppend(&out, "picks          none: nothing was left to timing\n");
  } else {
    absl::StrAppend(&out, "picks\n");
    for (const auto& [key, name] : profile.picks)
      absl::StrAppend(&out, "  ", key, ": ", name, "\n");
  }
  return out;
}

std::string ProfileJson(const TrainingProfile& profile) {
  std::vector<std::string> steps, sums, picks;
  for (const ProfiledStep& step : profile.steps) {
    std::string text =
        absl::StrCat("{\"label\": ", Quoted(step.label), ", \"node\": ", step.identity.node,
                     ", \"kind\": ", Quoted(StepKindName(step.identity.kind)),
                     ", \"pass\": ", Quoted(step.identity.pass),
                     ", \"implementation\": ", Quoted(step.implementation),
                     ", \"ms\": ", Number(step.milliseconds), ", \"share\": ", Number(step.share));
    if (step.gflops > 0) absl::StrAppend(&text, ", \"gflops\": ", Number(step.gflops));
    steps.push_back(text + "}");
  }
  for (const auto& [kind, ms] : Sums(profile)) {
    sums.push_back(absl::StrCat(Quoted(StepKindName(kind)), ": ", Number(ms)));
  }
  for (const auto& [key, name] : profile.picks) {
    picks.push_back(absl::StrCat(Quoted(key), ": ", Quoted(name)));
  }
  return absl::StrCat(
      "{\"input\": ", Quoted(profile.input), ", \"batch\": ", profile.options.batch,
      ", \"threads\": ", profile.options.threads, ", \"steps_timed\": ", profile.options.steps,
      ", \"precision\": ", Quoted(PrecisionName(profile.precision)),
      ",\n \"step_ms\": ", Number(profile.step_ms),
      ", \"images_per_second\": ", Number(profile.images_per_second),
      ", \"product_gflops\": ", Number(profile.product_gflops),
      ", \"macs_per_step\": ", profile.macs_per_step, ", \"memory_bytes\": ", profile.memory_bytes,
      ", \"plan_ms\": ", Number(1e3 * profile.plan_seconds),
      ", \"cached_plan_ms\": ", Number(1e3 * profile.cached_plan_seconds), ",\n \"sums_ms\": {",
      absl::StrJoin(sums, ", "), "},\n \"picks\": {", absl::StrJoin(picks, ",\n  "),
      "},\n \"steps\": [\n  ", absl::StrJoin(steps, ",\n  "), "]}\n");
}

}  // namespace frontier::worker
