// Tables with aligned columns.
#ifndef FRONTIER_COORDINATOR_CLI_RENDER_TABLE_H_
#define FRONTIER_COORDINATOR_CLI_RENDER_TABLE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "coordinator/cli/render/text.h"

namespace frontier::cli {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  int least = 0;  // width it may shrink to where the terminal is too narrow; 0 = its own
  int drop = 0;   // if that is not enough, columns are left out, highest first; 0 = never
};

struct Cell {
  Cell(std::string cell_text, Tone cell_tone = Tone::kPlain)  // NOLINT: implicit on purpose
      : text(std::move(cell_text)), tone(cell_tone) {}
  Cell(const char* cell_text) : text(cell_text) {}  // NOLINT: likewise
  std::string text;
  Tone tone = Tone::kPlain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell a column. Text is made harmless here.
  void AddRow(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }

  // Columns without any text are left out.
  std::string Render(const Look& look, int indent = 0) const;

  // Columns it takes on a terminal without end.
  int Width() const;

 private:
  // Indices and widths of the columns that have text.
  std::vector<size_t> FilledColumns(std::vector<int>* widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Lines of "name  value" with the values in one column; entries without value are left out.
std::string RenderPairs(const Look& look,
                        const std::vector<std::pair<std::string, std::string>>& pairs, int indent);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_RENDER_TABLE_H_
