#include "coordinator/cli/app.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/version.h"
#include "common/flags/validators.h"
#include "common/rpc/address.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/help.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

constexpr double kLongestTimeout = 86400;

constexpr char kFooter[] =
    "Begin with:\n"
    "  frontier workers                   are there workers?\n"
    "  frontier submit job.yaml --watch   start a search and follow it\n"
    "  frontier front                     what the newest job found, and what it cost\n"
    "\n"
    "Exit codes:\n"
    "  0  done\n"
    "  1  the coordinator or this program failed\n"
    "  2  the command line is wrong\n"
    "  3  a file, or a value in it, was refused; nothing was submitted\n"
    "  4  no such job, trial, worker or file\n"
    "  5  the coordinator does not answer, or cannot at the moment\n"
    "  6  the state of the job does not allow this\n"
    "  7  the watched job failed or was cancelled\n"
    "  8  the proposals of a replayed job differ\n"
    "\n"
    "frontier COMMAND --help tells more, with examples.";

void AddCommands(CLI::App* app, Session* session) {
  AddSubmitCommand(app, session);
  AddStatusCommand(app, session);
  AddWatchCommand(app, session);
  AddTrialsCommand(app, session);
  AddShowCommand(app, session);
  AddFrontCommand(app, session);
  AddWeightsCommand(app, session);
  AddExportCommand(app, session);
  AddArchCommand(app, session);
  AddWorkersCommand(app, session);
  AddDrainCommand(app, session);
  AddAdmitCommand(app, session);
  AddExtendCommand(app, session);
  AddUpdateCommand(app, session);
  AddReplayCommand(app, session);
  AddPauseCommand(app, session);
  AddResumeCommand(app, session);
  AddCancelCommand(app, session);
  AddDeleteCommand(app, session);
  AddCompletionCommand(app, session);
  AddVersionCommand(app, session);
}

void AddGlobalFlags(CLI::App* app, Session* session) {
  app->set_help_flag("-h,--help", "Explain the command and exit");
  app->set_version_flag("--version", VersionLine("frontier"), "Print the version and exit");
  app->add_option("--coordinator", session->coordinator,
                  absl::StrCat("Address of the coordinator (default ", kDefaultCoordinator,
                               ", or FRONTIER_COORDINATOR)"))
      ->type_name("HOST:PORT")
      ->check(PeerAddress());
  app->add_flag("--json", session->json,
                "Print the answer as JSON, with the names of the protocol");
  app->add_option("--timeout", session->timeout_seconds,
                  "Longest wait for an answer, in seconds (default 10)")
      ->type_name("SECONDS")
      ->check(CLI::Validator(
          [](std::string& text) {
            double seconds = 0;
            if (absl::SimpleAtod(text, &seconds) && seconds > 0 && seconds <= kLongestTimeout) {
              return std::string();
            }
            return absl::StrCat("'", text, "' is not a number of seconds up to ", kLongestTimeout);
          },
          ""));
  app->add_option("--color", session->color, "When to use colours (default auto)")
      ->type_name("WHEN")
      ->check(OneOf({"auto", "always", "never"}));
}

std::vector<std::string> KnownFlags(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
  }
  return flags;
}

// The command the user chose, or the app itself, or a group of commands of which none was chosen.
const CLI::App& Chosen(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return chosen.empty() ? app : Chosen(*chosen.front());
}

// Explains a wrong command line.
std::string Explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = Chosen(app);
  const std::vector<std::string> extras = app.remaining(true);
  const std::vector<const CLI::App*> commands = command.get_subcommands(nullptr);
  if (!commands.empty()) {
    std::vector<std::string> names;
    for (const CLI::App* known : commands) names.push_back(known->get_name());
    for (const std::string& extra : extras) {
      if (absl::StartsWith(extra, "-")) continue;
      return absl::StrCat("unknown command '", Printable(extra), "'", Suggestion(extra, names));
    }
  }
  if (!extras.empty()) {
    const bool flag = absl::StartsWith(extras[0], "-");
    const std::string name = extras[0].substr(0, extras[0].find('='));
    return absl::StrCat(flag ? "unknown option '" : "unexpected argument '", Printable(extras[0]),
                        "'", flag ? Suggestion(name, KnownFlags(command)) : "");
  }
  if (!commands.empty() && error.get_name() == "RequiredError") return "no command is given";
  return Printable(error.what());
}

}  // namespace

int RunFrontier(const std::vector<std::string>& arguments, const Environment& environment) {
  Session session(environment);
  CLI::App app(
      "Frontier searches for neural networks on your machines: distributed, by several "
      "objectives at once.",
      "frontier");
  app.formatter(std::make_shared<HelpFormatter>());
  app.fallthrough();
  app.require_subcommand(1);
  app.footer(kFooter);
  AddGlobalFlags(&app, &session);
  AddCommands(&app, &session);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    session.out() << Chosen(app).help();
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::CallForVersion& version) {
    session.out() << version.what() << "\n";
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::ParseError& error) {
    if (arguments.empty()) {
      session.err() << app.help();
      return static_cast<int>(ExitCode::kUsage);
    }
    const CLI::App& command = Chosen(app);
    session.err() << "frontier: " << Explain(app, error) << "\nSee: " << CommandPath(command)
                  << " --help\n";
    return static_cast<int>(ExitCode::kUsage);
  }
  // As a flag it was looked at while parsing.
  const absl::Status address = ParsePeerAddress(session.coordinator).status();
  if (session.needs_coordinator && !address.ok()) {
    session.err() << "frontier: FRONTIER_COORDINATOR: " << Printable(address.message()) << "\n";
    return static_cast<int>(ExitCode::kUsage);
  }
  const absl::StatusOr<ExitCode> result = session.action();
  const ExitCode code = result.ok() ? *result : session.Report(result.status());
  session.out() << std::flush;
  if (!session.out().good()) {
    session.err() << "frontier: cannot write to standard output\n";
    return static_cast<int>(ExitCode::kInternal);
  }
  return static_cast<int>(code);
}

}  // namespace frontier::cli
