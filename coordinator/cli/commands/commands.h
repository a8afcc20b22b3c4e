// The commands of `frontier`. Each function adds one (or a family of alike ones) to the app; the
// command sets the session's action when it is chosen. `app` and `session` outlive each other's
// use.
#ifndef FRONTIER_COORDINATOR_CLI_COMMANDS_COMMANDS_H_
#define FRONTIER_COORDINATOR_CLI_COMMANDS_COMMANDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "coordinator/cli/session.h"

namespace frontier::cli {

void AddSubmitCommand(CLI::App* app, Session* session);
void AddStatusCommand(CLI::App* app, Session* session);
void AddWatchCommand(CLI::App* app, Session* session);
void AddTrialsCommand(CLI::App* app, Session* session);
void AddShowCommand(CLI::App* app, Session* session);
void AddFrontCommand(CLI::App* app, Session* session);
void AddWeightsCommand(CLI::App* app, Session* session);
void AddExportCommand(CLI::App* app, Session* session);
void AddArchCommand(CLI::App* app, Session* session);
void AddWorkersCommand(CLI::App* app, Session* session);
void AddDrainCommand(CLI::App* app, Session* session);
void AddAdmitCommand(CLI::App* app, Session* session);
void AddExtendCommand(CLI::App* app, Session* session);
void AddUpdateCommand(CLI::App* app, Session* session);
void AddDeleteCommand(CLI::App* app, Session* session);
void AddCancelCommand(CLI::App* app, Session* session);
void AddReplayCommand(CLI::App* app, Session* session);
void AddPauseCommand(CLI::App* app, Session* session);
void AddResumeCommand(CLI::App* app, Session* session);
void AddCompletionCommand(CLI::App* app, Session* session);
void AddVersionCommand(CLI::App* app, Session* session);

// Rows asked for at once; the coordinator may send fewer.
inline constexpr int kPageSize = 500;

// Limits an option to `choices`, which help and completion then show.
CLI::Validator OneOf(const std::vector<std::string>& choices);

// Limits an option to whole numbers from 1 to `most`.
CLI::Validator NumberUpTo(int64_t most);

// A positional number from 1, such as a job's.
CLI::Option* AddNumber(CLI::App* command, const std::string& name, int64_t* number,
                       const std::string& description);

// The bytes of a trial's trained model. DATA_LOSS if they are not those of its record; NOT_FOUND as
// JobClient.
absl::StatusOr<std::string> DownloadModel(Session* session, int64_t job_id, int64_t trial);

// Follows a job to its end: redrawn in place on a terminal, lines elsewhere, one JSON object a line
// with --json.
absl::StatusOr<ExitCode> WatchJob(Session* session, int64_t job_id);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_COMMANDS_COMMANDS_H_
