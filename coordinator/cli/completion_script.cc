#include "coordinator/cli/completion_script.h"

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

std::vector<const CLI::App*> Commands(const CLI::App& root) {
  return root.get_subcommands(nullptr);
}

std::vector<std::string> CommandNames(const CLI::App& root) {
  std::vector<std::string> names;
  for (const CLI::App* command : Commands(root)) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> AllFlags(const CLI::App& app) {
  std::vector<std::string> all;
  for (const CLI::Option* option : Options(app, false)) {
    for (const std::string& flag : Flags(*option)) all.push_back(flag);
  }
  return all;
}

// --- bash

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

}  // namespace

std::string BashCompletion(const CLI::App& root) {
  const std::string commands = absl::StrJoin(CommandNames(root), " ");
  const std::string common = absl::StrJoin(AllFlags(root), " ");
  std::string values = BashValues(root, "*");
  std::string words, files;
  for (const CLI::App* command : Commands(root)) {
    absl::StrAppend(&values, BashValues(*command, command->get_name()));
    std::vector<std::string> arguments;
    for (const CLI::Option* option : Options(*command, true)) {
      for (const std::string& choice : Choices(*option)) arguments.push_back(choice);
      if (IsFile(*option)) {
        absl::StrAppend(&files, "  if [[ $command == ", command->get_name(),
                        " && $current != -* ]]; then\n"
                        "    COMPREPLY=($(compgen -f -- \"$current\"))\n    return\n  fi\n");
      }
    }
    for (const std::string& flag : AllFlags(*command)) arguments.push_back(flag);
    absl::StrAppend(&words, "    ", command->get_name(), ") words='", absl::StrJoin(arguments, " "),
                    "' ;;\n");
  }
  return absl::StrCat(
      "# bash completion for frontier; load it with: source <(frontier completion bash)\n"
      "_frontier() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command='' words='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case $word in\n"
      "      ",
      absl::StrJoin(CommandNames(root), "|"),
      ")\n"
      "        command=$word\n"
      "        break ;;\n"
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
  std::string commands, cases;
  for (const CLI::App* command : Commands(root)) {
    absl::StrAppend(&commands, "    '", command->get_name(), ":",
                    ZshQuote(command->get_description()), "'\n");
    absl::StrAppend(&cases, "        ", command->get_name(), ")\n          _arguments \\\n",
                    ZshArguments(*command, "            "), ZshArguments(root, "            "),
                    "            && return ;;\n");
  }
  return absl::StrCat(
      "#compdef frontier\n"
      "# zsh completion for frontier; put it as _frontier into a folder of $fpath\n"
      "_frontier() {\n"
      "  local context state line\n"
      "  local -a commands\n"
      "  commands=(\n",
      commands,
      "  )\n"
      "  _arguments -C \\\n",
      ZshArguments(root, "    "),
      "    '1:command:->command' \\\n"
      "    '*::argument:->arguments' && return\n"
      "  case $state in\n"
      "    command) _describe -t commands command commands ;;\n"
      "    arguments)\n"
      "      case $words[1] in\n",
      cases,
      "      esac ;;\n"
      "  esac\n"
      "}\n"
      "if [[ $funcstack[1] == _frontier ]]; then\n"
      "  _frontier \"$@\"\n"
      "else\n"
      "  compdef _frontier frontier\n"
      "fi\n");
}

std::string FishCompletion(const CLI::App& root) {
  const std::string names = absl::StrJoin(CommandNames(root), " ");
  std::string out =
      "# fish completion for frontier; load it with: frontier completion fish | source\n"
      "complete -c frontier -f\n";
  absl::StrAppend(&out, FishOptions(root, ""));
  for (const CLI::App* command : Commands(root)) {
    absl::StrAppend(&out, "complete -c frontier -n 'not __fish_seen_subcommand_from ", names,
                    "' -a ", command->get_name(), " -d '", FishQuote(command->get_description()),
                    "'\n");
    const std::string condition =
        absl::StrCat(" -n '__fish_seen_subcommand_from ", command->get_name(), "'");
    absl::StrAppend(&out, FishOptions(*command, condition));
    for (const CLI::Option* option : Options(*command, true)) {
      if (const std::vector<std::string> choices = Choices(*option); !choices.empty()) {
        absl::StrAppend(&out, "complete -c frontier", condition, " -a '",
                        absl::StrJoin(choices, " "), "'\n");
      } else if (IsFile(*option)) {
        absl::StrAppend(&out, "complete -c frontier", condition, " -F\n");
      }
    }
  }
  return out;
}

}  // namespace frontier::cli
