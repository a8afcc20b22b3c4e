#include "coordinator/cli/render/text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/utf8.h"

namespace frontier::cli {
namespace {

struct CodeRange {
  char32_t first, last;
};

// Characters of two columns (East Asian wide and emoji, by Unicode block) and of none.
constexpr CodeRange kWide[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                               {0xF900, 0xFAFF}, {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                               {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
constexpr CodeRange kZero[] = {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x202A, 0x202E},
                               {0x2066, 0x2069}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};

template <size_t N>
bool IsIn(const CodeRange (&ranges)[N], char32_t code) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [code](CodeRange r) { return r.first <= code && code <= r.last; });
}

// `text` begins with a valid character of `length` bytes.
char32_t Decode(absl::string_view text, size_t length) {
  if (length == 1) return static_cast<unsigned char>(text[0]);
  char32_t code = static_cast<unsigned char>(text[0]) & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  return code;
}

int CodeWidth(char32_t code) {
  if (IsIn(kZero, code)) return 0;
  return IsIn(kWide, code) ? 2 : 1;
}

// Characters that change the direction of text or hide in it.
bool IsUnsafe(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

// Bytes of the colour code `text` begins with, or 0.
size_t EscapeLength(absl::string_view text) {
  if (text.size() < 3 || text[0] != '\x1b' || text[1] != '[') return 0;
  const size_t end = text.find('m');
  return end == absl::string_view::npos ? 0 : end + 1;
}

}  // namespace

std::string Paint(const Look& look, Tone tone, absl::string_view text) {
  if (!look.color || tone == Tone::kPlain || text.empty()) return std::string(text);
  const char* code = "";
  switch (tone) {
    case Tone::kPlain:
      break;
    case Tone::kBold:
      code = "1";
      break;
    case Tone::kFaint:
      code = "2";
      break;
    case Tone::kGood:
      code = "32";
      break;
    case Tone::kBad:
      code = "31";
      break;
    case Tone::kWarning:
      code = "33";
      break;
    case Tone::kAccent:
      code = "36";
      break;
  }
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

int DisplayWidth(absl::string_view text) {
  int width = 0;
  while (!text.empty()) {
    if (const size_t escape = EscapeLength(text)) {
      text.remove_prefix(escape);
      continue;
    }
    const size_t length = Utf8Length(text);
    width += length == 0 ? 1 : CodeWidth(Decode(text, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return width;
}

std::string Printable(absl::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const char32_t code = length == 0 ? 0 : Decode(text, length);
    if (length == 0) {
      absl::StrAppend(&result, "?");
    } else if (code == '\n' || code == '\t') {
      absl::StrAppend(&result, " ");
    } else if (IsUnsafe(code)) {
      absl::StrAppend(&result, "?");
    } else {
      absl::StrAppend(&result, text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

std::string Shorten(absl::string_view text, int width, bool unicode) {
  if (DisplayWidth(text) <= width) return std::string(text);
  const absl::string_view ellipsis = unicode ? "…" : "...";
  const int room = width - DisplayWidth(ellipsis);
  if (room < 0) return std::string(std::max(width, 0), '.');
  std::string result;
  int used = 0;
  while (!text.empty()) {
    const size_t length = std::max<size_t>(Utf8Length(text), 1);
    const int columns = DisplayWidth(text.substr(0, length));
    if (used + columns > room) break;
    used += columns;
    absl::StrAppend(&result, text.substr(0, length));
    text.remove_prefix(length);
  }
  return absl::StrCat(result, ellipsis);
}

std::string PadRight(absl::string_view text, int width) {
  return absl::StrCat(text, std::string(std::max(width - DisplayWidth(text), 0), ' '));
}

std::string PadLeft(absl::string_view text, int width) {
  return absl::StrCat(std::string(std::max(width - DisplayWidth(text), 0), ' '), text);
}

std::string Wrap(absl::string_view text, int width, int indent) {
  std::string result;
  std::string line;
  const std::string margin(indent, ' ');
  const int room = std::max(width - indent, 20);
  const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  for (const std::string& word : words) {
    if (!line.empty() && DisplayWidth(line) + 1 + DisplayWidth(word) > room) {
      absl::StrAppend(&result, margin, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? "" : " ", word);
  }
  if (!line.empty()) absl::StrAppend(&result, margin, line, "\n");
  return result;
}

absl::string_view Glyph(const Look& look, absl::string_view unicode, absl::string_view ascii) {
  return look.unicode ? unicode : ascii;
}

}  // namespace frontier::cli
