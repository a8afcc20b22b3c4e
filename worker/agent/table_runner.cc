#include "worker/agent/table_runner.h"

#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/base/enum_names.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "worker/agent/failure.h"

namespace frontier::worker {
namespace {

constexpr char kArchitecture[] = "architecture";
constexpr char kSeconds[] = "seconds";

std::optional<v1::Metric> MetricNamed(absl::string_view name) {
  for (int i = v1::Metric_MIN; i <= v1::Metric_MAX; ++i) {
    if (!v1::Metric_IsValid(i) || i == v1::METRIC_UNSPECIFIED) continue;
    if (EnumName(static_cast<v1::Metric>(i)) == name) return static_cast<v1::Metric>(i);
  }
  return std::nullopt;
}

// A figure of all rows.
struct Column {
  v1::Metric metric = v1::METRIC_UNSPECIFIED;
  int epoch = 0;  // after which it is; 0 = the whole training
  std::vector<double> values;
};

class TableRunner final : public TrialRunner {
 public:
  static absl::StatusOr<std::unique_ptr<TrialRunner>> Create(const Table& table,
                                                             const std::string& name) {
    auto runner = std::make_unique<TableRunner>();
    runner->name_ = name;
    ASSIGN_OR_RETURN(const std::vector<std::string> architectures, table.Texts(kArchitecture));
    for (size_t row = 0; row < architectures.size(); ++row) {
      if (!runner->rows_.emplace(architectures[row], row).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("table '", name, "' has architecture '", architectures[row], "' twice"));
      }
    }
    runner->seconds_.assign(table.rows(), 1.0);
    for (const std::string& column : table.columns()) {
      if (column == kSeconds) {
        ASSIGN_OR_RETURN(runner->seconds_, table.Numbers(column));
        continue;
      }
      const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(column, '@');
      const std::optional<v1::Metric> metric = MetricNamed(parts.first);
      if (!metric.has_value()) continue;  // whatever else the table is kept for
      Column figures;
      figures.metric = *metric;
      if (!parts.second.empty() &&
          (!absl::SimpleAtoi(parts.second, &figures.epoch) || figures.epoch < 1)) {
        return absl::InvalidArgumentError(
            absl::StrCat("table '", name, "': column '", column, "' names no epoch"));
      }
      ASSIGN_OR_RETURN(figures.values, table.Numbers(column));
      runner->columns_.push_back(std::move(figures));
    }
    return runner;
  }

  TrialEnd Run(const TrialOrder& order, const StopEvent& stop,
               absl::FunctionRef<void(const v1::EpochMetrics&)> on_epoch) override {
    TrialEnd end;
    if (stop.raised()) return end;
    const v1::TrialTask& task = order.input.task();
    const auto row = rows_.find(task.summary());
    if (row == rows_.end()) {
      end.outcome = MakeFailure(v1::FAILURE_CAUSE_INVALID,
                                absl::StrCat("table '", name_, "' has no '", task.summary(), "'"));
      return end;
    }
    absl::StatusOr<v1::TrialResult> result = Answer(task, row->second);
    if (!result.ok()) {
      end.outcome = MakeFailure(v1::FAILURE_CAUSE_INVALID, result.status().message());
      return end;
    }
    const int first = FirstEpoch(order.input);
    const int whole = task.training().epochs();
    const int last = task.proxy() == v1::PROXY_UNSPECIFIED ? LastEpoch(task) : first;
    for (const v1::EpochMetrics& epoch : result->epochs()) {
      if (epoch.epoch() > first) on_epoch(epoch);
    }
    if (std::isfinite(seconds_[row->second])) {
      end.cpu = end.wall = absl::Seconds(seconds_[row->second] * (last - first) / whole);
    }
    if (last > first && last < whole) {
      const std::string left = absl::StrCat(last);
      if (const absl::Status kept = WriteFileAtomically(order.input.weights_path(), left);
          !kept.ok()) {
        end.outcome = MakeFailure(v1::FAILURE_CAUSE_INTERNAL, kept.message());
        return end;
      }
      result->set_checkpoint_sha256(Sha256Hex(left));
    }
    end.outcome = *std::move(result);
    return end;
  }

