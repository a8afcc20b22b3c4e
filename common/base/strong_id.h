// Integers that cannot be mixed up.
#ifndef FRONTIER_COMMON_BASE_STRONG_ID_H_
#define FRONTIER_COMMON_BASE_STRONG_ID_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace frontier {

// Tag has `static constexpr const char* kName`, the word for it in messages.
template <typename Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(int64_t value) : value_(value) {}

  constexpr int64_t value() const { return value_; }
  // clang-tidy 14 takes the zero of the comparison for a pointer.
  constexpr auto operator<=>(const StrongId&) const = default;  // NOLINT(modernize-use-nullptr)

  // "job 3"
  std::string ToString() const { return absl::StrCat(Tag::kName, " ", value_); }

  template <typename H>
  friend H AbslHashValue(H h, const StrongId& id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  int64_t value_ = 0;
};

struct JobIdTag {
  static constexpr const char* kName = "job";
};
struct TrialNumberTag {
  static constexpr const char* kName = "trial";
};

using JobId = StrongId<JobIdTag>;
using TrialNumber = StrongId<TrialNumberTag>;  // within its job, from 1

}  // namespace frontier

#endif  // FRONTIER_COMMON_BASE_STRONG_ID_H_
