// `frontier` with a made-up coordinator and world.
#ifndef FRONTIER_TESTS_UNIT_COORDINATOR_CLI_APP_FIXTURE_H_
#define FRONTIER_TESTS_UNIT_COORDINATOR_CLI_APP_FIXTURE_H_

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/cli/app.h"
#include "coordinator/cli/job_file/job_file.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_client.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/coordinator/cli/samples.h"

namespace frontier::cli {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

class AppTest : public ::testing::Test {
 protected:
  AppTest() {
    variables_["LANG"] = "C.UTF-8";
    coordinator_.jobs.push_back(SampleJob());
    coordinator_.trials = SampleTrials();
    coordinator_.workers = SampleWorkers();
  }

  Outcome Run(const std::vector<std::string>& arguments) {
    std::istringstream in(input_);
    std::ostringstream out, err;
    Environment environment;
    environment.in = &in;
    environment.out = &out;
    environment.err = &err;
    environment.out_is_terminal = terminal_;
    environment.columns = 120;
    environment.clock = &clock_;
    environment.variable = [this](const char* name) { return variables_[name]; };
    environment.connect = [this](const JobClientOptions& options) {
      coordinator_.options = options;
      return std::make_unique<testing::FakeJobClient>(&coordinator_);
    };
    Outcome outcome;
    outcome.code = RunFrontier(arguments, environment);
    outcome.out = out.str();
    outcome.err = err.str();
    return outcome;
  }

  // A path of the test's own; nothing is there.
  std::string Temporary(const std::string& name) const { return folder_.File(name); }
  std::string WriteTemporary(const std::string& name, const std::string& text) const {
    const std::string path = Temporary(name);
    std::ofstream file(path);
    file << text;
    EXPECT_TRUE(file.flush().good()) << path;
    return path;
  }

  // A job file that is fine.
  std::string GoodFile() const {
    return WriteTemporary("good.yaml", WriteJobFile(SampleJob().spec()));
  }

  testing::TempFolder folder_;
  testing::FakeCoordinator coordinator_;
  testing::FakeClock clock_;
  std::map<std::string, std::string> variables_;
  std::string input_;
  bool terminal_ = false;
};

}  // namespace frontier::cli

#endif  // FRONTIER_TESTS_UNIT_COORDINATOR_CLI_APP_FIXTURE_H_
