#include "coordinator/cli/render/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace frontier::cli {
namespace {

constexpr int kGap = 2;

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

std::vector<size_t> Table::FilledColumns(std::vector<int>* widths) const {
  std::vector<size_t> filled;
  widths->assign(columns_.size(), 0);
  for (size_t c = 0; c < columns_.size(); ++c) {
    bool any = rows_.empty();
    (*widths)[c] = DisplayWidth(columns_[c].title);
    for (const std::vector<Cell>& row : rows_) {
      any |= !row[c].text.empty();
      (*widths)[c] = std::max((*widths)[c], DisplayWidth(row[c].text));
    }
    if (any) filled.push_back(c);
  }
  return filled;
}

int Table::Width() const {
  std::vector<int> widths;
  int total = -kGap;
  for (const size_t c : FilledColumns(&widths)) total += widths[c] + kGap;
  return total;
}

std::string Table::Render(const Look& look, int indent) const {
  std::vector<int> widths;
  std::vector<size_t> shown = FilledColumns(&widths);
  const auto least = [&](size_t c) {
    if (columns_[c].least == 0) return widths[c];
    return std::min(widths[c], std::max(columns_[c].least, DisplayWidth(columns_[c].title)));
  };
  // Leave out what cannot be had even with all shrinking done; then shrink.
  while (true) {
    int narrowest = indent - kGap;
    auto dropped = shown.end();
    for (auto c = shown.begin(); c != shown.end(); ++c) {
      narrowest += least(*c) + kGap;
      if (columns_[*c].drop > (dropped == shown.end() ? 0 : columns_[*dropped].drop)) dropped = c;
    }
    if (narrowest <= look.width || dropped == shown.end()) break;
    shown.erase(dropped);
  }
  int total = indent - kGap;
  for (const size_t c : shown) total += widths[c] + kGap;
  for (const size_t c : shown) {
    if (total <= look.width) break;
    const int width = std::max(least(c), widths[c] - (total - look.width));
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
