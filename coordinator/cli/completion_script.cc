#include "coordinator/cli/completion_script.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "coordinator/cli/help.h"

namespace frontier::cli {
namespace {

std::vector<std::string> Flags(const CLI::Option& option) {
  std::vector<std::string> flags;
  for (const std::string& name : option.get_snames()) flags.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flags.push_back("--" + name);
  return flags;
}

bool TakesValue(const CLI::Option& option) { return !ValueName(option).empty(); }

bool IsFile(const CLI::Option& option) { return ValueName(option) == "FILE"; }

std::vector<const CLI::Option*> Options(const CLI::App& app, bool positional) {
  std::vector<const CLI::Option*> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() != positional || IsInherited(app, *option)) continue;
    options.push_back(option);
  }
  return options;
}

// Of the root, or of a group.
std::vector<const CLI::App*> Commands(const CLI::App& app) { return app.get_subcommands(nullptr); }

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : Commands(app)) names.push_back(command->get_name());
  return names;
}

// Groups before their commands.
std::vector<const CLI::App*> AllCommands(const CLI::App& root) {
  std::vector<const CLI::App*> all;
  for (const CLI::App* command : Commands(root)) {
    all.push_back(command);
    for (const CLI::App* inner : AllCommands(*command)) all.push_back(inner);
  }
  return all;
}

std::vector<std::string> AllFlags(const CLI::App& app) {
  std::vector<std::string> all;
  for (const CLI::Option* option : Options(app, false)) {
    for (const std::string& flag : Flags(*option)) all.push_back(flag);
  }
  return all;
}

// --- bash

// "arch/show": what the script calls a command.
std::string BashName(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  const bool inner = parent != nullptr && parent->get_parent() != nullptr;
  return absl::StrCat(inner ? BashName(*parent) + "/" : "", command.get_name());
}

// "case" branches that tell from the words of a line which command it is.
std::string BashCommands(const CLI::App& app, const std::string& name) {
  const std::vector<std::string> names = CommandNames(app);
  if (names.empty()) return "";
  std::vector<std::string> patterns;
  for (const std::string& command : names) patterns.push_back(name + ":" + command);
  std::string out =
      absl::StrCat("      ", absl::StrJoin(patterns, "|"),
                   ")\n        command=", name.empty() ? "" : "$command/", "$word ;;\n");
  for (const CLI::App* command : Commands(app)) {
    absl::StrAppend(&out, BashCommands(*command, BashName(*command)));
  }
  return out;
}

// "case" branches for the values of options; `command` is "*" for those of every command.
std::string BashValues(const CLI::App& app, const std::string& command) {
  std::string out;
  for (const CLI::Option* option : Options(app, false)) {
    if (!TakesValue(*option)) continue;
    std::vector<std::string> patterns;
    for (const std::string& flag : Flags(*option)) patterns.push_back(command + ":" + flag);
    std::string reply = "COMPREPLY=()";
    if (const std::vector<std::string> choices = Choices(*option); !choices.empty()) {
      reply = absl::StrCat("COMPREPLY=($(compgen -W '", absl::StrJoin(choices, " "),
                           "' -- \"$current\"))");
    } else if (IsFile(*option)) {
      reply = "COMPREPLY=($(compgen -f -- \"$current\"))";
    }
    absl::StrAppend(&out, "    ", absl::StrJoin(patterns, "|"), ")\n      ", reply,
                    "\n      return ;;\n");
  }
  return out;
}

// --- zsh

std::string ZshQuote(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

std::string ZshValue(const CLI::Option& option) {
  if (!TakesValue(option)) return "";
  std::string value =
      absl::StrCat(":", option.get_positional() ? option.get_name(true, false) : "value", ":");
  if (const std::vector<std::string> choices = Choices(option); !choices.empty()) {
    absl::StrAppend(&value, "(", absl::StrJoin(choices, " "), ")");
  } else if (IsFile(option)) {
    absl::StrAppend(&value, "_files");
  } else {
    absl::StrAppend(&value, " ");
  }
  return value;
}

std::string ZshArguments(const CLI::App& app, const std::string& margin) {
  std::string out;
  for (const CLI::Option* option : Options(app, false)) {
    for (const std::string& flag : Flags(*option)) {
      absl::StrAppend(&out, margin, "'", flag, "[", ZshQuote(option->get_description()), "]",
                      ZshValue(*option), "' \\\n");
    }
  }
  int position = 0;
  for (const CLI::Option* option : Options(app, true)) {
    absl::StrAppend(&out, margin, "'", ++position, ZshValue(*option), "' \\\n");
  }
  return out;
}

// What completes the commands of the root or of a group, and what follows them.
std::string ZshGroup(const CLI::App& root, const CLI::App& group, const std::string& margin) {
  std::string commands, cases;
  for (const CLI::App* command : Commands(group)) {
    absl::StrAppend(&commands, margin, "  '", command->get_name(), ":",
                    ZshQuote(command->get_description()), "'\n");
    absl::StrAppend(&cases, margin, "      ", command->get_name(), ")\n");
    const std::string inner = margin + "        ";
    if (!Commands(*command).empty()) {
      absl::StrAppend(&cases, ZshGroup(root, *command, inner), inner, ";;\n");
    } else {
      absl::StrAppend(&cases, inner, "_arguments \\\n", ZshArguments(*command, inner + "  "),
                      ZshArguments(root, inner + "  "), inner, "  && return ;;\n");
    }
  }
  return absl::StrCat(margin, "commands=(\n", commands, margin, ")\n", margin, "_arguments -C \\\n",
                      ZshArguments(root, margin + "  "), margin, "  '1:command:->command' \\\n",
                      margin, "  '*::argument:->arguments' && return\n", margin, "case $state in\n",
                      margin, "  command) _describe -t commands command commands ;;\n", margin,
                      "  arguments)\n", margin, "    case $words[1] in\n", cases, margin,
                      "    esac ;;\n", margin, "esac\n");
}

// --- fish

std::string FishQuote(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}});
}

