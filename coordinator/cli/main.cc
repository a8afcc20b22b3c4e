// `frontier`: the command line client.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/rpc/client/job_client.h"
#include "coordinator/cli/app.h"

namespace {

int TerminalColumns() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

int main(int argc, char** argv) {
  frontier::SystemClock clock;
  frontier::cli::Environment environment;
  environment.in = &std::cin;
  environment.out = &std::cout;
  environment.err = &std::cerr;
  environment.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  environment.columns = TerminalColumns();
  environment.zone = absl::LocalTimeZone();
  environment.clock = &clock;
  environment.variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  environment.connect = frontier::NewJobClient;
  try {
    return frontier::cli::RunFrontier(std::vector<std::string>(argv + 1, argv + argc), environment);
  } catch (const std::exception& error) {
    std::cerr << "frontier: " << error.what() << "\n";
    return static_cast<int>(frontier::cli::ExitCode::kInternal);
  }
}
