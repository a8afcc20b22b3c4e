// Loads a running coordinator with workers that train nothing, and asks it what clients ask. Each
// command prints a line of JSON:
//   frontier-coordinator-bench load --coordinator HOST:PORT --workers 8 --seconds 10
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/bench/coordinator/fill.h"
#include "tests/bench/coordinator/load.h"
#include "tests/bench/coordinator/queries.h"
#include "tests/bench/coordinator/swarm.h"

namespace {

std::function<absl::Status()> ParseFlags(CLI::App* app) {
  struct Flags {
    std::string coordinator;
    std::string data_dir;
    int workers = 8;
    double seconds = 10;
    double began_unix = 0;
    int64_t trials = 0;
    int rounds = 50;
    frontier::bench::SwarmOptions swarm;
    double trial_seconds = 60;
    std::function<absl::Status()> action;
  };
  static Flags flags;
  app->require_subcommand(1);
  const auto add = [app](const char* name, const char* help) {
    return app->add_subcommand(name, help);
  };
  const auto add_coordinator = [](CLI::App* command) {
    command->add_option("--coordinator", flags.coordinator, "HOST:PORT")->required();
  };

  CLI::App* load = add("load", "As many trials as it takes");
  add_coordinator(load);
  load->add_option("--workers", flags.workers, "each with a thread and a connection of its own")
      ->check(CLI::Range(1, 1000));
  load->add_option("--seconds", flags.seconds, "how long")->check(CLI::PositiveNumber);
  load->callback([] {
    flags.action = [] {
      return frontier::bench::RunLoad(flags.coordinator, flags.workers, flags.seconds);
    };
  });

  CLI::App* swarm = add("swarm", "Thousands of workers whose trials take time");
  add_coordinator(swarm);
  swarm->add_option("--workers", flags.swarm.workers, "each with a connection of its own")
      ->check(CLI::Range(1, 100'000));
  swarm->add_option("--coordinator_pid", flags.swarm.coordinator_pid, "whose CPU and memory count")
      ->required();
  swarm->add_option("--trial_seconds", flags.trial_seconds, "of each trial")
      ->check(CLI::PositiveNumber);
  swarm->add_option("--seconds", flags.seconds, "measured")->check(CLI::PositiveNumber);
  swarm->callback([] {
    flags.action = [] {
      flags.swarm.coordinator = flags.coordinator;
      flags.swarm.trial = absl::Seconds(flags.trial_seconds);
      flags.swarm.measured = absl::Seconds(flags.seconds);
      return frontier::bench::RunSwarm(flags.swarm);
    };
  });

  CLI::App* queries = add("queries", "Status, front and a page of trials of job 1");
  add_coordinator(queries);
  queries->add_option("--rounds", flags.rounds, "calls of each")->check(CLI::Range(1, 100'000));
  queries->callback([] {
    flags.action = [] { return frontier::bench::TimeQueries(flags.coordinator, flags.rounds); };
  });

  CLI::App* lease = add("first_lease", "Seconds until there is a lease");
  add_coordinator(lease);
  lease->add_option("--since", flags.began_unix, "Unix time, seconds")->required();
  lease->callback([] {
    flags.action = [] {
      return frontier::bench::AwaitLease(flags.coordinator,
                                         absl::UnixEpoch() + absl::Seconds(flags.began_unix));
    };
  });

  CLI::App* fill = add("fill", "Trials for job 1 of a data folder");
  fill->add_option("--data_dir", flags.data_dir, "nobody serves from it")->required();
  fill->add_option("--trials", flags.trials, "in all")->required()->check(CLI::PositiveNumber);
  fill->callback(
      [] { flags.action = [] { return frontier::bench::Fill(flags.data_dir, flags.trials); }; });
  return [] { return flags.action(); };
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads a running coordinator with workers that train nothing.");
  const std::function<absl::Status()> action = ParseFlags(&app);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = action();
  if (status.ok()) return 0;
  std::fprintf(stderr, "frontier-coordinator-bench: %s\n", std::string(status.message()).c_str());
  return 1;
}
