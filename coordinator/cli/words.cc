#include "coordinator/cli/words.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace frontier::cli {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;

// "JOB_STATE_" for JobState.
std::string ValuePrefix(const EnumDescriptor& type) {
  std::string prefix;
  for (const char c : type.name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(c);
  }
  return prefix + "_";
}

// Insertions, deletions, changes and swaps of neighbours from `a` to `b` (Damerau 1964,
// restricted).
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string EnumWord(const EnumValueDescriptor& value) {
  return absl::AsciiStrToLower(absl::StripPrefix(value.name(), ValuePrefix(*value.type())));
}

std::vector<std::string> EnumWords(const EnumDescriptor& type) {
  std::vector<std::string> words;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) words.push_back(EnumWord(*type.value(i)));
  }
  return words;
}

const EnumValueDescriptor* FindEnumValue(const EnumDescriptor& type, absl::string_view word) {
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    if (value.number() == 0) continue;
    if (EnumWord(value) == word || absl::string_view(value.name()) == word) return &value;
  }
  return nullptr;
}

std::optional<std::string> Suggest(absl::string_view word,
                                   const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > 64) return std::nullopt;
  const std::string lower = absl::AsciiStrToLower(word);
  // "maxi" for "maximize", "latency" for "latency_ms": a beginning says more than a distance.
  const std::string* beginning = nullptr;
  const std::string* nearest = nullptr;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (lower.size() >= 3 && candidate.size() > lower.size() &&
        candidate.compare(0, lower.size(), lower) == 0 && beginning == nullptr) {
      beginning = &candidate;
    }
    const size_t distance = EditDistance(lower, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      nearest = &candidate;
    }
  }
  if (beginning != nullptr && least > 1) return *beginning;
  if (nearest != nullptr) return *nearest;
  return std::nullopt;
}

std::string Suggestion(absl::string_view word, const std::vector<std::string>& candidates) {
  const std::optional<std::string> suggested = Suggest(word, candidates);
  return suggested.has_value() ? absl::StrCat(" (did you mean ", *suggested, "?)") : "";
}

std::string Listing(const std::vector<std::string>& words) { return absl::StrJoin(words, ", "); }

}  // namespace frontier::cli
