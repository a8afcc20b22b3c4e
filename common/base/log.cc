#include "common/base/log.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/sinks/basic_file_sink.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace frontier {
namespace {

struct Logger {
  LogOptions options;
  std::shared_ptr<spdlog::logger> sink;
};

std::shared_ptr<spdlog::logger> Prepared(std::shared_ptr<spdlog::logger> logger) {
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

// Never destroyed: threads may log until the process ends.
Logger& GlobalLogger() {
  static Logger* const logger =
      new Logger{{},
                 Prepared(std::make_shared<spdlog::logger>(
                     "frontier", std::make_shared<spdlog::sinks::stderr_sink_mt>()))};
  return *logger;
}

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

// A JSON string with its quotes. Bytes that are no valid text are kept readable, not rejected.
std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const unsigned char u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", absl::string_view(&c, 1));
    } else if (u < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", u);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

// Text lines stay one line whatever the message holds.
std::string OneLine(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

absl::Status InitLogging(const LogOptions& options) {
  spdlog::sink_ptr sink;
  if (options.file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    try {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    } catch (const spdlog::spdlog_ex& error) {
      return absl::PermissionDeniedError(
          absl::StrCat("log file '", options.file, "': ", error.what()));
    }
  }
  GlobalLogger() = {options,
                    Prepared(std::make_shared<spdlog::logger>("frontier", std::move(sink)))};
  return absl::OkStatus();
}

absl::Status ParseLogFormat(absl::string_view text, LogFormat* format) {
  if (text == "text") {
    *format = LogFormat::kText;
  } else if (text == "json") {
    *format = LogFormat::kJson;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("log format '", text, "' is not one of text, json"));
  }
  return absl::OkStatus();
}

absl::Status ParseLogLevel(absl::string_view text, LogLevel* level) {
  for (const LogLevel candidate :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (text == LevelName(candidate)) {
      *level = candidate;
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("log level '", text, "' is not one of debug, info, warning, error"));
}

void Log(LogLevel level, const LogIds& ids, absl::string_view message) {
  Logger& logger = GlobalLogger();
  if (level < logger.options.level) return;
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  logger.sink->info("{}", FormatLogLine(logger.options.format, time, level,
                                        logger.options.component, ids, message));
}

std::string FormatLogLine(LogFormat format, absl::string_view time, LogLevel level,
                          absl::string_view component, const LogIds& ids,
                          absl::string_view message) {
  std::string line;
  if (format == LogFormat::kJson) {
    line = absl::StrCat("{\"time\":\"", time, "\",\"level\":\"", LevelName(level), "\"");
    if (!component.empty()) absl::StrAppend(&line, ",\"component\":", JsonString(component));
    if (ids.job != 0) absl::StrAppend(&line, ",\"job\":", ids.job);
    if (ids.trial != 0) absl::StrAppend(&line, ",\"trial\":", ids.trial);
    if (ids.attempt != 0) absl::StrAppend(&line, ",\"attempt\":", ids.attempt);
    if (!ids.worker.empty()) absl::StrAppend(&line, ",\"worker\":", JsonString(ids.worker));
    absl::StrAppend(&line, ",\"message\":", JsonString(message), "}");
    return line;
  }
  line = absl::StrFormat("%s %-7s", time, LevelName(level));
  if (!component.empty()) absl::StrAppend(&line, " ", component);
  if (ids.job != 0) absl::StrAppend(&line, " job=", ids.job);
  if (ids.trial != 0) absl::StrAppend(&line, " trial=", ids.trial);
  if (ids.attempt != 0) absl::StrAppend(&line, " attempt=", ids.attempt);
  if (!ids.worker.empty()) absl::StrAppend(&line, " worker=", OneLine(ids.worker));
  absl::StrAppend(&line, ": ", OneLine(message));
  return line;
}

}  // namespace frontier