 private:
  static int LastEpoch(const v1::TrialTask& task) {
    return task.until_epoch() > 0 ? task.until_epoch() : task.training().epochs();
  }

  // Where the attempt goes on: what an earlier one left is its number of epochs.
  static int FirstEpoch(const v1::TrialProcessInput& input) {
    int epoch = 0;
    const absl::StatusOr<std::string> left = ReadFile(input.checkpoint_path());
    return left.ok() && absl::SimpleAtoi(*left, &epoch) ? epoch : 0;
  }

  // The figure after `epoch` epochs of `whole`.
  std::optional<double> Find(v1::Metric metric, size_t row, int epoch, int whole) const {
    for (const Column& column : columns_) {
      if (column.metric != metric || !std::isfinite(column.values[row])) continue;
      if (column.epoch == epoch || (column.epoch == 0 && epoch == whole)) return column.values[row];
    }
    return std::nullopt;
  }

  absl::StatusOr<v1::TrialResult> Answer(const v1::TrialTask& task, size_t row) const {
    if (task.has_stop_rule()) {
      return absl::UnimplementedError(
          "a table has no learning curves, by which median, patience and extrapolation stop "
          "trials");
    }
    v1::TrialResult result;
    result.mutable_engine()->set_library(absl::StrCat("table ", name_));
    result.mutable_engine()->set_precision("none");
    result.mutable_engine()->set_seed(task.seed());
    const bool scored = task.proxy() != v1::PROXY_UNSPECIFIED;
    for (const Column& column : columns_) {
      if (column.epoch != 0 || !std::isfinite(column.values[row])) continue;
      const bool of_network = column.metric == v1::METRIC_LATENCY_MS ||
                              column.metric == v1::METRIC_PARAMETERS ||
                              column.metric == v1::METRIC_MACS;
      if (of_network || (scored && column.metric == v1::METRIC_PROXY)) {
        Add(column.metric, column.values[row], &result);
      }
    }
    if (scored) return result;
    const int whole = task.training().epochs();
    const int last = LastEpoch(task);
    for (const v1::Metric metric : {v1::METRIC_ACCURACY, v1::METRIC_LOSS}) {
      const std::optional<double> value = Find(metric, row, last, whole);
      if (value.has_value()) {
        Add(metric, *value, &result);
      } else if (metric == v1::METRIC_ACCURACY) {
        return absl::NotFoundError(absl::StrCat("table '", name_, "' has no accuracy of '",
                                                task.summary(), "' after ", last, " of ", whole,
                                                " epochs"));
      }
    }
    double known = 0;
    for (int epoch = 1; epoch <= last; ++epoch) {
      known = Find(v1::METRIC_ACCURACY, row, epoch, whole).value_or(known);
      v1::EpochMetrics* metrics = result.add_epochs();
      metrics->set_epoch(epoch);
      metrics->set_validation_accuracy(known);
    }
    return result;
  }

  static void Add(v1::Metric metric, double value, v1::TrialResult* result) {
    v1::Measurement* measurement = result->add_measurements();
    measurement->set_metric(metric);
    measurement->set_value(value);
    measurement->set_low(value);
    measurement->set_high(value);
    measurement->set_method("table");
  }

  std::string name_;
  absl::flat_hash_map<std::string, size_t> rows_;
  std::vector<Column> columns_;
  std::vector<double> seconds_;  // by row
};

}  // namespace

absl::StatusOr<std::unique_ptr<TrialRunner>> NewTableRunner(const Table& table,
                                                            const std::string& name) {
  return TableRunner::Create(table, name);
}

}  // namespace frontier::worker
