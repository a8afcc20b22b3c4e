// Gzip'd tables of comma-separated values with a header line and no quotes.
#ifndef FRONTIER_TESTS_SUPPORT_GZIP_TABLE_H_
#define FRONTIER_TESTS_SUPPORT_GZIP_TABLE_H_

#include <zlib.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"

namespace frontier::testing {

// A row by column name.
using TableRow = std::map<std::string, std::string>;

// The rows in order with the columns asked for; none if the file cannot be read or lacks one.
inline std::vector<TableRow> ReadGzipTable(const std::string& path,
                                           const std::vector<std::string>& columns) {
  std::vector<TableRow> rows;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return rows;
  std::string text;
  char buffer[1 << 16];
  for (int got = 0; (got = gzread(file, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  gzclose(file);
  std::vector<std::string> header;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    if (header.empty()) {
      header = fields;
      continue;
    }
    TableRow row;
    for (size_t i = 0; i < fields.size() && i < header.size(); ++i) row[header[i]] = fields[i];
    TableRow chosen;
    for (const std::string& column : columns) {
      if (row.count(column) == 0) return {};
      chosen[column] = row[column];
    }
    rows.push_back(chosen);
  }
  return rows;
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_GZIP_TABLE_H_
