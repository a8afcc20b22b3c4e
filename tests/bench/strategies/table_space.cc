#include "tests/bench/strategies/table_space.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "coordinator/core/search_context.h"

namespace frontier::coordinator {

namespace {

// By row, as in Outcome; NaN where the table has none.
absl::StatusOr<std::vector<std::vector<double>>> ReadObjectives(
    const Table& table, const std::vector<std::string>& names) {
  std::vector<std::vector<double>> objectives(table.rows());
  for (absl::string_view name : names) {
    const bool maximized = absl::ConsumePrefix(&name, "+");
    const std::vector<absl::string_view> parts = absl::StrSplit(name, '>');
    double least = -HUGE_VAL;
    if (parts.size() > 1 && !absl::SimpleAtod(parts[1], &least)) {
      return absl::InvalidArgumentError(absl::StrCat("objective ", name, ": no number after >"));
    }
    ASSIGN_OR_RETURN(const std::vector<double> values, table.Numbers(parts[0]));
    for (size_t row = 0; row < values.size(); ++row) {
      const double value = values[row] < least ? least : values[row];  // NaN stays
      objectives[row].push_back(maximized ? -value : value);
    }
  }
  return objectives;
}

}  // namespace

absl::StatusOr<TableSpace> TableSpace::Create(const Table& table, const TableColumns& columns) {
  TableSpace space;
  ASSIGN_OR_RETURN(const std::vector<std::string> keys, table.Texts(columns.key));
  for (size_t row = 0; row < keys.size(); ++row) {
    if (!space.rows_.emplace(keys[row], row).second) {
      return absl::InvalidArgumentError(absl::StrCat("key ", keys[row], " is there twice"));
    }
  }
  ASSIGN_OR_RETURN(space.objectives_, ReadObjectives(table, columns.objectives));
  if (!columns.rung.empty()) {
    ASSIGN_OR_RETURN(space.rung_, ReadObjectives(table, columns.rung));
    space.rung_epochs_ = columns.rung_epochs;
    space.rung_share_ = columns.rung_share;
  }
  space.seconds_.assign(table.rows(), 1.0);
  if (!columns.seconds.empty()) {
    ASSIGN_OR_RETURN(space.seconds_, table.Numbers(columns.seconds));
  }
  for (double& seconds : space.seconds_) seconds *= columns.seconds_scale;
  if (!columns.report.empty()) {
    ASSIGN_OR_RETURN(space.reports_, table.Numbers(columns.report));
  }
  return space;
}

absl::StatusOr<size_t> TableSpace::FindRow(const Space& space, const v1::Genotype& genotype) const {
  std::string digits;
  for (const int option : genotype.options()) absl::StrAppend(&digits, option);
  auto row = rows_.find(digits);
  if (row == rows_.end()) row = rows_.find(space.Summarize(genotype));
  if (row == rows_.end()) {
    return absl::NotFoundError(absl::StrCat("not in the table: ", digits));
  }
  return row->second;
}

absl::Status TableSpace::AverageEqual(const Space& space) {
  absl::flat_hash_map<std::string, std::vector<size_t>> equal;  // rows by hash
  v1::Genotype genotype = space.First();
  do {
    const absl::StatusOr<size_t> row = FindRow(space, genotype);
    if (!row.ok()) continue;
    const std::optional<Candidate> candidate = AdmitCandidate({}, space, {}, genotype);
    if (candidate.has_value()) equal[candidate->hash].push_back(*row);
  } while (space.Advance(&genotype));
  const auto average = [](const std::vector<size_t>& rows, auto value) {
    double sum = 0;
    for (const size_t row : rows) sum += value(row);
    const double mean = sum / static_cast<double>(rows.size());
    for (const size_t row : rows) value(row) = mean;
  };
  for (const auto& [hash, rows] : equal) {
    for (std::vector<std::vector<double>>* objectives : {&objectives_, &rung_}) {
      if (objectives->empty()) continue;
      for (size_t m = 0; m < (*objectives)[rows[0]].size(); ++m) {
        average(rows, [&](size_t row) -> double& { return (*objectives)[row][m]; });
      }
    }
    average(rows, [&](size_t row) -> double& { return seconds_[row]; });
    if (!reports_.empty()) average(rows, [&](size_t row) -> double& { return reports_[row]; });
  }
  return absl::OkStatus();
}

absl::StatusOr<Outcome> TableSpace::Find(const Space& space, const v1::Genotype& genotype) const {
  ASSIGN_OR_RETURN(const size_t row, FindRow(space, genotype));
  Outcome outcome;
  outcome.row = row;
  outcome.objectives = objectives_[row];
  outcome.seconds = seconds_[row];
  if (!rung_.empty()) {
    outcome.rungs.push_back({rung_epochs_, rung_[row], 0, rung_share_ * seconds_[row]});
  }
  const bool complete = std::isfinite(outcome.seconds) &&
                        std::all_of(outcome.objectives.begin(), outcome.objectives.end(),
                                    [](double value) { return std::isfinite(value); });
  if (!complete) return absl::NotFoundError(absl::StrCat("no figures in row ", row + 1));
  return outcome;
}

}  // namespace frontier::coordinator
