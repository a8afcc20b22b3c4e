// Completion scripts for shells, made from the commands and options as they are.
#ifndef FRONTIER_COORDINATOR_CLI_COMPLETION_SCRIPT_H_
#define FRONTIER_COORDINATOR_CLI_COMPLETION_SCRIPT_H_

#include <string>

#include "CLI/CLI.hpp"

namespace frontier::cli {

std::string BashCompletion(const CLI::App& root);
std::string ZshCompletion(const CLI::App& root);
std::string FishCompletion(const CLI::App& root);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_COMPLETION_SCRIPT_H_
