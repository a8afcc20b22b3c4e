#include "worker/trial/trial_process.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/idx_files.h"
#include "tests/unit/worker/trial/trial_cases.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxFolder;

struct ProcessRun {
  int code = -1;
  std::vector<v1::TrialProcessUpdate> updates;
};

// Runs the body of a trial process between two pipes.
ProcessRun RunBody(const std::string& bytes) {
  int in[2], out[2];
  EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
  EXPECT_EQ(write(in[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  close(in[1]);
  std::string frames;
  std::thread reader([&] {
    char buffer[4096];
    for (ssize_t n; (n = read(out[0], buffer, sizeof(buffer))) > 0;) {
      frames.append(buffer, static_cast<size_t>(n));
    }
  });
  ProcessRun run;
  run.code = RunTrialProcess(in[0], out[1]);
  close(out[1]);
  reader.join();
  close(in[0]);
  close(out[0]);
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(frames.data()),
                                                static_cast<int>(frames.size()));
  uint32_t size;
  while (stream.ReadVarint32(&size)) {
    std::string frame;
    EXPECT_TRUE(stream.ReadString(&frame, static_cast<int>(size)));
    EXPECT_TRUE(run.updates.emplace_back().ParseFromString(frame));
  }
  return run;
}

TEST(RunTrialProcessTest, WritesFramedUpdates) {
  IdxFolder folder;
  WriteStripes(folder);
  const ProcessRun run = RunBody(StripesTask(folder).SerializeAsString());
  EXPECT_EQ(run.code, 0);
  ASSERT_EQ(run.updates.size(), 3u);
  EXPECT_TRUE(run.updates[0].has_epoch());
  EXPECT_TRUE(run.updates[2].has_result());
}

TEST(RunTrialProcessTest, AFailureIsAnOutcome) {
  IdxFolder folder;
  const ProcessRun run = RunBody(StripesTask(folder).SerializeAsString());
  EXPECT_EQ(run.code, 0);
  ASSERT_EQ(run.updates.size(), 1u);
  EXPECT_EQ(run.updates[0].failure().cause(), v1::FAILURE_CAUSE_DATASET);
}

TEST(RunTrialProcessTest, BadInputHasAnExitCode) {
  const ProcessRun run = RunBody("\xff\xff");
  EXPECT_EQ(run.code, 2);
  EXPECT_TRUE(run.updates.empty());
}

TEST(RunTrialProcessTest, ClosedOutputEndsTheProcess) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  IdxFolder folder;
  int in[2], out[2];
  EXPECT_EXIT(
      {
        ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
        ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
        close(in[1]);
        close(out[0]);
        RunTrialProcess(in[0], out[1]);
      },
      ::testing::ExitedWithCode(3), "cannot write");
}

}  // namespace
}  // namespace frontier::worker
