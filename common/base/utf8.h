// UTF-8.
#ifndef FRONTIER_COMMON_BASE_UTF8_H_
#define FRONTIER_COMMON_BASE_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace frontier {

// Bytes of the UTF-8 character `text` begins with; 0 if it is not valid UTF-8.
size_t Utf8Length(absl::string_view text);

// Whether all of `text` is valid.
bool IsUtf8(absl::string_view text);

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_UTF8_H_
