// What every command of the client shares: the global flags, the streams, the coordinator.
#ifndef FRONTIER_COORDINATOR_CLI_SESSION_H_
#define FRONTIER_COORDINATOR_CLI_SESSION_H_

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/client/job_client.h"
#include "coordinator/cli/render/text.h"
#include "google/protobuf/message.h"

namespace frontier::cli {

// Scripts rely on these.
enum class ExitCode : int {
  kOk = 0,
  kInternal = 1,      // the coordinator or this program failed
  kUsage = 2,         // the command line is wrong
  kInvalidInput = 3,  // a file, or a value in it, was refused
  kNotFound = 4,      // no such job, trial, or file
  kUnreachable = 5,   // the coordinator does not answer, or cannot at the moment
  kWrongState = 6,    // the job's state does not allow this
  kJobNotDone = 7,    // the watched job failed or was cancelled
  kDiffers = 8,       // the proposals of a replayed job differ
};

// The world as the program sees it. What is pointed to outlives the session.
struct Environment {
  std::istream* in = nullptr;
  std::ostream* out = nullptr;
  std::ostream* err = nullptr;
  bool out_is_terminal = false;
  int columns = 0;  // of the terminal; 0 = not known
  absl::TimeZone zone = absl::UTCTimeZone();
  Clock* clock = nullptr;
  std::function<std::string(const char* name)> variable;  // empty if it is not set
  std::function<std::unique_ptr<JobClient>(const JobClientOptions& options)> connect;
};

inline constexpr char kDefaultCoordinator[] = "127.0.0.1:7070";

// Not thread-safe.
class Session {
 public:
  explicit Session(const Environment& environment);

  // Set by the global flags.
  std::string coordinator;
  bool json = false;
  double timeout_seconds = 10;
  std::string color = "auto";

  const Environment& environment() const { return environment_; }
  std::ostream& out() { return *environment_.out; }
  std::ostream& err() { return *environment_.err; }
  Look look() const;
  // Whether pictures may be redrawn in place.
  bool IsLive() const;
  absl::Time Now() const { return environment_.clock->Now(); }

  // Cleared by what works without a coordinator.
  bool needs_coordinator = true;

  // Connects at the first call.
  JobClient* client();

  // `job_id`, or the newest job's if it is 0. NOT_FOUND if there is no job yet.
  absl::StatusOr<int64_t> ResolveJob(int64_t job_id);

  // As protobuf JSON with the names of the .proto files; on several lines, or on one. Keys of maps
  // are sorted, so that equal answers are equal texts.
  absl::Status PrintJson(const google::protobuf::Message& message);
  absl::Status PrintJsonLine(const google::protobuf::Message& message);

  // Tells the user about an error; the exit code that goes with it.
  ExitCode Report(const absl::Status& status);

  // What the chosen command does.
  std::function<absl::StatusOr<ExitCode>()> action;

 private:
  absl::Status WriteJson(const google::protobuf::Message& message, bool lines);

  const Environment environment_;
  std::unique_ptr<JobClient> client_;
};

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_SESSION_H_
