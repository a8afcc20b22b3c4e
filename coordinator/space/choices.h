// Lists of choices in search-space messages: checks, defaults, and the decisions they become.
#ifndef FRONTIER_COORDINATOR_SPACE_CHOICES_H_
#define FRONTIER_COORDINATOR_SPACE_CHOICES_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coordinator/space/space.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"
#include "google/protobuf/repeated_field.h"

namespace frontier::coordinator {

// Largest values a space may list. They keep every count of a network far from overflow.
inline constexpr int kMaxStages = 32;
inline constexpr int kMaxWidth = 8192;
inline constexpr int kMaxKernel = 31;
inline constexpr int kMaxDepth = 64;
inline constexpr int kMaxStride = 16;
inline constexpr int kMaxExpansion = 64;
inline constexpr int kMaxReduction = 1024;  // of squeeze-and-excite

// All checks: INVALID_ARGUMENT (reason INVALID_FIELD) about `field` or one of its items.

// No value twice, each within [least, most].
absl::Status CheckChoices(absl::string_view field, absl::Span<const int32_t> values, int least,
                          int most);
// At least one, too.
absl::Status CheckSomeChoices(absl::string_view field, absl::Span<const int32_t> values, int least,
                              int most);
// Odd, and within 1..kMaxKernel.
absl::Status CheckKernels(absl::string_view field, absl::Span<const int32_t> values);
absl::Status CheckActivations(absl::string_view field, absl::Span<const int32_t> values);
// 0 or 1 to kMaxReduction.
absl::Status CheckSqueezeExcite(absl::string_view field, absl::Span<const int32_t> values);
absl::Status CheckFlags(absl::string_view field, absl::Span<const bool> values);
// Of stages, units: at least one, at most kMaxStages.
absl::Status CheckCount(absl::string_view field, int count);
absl::Status CheckDropout(absl::string_view field, double rate);
// A stride that is larger than the map only thins out what is a single pixel already: a plain
// INVALID_ARGUMENT about `name`.
absl::Status CheckStride(absl::string_view name, int stride, const v1::Shape& shape);

// Fills a list that is empty.
template <typename Value>
void SetDefault(google::protobuf::RepeatedField<Value>* values,
                std::initializer_list<Value> defaults) {
  if (!values->empty()) return;
  for (const Value& value : defaults) values->Add(value);
}

// "relu"; empty for an unknown one.
absl::string_view ActivationName(int activation);

// Collects decisions and tells the index of each.
class DecisionList {
 public:
  int Add(std::string name, std::vector<std::string> options,
          std::vector<Condition> conditions = {});
  int AddNumbers(std::string name, absl::Span<const int32_t> values,
                 std::vector<Condition> conditions = {});
  int AddActivations(std::string name, absl::Span<const int32_t> values,
                     std::vector<Condition> conditions = {});
  // "no" and "yes"
  int AddFlags(std::string name, absl::Span<const bool> values);

  std::vector<Decision> Take() { return std::move(decisions_); }

 private:
  std::vector<Decision> decisions_;
};

// Conditions that hold if `decision`, whose options stand for `values`, takes one of at least
// `least`. Some does, but maybe all: options that are added later may not.
std::vector<Condition> IfAtLeast(int decision, absl::Span<const int32_t> values, int least);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_CHOICES_H_
