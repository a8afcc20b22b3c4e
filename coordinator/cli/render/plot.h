// A scatter plot in characters.
#ifndef FRONTIER_COORDINATOR_CLI_RENDER_PLOT_H_
#define FRONTIER_COORDINATOR_CLI_RENDER_PLOT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/cli/render/text.h"

namespace frontier::cli {

struct PlotPoint {
  double x = 0;
  double y = 0;
  int64_t number = 0;   // shown beside a marked point
  bool marked = false;  // on the front; the others are faint dots
};

struct Plot {
  std::string x_title;  // with its unit
  std::string y_title;
  std::vector<PlotPoint> points;  // those that are not finite are left out
  int rows = 16;
};

// Axes with ticks; an axis is logarithmic, and says so, if its values are positive and span more
// than a factor of 20. Empty if there is no point.
std::string RenderPlot(const Look& look, const Plot& plot);

// An axis: where values lie on it, and its ticks.
struct Axis {
  bool logarithmic = false;
  double low = 0;   // value at the beginning
  double high = 1;  // value at the end
  std::vector<double> ticks;
  std::vector<std::string> labels;  // of the ticks

  // 0 at `low`, 1 at `high`.
  double Position(double value) const;
};

// An axis around finite `values` (at least one) with about `count` ticks at round numbers.
Axis MakeAxis(const std::vector<double>& values, int count);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_RENDER_PLOT_H_
