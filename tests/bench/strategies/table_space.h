// Results of a space's architectures, from a table.
#ifndef FRONTIER_TESTS_BENCH_STRATEGIES_TABLE_SPACE_H_
#define FRONTIER_TESTS_BENCH_STRATEGIES_TABLE_SPACE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/tables/table.h"
#include "coordinator/simulation/simulator.h"
#include "coordinator/space/space.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

struct TableColumns {
  std::string key;  // the genotype's options, a digit each, or its summary
  std::vector<std::string>
      objectives;       // "+accuracy" is to be maximized, "latency>0.5" is at least so
  std::string seconds;  // of a trial; empty = 1
  double seconds_scale = 1;
  std::string report;             // what to tell of a row; empty = nothing
  std::vector<std::string> rung;  // objectives after `rung_epochs`; empty = no rung
  int rung_epochs = 0;
  double rung_share = 0;  // of the seconds, by then
};

// Not changed while searches run, and then safe from any thread.
class TableSpace {
 public:
  // NOT_FOUND, INVALID_ARGUMENT or DATA_LOSS as Table, and INVALID_ARGUMENT for a key that is there
  // twice.
  static absl::StatusOr<TableSpace> Create(const Table& table, const TableColumns& columns);

  // Gives rows whose architectures are equal, by their canonical hash, the mean of their figures:
  // what differs there is the noise of training and measuring them.
  absl::Status AverageEqual(const Space& space);

  // NOT_FOUND for a genotype that is not in the table or lacks a figure there.
  absl::StatusOr<Outcome> Find(const Space& space, const v1::Genotype& genotype) const;

  // By row: objectives as in Outcome, some of them NaN where the table has none.
  const std::vector<std::vector<double>>& objectives() const { return objectives_; }
  const std::vector<double>& reports() const { return reports_; }

 private:
  absl::StatusOr<size_t> FindRow(const Space& space, const v1::Genotype& genotype) const;

  absl::flat_hash_map<std::string, size_t> rows_;
  std::vector<std::vector<double>> objectives_;
  std::vector<std::vector<double>> rung_;  // objectives there; empty = no rung
  int rung_epochs_ = 0;
  double rung_share_ = 0;
  std::vector<double> seconds_;
  std::vector<double> reports_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_TESTS_BENCH_STRATEGIES_TABLE_SPACE_H_
