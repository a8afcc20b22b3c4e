#include "coordinator/cli/render/plot.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coordinator/cli/render/format.h"

namespace frontier::cli {
namespace {

constexpr double kLogarithmicSpan = 20;
constexpr double kMargin = 0.05;  // of the span, on each side

// The next of 1, 2, 5, 10, ... at or above `value`.
double RoundStep(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

void AddLinearTicks(int count, Axis* axis) {
  const double step = RoundStep((axis->high - axis->low) / std::max(count, 1));
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
  const double first = std::ceil(axis->low / step - 1e-9);
  const double last = std::floor(axis->high / step + 1e-9);
  for (double i = first; i <= last && i - first < 50; ++i) {
    const double tick = i * step + 0.0;  // no negative zero
    axis->ticks.push_back(tick);
    axis->labels.push_back(std::abs(tick) < 1e15 ? absl::StrFormat("%.*f", decimals, tick)
                                                 : absl::StrFormat("%.3g", tick));
  }
}

void AddLogarithmicTicks(int count, Axis* axis) {
  const int first = static_cast<int>(std::floor(std::log10(axis->low)));
  const int last = static_cast<int>(std::ceil(std::log10(axis->high)));
  const int every = std::max(1, (last - first) / std::max(count, 1));
  const bool fine = (last - first) * 3 <= 2 * count;
  for (int power = first; power <= last; power += every) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * std::pow(10, power);
      if ((!fine && factor > 1) || tick < axis->low || tick > axis->high) continue;
      axis->ticks.push_back(tick);
      axis->labels.push_back(FormatSignificant(tick, 1));
    }
  }
}

struct Mark {
  std::string glyph = " ";
  Tone tone = Tone::kPlain;
  bool taken = false;  // by a marked point or a label
};

class Canvas {
 public:
  Canvas(int width, int height) : width_(width), rows_(height, std::vector<Mark>(width)) {}

  void Put(int column, int row, absl::string_view glyph, Tone tone, bool taken) {
    Mark& mark = rows_[row][column];
    if (mark.taken) return;
    mark = {std::string(glyph), tone, taken};
  }

  // Writes `label` beside (column, row): right, left, above or below, where there is room.
  void PutLabel(int column, int row, const std::string& label) {
    const int length = static_cast<int>(label.size());
    const int columns[] = {column + 1, column - length, column, column};
    const int rows[] = {row, row, row - 1, row + 1};
    for (int i = 0; i < 4; ++i) {
      if (!IsFree(columns[i], rows[i], length)) continue;
      for (int j = 0; j < length; ++j) {
        Put(columns[i] + j, rows[i], label.substr(j, 1), Tone::kBold, true);
      }
      return;
    }
  }

  std::string RenderRow(const Look& look, int row) const {
    std::string line;
    int pending = 0;  // blanks, written only if something follows
    for (const Mark& mark : rows_[row]) {
      if (mark.glyph == " ") {
        ++pending;
        continue;
      }
      absl::StrAppend(&line, std::string(pending, ' '), Paint(look, mark.tone, mark.glyph));
      pending = 0;
    }
    return line;
  }

 private:
  bool IsFree(int column, int row, int length) const {
    if (row < 0 || row >= static_cast<int>(rows_.size())) return false;
    if (column < 0 || column + length > width_) return false;
    for (int j = 0; j < length; ++j) {
      if (rows_[row][column + j].taken) return false;
    }
    return true;
  }

