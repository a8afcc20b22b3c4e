#include "coordinator/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "common/base/version.h"
#include "common/flags/config_file.h"
#include "common/flags/validators.h"

namespace frontier::coordinator {
namespace {

constexpr char kFooter[] =
    "A configuration file has lines such as  listen=\"0.0.0.0:7070\" ; flags override it.\n"
    "\n"
    "Without a command it serves.\n"
    "\n"
    "Exit codes: 0 ended in good order; 1 internal error; 2 usage or configuration; 3 the data\n"
    "folder or its database cannot be used (locked, read-only, damaged, newer, full); 4 the\n"
    "address cannot be listened on (in use, not of this machine, not permitted).";

constexpr double kMostDays = 36'500;

// Of a lease of the default length a third, so that one message may be lost.
constexpr absl::Duration kLongestHeartbeat = absl::Seconds(10);

// Not given = for ever.
absl::Duration Days(const std::optional<double>& days) {
  return days.has_value() ? *days * absl::Hours(24) : absl::InfiniteDuration();
}

// What flags give in another form than the options have.
struct Values {
  double lease_seconds = 0;
  double database_wait_seconds = 0;
  std::optional<double> heartbeat_seconds;
  std::optional<double> keep_trials_days, keep_log_days, keep_models_days, keep_jobs_days,
      keep_workers_days;
  std::string format = "text";
  std::string level = "info";
};

void AddFlags(Flags* flags, Values* values, CLI::App* app) {
  app->add_option("--data_dir", flags->server.data_dir,
                  "Folder of database and weights; made if absent")
      ->required()
      ->check(NotEmpty());
  app->add_option("--listen", flags->server.gateway.listen,
                  "host:port to serve on; port 0 takes a free one")
      ->capture_default_str()
      ->check(ListenAddress());
  app->add_option("--lease_seconds", values->lease_seconds, "A worker silent for this long is lost")
      ->capture_default_str()
      ->check(NumberIn(1, 86'400));
  app->add_option("--heartbeat_seconds", values->heartbeat_seconds,
                  "How often workers report, at most a third of the lease; default: that, up to 10")
      ->check(NumberIn(0.1, 3'600));
  app->add_option("--database_wait_seconds", values->database_wait_seconds,
                  "How long to wait for another process that holds the database")
      ->capture_default_str()
      ->check(NumberIn(0, 3'600));
  const auto add_days = [&](const char* name, std::optional<double>* days, const char* help) {
    app->add_option(name, *days, help)->check(NumberIn(0, kMostDays));
  };
  add_days("--keep_trials_days", &values->keep_trials_days,
           "Days after its end that a job's trials are kept but for its front; default: for ever");
  add_days("--keep_log_days", &values->keep_log_days, "The same of its log");
  add_days("--keep_models_days", &values->keep_models_days, "The same of its models");
  add_days("--keep_jobs_days", &values->keep_jobs_days, "The same of all that it has left");
  add_days("--keep_workers_days", &values->keep_workers_days,
           "Days that a worker is listed after it was last seen; default: for ever");
  app->add_option("--log_format", values->format, "text or json")->capture_default_str();
  app->add_option("--log_level", values->level, "debug, info, warning or error")
      ->capture_default_str();
  app->add_option("--log_file", flags->log.file, "Write the log here; default: standard error");
  app->add_option("--port_file", flags->port_file,
                  "Write the address served on here, once it is served");
}

}  // namespace

std::optional<ExitCode> ParseFlags(int argc, char** argv, Flags* flags) {
  Values values;
  values.lease_seconds = absl::ToDoubleSeconds(flags->server.dispatcher.lease_duration);
  values.database_wait_seconds = absl::ToDoubleSeconds(flags->server.database_wait);
  bool print_config = false;
  std::string effective;
  try {
    CLI::App app("Frontier's coordinator: holds the jobs and hands work to workers.",
                 "frontier-coordinator");
    app.footer(kFooter);
    app.set_version_flag("--version", VersionLine("frontier-coordinator"));
    const auto add_task = [&](const char* name, const char* help, Task task) {
      CLI::App* command = app.add_subcommand(name, help);
      command->fallthrough()->configurable(false);
      command->callback([flags, task] { flags->task = task; });
      return command;
    };
    const auto add_folder = [&](CLI::App* command, const char* help) {
      command->add_option("folder", flags->folder, help)
          ->required()
          ->configurable(false)
          ->check(NotEmpty());
    };
    app.require_subcommand(0, 1);
    add_folder(
        add_task("backup", "Copy the data folder, which may be served from, as it is at one moment",
                 Task::kBackUp),
        "Where to; made");
    add_folder(add_task("restore", "Make a backup the data folder", Task::kRestore), "The backup");
    add_task("check", "Say what is wrong with the data folder, which nobody serves from",
             Task::kCheck);
    add_task("compact", "Give back the space of what was deleted from the database",
             Task::kCompact);
    AddConfigFile(&app, "Read flags from this file");
    AddFlags(flags, &values, &app);
    app.add_flag("--print_config", print_config, "Print the effective configuration and exit")
        ->configurable(false);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? kOk : kUsage;
    }
    effective = EffectiveConfig(app);
  } catch (const std::exception& error) {
    std::cerr << "frontier-coordinator: " << error.what() << std::endl;
    return kUsage;
  }
  if (print_config) {
    std::cout << effective;
    return kOk;
  }
  flags->configuration =
      absl::StrReplaceAll(absl::StripTrailingAsciiWhitespace(effective), {{"\n", " "}});
  const absl::Duration lease = absl::Seconds(values.lease_seconds);
  flags->server.dispatcher.lease_duration = lease;
  flags->server.dispatcher.heartbeat_interval = values.heartbeat_seconds.has_value()
                                                    ? absl::Seconds(*values.heartbeat_seconds)
                                                    : std::min(kLongestHeartbeat, lease / 3);
  flags->server.dispatcher.retention = {.trials = Days(values.keep_trials_days),
                                        .log = Days(values.keep_log_days),
                                        .models = Days(values.keep_models_days),
                                        .jobs = Days(values.keep_jobs_days),
                                        .workers = Days(values.keep_workers_days)};
  flags->server.database_wait = absl::Seconds(values.database_wait_seconds);
  flags->log.component = "coordinator";
  for (const absl::Status& status : {ParseLogFormat(values.format, &flags->log.format),
                                     ParseLogLevel(values.level, &flags->log.level)}) {
    if (status.ok()) continue;
    std::cerr << "frontier-coordinator: " << status.message() << std::endl;
    return kUsage;
  }
  return std::nullopt;
}

}  // namespace frontier::coordinator
