// Text on a terminal: width, colour, padding.
#ifndef FRONTIER_COORDINATOR_CLI_RENDER_TEXT_H_
#define FRONTIER_COORDINATOR_CLI_RENDER_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace frontier::cli {

// What the reader's terminal can show.
struct Look {
  bool color = false;
  bool unicode = true;
  int width = 100;  // columns
  absl::TimeZone zone = absl::UTCTimeZone();
};

enum class Tone { kPlain, kBold, kFaint, kGood, kBad, kWarning, kAccent };

// `text` in `tone`, or as it is where colours are off.
std::string Paint(const Look& look, Tone tone, absl::string_view text);

// Columns that `text` takes; colour codes take none.
int DisplayWidth(absl::string_view text);

// `text` on one line, with control characters and invalid bytes made harmless: what came from
// elsewhere may not steer the terminal.
std::string Printable(absl::string_view text);

// At most `width` columns of uncoloured text, an ellipsis at its end if something was cut.
std::string Shorten(absl::string_view text, int width, bool unicode = true);

std::string PadRight(absl::string_view text, int width);
std::string PadLeft(absl::string_view text, int width);

// `text` broken at spaces into lines of at most `width` columns, each after `indent` spaces.
std::string Wrap(absl::string_view text, int width, int indent);

// Characters with a stand-in for terminals without Unicode.
absl::string_view Glyph(const Look& look, absl::string_view unicode, absl::string_view ascii);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_RENDER_TEXT_H_
