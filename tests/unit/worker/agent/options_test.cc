#include "worker/agent/options.h"

#include <cstdlib>
#include <vector>

#include "common/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::TempFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

CommandLine Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "frontier-worker");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

TEST(WorkerOptionsTest, DefaultsMakeADaemon) {
  unsetenv("FRONTIER_COORDINATOR");
  const CommandLine line = Parse({});
  EXPECT_FALSE(line.exit_code.has_value()) << line.message;
  EXPECT_EQ(line.command, CommandLine::Command::kDaemon);
  EXPECT_EQ(line.worker.coordinator, "127.0.0.1:7070");
  EXPECT_EQ(line.worker.slots, 0);
  EXPECT_EQ(line.worker.threads_per_trial, 0);
  EXPECT_TRUE(line.worker.pin);
  const CommandLine automatic = Parse({"--slots=auto", "--threads_per_trial=auto", "--pin=false"});
  ASSERT_FALSE(automatic.exit_code.has_value()) << automatic.message;
  EXPECT_EQ(automatic.worker.slots, 0);
  EXPECT_EQ(automatic.worker.threads_per_trial, 0);
  EXPECT_FALSE(automatic.worker.pin);
}

TEST(WorkerOptionsTest, TakesFlags) {
  const CommandLine line =
      Parse({"--coordinator=10.0.0.1:99", "--slots", "3", "--dataset", "a=/x", "--dataset", "b=/y",
             "--log_format=json", "--log_level=debug", "--cpu_idle_watts=10", "--cpu_full_watts=50",
             "--carbon_g_per_kwh=60", "--label=fast", "--label=faster"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.message;
  EXPECT_EQ(line.worker.coordinator, "10.0.0.1:99");
  EXPECT_EQ(line.worker.slots, 3);
  EXPECT_THAT(line.worker.datasets, ElementsAre("a=/x", "b=/y"));
  EXPECT_THAT(line.worker.labels, ElementsAre("fast", "faster"));
  EXPECT_EQ(Parse({"--coordinator=[::1]:65535"}).worker.coordinator, "[::1]:65535");
  EXPECT_EQ(line.worker.log.format, LogFormat::kJson);
  EXPECT_EQ(line.worker.log.level, LogLevel::kDebug);
  EXPECT_EQ(MakeEnergyOptions(line.worker).idle_power, Watts(10));
  EXPECT_EQ(MakeEnergyOptions(line.worker).carbon_intensity, GramsPerKwh(60));
}

TEST(WorkerOptionsTest, FlagsGoBeforeTheConfigurationFile) {
  TempFolder temp;
  const std::string path = temp.path() + "/worker.conf";
  ASSERT_OK(WriteFileAtomically(path,
                                "# a comment\ncoordinator = \"c:1\"\nslots = 3\n"
                                "dataset = [\"a=/x\", \"b=/y\"]\nthreads_per_trial = 2\n"));
  const CommandLine line = Parse({"--config", path.c_str(), "--slots=4"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.message;
  EXPECT_EQ(line.worker.coordinator, "c:1");
  EXPECT_EQ(line.worker.slots, 4);
  EXPECT_EQ(line.worker.threads_per_trial, 2);
  EXPECT_THAT(line.worker.datasets, ElementsAre("a=/x", "b=/y"));
}

TEST(WorkerOptionsTest, TheAddressMayStandInTheEnvironment) {
  TempFolder temp;
  const std::string path = temp.path() + "/worker.conf";
  ASSERT_OK(WriteFileAtomically(path, "coordinator = \"file:1\"\n"));
  setenv("FRONTIER_COORDINATOR", "environment:1", 1);
  EXPECT_EQ(Parse({}).worker.coordinator, "environment:1");
  EXPECT_EQ(Parse({"--config", path.c_str()}).worker.coordinator, "file:1");
  EXPECT_EQ(Parse({"--coordinator=flag:1"}).worker.coordinator, "flag:1");
  setenv("FRONTIER_COORDINATOR", "environment", 1);
  EXPECT_EQ(Parse({}).exit_code, kExitUsage);
  // Who calls nobody may have a wrong one: a trial's process has that of its daemon, which may have
  // its address from elsewhere.
  EXPECT_FALSE(Parse({"--config", path.c_str()}).exit_code.has_value());
  for (const char* command : {"hardware", "run-trial", "measure-training"}) {
    EXPECT_FALSE(Parse({command}).exit_code.has_value()) << command;
  }
  unsetenv("FRONTIER_COORDINATOR");
  EXPECT_EQ(Parse({}).worker.coordinator, "127.0.0.1:7070");
}

TEST(WorkerOptionsTest, ThePrintedConfigurationCanBeReadAgain) {
  const std::vector<std::vector<const char*>> cases = {
      {"--print_config"},
      {"--slots=5", "--dataset=a=/x", "--dataset=b=/y", "--pue=1.2", "--cpu_idle_watts=1",
       "--cpu_full_watts=2", "--dataset_root", "", "--print_config"}};
  for (const std::vector<const char*>& arguments : cases) {
    const CommandLine line = Parse(arguments);
    EXPECT_EQ(line.exit_code, kExitOk);
    EXPECT_THAT(line.message, AllOf(HasSubstr("slots="), HasSubstr("coordinator="),
                                    Not(HasSubstr("memory_bytes")), Not(HasSubstr("model"))));
    TempFolder temp;
    const std::string path = temp.path() + "/worker.conf";
    ASSERT_OK(WriteFileAtomically(path, line.message));
    const CommandLine again = Parse({"--config", path.c_str()});
    ASSERT_FALSE(again.exit_code.has_value()) << again.message << "\n" << line.message;
    EXPECT_EQ(again.effective_config, line.effective_config);
    EXPECT_EQ(again.worker.slots, line.worker.slots);
    EXPECT_EQ(again.worker.datasets, line.worker.datasets);
    EXPECT_EQ(again.worker.dataset_root, line.worker.dataset_root);
    EXPECT_EQ(again.worker.cpu_full_watts, line.worker.cpu_full_watts);
  }
}

TEST(WorkerOptionsTest, MistakesNameFlagAndValue) {
  const std::vector<std::pair<std::vector<const char*>, std::string>> cases = {
      {{"--slots=-1"}, "--slots"},
      {{"--slots=many"}, "many"},
      {{"--threads_per_trial=-1"}, "--threads_per_trial"},
      {{"--coordinator=nowhere"}, "'nowhere': no port; give host:port"},
      {{"--coordinator=head:77070"}, "'77070' is not within 0 and 65535"},
      {{"--coordinator=head:http"}, "'http' is not within 0 and 65535"},
      {{"--coordinator=head:0"}, "'head:0': nobody is at port 0"},
      {{"--coordinator=:7070"}, "':7070': no host"},
      {{"--label=fast", "--label=rack=3", "--label=fast"}, "--label: 'fast' is given twice"},
      {{"--worker_id=a b"}, "'a b'"},
      {{"--log_level=loud"}, "loud"},
      {{"--unknown"}, "--unknown"},
      {{"stray"}, "stray"},
      {{"--config=/nowhere.conf"}, "/nowhere.conf"},
      {{"--cpu_idle_watts=5"}, "needs both"},
      {{"--cpu_idle_watts=5", "--cpu_full_watts=4"}, "full watts (4)"},
      {{"--carbon_g_per_kwh=-1"}, "-1"},
      {{"--pue=0.5"}, "PUE is 0.5"},
      {{"evaluate"}, "--model"},
      {{"rerun", "trial.json"}, "--dataset"},
      {{"rerun", "--dataset=/data"}, "TRIAL"},
      {{"evaluate", "--model=m", "--dataset_folder=d", "--part=train"}, "train"},
  };
  for (const auto& [arguments, expected] : cases) {
    const CommandLine line = Parse(arguments);
    EXPECT_EQ(line.exit_code, kExitUsage) << expected;
    EXPECT_THAT(line.message, HasSubstr(expected));
  }
}

TEST(WorkerOptionsTest, UnknownKeysInTheConfigurationFileAreMistakes) {
  TempFolder temp;
  const std::string path = temp.path() + "/worker.conf";
  ASSERT_OK(WriteFileAtomically(path, "slotz = 3\n"));
  const CommandLine line = Parse({"--config", path.c_str()});
  EXPECT_EQ(line.exit_code, kExitUsage);
  EXPECT_THAT(line.message, HasSubstr("slotz"));
}

TEST(WorkerOptionsTest, HelpAndVersion) {
  const CommandLine help = Parse({"--help"});
  EXPECT_EQ(help.exit_code, kExitOk);
  EXPECT_THAT(help.message, AllOf(HasSubstr("Exit codes"), HasSubstr("evaluate"),
                                  HasSubstr("--state_dir"), Not(HasSubstr("run-trial"))));
  const CommandLine version = Parse({"--version"});
  EXPECT_EQ(version.exit_code, kExitOk);
  EXPECT_THAT(version.message, AllOf(HasSubstr("frontier-worker"), HasSubstr("protocol")));
}

TEST(WorkerOptionsTest, Commands) {
  const CommandLine trial = Parse({"run-trial", "--memory_bytes=77", "--parent_pid=5"});
  EXPECT_EQ(trial.command, CommandLine::Command::kRunTrial);
  EXPECT_EQ(trial.run_trial.memory_bytes, 77);
  EXPECT_EQ(trial.run_trial.parent_pid, 5);
  const CommandLine rerun =
      Parse({"rerun", "trial.json", "--dataset", "/data", "--output=m", "--parent=p"});
  EXPECT_EQ(rerun.command, CommandLine::Command::kRerun) << rerun.message;
  EXPECT_EQ(rerun.rerun.trial, "trial.json");
  EXPECT_EQ(rerun.rerun.dataset_folder, "/data");
  EXPECT_EQ(rerun.rerun.output, "m");
  EXPECT_EQ(rerun.rerun.parent, "p");
  EXPECT_TRUE(rerun.worker.datasets.empty());
  const CommandLine hardware = Parse({"hardware", "--slots=2"});
  EXPECT_EQ(hardware.command, CommandLine::Command::kHardware);
  EXPECT_EQ(hardware.worker.slots, 2);
  const CommandLine evaluate =
      Parse({"evaluate", "--model=m", "--dataset_folder=d", "--part=test", "--split_seed=9"});
  EXPECT_EQ(evaluate.command, CommandLine::Command::kEvaluate) << evaluate.message;
  EXPECT_EQ(evaluate.evaluate.part, "test");
  EXPECT_EQ(evaluate.evaluate.split_seed, 9);
}

TEST(WorkerOptionsTest, ProfileTakesAnArchitecture) {
  const CommandLine line = Parse({"profile", "resnet20", "--input=3x32x32", "--batch=16",
                                  "--precision=mixed", "--threads=2", "--steps=3", "--json"});
  ASSERT_FALSE(line.exit_code.has_value()) << line.message;
  EXPECT_EQ(line.command, CommandLine::Command::kProfile);
  EXPECT_EQ(line.profile.architecture, "resnet20");
  EXPECT_EQ(line.profile.input, "3x32x32");
  EXPECT_EQ(line.profile.batch, 16);
  EXPECT_EQ(line.profile.precision, "mixed");
  EXPECT_TRUE(line.profile.json);
}

TEST(WorkerOptionsTest, ProfileRefusesWhatItCannotTime) {
  EXPECT_THAT(Parse({"profile"}).message, HasSubstr("architecture is required"));
  EXPECT_THAT(Parse({"profile", "resnet20", "--precision=f16"}).message, HasSubstr("f16"));
  EXPECT_THAT(Parse({"profile", "resnet20", "--steps=0"}).message, HasSubstr("--steps"));
  EXPECT_THAT(Parse({"profile", "resnet20", "--batch=0"}).message, HasSubstr("--batch"));
}

}  // namespace
}  // namespace frontier::worker
