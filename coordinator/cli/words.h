// The words people use for the protocol's enums and metrics.
#ifndef FRONTIER_COORDINATOR_CLI_WORDS_H_
#define FRONTIER_COORDINATOR_CLI_WORDS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "frontier/v1/measurement.pb.h"
#include "google/protobuf/descriptor.h"

namespace frontier::cli {

// "max_pool" for BLOCK_MAX_POOL: the value's name without the enum's, in lower case.
std::string EnumWord(const google::protobuf::EnumValueDescriptor& value);

// The word of `value`, or its number if this release does not know it.
template <typename Enum>
std::string EnumWord(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? std::to_string(static_cast<int>(value)) : EnumWord(*found);
}

// All words of an enum but that for "unspecified".
std::vector<std::string> EnumWords(const google::protobuf::EnumDescriptor& type);

// The value named by a word, or by its full name in the protocol; null if there is none.
const google::protobuf::EnumValueDescriptor* FindEnumValue(
    const google::protobuf::EnumDescriptor& type, absl::string_view word);

// The one of `candidates` that `word` is most likely a slip for, if any comes close.
std::optional<std::string> Suggest(absl::string_view word,
                                   const std::vector<std::string>& candidates);

// " (did you mean X?)", or nothing.
std::string Suggestion(absl::string_view word, const std::vector<std::string>& candidates);

// "a, b, c"
std::string Listing(const std::vector<std::string>& words);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_WORDS_H_
