#include "coordinator/cli/render/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace frontier::cli {
namespace {

constexpr int kGap = 2;
constexpr int kLeastWidth = 8;  // of a column that gave way

std::string RightTrimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

void Table::AddRow(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  cells.resize(columns_.size(), Cell(""));
  rows_.push_back(std::move(cells));
}

std::string Table::Render(const Look& look, int indent) const {
  std::vector<size_t> shown;
  std::vector<int> widths(columns_.size());
  int total = indent;
  for (size_t c = 0; c < columns_.size(); ++c) {
    bool any = rows_.empty();
    widths[c] = DisplayWidth(columns_[c].title);
    for (const std::vector<Cell>& row : rows_) {
      any |= !row[c].text.empty();
      widths[c] = std::max(widths[c], DisplayWidth(row[c].text));
    }
    if (!any) continue;
    total += widths[c] + (shown.empty() ? 0 : kGap);
    shown.push_back(c);
  }
  for (const size_t c : shown) {
    if (total <= look.width || !columns_[c].shrinks) continue;
    const int least = std::max(kLeastWidth, DisplayWidth(columns_[c].title));
    const int width = std::max(std::min(widths[c], least), widths[c] - (total - look.width));
    total -= widths[c] - width;
    widths[c] = width;
  }

  const auto pad = [&](size_t c, const std::string& text) {
    return columns_[c].align == Align::kRight ? PadLeft(text, widths[c])
                                              : PadRight(text, widths[c]);
  };
  const std::string margin(indent, ' ');
  const std::string gap(kGap, ' ');
  std::string line;
  for (const size_t c : shown) {
    absl::StrAppend(&line, line.empty() ? "" : gap, pad(c, columns_[c].title));
  }
  std::string out = absl::StrCat(margin, Paint(look, Tone::kBold, RightTrimmed(line)), "\n");
  for (const std::vector<Cell>& row : rows_) {
    line.clear();
    for (const size_t c : shown) {
      const std::string text = Shorten(row[c].text, widths[c], look.unicode);
      // Padding stays outside of the colour.
      const std::string padded = pad(c, text);
      const size_t at = columns_[c].align == Align::kRight ? padded.size() - text.size() : 0;
      absl::StrAppend(&line, c == shown.front() ? "" : gap, padded.substr(0, at),
                      Paint(look, row[c].tone, text), padded.substr(at + text.size()));
    }
    absl::StrAppend(&out, margin, RightTrimmed(line), "\n");
  }
  return out;
}

std::string RenderPairs(const Look& look,
                        const std::vector<std::pair<std::string, std::string>>& pairs, int indent) {
  int width = 0;
  for (const auto& [name, value] : pairs) {
    if (!value.empty()) width = std::max(width, DisplayWidth(name));
  }
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    absl::StrAppend(&out, std::string(indent, ' '),
                    Paint(look, Tone::kFaint, PadRight(name, width)), std::string(kGap, ' '), value,
                    "\n");
  }
  return out;
}

}  // namespace frontier::cli
