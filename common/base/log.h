// Logging: one line an event, with the ids it is about, for people or as JSON.
#ifndef FRONTIER_COMMON_BASE_LOG_H_
#define FRONTIER_COMMON_BASE_LOG_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace frontier {

enum class LogFormat { kText, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogOptions {
  LogFormat format = LogFormat::kText;
  LogLevel level = LogLevel::kInfo;
  std::string file;       // empty = standard error
  std::string component;  // "coordinator", "worker"
};

// Once, at the start of main. Without it lines go to standard error as text. INVALID_ARGUMENT or
// PERMISSION_DENIED if the file cannot be opened.
absl::Status InitLogging(const LogOptions& options);

// "text" or "json"; "debug", "info", "warning" or "error". INVALID_ARGUMENT names the value.
absl::Status ParseLogFormat(absl::string_view text, LogFormat* format);
absl::Status ParseLogLevel(absl::string_view text, LogLevel* level);

// What a line is about; zero and empty are left out.
struct LogIds {
  int64_t job = 0;
  int64_t trial = 0;
  int64_t attempt = 0;
  absl::string_view worker = "";
};

// Thread-safe.
void Log(LogLevel level, const LogIds& ids, absl::string_view message);

inline void LogDebug(const LogIds& ids, absl::string_view m) { Log(LogLevel::kDebug, ids, m); }
inline void LogInfo(const LogIds& ids, absl::string_view m) { Log(LogLevel::kInfo, ids, m); }
inline void LogWarning(const LogIds& ids, absl::string_view m) { Log(LogLevel::kWarning, ids, m); }
inline void LogError(const LogIds& ids, absl::string_view m) { Log(LogLevel::kError, ids, m); }

// One finished line as `Log` writes it, without newline; `time` is RFC 3339 UTC.
std::string FormatLogLine(LogFormat format, absl::string_view time, LogLevel level,
                          absl::string_view component, const LogIds& ids,
                          absl::string_view message);

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_LOG_H_
