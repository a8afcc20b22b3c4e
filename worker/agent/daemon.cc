#include "worker/agent/daemon.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "common/rpc/client/worker_client.h"
#include "common/tables/table.h"
#include "google/protobuf/util/json_util.h"
#include "worker/agent/agent.h"
#include "worker/agent/checkpoint_folder.h"
#include "worker/agent/cpu_sets.h"
#include "worker/agent/dataset_catalog.h"
#include "worker/agent/hardware.h"
#include "worker/agent/outbox.h"
#include "worker/agent/parent_folder.h"
#include "worker/agent/split.h"
#include "worker/agent/state_folder.h"
#include "worker/agent/table_runner.h"
#include "worker/agent/trial_process_runner.h"

namespace frontier::worker {
namespace {

// Memory of a process that measures for a split, generously.
constexpr int64_t kBytesOfABurst = int64_t{256} << 20;
constexpr char kDefaultDatasetRoot[] = "/usr/share/datasets";

std::atomic<Agent*> running_agent{nullptr};

void OnLeave(int) {
  if (Agent* agent = running_agent.load()) agent->Shutdown();
}
void OnDrain(int) {
  if (Agent* agent = running_agent.load()) agent->Drain();
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  sigaction(signal, nullptr, &action);
  // What is ignored stays ignored: under nohup a lost terminal is no reason to leave.
  if (signal == SIGHUP && action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void HandleSignals(void (*leave)(int), void (*drain)(int)) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) Handle(signal, leave);
  Handle(SIGUSR1, drain);
  Handle(SIGPIPE, SIG_IGN);
  Handle(SIGCHLD, SIG_DFL);
}

absl::StatusOr<uint64_t> RandomBits() {
  uint64_t bits = 0;
  if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) {
    return absl::InternalError("the system gives no random bytes");
  }
  return bits;
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

// What this machine is and has.
struct Machine {
  v1::Hardware hardware;
  DatasetCatalog catalog;
  Split split;
  int64_t memory_bytes_per_trial = 0;
};

// File of the table that trials are answered from; empty = they are trained.
std::string TableOf(const WorkerOptions& options) {
  absl::string_view table = options.evaluator;
  return absl::ConsumePrefix(&table, "table:") ? std::string(table) : "";
}

bool IsMeasured(const WorkerOptions& options) {
  return options.slots == 0 && options.threads_per_trial == 0 && TableOf(options).empty();
}

absl::StatusOr<std::unique_ptr<TrialRunner>> MakeRunner(const WorkerOptions& options,
                                                        Clock* clock) {
  const std::string table = TableOf(options);
  if (!table.empty()) {
    ASSIGN_OR_RETURN(const Table loaded, Table::Load(table));
    return NewTableRunner(loaded, table);
  }
  TrialProcessRunnerOptions runner_options;
  runner_options.proc_root = options.paths.proc_root;
  return NewTrialProcessRunner(runner_options, clock);
}

SplitConditions ConditionsOf(const v1::Hardware& hardware) {
  return {hardware.engine(), hardware.hardware_class(), hardware.cores()};
}

// As the operator says, else as an earlier start has found out, else one thread for each core.
Split SplitOf(const WorkerOptions& options, const v1::Hardware& hardware) {
  if (IsMeasured(options)) {
    const absl::StatusOr<ChosenSplit> found =
        ReadSplit(StateFolder::Split(options.state_dir), ConditionsOf(hardware));
    if (found.ok()) return found->split;
  }
  const int threads = std::max(1, options.threads_per_trial);
  return {options.slots > 0 ? options.slots : std::max(1, hardware.cores() / threads), threads};
}

// Measures what SplitOf will find, unless it is known or the operator has said it.
void FindOutSplit(const WorkerOptions& options, const v1::Hardware& hardware,
                  const std::string& picks_path, Clock* clock) {
  const std::string path = StateFolder::Split(options.state_dir);
  const SplitConditions conditions = ConditionsOf(hardware);
  if (!IsMeasured(options) || ReadSplit(path, conditions).ok()) return;
  const std::vector<Split> candidates =
      SplitCandidates(hardware.cores(), hardware.memory_bytes() / 2, kBytesOfABurst);
  if (candidates.size() < 2) return;
  LogInfo({}, "measuring how to divide this machine; a few seconds, once");
  TrainingBurst burst;
  burst.picks_path = picks_path;
  burst.hardware_class = hardware.hardware_class();
  const absl::StatusOr<ChosenSplit> chosen =
      ChooseSplit(candidates, /*rounds=*/2, [&](const Split& split) -> absl::StatusOr<double> {
        if (options.pin) {
          burst.cpus = DivideCpus(AllowedCpus(), split.slots, options.paths.sysfs_root);
        }
        ASSIGN_OR_RETURN(const double speed, MeasureByTraining(split, burst, clock));
        LogInfo({}, absl::StrFormat("%d trial(s) of %d thread(s): %.0f images/s trained",
                                    split.slots, split.threads, speed));
        return speed;
      });
  const absl::Status kept = chosen.ok() ? WriteSplit(path, conditions, *chosen) : chosen.status();
  if (!kept.ok()) LogWarning({}, absl::StrCat("the split is not kept: ", kept.message()));
}

absl::StatusOr<Machine> LookAtMachine(const WorkerOptions& options, const std::string& engine) {
  Machine machine;
  ASSIGN_OR_RETURN(machine.hardware, DetectHardware(options.paths));
  machine.hardware.set_engine(engine);
  DatasetCatalogOptions catalog_options = {options.datasets, !TableOf(options).empty(),
                                           options.dataset_root};
  std::error_code error;
  // The default is a place to look, not a demand.
  if (options.dataset_root == kDefaultDatasetRoot &&
      !std::filesystem::is_directory(options.dataset_root, error)) {
    catalog_options.root.clear();
  }
  ASSIGN_OR_RETURN(machine.catalog, DatasetCatalog::Create(catalog_options));
  machine.split = SplitOf(options, machine.hardware);
  machine.memory_bytes_per_trial =
      options.memory_mb_per_trial > 0
          ? options.memory_mb_per_trial << 20
          : machine.hardware.memory_bytes() / 5 * 4 / machine.split.slots;
  return machine;
}

int ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  if (GetErrorReason(status) == v1::ERROR_REASON_PROTOCOL_VERSION) return kExitProtocolVersion;
  // Two workers of one name: were it started again, each would go on putting the other out.
  if (GetErrorReason(status) == v1::ERROR_REASON_UNKNOWN_WORKER) return kExitUsage;
  if (absl::IsDeadlineExceeded(status)) return kExitNoCoordinator;
  return kExitRefused;
}

int Complain(const absl::Status& status, int code) {
  LogError({}, absl::StrCat(status.message(), " (exit code ", code, ")"));
  return code;
}

void LogStart(const CommandLine& line, const Machine& machine, const EnergyModel& energy,
              const std::string& worker_id) {
  LogInfo({.worker = worker_id}, VersionLine("frontier-worker"));
  for (const absl::string_view setting :
       absl::StrSplit(line.effective_config, '\n', absl::SkipEmpty())) {
    LogInfo({}, absl::StrCat("config: ", setting));
  }
  const v1::Hardware& hardware = machine.hardware;
  LogInfo({}, absl::StrCat(hardware.cpu_model(), ", ", hardware.cores(), " core(s), ",
                           hardware.memory_bytes() >> 20, " MiB, ", hardware.os(), ", class ",
                           hardware.hardware_class(), ", engine ", hardware.engine()));
  LogInfo({}, absl::StrCat(machine.split.slots, " trial(s) at a time of ", machine.split.threads,
                           " thread(s) and ", machine.memory_bytes_per_trial >> 20, " MiB each; ",
                           energy.Describe()));
  for (const v1::Dataset& dataset : machine.catalog.datasets()) {
    LogInfo({}, absl::StrCat("data set ", dataset.name(), ": ", dataset.train_samples(), " + ",
                             dataset.test_samples(), " samples, ", dataset.channels(), "x",
                             dataset.height(), "x", dataset.width(), ", ", dataset.classes(),
                             " classes"));
  }
  if (machine.catalog.datasets().empty()) {
    LogWarning({}, "no data set found; no job can run here (--dataset, --dataset_root)");
  }
}

}  // namespace

