// How the commands explain themselves.
#ifndef FRONTIER_COORDINATOR_CLI_HELP_H_
#define FRONTIER_COORDINATOR_CLI_HELP_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace frontier::cli {

// Usage, arguments, options, commands and the footer, in that order; a command's help ends with the
// options that every command takes.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

// "frontier arch show": the words that choose `command`.
std::string CommandPath(const CLI::App& command);

// Whether a command has `option` only because every command has it: the help flag.
bool IsInherited(const CLI::App& app, const CLI::Option& option);

// The values an option is limited to; empty = not limited.
std::vector<std::string> Choices(const CLI::Option& option);

// "FILE", "HOST:PORT", ...: what stands for an option's value in help.
std::string ValueName(const CLI::Option& option);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_HELP_H_
