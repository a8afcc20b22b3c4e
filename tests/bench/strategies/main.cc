// Searches a table of results by one strategy with many seeds, in simulated time, and prints what
// they found as one line of JSON:
//   {"trials": [..], "value": [..], "epochs": [..], "repeats": n, "seconds": [..]}
// `trials`: how many each seed ran. `epochs`: what they were trained in all, by seed. `value`: for
// one objective, by seed, the number in --report of the trial with the best objective; for several,
// by seed and for each of --at, the share of the hypervolume of the whole table that the first so
// many trials dominate (with --early_stopping those that were trained to their end). `repeats`:
// architectures that a search proposed again. `seconds`: processor time of each search.
//
// With --history and --proposals it times proposals instead, and needs no table:
//   {"seconds": [..], "peak_bytes": n}
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/pareto/hypervolume.h"
#include "common/tables/table.h"
#include "coordinator/simulation/simulator.h"
#include "coordinator/space/space.h"
#include "google/protobuf/text_format.h"
#include "tests/bench/strategies/proposal_times.h"
#include "tests/bench/strategies/table_space.h"
#include "tests/bench/thread_clock.h"

namespace frontier::coordinator {
namespace {

struct Flags {
  std::string table, space, strategy, early_stopping;
  int epochs = 200;
  TableColumns columns;
  std::vector<int> shape = {3, 32, 32};
  int classes = 10;
  std::vector<double> reference;  // of the hypervolume; empty = the worst of the table
  std::vector<int64_t> at;
  int64_t first_seed = 1;
  int64_t seeds = 1;
  int threads = 1;
  SimulationLimits limits;
  bool average_equal = false;
  bool known = false;
  int64_t history = 0;
  int64_t proposals = 0;  // 0 = search
};

// The job to search by, and its space.
struct Problem {
  v1::JobSpec job;
  std::unique_ptr<Space> space;
};

absl::StatusOr<Problem> MakeProblem(const Flags& flags) {
  Problem problem;
  v1::SearchSpace spec;
  if (!google::protobuf::TextFormat::ParseFromString(flags.space, &spec) ||
      !google::protobuf::TextFormat::ParseFromString(flags.strategy,
                                                     problem.job.mutable_strategy())) {
    return absl::InvalidArgumentError("--space or --strategy is not in protobuf's text format");
  }
  for (size_t i = 0; i < flags.columns.objectives.size(); ++i) problem.job.add_objectives();
  problem.job.mutable_training()->set_epochs(flags.epochs);
  if (!google::protobuf::TextFormat::ParseFromString(flags.early_stopping,
                                                     problem.job.mutable_early_stopping())) {
    return absl::InvalidArgumentError("--early_stopping is not in protobuf's text format");
  }
  v1::Shape shape;
  shape.set_channels(flags.shape[0]);
  shape.set_height(flags.shape[1]);
  shape.set_width(flags.shape[2]);
  ASSIGN_OR_RETURN(problem.space, CreateSpace(spec, shape, flags.classes));
  return problem;
}

struct Found {
  size_t trials = 0;
  std::vector<double> values;
  size_t repeats = 0;
  int64_t epochs = 0;
  double seconds = 0;
};

class Bench {
 public:
  static absl::StatusOr<std::unique_ptr<Bench>> Create(const Flags& flags) {
    auto bench = std::make_unique<Bench>();
    bench->flags_ = flags;
    ASSIGN_OR_RETURN(const Table table, Table::Load(flags.table));
    ASSIGN_OR_RETURN(bench->table_, TableSpace::Create(table, flags.columns));
    ASSIGN_OR_RETURN(bench->problem_, MakeProblem(flags));
    if (flags.average_equal) {
      RETURN_IF_ERROR(bench->table_.AverageEqual(*bench->problem_.space));
    }
    if (flags.columns.objectives.size() > 1) RETURN_IF_ERROR(bench->FindHypervolume());
    return bench;
  }

