#include "worker/agent/failure.h"

#include "absl/strings/ascii.h"

namespace frontier::worker {

std::string PrintableText(absl::string_view text, size_t max_bytes) {
  constexpr absl::string_view kCut = "...";
  const bool cut = text.size() > max_bytes && max_bytes > kCut.size();
  std::string out(text.substr(0, cut ? max_bytes - kCut.size() : max_bytes));
  for (char& c : out) {
    if (c == '\n' || c == '\t' || c == '\r') {
      c = ' ';
    } else if (!absl::ascii_isprint(static_cast<unsigned char>(c))) {
      c = '?';
    }
  }
  if (cut) out.append(kCut.data(), kCut.size());
  return out;
}

v1::Failure MakeFailure(v1::FailureCause cause, absl::string_view message) {
  v1::Failure failure;
  failure.set_cause(cause);
  failure.set_message(PrintableText(message, kMaxFailureMessageBytes));
  return failure;
}

}  // namespace frontier::worker