absl::StatusOr<std::string> DescribeMachine(const WorkerOptions& options,
                                            const std::string& engine) {
  ASSIGN_OR_RETURN(const Machine machine, LookAtMachine(options, engine));
  v1::RegisterRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_version(std::string(ProductVersion()));
  *request.mutable_hardware() = machine.hardware;
  for (v1::Dataset& dataset : machine.catalog.datasets()) {
    *request.add_datasets() = std::move(dataset);
  }
  request.set_slots(machine.split.slots);
  for (const std::string& label : options.labels) request.add_labels(label);
  std::string json;
  google::protobuf::util::JsonPrintOptions print;
  print.add_whitespace = true;
  print.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(request, &json, print).ok()) {
    return absl::InternalError("cannot print the machine as JSON");
  }
  return json;
}

int RunDaemon(const CommandLine& line, const std::string& engine) {
  const WorkerOptions& options = line.worker;
  if (absl::Status status = InitLogging(options.log); !status.ok()) {
    return Complain(status, kExitUsage);
  }
  absl::StatusOr<std::unique_ptr<StateFolder>> state = StateFolder::Open(options.state_dir);
  if (!state.ok()) return Complain(state.status(), kExitStateFolder);
  absl::StatusOr<std::unique_ptr<Outbox>> outbox = Outbox::Open((*state)->outbox());
  if (!outbox.ok()) return Complain(outbox.status(), kExitStateFolder);
  SystemClock clock;
  absl::StatusOr<std::unique_ptr<CheckpointFolder>> checkpoints =
      CheckpointFolder::Open((*state)->checkpoints(), CheckpointLimits(), &clock);
  if (!checkpoints.ok()) return Complain(checkpoints.status(), kExitStateFolder);
  absl::StatusOr<std::unique_ptr<ParentFolder>> parents = ParentFolder::Open((*state)->parents());
  if (!parents.ok()) return Complain(parents.status(), kExitStateFolder);
  const absl::StatusOr<uint64_t> bits = RandomBits();
  if (!bits.ok()) return Complain(bits.status(), kExitInternal);
  AgentOptions agent_options;
  agent_options.worker_id = options.worker_id;
  agent_options.labels = options.labels;
  if (agent_options.worker_id.empty()) {
    absl::StatusOr<std::string> id =
        (*state)->WorkerId(HostName(), absl::StrFormat("%08x", *bits >> 32));
    if (!id.ok()) return Complain(id.status(), kExitStateFolder);
    agent_options.worker_id = *std::move(id);
  }
  absl::StatusOr<Machine> machine = LookAtMachine(options, engine);
  if (!machine.ok()) return Complain(machine.status(), kExitUsage);
  if (IsMeasured(options)) {
    FindOutSplit(options, machine->hardware, (*state)->picks(), &clock);
    machine = LookAtMachine(options, engine);
    if (!machine.ok()) return Complain(machine.status(), kExitUsage);
  }
  const absl::StatusOr<EnergyModel> energy = EnergyModel::Create(MakeEnergyOptions(options));
  if (!energy.ok()) return Complain(energy.status(), kExitUsage);
  LogStart(line, *machine, *energy, agent_options.worker_id);

  agent_options.incarnation = absl::StrFormat("%016x", *bits);
  agent_options.seed = *bits;
  agent_options.slots = machine->split.slots;
  agent_options.hardware = machine->hardware;
  agent_options.picks_path = (*state)->picks();
  if (options.pin) {
    agent_options.slot_cpus =
        DivideCpus(AllowedCpus(), agent_options.slots, options.paths.sysfs_root);
  }
  agent_options.trial_defaults.threads = machine->split.threads;
  agent_options.trial_defaults.most_threads = machine->hardware.cores();
  agent_options.trial_defaults.memory_bytes = machine->memory_bytes_per_trial;
  agent_options.connect_timeout = absl::Seconds(options.connect_timeout_seconds);
  agent_options.shutdown_timeout = absl::Seconds(options.shutdown_seconds);

  SystemPacer pacer;
  const absl::StatusOr<std::unique_ptr<TrialRunner>> runner = MakeRunner(options, &clock);
  if (!runner.ok()) return Complain(runner.status(), kExitUsage);
  const auto [client, lease_client] = NewWorkerClients(options.coordinator);
  Agent agent(agent_options,
              {client.get(), lease_client.get(), runner->get(), &machine->catalog, &*energy,
               outbox->get(), checkpoints->get(), parents->get(), &clock, &pacer});
  running_agent = &agent;
  HandleSignals(OnLeave, OnDrain);
  LogInfo({}, absl::StrCat("looking for the coordinator at ", options.coordinator));
  const absl::Status status = agent.Run();
  HandleSignals(SIG_IGN, SIG_IGN);
  running_agent = nullptr;
  if (!status.ok()) return Complain(status, ExitCodeOf(status));
  LogInfo({.worker = agent_options.worker_id}, "left");
  return kExitOk;
}

}  // namespace frontier::worker
