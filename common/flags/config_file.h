// Configuration files of the daemons: flags without dashes, one `name = value` a line.
#ifndef FRONTIER_COMMON_FLAGS_CONFIG_FILE_H_
#define FRONTIER_COMMON_FLAGS_CONFIG_FILE_H_

#include <CLI/CLI.hpp>
#include <string>

namespace frontier {

// Lets `app`, whose name is the program's, take --config FILE. Flags of the command line go before
// the file. What is wrong there is a CLI::ConfigError: "PROGRAM: FILE:LINE: unknown setting 'x'".
CLI::Option* AddConfigFile(CLI::App* app, const std::string& description);

// What is in effect as such a file. Left out is what was not given and has no value, of most of
// which a file cannot say so.
std::string EffectiveConfig(const CLI::App& app);

}  // namespace frontier

#endif  // FRONTIER_COMMON_FLAGS_CONFIG_FILE_H_
