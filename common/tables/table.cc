#include "common/tables/table.h"

#include <zlib.h>

#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"

namespace frontier {

absl::StatusOr<Table> Table::Load(const std::string& path) {
  // Of a file that is not gzip'd it reads what is there.
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (file == nullptr) return absl::NotFoundError(absl::StrCat("table ", path, ": no such file"));
  std::string text;
  char buffer[1 << 16];
  int got = 0;
  while ((got = gzread(file.get(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(got));
  }
  int error = Z_OK;
  const char* message = gzerror(file.get(), &error);
  if (got < 0 || (error != Z_OK && error != Z_STREAM_END)) {
    return absl::DataLossError(absl::StrCat("table ", path, ": cannot be read: ", message));
  }
  return Parse(path, text);
}

absl::StatusOr<Table> Table::Parse(absl::string_view name, absl::string_view text) {
  Table table;
  table.name_ = std::string(name);
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripSuffix(line, "\r");
    if (line.empty()) continue;
    std::vector<std::string> fields = absl::StrSplit(line, ',');
    if (table.columns_.empty()) {
      table.columns_ = std::move(fields);
      for (size_t i = 0; i < table.columns_.size(); ++i) {
        if (table.index_.emplace(table.columns_[i], i).second) continue;
        return absl::DataLossError(absl::StrCat("table ", name, ", line ", number, ": column '",
                                                table.columns_[i], "' is there twice"));
      }
      continue;
    }
    if (fields.size() != table.columns_.size()) {
      return absl::DataLossError(absl::StrCat("table ", name, ", line ", number, ": ",
                                              fields.size(), " fields, the header has ",
                                              table.columns_.size()));
    }
    for (std::string& field : fields) table.fields_.push_back(std::move(field));
    ++table.rows_;
  }
  if (table.columns_.empty()) {
    return absl::DataLossError(absl::StrCat("table ", name, ": there is no header line"));
  }
  return table;
}

absl::StatusOr<std::vector<std::string>> Table::Texts(absl::string_view column) const {
  const auto it = index_.find(column);
  if (it == index_.end()) {
    return absl::NotFoundError(absl::StrCat("table ", name_, ": no column '", column,
                                            "'; there are: ", absl::StrJoin(columns_, ", ")));
  }
  std::vector<std::string> texts;
  texts.reserve(rows_);
  for (size_t row = 0; row < rows_; ++row) {
    texts.push_back(fields_[row * columns_.size() + it->second]);
  }
  return texts;
}

absl::StatusOr<std::vector<double>> Table::Numbers(absl::string_view column) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> texts, Texts(column));
  std::vector<double> numbers;
  numbers.reserve(rows_);
  for (const std::string& text : texts) {
    double number = std::numeric_limits<double>::quiet_NaN();
    if (!text.empty() && !absl::SimpleAtod(text, &number)) {
      return absl::InvalidArgumentError(absl::StrCat("table ", name_, ", row ", numbers.size() + 1,
                                                     ", column '", column, "': '", text,
                                                     "' is not a number"));
    }
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace frontier
