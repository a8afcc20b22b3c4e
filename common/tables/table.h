// Tables of comma-separated values.
#ifndef FRONTIER_COMMON_TABLES_TABLE_H_
#define FRONTIER_COMMON_TABLES_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace frontier {

// A header line and as many fields in each further line, without quotes; plain or gzip'd. Empty
// lines are skipped, line ends may be those of Windows. Immutable.
class Table {
 public:
  // NOT_FOUND if there is no such file; DATA_LOSS names line and problem for a file that cannot be
  // read, has no header, a column twice, or a line with another number of fields.
  static absl::StatusOr<Table> Load(const std::string& path);
  static absl::StatusOr<Table> Parse(absl::string_view name, absl::string_view text);

  size_t rows() const { return rows_; }
  const std::vector<std::string>& columns() const { return columns_; }

  // NOT_FOUND names the column, and those that there are.
  absl::StatusOr<std::vector<std::string>> Texts(absl::string_view column) const;
  // An empty field is NaN. INVALID_ARGUMENT names row and value for one that is not a number.
  absl::StatusOr<std::vector<double>> Numbers(absl::string_view column) const;

 private:
  std::string name_;
  size_t rows_ = 0;
  std::vector<std::string> columns_;
  absl::flat_hash_map<std::string, size_t> index_;
  std::vector<std::string> fields_;  // row by row
};

}  // namespace frontier

#endif  // FRONTIER_COMMON_TABLES_TABLE_H_
