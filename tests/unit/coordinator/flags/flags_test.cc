#include "coordinator/flags.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace frontier::coordinator {
namespace {

std::optional<ExitCode> Parse(std::vector<std::string> arguments, Flags* flags) {
  arguments.insert(arguments.begin(), "frontier-coordinator");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  return ParseFlags(static_cast<int>(pointers.size()), pointers.data(), flags);
}

TEST(CoordinatorFlagsTest, WithoutFlagsEverythingIsKept) {
  Flags flags;
  ASSERT_EQ(Parse({"--data_dir", "d"}, &flags), std::nullopt);
  EXPECT_EQ(flags.task, Task::kServe);
  EXPECT_EQ(flags.server.data_dir, "d");
  const DispatcherOptions& dispatcher = flags.server.dispatcher;
  EXPECT_EQ(dispatcher.lease_duration, absl::Seconds(30));
  EXPECT_EQ(dispatcher.heartbeat_interval, absl::Seconds(10));
  for (const absl::Duration kept :
       {dispatcher.retention.trials, dispatcher.retention.log, dispatcher.retention.models,
        dispatcher.retention.jobs, dispatcher.retention.workers}) {
    EXPECT_EQ(kept, absl::InfiniteDuration());
  }
}

TEST(CoordinatorFlagsTest, EachFlagIsForWhatItNames) {
  Flags flags;
  ASSERT_EQ(
      Parse({"--data_dir=d", "--listen=10.0.0.1:99", "--keep_trials_days=1", "--keep_log_days=2",
             "--keep_models_days=3", "--keep_jobs_days=4.5", "--keep_workers_days=5",
             "--lease_seconds=12", "--heartbeat_seconds=2", "--database_wait_seconds=7",
             "--log_format=json", "--log_level=debug", "--log_file=f", "--port_file=p"},
            &flags),
      std::nullopt);
  const Retention& keep = flags.server.dispatcher.retention;
  EXPECT_EQ(keep.trials, absl::Hours(24));
  EXPECT_EQ(keep.log, absl::Hours(48));
  EXPECT_EQ(keep.models, absl::Hours(72));
  EXPECT_EQ(keep.jobs, absl::Hours(108));
  EXPECT_EQ(keep.workers, absl::Hours(120));
  EXPECT_EQ(flags.server.gateway.listen, "10.0.0.1:99");
  EXPECT_EQ(flags.server.dispatcher.lease_duration, absl::Seconds(12));
  EXPECT_EQ(flags.server.dispatcher.heartbeat_interval, absl::Seconds(2));
  EXPECT_EQ(flags.server.database_wait, absl::Seconds(7));
  EXPECT_EQ(flags.log.format, LogFormat::kJson);
  EXPECT_EQ(flags.log.level, LogLevel::kDebug);
  EXPECT_EQ(flags.log.file, "f");
  EXPECT_EQ(flags.port_file, "p");
}

TEST(CoordinatorFlagsTest, HeartbeatsFollowShortLeases) {
  Flags flags;
  ASSERT_EQ(Parse({"--data_dir=d", "--lease_seconds=6"}, &flags), std::nullopt);
  EXPECT_EQ(flags.server.dispatcher.heartbeat_interval, absl::Seconds(2));
}

TEST(CoordinatorFlagsTest, TasksTakeTheirFolder) {
  const struct {
    std::vector<std::string> words;
    Task task;
    std::string folder;
  } cases[] = {{{"backup", "b"}, Task::kBackUp, "b"},
               {{"restore", "r"}, Task::kRestore, "r"},
               {{"check"}, Task::kCheck, ""},
               {{"compact"}, Task::kCompact, ""}};
  for (const auto& c : cases) {
    std::vector<std::string> arguments = c.words;
    arguments.insert(arguments.end(), {"--data_dir", "d"});
    Flags flags;
    EXPECT_EQ(Parse(arguments, &flags), std::nullopt) << c.words[0];
    EXPECT_EQ(flags.task, c.task) << c.words[0];
    EXPECT_EQ(flags.folder, c.folder) << c.words[0];
    EXPECT_EQ(flags.server.data_dir, "d") << c.words[0];
  }
  Flags flags;
  EXPECT_EQ(Parse({"--data_dir=d", "backup"}, &flags), kUsage);
  EXPECT_EQ(Parse({"--data_dir=d", "check", "compact"}, &flags), kUsage);
}

}  // namespace
}  // namespace frontier::coordinator
