#include "coordinator/space/extension.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/message_differencer.h"

namespace frontier::coordinator {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int kProbes = 1000;
constexpr uint64_t kProbeSeed = 0x657874656e64;

std::string Join(const std::string& path, const std::string& name) {
  return path.empty() ? name : absl::StrCat(path, ".", name);
}

// Whether `field`, which holds no messages, has the same value in both; of lists, as far as the
// first goes.
bool BeginsAlike(const FieldDescriptor& field, const Message& before, const Message& after) {
  const auto cut = [&](const Message& message, int count) {
    std::unique_ptr<Message> copy(message.New());
    const Reflection& r = *message.GetReflection();
    if (!field.is_repeated()) {
      if (r.HasField(message, &field)) copy->CopyFrom(message);
    } else {
      copy->CopyFrom(message);
      while (r.FieldSize(*copy, &field) > count) r.RemoveLast(copy.get(), &field);
    }
    std::vector<const FieldDescriptor*> fields;
    copy->GetReflection()->ListFields(*copy, &fields);
    for (const FieldDescriptor* other : fields) {
      if (other != &field) copy->GetReflection()->ClearField(copy.get(), other);
    }
    return copy;
  };
  const int count = field.is_repeated() ? before.GetReflection()->FieldSize(before, &field) : 0;
  return google::protobuf::util::MessageDifferencer::Equals(*cut(before, count),
                                                            *cut(after, count));
}

absl::Status CheckOnlyAppended(const std::string& path, const Message& before,
                               const Message& after) {
  const Reflection& r = *before.GetReflection();
  const auto* type = before.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    const std::string at = Join(path, field.name());
    if (field.full_name() == "frontier.v1.SearchSpace.version") continue;
    const absl::Status changed =
        InvalidField(at, "is not what it was; options may only be added at the ends of lists");
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!BeginsAlike(field, before, after)) return changed;
    } else if (!field.is_repeated()) {
      if (r.HasField(before, &field) != r.HasField(after, &field)) return changed;
      if (!r.HasField(before, &field)) continue;
      RETURN_IF_ERROR(
          CheckOnlyAppended(at, r.GetMessage(before, &field), r.GetMessage(after, &field)));
    } else {
      const int count = r.FieldSize(before, &field);
      if (r.FieldSize(after, &field) < count) return changed;
      for (int k = 0; k < count; ++k) {
        RETURN_IF_ERROR(CheckOnlyAppended(absl::StrCat(at, "[", k, "]"),
                                          r.GetRepeatedMessage(before, &field, k),
                                          r.GetRepeatedMessage(after, &field, k)));
      }
    }
  }
  return absl::OkStatus();
}

// The conditions of a decision among the options that there were.
std::vector<Condition> AmongOld(const std::vector<Decision>& before, const Decision& decision) {
  std::vector<Condition> conditions = decision.conditions;
  for (Condition& condition : conditions) {
    const auto count = static_cast<int32_t>(before[condition.decision].options.size());
    condition.options.erase(std::remove_if(condition.options.begin(), condition.options.end(),
                                           [count](int32_t option) { return option >= count; }),
                            condition.options.end());
  }
  return conditions;
}

bool SameConditions(const std::vector<Condition>& a, const std::vector<Condition>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Condition& one, const Condition& other) {
                      return one.decision == other.decision && one.options == other.options;
                    });
}

absl::StatusOr<std::string> CompareDecisions(const std::vector<Decision>& before,
                                             const std::vector<Decision>& after) {
  if (after.size() != before.size()) {
    return InvalidField("decisions",
                        absl::StrCat("would be ", after.size(), ", are ", before.size(),
                                     "; options may be added, decisions not"));
  }
  std::vector<std::string> gains;
  for (size_t i = 0; i < before.size(); ++i) {
    const Decision& was = before[i];
    const Decision& is = after[i];
    if (is.name != was.name) {
      return InvalidField("decisions", absl::StrCat("number ", i + 1, " would be '", is.name,
                                                    "', is '", was.name, "'"));
    }
    for (size_t o = 0; o < was.options.size(); ++o) {
      if (o < is.options.size() && is.options[o] == was.options[o]) continue;
      return InvalidField("decisions", absl::StrCat("'", was.name, "' has option ", was.options[o],
                                                    " in place ", o + 1, ", would have ",
                                                    o < is.options.size() ? is.options[o] : "none",
                                                    "; options may only be added at the end"));
    }
    if (!SameConditions(was.conditions, AmongOld(before, is))) {
      return InvalidField("decisions",
                          absl::StrCat("'", was.name, "' would depend on other options than now"));
    }
    if (is.options.size() == was.options.size()) continue;
    const std::vector<std::string> added(
        is.options.begin() + static_cast<int64_t>(was.options.size()), is.options.end());
    gains.push_back(absl::StrCat(was.name, " gains ", absl::StrJoin(added, ", ")));
  }
  if (gains.empty()) return InvalidField("decisions", "no option would be added");
  return absl::StrJoin(gains, "; ");
}

// That `genotype` is the same candidate in both.
absl::Status CompareCandidates(const Space& before, const Space& after,
                               const v1::Genotype& genotype) {
  const absl::StatusOr<v1::Architecture> was = before.Lower(genotype);
  const absl::StatusOr<v1::Architecture> is = after.Lower(genotype);
  const auto differs = [&](const std::string& how) {
    return InvalidField("decisions", absl::StrCat("candidate ", before.Summarize(genotype), " ",
                                                  how, "; candidates must stay what they are"));
  };
  if (was.ok() && !is.ok()) {
    return differs(absl::StrCat("would be none: ", is.status().message()));
  }
  if (!was.ok() && is.ok()) return differs("would become a valid network");
  if (was.ok() && was->SerializeAsString() != is->SerializeAsString()) {
    return differs("would be another network");
  }
  const std::vector<v1::HyperparameterValue> values_before = before.HyperparameterValues(genotype);
  const std::vector<v1::HyperparameterValue> values_after = after.HyperparameterValues(genotype);
  const bool same = std::equal(
      values_before.begin(), values_before.end(), values_after.begin(), values_after.end(),
      [](const auto& a, const auto& b) { return a.name() == b.name() && a.value() == b.value(); });
  if (!same) return differs("would be trained otherwise");
  const bool same_use = before.PrecisionOf(genotype) == after.PrecisionOf(genotype) &&
                        before.CompressionOf(genotype).SerializeAsString() ==
                            after.CompressionOf(genotype).SerializeAsString();
  return same_use ? absl::OkStatus() : differs("would be made otherwise");
}

}  // namespace

absl::StatusOr<std::string> DescribeExtension(const v1::SearchSpace& before,
                                              const Space& space_before,
                                              const v1::SearchSpace& after,
                                              const Space& space_after) {
  RETURN_IF_ERROR(CheckOnlyAppended("", before, after));
  ASSIGN_OR_RETURN(std::string gains,
                   CompareDecisions(space_before.decisions(), space_after.decisions()));
  int64_t size = 0;
  if (absl::SimpleAtoi(space_before.Size(), &size) && size <= kProbes) {
    v1::Genotype genotype = space_before.First();
    do {
      RETURN_IF_ERROR(CompareCandidates(space_before, space_after, genotype));
    } while (space_before.Advance(&genotype));
    return gains;
  }
  Rng rng(kProbeSeed);
  for (int i = 0; i < kProbes; ++i) {
    RETURN_IF_ERROR(CompareCandidates(space_before, space_after, space_before.Sample(&rng)));
  }
  return gains;
}

}  // namespace frontier::coordinator
