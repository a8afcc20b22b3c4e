#include "coordinator/cli/help.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "coordinator/cli/render/text.h"

namespace frontier::cli {
namespace {

constexpr int kHelpWidth = 96;
constexpr int kNameColumn = 28;

std::string Entry(const std::string& name, const std::string& description) {
  const std::string text = Wrap(description, kHelpWidth, kNameColumn);
  std::string head = absl::StrCat("  ", name);
  if (DisplayWidth(head) + 2 > kNameColumn) return absl::StrCat(head, "\n", text);
  head = PadRight(head, kNameColumn);
  return absl::StrCat(head,
                      absl::string_view(text).substr(std::min<size_t>(kNameColumn, text.size())));
}

std::string OptionName(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  const std::string value = ValueName(option);
  return absl::StrCat(absl::StrJoin(names, ", "), value.empty() ? "" : " ", value);
}

std::string OptionEntries(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional() || IsInherited(app, *option)) continue;
    absl::StrAppend(&out, Entry(OptionName(*option), option->get_description()));
  }
  return out;
}

}  // namespace

std::string CommandPath(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  if (parent == nullptr) return command.get_name();
  return absl::StrCat(CommandPath(*parent), " ", command.get_name());
}

bool IsInherited(const CLI::App& app, const CLI::Option& option) {
  return app.get_parent() != nullptr && app.get_help_ptr() == &option;
}

std::vector<std::string> Choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{'), close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

std::string ValueName(const CLI::Option& option) {
  if (option.get_type_size() == 0 || option.get_expected_max() == 0) return "";
  const std::vector<std::string> choices = Choices(option);
  if (!choices.empty()) return absl::StrJoin(choices, "|");
  return option.get_type_name();
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  const CLI::App* root = app;
  while (root->get_parent() != nullptr) root = root->get_parent();
  std::string usage = absl::StrCat("Usage: ", CommandPath(*app));
  std::string arguments, commands;
  for (const CLI::Option* option : app->get_options()) {
    if (!option->get_positional()) continue;
    const std::string argument = option->get_name(true, false);
    absl::StrAppend(&usage, " ", option->get_required() ? argument : "[" + argument + "]",
                    option->get_expected_max() > 1 ? "..." : "");
    absl::StrAppend(&arguments, Entry(argument, option->get_description()));
  }
  for (const CLI::App* command : app->get_subcommands(nullptr)) {
    absl::StrAppend(&commands, Entry(command->get_name(), command->get_description()));
  }
  absl::StrAppend(&usage, commands.empty() ? " [OPTIONS]" : " COMMAND [OPTIONS]");

  std::string out = absl::StrCat(app->get_description(), "\n\n", usage, "\n");
  if (!arguments.empty()) absl::StrAppend(&out, "\nArguments:\n", arguments);
  if (!commands.empty()) absl::StrAppend(&out, "\nCommands:\n", commands);
  if (const std::string options = OptionEntries(*app); !options.empty()) {
    absl::StrAppend(&out, app == root ? "\nOptions of every command:\n" : "\nOptions:\n", options);
  }
  if (app != root) {
    absl::StrAppend(&out, "\nOptions of every command:\n", OptionEntries(*root));
  }
  if (const std::string footer = app->get_footer(); !footer.empty()) {
    absl::StrAppend(&out, "\n", footer, "\n");
  }
  return out;
}

}  // namespace frontier::cli
