#include "worker/agent/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/version.h"
#include "common/flags/config_file.h"
#include "common/flags/validators.h"
#include "worker/agent/state_folder.h"

namespace frontier::worker {
namespace {

constexpr char kDescription[] =
    "Trains and measures proposed architectures on this machine for a coordinator.\n"
    "Without a command it is a daemon; SIGTERM or SIGINT gives running trials back and leaves,\n"
    "SIGUSR1 lets them end first.";

constexpr char kFooter[] =
    "Exit codes:\n"
    "  0  told to leave, or help was asked for\n"
    "  1  internal error\n"
    "  2  wrong flags, configuration or data set; another process has this worker's name\n"
    "  3  no coordinator within --connect_timeout_seconds\n"
    "  4  the coordinator speaks another protocol version\n"
    "  5  --state_dir cannot be used, or another worker uses it\n"
    "  6  the coordinator refuses this worker\n"
    "A configuration file holds flags without dashes, one a line: slots = 2";

// CLI11 throws; nothing of that leaves this file.
std::string ErrorText(const CLI::App& app, const CLI::Error& error, int* code) {
  std::ostringstream out, err;
  *code = app.exit(error, out, err) == 0 ? kExitOk : kExitUsage;
  return out.str() + err.str();
}

void AddDaemonFlags(CLI::App* app, WorkerOptions* o, std::string* log_format,
                    std::string* log_level) {
  app->add_option("--coordinator", o->coordinator, "Address of the coordinator, host:port")
      ->envname("FRONTIER_COORDINATOR")
      // Commands call nobody, those among them that the daemon starts with its environment.
      ->check([app, address = PeerAddress()](const std::string& text) {
        return app->get_subcommands().empty() ? address(text) : std::string();
      });
  app->add_option(
      "--state_dir", o->state_dir,
      "Folder of this worker's own: its name, and outcomes until they are acknowledged");
  app->add_option("--worker_id", o->worker_id,
                  "Name of this worker; by default the host's with a suffix, kept in --state_dir")
      ->check([](const std::string& text) {
        if (text.empty()) return std::string();  // as if it were not given
        const absl::Status status = CheckWorkerId(text);
        return std::string(status.message());
      });
  const std::map<std::string, std::string> automatic = {{"auto", "0"}};
  app->add_option(
         "--slots", o->slots,
         "Trials at a time; auto or 0 = cores / --threads_per_trial, or if that is 0, too, "
         "the best pair by a measurement of a few seconds at the first start")
      ->check(CLI::Range(0, 1024))
      ->transform(CLI::Transformer(automatic));
  app->add_option(
         "--threads_per_trial", o->threads_per_trial,
         "Compute threads of a trial whose job does not say; auto or 0 = 1 if --slots is given")
      ->check(CLI::Range(0, 1024))
      ->transform(CLI::Transformer(automatic));
  app->add_option("--pin", o->pin,
                  "Bind each slot to CPUs of its own; false where workers share CPUs");
  app->add_option("--memory_mb_per_trial", o->memory_mb_per_trial,
                  "Private memory a trial may use whose job does not say, MiB; 0 = four fifths of "
                  "the memory, shared by the slots")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 30));
  app->add_option("--dataset", o->datasets,
                  "A data set, name=folder with IDX files; may be repeated")
      ->allow_extra_args(false);
  app->add_option("--label", o->labels,
                  "What jobs may ask for in `placement`, such as fast or rack=3; may be repeated")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        const bool good = !text.empty() && text.size() <= 128 &&
                          text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
                              "YZ0123456789._=/-") == std::string::npos;
        return good ? std::string()
                    : absl::StrCat("'", text,
                                   "' is not 1 to 128 of letters, digits, '.', '_', "
                                   "'=', '/' and '-'");
      });
  app->add_option("--evaluator", o->evaluator,
                  "train, or table:FILE to answer from a table of results (CSV, also gzip'd) in "
                  "place of training; data sets are then given as "
                  "--dataset NAME=CHANNELSxHEIGHTxWIDTH/CLASSES")
      ->check([](const std::string& text) {
        const bool good = text == "train" || (text.rfind("table:", 0) == 0 && text.size() > 6);
        return good ? std::string() : absl::StrCat("'", text, "' is neither train nor table:FILE");
      });
  app->add_option("--dataset_root", o->dataset_root,
                  "Each subfolder with IDX files is offered under its own name; empty = none");
  app->add_option("--connect_timeout_seconds", o->connect_timeout_seconds,
                  "How long to look for the coordinator at the start; 0 = for ever")
      ->check(NumberIn(0, 1e9));
  app->add_option("--shutdown_seconds", o->shutdown_seconds,
                  "How long leaving may take: outcomes reported, leases given back")
      ->check(NumberIn(0, 1e6));
  app->add_option("--log_format", *log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app->add_option("--log_level", *log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app->add_option("--log_file", o->log.file, "File to append the log to; empty = standard error");
  app->add_option("--cpu_idle_watts", o->cpu_idle_watts,
                  "Measured power of the whole machine when idle; with --cpu_full_watts");
  app->add_option("--cpu_full_watts", o->cpu_full_watts,
                  "Measured power of the whole machine with all cores busy");
  app->add_option("--carbon_g_per_kwh", o->carbon_g_per_kwh,
                  "Carbon intensity of the electricity, g CO2e/kWh; by default the world average");
  app->add_option("--pue", o->pue,
                  "Power usage effectiveness of the facility, at least 1; enters CO2 only");
  app->add_option("--proc_root", o->paths.proc_root, "Where /proc is mounted");
  app->add_option("--sysfs_root", o->paths.sysfs_root, "Where /sys is mounted");
}

CLI::App* AddProfileCommand(CLI::App* app, ProfileCommandOptions* o) {
  CLI::App* profile = app->add_subcommand(
      "profile", "Print where the time of a training step goes, layer by layer");
  profile
      ->add_option("architecture", o->architecture,
                   "Name of a reference network, or a file: of a model, of `frontier show JOB "
                   "TRIAL --json`, or of an architecture as JSON or protobuf text")
      ->required();
  profile->add_option("--input", o->input,
                      "Channels x height x width; by default the file's own, else 1x28x28");
  profile->add_option("--classes", o->classes, "0 = the file's own, else 10")
      ->check(CLI::Range(0, 256));
  profile->add_option("--batch", o->batch, "Samples a step")->check(CLI::Range(1, 1 << 20));
  profile->add_option("--threads", o->threads, "Compute threads")->check(CLI::Range(1, 1024));
  profile->add_option("--precision", o->precision, "f32, mixed or auto")
      ->check(CLI::IsMember({"f32", "mixed", "auto"}));
  profile->add_option("--steps", o->steps, "Training steps timed; the median counts")
      ->check(CLI::Range(1, 1 << 20));
  profile->add_flag("--json", o->json, "Print JSON");
  return profile;
}

// The coordinator would refuse it, and the daemon be started again and again.
absl::Status CheckLabels(std::vector<std::string> labels) {
  std::sort(labels.begin(), labels.end());
  const auto twice = std::adjacent_find(labels.begin(), labels.end());
  if (twice == labels.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--label: '", *twice, "' is given twice"));
}

}  // namespace

EnergyOptions MakeEnergyOptions(const WorkerOptions& options) {
  EnergyOptions energy;
  if (options.cpu_idle_watts.has_value()) energy.idle_power = Watts(*options.cpu_idle_watts);
  if (options.cpu_full_watts.has_value()) energy.full_power = Watts(*options.cpu_full_watts);
  if (options.carbon_g_per_kwh.has_value()) {
    energy.carbon_intensity = GramsPerKwh(*options.carbon_g_per_kwh);
  }
  energy.pue = options.pue;
  energy.machine_cores = OnlineCores(options.paths);
  return energy;
}

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  CommandLine line;
  std::string log_format = "text", log_level = "info";
  bool print_config = false;
  CLI::App app(kDescription, "frontier-worker");
  app.option_defaults()->always_capture_default();
  app.footer(kFooter);
  app.set_version_flag("--version", VersionLine("frontier-worker"));
  AddConfigFile(&app, "Configuration file; flags override it");
  app.add_flag("--print_config", print_config, "Print the effective configuration and exit")
      ->configurable(false);
  AddDaemonFlags(&app, &line.worker, &log_format, &log_level);

  CLI::App* hardware = app.add_subcommand("hardware", "Print as JSON what would be registered");
  hardware->fallthrough();

  CLI::App* evaluate =
      app.add_subcommand("evaluate", "Print as JSON the accuracy and loss of a trained model");
  EvaluateOptions* e = &line.evaluate;
  evaluate->add_option("--model", e->model, "Model file")->required();
  evaluate->add_option("--dataset_folder", e->dataset_folder, "Folder with IDX files")->required();
  evaluate->add_option("--part", e->part, "validation (of the job's split) or test")
      ->check(CLI::IsMember({"validation", "test"}));
  evaluate->add_option("--split_seed", e->split_seed, "As in the job");
  evaluate->add_option("--validation_fraction", e->validation_fraction, "As in the job")
      ->check(NumberIn(0, 1));
  evaluate->add_option("--validation_samples", e->validation_samples, "As in the job")
      ->check(CLI::Range(0, 1 << 30));
  evaluate->add_option("--threads", e->threads, "Compute threads")->check(CLI::Range(1, 1024));

  CLI::App* profile = AddProfileCommand(&app, &line.profile);
  CLI::App* rerun = app.add_subcommand(
      "rerun", "Train a recorded trial again and say whether its weights come out the same");
  RerunCommandOptions* r = &line.rerun;
  rerun
      ->add_option("TRIAL", r->trial,
                   "File with what `frontier show JOB TRIAL --json` prints; - = standard input")
      ->required();
  rerun->add_option("--dataset", r->dataset_folder, "Folder with the data set's IDX files")
      ->required();
  rerun->add_option("--output", r->output, "Where to keep the trained model");
  rerun->add_option("--parent", r->parent,
                    "Model file the trial inherits from, if it does (see frontier weights)");
  rerun->footer(
      "Exit codes:\n"
      "  0  the weights are the recorded ones, bit for bit\n"
      "  1  they differ\n"
      "  2  the trial cannot be run here");

  // What the daemon starts for each trial; not for people.
  CLI::App* run_trial = app.add_subcommand("run-trial", "");
  run_trial->group("");
  run_trial->add_option("--memory_bytes", line.run_trial.memory_bytes);
  run_trial->add_option("--parent_pid", line.run_trial.parent_pid);

  // What the daemon starts to divide the machine; not for people.
  CLI::App* measure = app.add_subcommand("measure-training", "");
  measure->group("");
  MeasureTrainingOptions* m = &line.measure_training;
  measure->add_option("--threads", m->threads)->check(CLI::Range(1, 1024));
  measure->add_option("--milliseconds", m->milliseconds)->check(CLI::Range(1, 60000));
  measure->add_option("--picks_path", m->picks_path);
  measure->add_option("--hardware_class", m->hardware_class);

  for (CLI::App* command : {evaluate, profile, rerun, run_trial, measure}) {
    for (CLI::Option* option : command->get_options()) option->configurable(false);
  }
  app.require_subcommand(0, 1);

  try {
    app.parse(argc, argv);
    line.effective_config = EffectiveConfig(app);
  } catch (const CLI::Error& error) {
    int code = 0;
    line.message = ErrorText(app, error, &code);
    line.exit_code = code;
    return line;
  } catch (const std::exception& error) {
    line.message = absl::StrCat("frontier-worker: ", error.what(), "\n");
    line.exit_code = kExitUsage;
    return line;
  }
  if (hardware->parsed()) line.command = CommandLine::Command::kHardware;
  if (evaluate->parsed()) line.command = CommandLine::Command::kEvaluate;
  if (measure->parsed()) line.command = CommandLine::Command::kMeasureTraining;
  if (rerun->parsed()) line.command = CommandLine::Command::kRerun;
  if (run_trial->parsed()) line.command = CommandLine::Command::kRunTrial;
  if (profile->parsed()) line.command = CommandLine::Command::kProfile;
  line.worker.log.component = "worker";
  absl::Status status = ParseLogFormat(log_format, &line.worker.log.format);
  if (status.ok()) status = ParseLogLevel(log_level, &line.worker.log.level);
  if (status.ok()) status = CheckLabels(line.worker.labels);
  if (status.ok()) status = EnergyModel::Create(MakeEnergyOptions(line.worker)).status();
  if (!status.ok()) {
    line.message = absl::StrCat("frontier-worker: ", status.message(), "\n");
    line.exit_code = kExitUsage;
  } else if (print_config) {
    line.message = line.effective_config;
    line.exit_code = kExitOk;
  }
  return line;
}

}  // namespace frontier::worker
