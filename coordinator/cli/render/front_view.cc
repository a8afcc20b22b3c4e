// RenderFront and RenderFrontPlot.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/plot.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/trial_view.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

// Shown after the job's own objectives.
constexpr v1::Metric kAlwaysShown[] = {v1::METRIC_ACCURACY, v1::METRIC_LATENCY_MS,
                                       v1::METRIC_PARAMETERS, v1::METRIC_MACS, v1::METRIC_ENERGY_J};

std::vector<v1::Metric> FrontMetrics(const v1::Job& job) {
  std::vector<v1::Metric> metrics;
  for (const v1::Objective& objective : job.spec().objectives()) {
    metrics.push_back(objective.metric());
  }
  for (const v1::Metric metric : kAlwaysShown) {
    if (std::find(metrics.begin(), metrics.end(), metric) == metrics.end()) {
      metrics.push_back(metric);
    }
  }
  return metrics;
}

// Counted figures have no interval worth a column.
bool HasInterval(const Trials& trials, v1::Metric metric) {
  return std::any_of(trials.begin(), trials.end(), [metric](const v1::Trial& trial) {
    const v1::Measurement* measurement = FindMeasurement(trial, metric);
    return measurement != nullptr && measurement->low() < measurement->high();
  });
}

std::string MethodsLine(const Trials& trials, const std::vector<v1::Metric>& metrics) {
  std::string line;
  for (const v1::Metric metric : metrics) {
    std::set<std::string> methods;
    for (const v1::Trial& trial : trials) {
      const v1::Measurement* measurement = FindMeasurement(trial, metric);
      if (measurement != nullptr && !measurement->method().empty()) {
        methods.insert(Printable(measurement->method()));
      }
    }
    if (methods.empty()) continue;
    std::string joined;
    for (const std::string& method : methods) {
      absl::StrAppend(&joined, joined.empty() ? "" : "+", method);
    }
    absl::StrAppend(&line, line.empty() ? "Methods: " : ", ", EnumWord(metric), " ", joined);
  }
  return line;
}

// Too long for a column of the table.
std::string RenderSummaries(const Look& look, const Trials& front) {
  Table table({{"TRIAL", Align::kRight}, {"ARCHITECTURE", Align::kLeft, 12}});
  for (const v1::Trial& trial : front) {
    table.AddRow({Cell(absl::StrCat(trial.number()), Tone::kGood), trial.summary()});
  }
  return table.Render(look);
}

void AddPoint(const v1::Job& job, const v1::Trial& trial, bool marked, Plot* plot) {
  const auto& objectives = job.spec().objectives();
  const v1::Measurement* y = FindMeasurement(trial, objectives[0].metric());
  if (y == nullptr) return;
  PlotPoint point;
  point.y = y->value();
  point.x = static_cast<double>(trial.number());
  if (objectives.size() > 1) {
    const v1::Measurement* x = FindMeasurement(trial, objectives[1].metric());
    if (x == nullptr) return;
    point.x = x->value();
  }
  point.number = trial.number();
  point.marked = marked;
  plot->points.push_back(point);
}

}  // namespace

std::string RenderFront(const Look& look, const v1::Job& job, const Trials& front) {
  if (front.empty()) {
    return job.trials_succeeded() == 0
               ? "No trial has succeeded yet.\n"
               : "The front is empty: no trial that succeeded keeps all constraints.\n";
  }
  const std::vector<v1::Metric> metrics = FrontMetrics(job);
  std::vector<Column> columns = {{"TRIAL", Align::kRight}};
  std::vector<bool> with_interval;
  for (size_t i = 0; i < metrics.size(); ++i) {
    // What the job did not ask for gives way on a narrow terminal.
    const bool asked = i < static_cast<size_t>(job.spec().objectives_size());
    columns.push_back({absl::AsciiStrToUpper(MetricTitle(metrics[i])), Align::kRight, 0,
                       asked ? 0 : static_cast<int>(i)});
    // Beyond the first two objectives `show JOB TRIAL` has the intervals.
    with_interval.push_back(i < 2 && HasInterval(front, metrics[i]));
    if (with_interval.back()) columns.push_back({"INTERVAL"});
  }
  columns.push_back({"EPOCHS", Align::kRight, 0, 100});
  Table table(std::move(columns));
  for (const v1::Trial& trial : front) {
    std::vector<Cell> cells = {Cell(absl::StrCat(trial.number()), Tone::kGood)};
    for (size_t i = 0; i < metrics.size(); ++i) {
      const v1::Measurement* measurement = FindMeasurement(trial, metrics[i]);
      cells.push_back(measurement == nullptr ? "-"
                                             : FormatMetric(metrics[i], measurement->value()));
      if (with_interval[i]) {
        cells.push_back(
            Cell(measurement == nullptr ? "" : FormatInterval(look, *measurement), Tone::kFaint));
      }
    }
    const int epochs = trial.result().epochs_size();
    cells.push_back(absl::StrCat(epochs > 0 ? epochs : job.spec().training().epochs()));
    table.AddRow(std::move(cells));
  }
  std::string out = absl::StrCat(table.Render(look), "\n", RenderSummaries(look, front));
  if (const std::string methods = MethodsLine(front, metrics); !methods.empty()) {
    absl::StrAppend(&out, "\n", Paint(look, Tone::kFaint, Wrap(methods, look.width, 0)));
  }
  return out;
}

std::string RenderFrontPlot(const Look& look, const v1::Job& job, const Trials& front,
                            const Trials& others) {
  const auto& objectives = job.spec().objectives();
  if (objectives.empty()) return "";
  Plot plot;
  plot.y_title = MetricTitle(objectives[0].metric());
  plot.x_title = objectives.size() > 1 ? MetricTitle(objectives[1].metric()) : "trial";
  std::set<int64_t> on_front;
  for (const v1::Trial& trial : front) {
    on_front.insert(trial.number());
    AddPoint(job, trial, true, &plot);
  }
  for (const v1::Trial& trial : others) {
    if (on_front.count(trial.number()) == 0) AddPoint(job, trial, false, &plot);
  }
  return RenderPlot(look, plot);
}

}  // namespace frontier::cli
