// Numbers with units and texts as people write them, exactly.
#ifndef FRONTIER_COORDINATOR_CLI_JOB_FILE_UNITS_H_
#define FRONTIER_COORDINATOR_CLI_JOB_FILE_UNITS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace frontier::cli {

// Seconds in "90s", "4m", "2h30m", "1d", "500ms", "1.5h".
std::optional<double> ParseDuration(absl::string_view text);
// The shortest such text with that value; nothing if there is none (fractions of a second).
std::optional<std::string> WriteDuration(double seconds);

// Bytes in "512MiB", "2 GiB", "2GB" (decimal), "100B".
std::optional<int64_t> ParseBytes(absl::string_view text);
std::optional<std::string> WriteBytes(int64_t bytes);

// A finite decimal number, the whole of `text`.
std::optional<double> ParseNumber(absl::string_view text);
// The shortest text that reads back as `value`.
std::string WriteNumber(double value);

// Text as YAML: words and whole numbers bare, the rest in double quotes.
std::string QuoteText(const std::string& text);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_JOB_FILE_UNITS_H_