std::string FishOptions(const CLI::App& app, const std::string& condition) {
  std::string out;
  for (const CLI::Option* option : Options(app, false)) {
    absl::StrAppend(&out, "complete -c frontier", condition);
    for (const std::string& name : option->get_snames()) absl::StrAppend(&out, " -s ", name);
    for (const std::string& name : option->get_lnames()) absl::StrAppend(&out, " -l ", name);
    if (const std::vector<std::string> choices = Choices(*option); !choices.empty()) {
      absl::StrAppend(&out, " -x -a '", absl::StrJoin(choices, " "), "'");
    } else if (IsFile(*option)) {
      absl::StrAppend(&out, " -r -F");
    } else if (TakesValue(*option)) {
      absl::StrAppend(&out, " -x");
    }
    absl::StrAppend(&out, " -d '", FishQuote(option->get_description()), "'\n");
  }
  return out;
}

// The commands of the root or of a group, and what follows them. `chosen` is the condition that the
// group is.
std::string FishGroup(const CLI::App& group, const std::string& chosen) {
  const std::string names = absl::StrJoin(CommandNames(group), " ");
  const auto condition = [&chosen](const std::string& test) {
    return absl::StrCat(" -n '", chosen, chosen.empty() ? "" : "; and ", test, "'");
  };
  std::string out;
  for (const CLI::App* command : Commands(group)) {
    absl::StrAppend(&out, "complete -c frontier",
                    condition("not __fish_seen_subcommand_from " + names), " -a ",
                    command->get_name(), " -d '", FishQuote(command->get_description()), "'\n");
    std::string test = "__fish_seen_subcommand_from " + command->get_name();
    // A word of a group's command may be the name of another command, too.
    if (chosen.empty()) {
      for (const CLI::App* other : Commands(group)) {
        const std::vector<std::string> inner = CommandNames(*other);
        if (std::find(inner.begin(), inner.end(), command->get_name()) != inner.end()) {
          absl::StrAppend(&test, "; and not __fish_seen_subcommand_from ", other->get_name());
        }
      }
    }
    const std::string seen = condition(test);
    absl::StrAppend(&out, FishOptions(*command, seen));
    for (const CLI::Option* option : Options(*command, true)) {
      if (const std::vector<std::string> choices = Choices(*option); !choices.empty()) {
        absl::StrAppend(&out, "complete -c frontier", seen, " -a '", absl::StrJoin(choices, " "),
                        "'\n");
      } else if (IsFile(*option)) {
        absl::StrAppend(&out, "complete -c frontier", seen, " -F\n");
      }
    }
    if (!Commands(*command).empty()) absl::StrAppend(&out, FishGroup(*command, test));
  }
  return out;
}

}  // namespace

std::string BashCompletion(const CLI::App& root) {
  const std::string commands = absl::StrJoin(CommandNames(root), " ");
  const std::string common = absl::StrJoin(AllFlags(root), " ");
  std::string values = BashValues(root, "*");
  std::string words, files;
  for (const CLI::App* command : AllCommands(root)) {
    const std::string name = BashName(*command);
    absl::StrAppend(&values, BashValues(*command, name));
    std::vector<std::string> arguments = CommandNames(*command);
    bool takes_file = false;
    for (const CLI::Option* option : Options(*command, true)) {
      for (const std::string& choice : Choices(*option)) arguments.push_back(choice);
      takes_file = takes_file || IsFile(*option);
    }
    if (takes_file) {
      absl::StrAppend(&files, "  if [[ $command == ", name,
                      " && $current != -* ]]; then\n"
                      "    COMPREPLY=($(compgen -f -- \"$current\"))\n    return\n  fi\n");
    }
    for (const std::string& flag : AllFlags(*command)) arguments.push_back(flag);
    absl::StrAppend(&words, "    ", name, ") words='", absl::StrJoin(arguments, " "), "' ;;\n");
  }
  return absl::StrCat(
      "# bash completion for frontier; load it with: source <(frontier completion bash)\n"
      "_frontier() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command='' words='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case $command:$word in\n",
      BashCommands(root, ""),
      "    esac\n"
      "  done\n"
      "  case $command:$previous in\n",
      values, "  esac\n", files, "  case $command in\n", words, "    *) words='", commands,
      "' ;;\n"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words ",
      common,
      "\" -- \"$current\"))\n"
      "}\n"
      "complete -o filenames -F _frontier frontier\n");
}

std::string ZshCompletion(const CLI::App& root) {
  return absl::StrCat(
      "#compdef frontier\n"
      "# zsh completion for frontier; put it as _frontier into a folder of $fpath\n"
      "_frontier() {\n"
      "  local context state line\n"
      "  local -a commands\n",
      ZshGroup(root, root, "  "),
      "}\n"
      "if [[ $funcstack[1] == _frontier ]]; then\n"
      "  _frontier \"$@\"\n"
      "else\n"
      "  compdef _frontier frontier\n"
      "fi\n");
}

std::string FishCompletion(const CLI::App& root) {
  std::string out =
      "# fish completion for frontier; load it with: frontier completion fish | source\n"
      "complete -c frontier -f\n";
  absl::StrAppend(&out, FishOptions(root, ""), FishGroup(root, ""));
  return out;
}

}  // namespace frontier::cli
