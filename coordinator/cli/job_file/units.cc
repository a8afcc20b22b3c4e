#include "coordinator/cli/job_file/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace frontier::cli {
namespace {

struct TimeUnit {
  const char* name;
  double seconds;
};
constexpr TimeUnit kTimeUnits[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}, {"ms", 0.001}};

struct ByteUnit {
  const char* name;
  double bytes;
};
constexpr ByteUnit kByteUnits[] = {{"TiB", 1024.0 * 1024 * 1024 * 1024},
                                   {"GiB", 1024.0 * 1024 * 1024},
                                   {"MiB", 1024.0 * 1024},
                                   {"KiB", 1024},
                                   {"TB", 1e12},
                                   {"GB", 1e9},
                                   {"MB", 1e6},
                                   {"kB", 1e3},
                                   {"B", 1}};

// Takes an unsigned decimal number off the front.
std::optional<double> TakeNumber(absl::string_view* text) {
  size_t length = 0;
  while (length < text->size() &&
         (absl::ascii_isdigit((*text)[length]) || (*text)[length] == '.')) {
    ++length;
  }
  const std::optional<double> number = ParseNumber(text->substr(0, length));
  text->remove_prefix(length);
  return number;
}

absl::string_view TakeLetters(absl::string_view* text) {
  size_t length = 0;
  while (length < text->size() && absl::ascii_isalpha((*text)[length])) ++length;
  const absl::string_view letters = text->substr(0, length);
  text->remove_prefix(length);
  return letters;
}

}  // namespace

std::optional<double> ParseNumber(absl::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::string WriteNumber(double value) {
  std::array<char, 64> buffer;
  const double size = std::abs(value);
  // People read 0.0005 more easily than 5e-04.
  const auto format = size == 0 || (size >= 1e-5 && size < 1e15) ? std::chars_format::fixed
                                                                 : std::chars_format::general;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
  return std::string(buffer.data(), result.ptr);
}

std::optional<double> ParseDuration(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) return std::nullopt;
  double seconds = 0;
  double last_unit = INFINITY;  // units go from large to small, none twice
  while (!text.empty()) {
    const std::optional<double> number = TakeNumber(&text);
    text = absl::StripLeadingAsciiWhitespace(text);
    const absl::string_view name = TakeLetters(&text);
    text = absl::StripLeadingAsciiWhitespace(text);
    const TimeUnit* unit = nullptr;
    for (const TimeUnit& candidate : kTimeUnits) {
      if (name == candidate.name) unit = &candidate;
    }
    if (!number.has_value() || unit == nullptr || unit->seconds >= last_unit) return std::nullopt;
    last_unit = unit->seconds;
    seconds += *number * unit->seconds;
  }
  if (!std::isfinite(seconds)) return std::nullopt;
  return seconds;
}

std::optional<std::string> WriteDuration(double seconds) {
  if (seconds < 1 || seconds > 1e9 || seconds != std::floor(seconds)) return std::nullopt;
  int64_t left = static_cast<int64_t>(seconds);
  std::string text;
  for (const TimeUnit& unit : kTimeUnits) {
    if (unit.seconds < 1) break;
    const int64_t whole = static_cast<int64_t>(unit.seconds);
    if (left >= whole) absl::StrAppend(&text, left / whole, unit.name);
    left %= whole;
  }
  return text;
}

std::optional<int64_t> ParseBytes(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const std::optional<double> number = TakeNumber(&text);
  text = absl::StripLeadingAsciiWhitespace(text);
  if (!number.has_value()) return std::nullopt;
  for (const ByteUnit& unit : kByteUnits) {
    if (text == unit.name) {
      const double bytes = std::round(*number * unit.bytes);
      if (bytes >= 9.2e18) return std::nullopt;
      return static_cast<int64_t>(bytes);
    }
  }
  return std::nullopt;
}

std::optional<std::string> WriteBytes(int64_t bytes) {
  if (bytes <= 0) return std::nullopt;
  for (const ByteUnit& unit : kByteUnits) {
    const int64_t size = static_cast<int64_t>(unit.bytes);
    if (bytes % size == 0) return absl::StrCat(bytes / size, unit.name);
  }
  return std::nullopt;
}

std::string QuoteText(const std::string& text) {
  static constexpr char kBare[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./$ ";
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool word = !text.empty() && text.find_first_not_of(kBare) == std::string::npos &&
                    (is_letter(text[0]) || text[0] == '$') && text.back() != ' ';
  const bool number = !text.empty() && text.size() < 16 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  static constexpr const char* kWords[] = {"true", "false", "null", "yes", "no", "on", "off",
                                           "True", "False", "Null", "Yes", "No", "On", "Off",
                                           "TRUE", "FALSE", "NULL", "YES", "NO", "ON", "OFF"};
  bool reserved = false;
  for (const char* each : kWords) reserved |= text == each;
  if ((word && !reserved) || number) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      absl::StrAppendFormat(&quoted, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace frontier::cli