  const int width_;
  std::vector<std::vector<Mark>> rows_;
};

int Cell(double position, int cells) {
  return std::clamp(static_cast<int>(std::lround(position * (cells - 1))), 0, cells - 1);
}

// The tick labels below the x axis, as many as fit, each centred on its tick.
std::string TickLine(const Axis& axis, int width) {
  std::string line(width, ' ');
  int free_from = 0;
  for (size_t i = 0; i < axis.ticks.size(); ++i) {
    const int length = static_cast<int>(axis.labels[i].size());
    int start = Cell(axis.Position(axis.ticks[i]), width) - length / 2;
    start = std::max(0, std::min(start, width - length));
    if (start < free_from || length > width) continue;
    line.replace(start, length, axis.labels[i]);
    free_from = start + length + 2;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

double Axis::Position(double value) const {
  if (logarithmic) return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

Axis MakeAxis(const std::vector<double>& values, int count) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  Axis axis;
  axis.logarithmic = *least > 0 && *most / *least > kLogarithmicSpan;
  if (axis.logarithmic) {
    const double margin = std::pow(*most / *least, kMargin);
    axis.low = *least / margin;
    axis.high = *most * margin;
    AddLogarithmicTicks(count, &axis);
  } else {
    double span = *most - *least;
    if (!(span > 1e-12 * std::max(std::abs(*most), std::abs(*least)))) {
      span = *most == 0 ? 1 : std::abs(*most);
    }
    axis.low = *least - kMargin * span;
    axis.high = *most + kMargin * span;
    AddLinearTicks(count, &axis);
  }
  return axis;
}

std::string RenderPlot(const Look& look, const Plot& plot) {
  std::vector<PlotPoint> points;
  std::vector<double> xs, ys;
  for (const PlotPoint& point : plot.points) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
    points.push_back(point);
    xs.push_back(point.x);
    ys.push_back(point.y);
  }
  if (points.empty()) return "";
  const int height = std::max(plot.rows, 4);
  const Axis y_axis = MakeAxis(ys, height / 2);
  int label_width = 0;
  for (const std::string& label : y_axis.labels) {
    label_width = std::max(label_width, static_cast<int>(label.size()));
  }
  const int width = std::clamp(look.width, 40, 100) - label_width - 4;
  const Axis x_axis = MakeAxis(xs, width / 10);

  Canvas canvas(width, height);
  const auto column = [&](const PlotPoint& p) { return Cell(x_axis.Position(p.x), width); };
  const auto row = [&](const PlotPoint& p) {
    return height - 1 - Cell(y_axis.Position(p.y), height);
  };
  int marked = 0;
  for (const PlotPoint& point : points) {
    if (point.marked) {
      ++marked;
      canvas.Put(column(point), row(point), Glyph(look, "●", "*"), Tone::kGood, true);
    } else {
      canvas.Put(column(point), row(point), Glyph(look, "·", "."), Tone::kFaint, false);
    }
  }
  for (const PlotPoint& point : points) {
    if (point.marked) canvas.PutLabel(column(point), row(point), absl::StrCat(point.number));
  }

  const auto title = [](const std::string& text, const Axis& axis) {
    return absl::StrCat(text, axis.logarithmic ? " (logarithmic)" : "");
  };
  std::vector<std::string> row_labels(height);
  for (size_t i = 0; i < y_axis.ticks.size(); ++i) {
    row_labels[height - 1 - Cell(y_axis.Position(y_axis.ticks[i]), height)] = y_axis.labels[i];
  }
  const std::string margin(label_width + 2, ' ');
  std::string out = absl::StrCat(Paint(look, Tone::kBold, title(plot.y_title, y_axis)), "\n");
  for (int r = 0; r < height; ++r) {
    const absl::string_view edge =
        row_labels[r].empty() ? Glyph(look, "│", "|") : Glyph(look, "┤", "+");
    absl::StrAppend(&out, PadLeft(row_labels[r], label_width + 1), " ", edge,
                    canvas.RenderRow(look, r), "\n");
  }
  std::vector<bool> is_tick(width, false);
  for (const double tick : x_axis.ticks) is_tick[Cell(x_axis.Position(tick), width)] = true;
  absl::StrAppend(&out, margin, Glyph(look, "└", "+"));
  for (int c = 0; c < width; ++c) {
    absl::StrAppend(&out, is_tick[c] ? Glyph(look, "┬", "+") : Glyph(look, "─", "-"));
  }
  const std::string x_title = title(plot.x_title, x_axis);
  absl::StrAppend(&out, "\n", margin, " ", TickLine(x_axis, width), "\n",
                  std::string(std::max(label_width + 3 + width - DisplayWidth(x_title), 0), ' '),
                  Paint(look, Tone::kBold, x_title), "\n");
  const int others = static_cast<int>(points.size()) - marked;
  absl::StrAppend(&out, margin, " ", Paint(look, Tone::kGood, Glyph(look, "●", "*")),
                  " on the front, with the trial's number");
  if (others > 0) {
    absl::StrAppend(&out, "   ", Paint(look, Tone::kFaint, Glyph(look, "·", ".")), " ", others,
                    others == 1 ? " other trial" : " other trials");
  }
  return absl::StrCat(out, "\n");
}

}  // namespace frontier::cli
