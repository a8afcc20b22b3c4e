// Figures as people read them.
#ifndef FRONTIER_COORDINATOR_CLI_RENDER_FORMAT_H_
#define FRONTIER_COORDINATOR_CLI_RENDER_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "coordinator/cli/render/text.h"
#include "frontier/v1/measurement.pb.h"
#include "frontier/v1/trial.pb.h"

namespace frontier::cli {

// "20,000"
std::string FormatCount(int64_t count);
// About `digits` significant digits, thousands grouped, no exponent between 1e-6 and 1e15.
std::string FormatSignificant(double value, int digits);
// "4.2 s", "42 s", "4m 05s", "2h 07m", "3d 04h".
std::string FormatSeconds(double seconds);
// "2.0 GiB"
std::string FormatBytes(int64_t bytes);
// "2026-11-25 02:33:10"; "-" for 0.
std::string FormatTime(int64_t unix_us, absl::TimeZone zone);
// "02:33:10"
std::string FormatClock(int64_t unix_us, absl::TimeZone zone);

// "accuracy", "latency", "energy"; with the unit "latency ms", "energy J".
std::string MetricTitle(v1::Metric metric);
// "ms", "J", "g", "s" or nothing.
std::string MetricUnit(v1::Metric metric);
// The value without unit, in the digits the metric deserves.
std::string FormatMetric(v1::Metric metric, double value);
// The value with unit: "0.412 ms".
std::string FormatMetricWithUnit(v1::Metric metric, double value);
// "0.8851-0.8973"; nothing if the interval is a point.
std::string FormatInterval(const Look& look, const v1::Measurement& measurement);

// The measurement of `metric`, or null.
const v1::Measurement* FindMeasurement(const v1::Trial& trial, v1::Metric metric);

// Values as a line of small bars, lowest to highest.
std::string Sparkline(const Look& look, const std::vector<double>& values);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_RENDER_FORMAT_H_
