// frontier completion: what makes Tab work.
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/completion_script.h"
#include "google/protobuf/struct.pb.h"

namespace frontier::cli {
namespace {

absl::StatusOr<ExitCode> PrintCompletion(Session* session, const CLI::App& root,
                                         const std::string& shell) {
  const std::string script = shell == "bash"  ? BashCompletion(root)
                             : shell == "zsh" ? ZshCompletion(root)
                                              : FishCompletion(root);
  if (session->json) {
    google::protobuf::Struct answer;
    (*answer.mutable_fields())["shell"].set_string_value(shell);
    (*answer.mutable_fields())["script"].set_string_value(script);
    RETURN_IF_ERROR(session->PrintJson(answer));
  } else {
    session->out() << script;
  }
  return ExitCode::kOk;
}

}  // namespace

void AddCompletionCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand("completion", "Print a completion script for a shell");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->type_name("SHELL")
      ->check(OneOf({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n"
      "  source <(frontier completion bash)\n"
      "  frontier completion bash > ~/.local/share/bash-completion/completions/frontier\n"
      "  frontier completion zsh > ~/.zfunc/_frontier\n"
      "  frontier completion fish > ~/.config/fish/completions/frontier.fish");
  command->callback([app, session, shell] {
    session->needs_coordinator = false;
    session->action = [app, session, shell] { return PrintCompletion(session, *app, *shell); };
  });
}

}  // namespace frontier::cli