  absl::StatusOr<std::vector<Found>> RunAll() {
    std::vector<Found> found(static_cast<size_t>(flags_.seeds));
    std::atomic<int64_t> next = 0;
    std::mutex mutex;
    absl::Status problem;
    const auto work = [&] {
      Simulator simulator(problem_.space.get(), find_);
      for (int64_t i = next++; i < flags_.seeds; i = next++) {
        absl::StatusOr<Found> one = RunOne(&simulator, flags_.first_seed + i);
        const std::lock_guard<std::mutex> lock(mutex);
        problem.Update(one.status());
        if (!problem.ok()) return;
        found[static_cast<size_t>(i)] = *std::move(one);
      }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < flags_.threads; ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    RETURN_IF_ERROR(problem);
    return found;
  }

 private:
  absl::Status FindHypervolume() {
    std::vector<std::vector<double>> points;
    std::vector<double> worst;
    for (const std::vector<double>& point : table_.objectives()) {
      if (!std::all_of(point.begin(), point.end(), [](double v) { return std::isfinite(v); })) {
        continue;
      }
      if (worst.empty()) worst = point;
      for (size_t m = 0; m < point.size(); ++m) worst[m] = std::max(worst[m], point[m]);
      points.push_back(point);
    }
    if (flags_.reference.empty()) flags_.reference = worst;
    ASSIGN_OR_RETURN(whole_, Hypervolume(points, flags_.reference));
    return absl::OkStatus();
  }

  absl::StatusOr<Found> RunOne(Simulator* simulator, int64_t seed) const {
    v1::JobSpec job = problem_.job;
    job.mutable_strategy()->set_seed(static_cast<uint64_t>(seed));
    if (flags_.known) RETURN_IF_ERROR(simulator->Run(job, flags_.limits).status());
    const double begin = ThreadSeconds();
    ASSIGN_OR_RETURN(const std::vector<SimulatedTrial> trials, simulator->Run(job, flags_.limits));
    Found found;
    found.seconds = ThreadSeconds() - begin;
    found.trials = trials.size();
    std::set<std::string> hashes;
    for (const SimulatedTrial& trial : trials) hashes.insert(trial.hash);
    found.repeats = trials.size() - hashes.size();
    for (const SimulatedTrial& trial : trials) found.epochs += trial.epochs;
    if (whole_ == 0) {
      const auto best = std::min_element(trials.begin(), trials.end(),
                                         [](const SimulatedTrial& a, const SimulatedTrial& b) {
                                           return a.outcome.objectives[0] < b.outcome.objectives[0];
                                         });
      if (best == trials.end())
        return absl::InternalError(absl::StrCat("seed ", seed, ": no trial"));
      found.values.push_back(table_.reports()[best->outcome.row]);
      return found;
    }
    ASSIGN_OR_RETURN(HypervolumeArchive archive, HypervolumeArchive::Create(flags_.reference));
    size_t done = 0;
    for (const int64_t at : flags_.at) {
      for (; done < std::min(trials.size(), static_cast<size_t>(at)); ++done) {
        if (!trials[done].stopped) archive.Insert(trials[done].outcome.objectives);
      }
      found.values.push_back(archive.volume() / whole_);
    }
    return found;
  }

  struct Finder {
    const Bench* bench;
    absl::StatusOr<Outcome> operator()(const v1::Genotype& genotype) const {
      return bench->table_.Find(*bench->problem_.space, genotype);
    }
  };

  Flags flags_;
  TableSpace table_;
  Problem problem_;
  double whole_ = 0;  // hypervolume of the table; 0 = one objective
  const Finder find_{this};
};

std::string Json(const std::vector<Found>& found) {
  const auto list = [&](auto value) {
    return absl::StrJoin(
        found, ", ", [&](std::string* out, const Found& one) { absl::StrAppend(out, value(one)); });
  };
  size_t repeats = 0;
  for (const Found& one : found) repeats += one.repeats;
  return absl::StrCat(
      "{\"trials\": [", list([](const Found& one) { return absl::StrCat(one.trials); }),
      "], \"value\": [", list([](const Found& one) {
        const std::string values = absl::StrJoin(one.values, ", ");
        return one.values.size() == 1 ? values : absl::StrCat("[", values, "]");
      }),
      "], \"epochs\": [", list([](const Found& one) { return absl::StrCat(one.epochs); }),
      "], \"repeats\": ", repeats, ", \"seconds\": [",
      list([](const Found& one) { return absl::StrCat(one.seconds); }), "]}");
}

int Fail(const absl::Status& status) {
  std::cerr << "frontier-strategy-bench: " << status.message() << "\n";
  return EXIT_FAILURE;
}

int TimeAndPrint(const Flags& flags) {
  const auto time = [&]() -> absl::StatusOr<std::vector<double>> {
    ASSIGN_OR_RETURN(const Problem problem, MakeProblem(flags));
    return TimeProposals(problem.job, *problem.space, flags.history, flags.proposals);
  };
  const absl::StatusOr<std::vector<double>> seconds = time();
  if (!seconds.ok()) return Fail(seconds.status());
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  std::puts(absl::StrCat("{\"seconds\": [", absl::StrJoin(*seconds, ", "),
                         "], \"peak_bytes\": ", int64_t{usage.ru_maxrss} * 1024, "}")
                .c_str());
  return EXIT_SUCCESS;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Searches a table of results by one strategy, in simulated time");
  app.add_option("--table", flags.table, "CSV file, plain or gzip'd");
  app.add_option("--space", flags.space, "SearchSpace in protobuf's text format")->required();
  app.add_option("--shape", flags.shape, "of samples: channels, height, width")
      ->expected(3)
      ->delimiter(',');
  app.add_option("--classes", flags.classes);
  app.add_option("--strategy", flags.strategy, "StrategySpec in text format")->required();
  app.add_option("--key", flags.columns.key, "column of genotypes, as digits or summaries");
  app.add_option("--objectives", flags.columns.objectives, "columns; +NAME is to be maximized")
      ->required()
      ->delimiter(',');
  app.add_option("--seconds", flags.columns.seconds, "column of a trial's seconds");
  app.add_option("--seconds_scale", flags.columns.seconds_scale);
  app.add_option("--report", flags.columns.report, "column to report of the best trial");
  app.add_option("--early_stopping", flags.early_stopping, "EarlyStopping in text format");
  app.add_option("--epochs", flags.epochs, "of a trial");
  app.add_option("--rung", flags.columns.rung, "objectives at a rung")->delimiter(',');
  app.add_option("--rung_epochs", flags.columns.rung_epochs);
  app.add_option("--rung_share", flags.columns.rung_share, "of a trial's seconds, by then");
  app.add_flag("--average_equal", flags.average_equal, "one result for equal architectures");
  app.add_flag("--known", flags.known,
               "run each search once before it is timed, so that its networks are known");
  app.add_option("--reference", flags.reference, "of the hypervolume")->delimiter(',');
  app.add_option("--at", flags.at, "trials after which the hypervolume is told")->delimiter(',');
  app.add_option("--first_seed", flags.first_seed);
  app.add_option("--seeds", flags.seeds);
  app.add_option("--threads", flags.threads);
  app.add_option("--workers", flags.limits.workers);
  app.add_option("--trials", flags.limits.trials);
  app.add_option("--time", flags.limits.seconds, "simulated seconds");
  app.add_option("--history", flags.history, "ended trials before the proposals to be timed");
  app.add_option("--proposals", flags.proposals, "to be timed");
  CLI11_PARSE(app, argc, argv);
  if (flags.proposals > 0) return TimeAndPrint(flags);
  const auto run = [&]() -> absl::StatusOr<std::vector<Found>> {
    ASSIGN_OR_RETURN(const std::unique_ptr<Bench> bench, Bench::Create(flags));
    return bench->RunAll();
  };
  const absl::StatusOr<std::vector<Found>> found = run();
  if (!found.ok()) return Fail(found.status());
  std::puts(Json(*found).c_str());
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace frontier::coordinator

int main(int argc, char** argv) { return frontier::coordinator::Main(argc, argv); }
