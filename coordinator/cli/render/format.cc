#include "coordinator/cli/render/format.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

struct MetricStyle {
  v1::Metric metric;
  const char* title;
  const char* unit;
  int decimals;  // negative: that many significant digits
};
constexpr MetricStyle kMetricStyles[] = {
    {v1::METRIC_ACCURACY, "accuracy", "", 4},
    {v1::METRIC_LATENCY_MS, "latency", "ms", -3},
    {v1::METRIC_PARAMETERS, "parameters", "", 0},
    {v1::METRIC_MACS, "MACs", "", 0},
    {v1::METRIC_ENERGY_J, "energy", "J", -3},
    {v1::METRIC_CO2_G, "CO2", "g", -3},
    {v1::METRIC_CPU_SECONDS, "CPU time", "s", -3},
    {v1::METRIC_WALL_SECONDS, "wall time", "s", -3},
    {v1::METRIC_LOSS, "loss", "", 4},
    {v1::METRIC_PROXY, "proxy", "", -4},
};

MetricStyle StyleOf(v1::Metric metric) {
  for (const MetricStyle& style : kMetricStyles) {
    if (style.metric == metric) return style;
  }
  return {metric, "", "", -4};
}

// Commas between groups of three in the whole part of a decimal number.
std::string Group(std::string number) {
  const size_t point = std::min(number.find('.'), number.size());
  const size_t first = number[0] == '-' ? 1 : 0;
  for (size_t i = point; i > first + 3;) {
    i -= 3;
    number.insert(i, 1, ',');
  }
  return number;
}

}  // namespace

std::string FormatCount(int64_t count) { return Group(absl::StrCat(count)); }

std::string FormatSignificant(double value, int digits) {
  if (!std::isfinite(value)) return absl::StrFormat("%g", value);
  if (value == 0) return "0";
  const double magnitude = std::abs(value);
  if (magnitude < 1e-6 || magnitude >= 1e15) return absl::StrFormat("%.*g", digits, value);
  const int exponent = static_cast<int>(std::floor(std::log10(magnitude)));
  return Group(absl::StrFormat("%.*f", std::max(digits - 1 - exponent, 0), value));
}

std::string FormatSeconds(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0) return absl::StrCat("-", FormatSeconds(-seconds));
  if (seconds < 9.95) return absl::StrFormat("%.1f s", seconds);
  if (seconds > 1e12) return absl::StrFormat("%.3g s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 60) return absl::StrCat(whole, " s");
  if (whole < 3600) return absl::StrFormat("%dm %02ds", whole / 60, whole % 60);
  const int64_t minutes = std::llround(seconds / 60);
  if (minutes < 24 * 60) return absl::StrFormat("%dh %02dm", minutes / 60, minutes % 60);
  const int64_t hours = std::llround(seconds / 3600);
  return absl::StrFormat("%dd %02dh", hours / 24, hours % 24);
}

std::string FormatBytes(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? absl::StrCat(bytes, " B") : absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string FormatTime(int64_t unix_us, absl::TimeZone zone) {
  if (unix_us == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMicros(unix_us), zone);
}

std::string FormatClock(int64_t unix_us, absl::TimeZone zone) {
  return absl::FormatTime("%H:%M:%S", absl::FromUnixMicros(unix_us), zone);
}

std::string MetricUnit(v1::Metric metric) { return StyleOf(metric).unit; }

std::string MetricTitle(v1::Metric metric) {
  const MetricStyle style = StyleOf(metric);
  if (style.title[0] == '\0') return EnumWord(metric);
  return style.unit[0] == '\0' ? style.title : absl::StrCat(style.title, " ", style.unit);
}

std::string FormatMetric(v1::Metric metric, double value) {
  const MetricStyle style = StyleOf(metric);
  if (style.decimals < 0) return FormatSignificant(value, -style.decimals);
  if (!std::isfinite(value) || std::abs(value) > 1e15) return absl::StrFormat("%g", value);
  return Group(absl::StrFormat("%.*f", style.decimals, value));
}

std::string FormatMetricWithUnit(v1::Metric metric, double value) {
  const std::string unit = MetricUnit(metric);
  return absl::StrCat(FormatMetric(metric, value), unit.empty() ? "" : " ", unit);
}

std::string FormatInterval(const Look& look, const v1::Measurement& measurement) {
  if (!(measurement.low() < measurement.high())) return "";
  std::string low = FormatMetric(measurement.metric(), measurement.low());
  std::string high = FormatMetric(measurement.metric(), measurement.high());
  // A narrow interval gets the digits that show its width: rounded to a point it would look exact.
  for (int digits = 4; low == high && digits <= 9; ++digits) {
    low = FormatSignificant(measurement.low(), digits);
    high = FormatSignificant(measurement.high(), digits);
  }
  return absl::StrCat(low, Glyph(look, "–", "-"), high);
}

const v1::Measurement* FindMeasurement(const v1::Trial& trial, v1::Metric metric) {
  for (const v1::Measurement& measurement : trial.result().measurements()) {
    if (measurement.metric() == metric) return &measurement;
  }
  return nullptr;
}

std::string Sparkline(const Look& look, const std::vector<double>& values) {
  static constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr const char* kAscii[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
  if (values.empty()) return "";
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  std::string line;
  for (const double value : values) {
    const double share = *high > *low ? (value - *low) / (*high - *low) : 1;
    const int step = std::isfinite(share) ? std::clamp(static_cast<int>(share * 7.999), 0, 7) : 0;
    absl::StrAppend(&line, look.unicode ? kBars[step] : kAscii[step]);
  }
  return line;
}

}  // namespace frontier::cli
