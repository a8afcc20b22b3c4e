#include "tests/support/message_mutator.h"

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace frontier::testing {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

template <typename T>
T HostileNumber(Rng* rng) {
  using Limits = std::numeric_limits<T>;
  const T values[] = {T{0},          T{1},          T{2},
                      T{3},          T{64},         static_cast<T>(-1),
                      Limits::max(), Limits::min(), static_cast<T>(Limits::max() / 2 + 1)};
  return values[rng->Uniform(std::size(values))];
}

template <>
double HostileNumber<double>(Rng* rng) {
  using Limits = std::numeric_limits<double>;
  const double values[] = {0,
                           -0.0,
                           1,
                           0.5,
                           Limits::infinity(),
                           -Limits::infinity(),
                           Limits::quiet_NaN(),
                           -1,
                           1e308,
                           -1e308,
                           Limits::denorm_min()};
  return values[rng->Uniform(std::size(values))];
}

// Sets a singular field, or element `index` of a repeated one, or adds one (`index` -1).
void SetScalar(Message* message, const FieldDescriptor* field, int index, Rng* rng) {
  const Reflection* r = message->GetReflection();
  const auto store = [&](auto value, auto set, auto set_repeated, auto add) {
    if (!field->is_repeated()) {
      (r->*set)(message, field, value);
    } else if (index >= 0) {
      (r->*set_repeated)(message, field, index, value);
    } else {
      (r->*add)(message, field, value);
    }
  };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return store(HostileNumber<int32_t>(rng), &Reflection::SetInt32,
                   &Reflection::SetRepeatedInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return store(HostileNumber<int64_t>(rng), &Reflection::SetInt64,
                   &Reflection::SetRepeatedInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return store(HostileNumber<uint32_t>(rng), &Reflection::SetUInt32,
                   &Reflection::SetRepeatedUInt32, &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return store(HostileNumber<uint64_t>(rng), &Reflection::SetUInt64,
                   &Reflection::SetRepeatedUInt64, &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return store(HostileNumber<double>(rng), &Reflection::SetDouble,
                   &Reflection::SetRepeatedDouble, &Reflection::AddDouble);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return store(static_cast<float>(HostileNumber<double>(rng)), &Reflection::SetFloat,
                   &Reflection::SetRepeatedFloat, &Reflection::AddFloat);
    case FieldDescriptor::CPPTYPE_BOOL:
      return store(rng->Uniform(2) == 0, &Reflection::SetBool, &Reflection::SetRepeatedBool,
                   &Reflection::AddBool);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = rng->Uniform(4) == 0
                             ? HostileNumber<int32_t>(rng)
                             : static_cast<int>(rng->Uniform(field->enum_type()->value_count()));
      return store(number, &Reflection::SetEnumValue, &Reflection::SetRepeatedEnumValue,
                   &Reflection::AddEnumValue);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text(rng->Uniform(2) == 0 ? 0 : 10'000, 'x');
      if (!field->is_repeated()) {
        r->SetString(message, field, text);
      } else if (index >= 0) {
        r->SetRepeatedString(message, field, index, text);
      } else {
        r->AddString(message, field, text);
      }
      return;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

void MutateRepeated(Message* message, const FieldDescriptor* field, Rng* rng) {
  const Reflection* r = message->GetReflection();
  const int size = r->FieldSize(*message, field);
  const bool messages = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const int index = size == 0 ? -1 : static_cast<int>(rng->Uniform(size));
  switch (rng->Uniform(6)) {
    case 0:
      if (size > 0) r->RemoveLast(message, field);
      return;
    case 1:
      if (size > 1) r->SwapElements(message, field, index, static_cast<int>(rng->Uniform(size)));
      return;
    case 2:
      if (messages) {
        Message* added = r->AddMessage(message, field);
        if (index >= 0) added->CopyFrom(r->GetRepeatedMessage(*message, field, index));
      } else {
        SetScalar(message, field, -1, rng);
      }
      return;
    default:
      if (index < 0) return;
      if (messages) {
        MutateMessage(r->MutableRepeatedMessage(message, field, index), rng);
      } else {
        SetScalar(message, field, index, rng);
      }
  }
}

}  // namespace

void MutateMessage(Message* message, Rng* rng) {
  const auto* descriptor = message->GetDescriptor();
  if (descriptor->field_count() == 0) return;
  const Reflection* r = message->GetReflection();
  // Fields that are set, mostly: that is where the content is.
  std::vector<const FieldDescriptor*> fields;
  r->ListFields(*message, &fields);
  const FieldDescriptor* field =
      fields.empty() || rng->Uniform(8) == 0
          ? descriptor->field(static_cast<int>(rng->Uniform(descriptor->field_count())))
          : fields[rng->Uniform(fields.size())];
  if (field->is_repeated()) return MutateRepeated(message, field, rng);
  if (rng->Uniform(16) == 0) return r->ClearField(message, field);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return MutateMessage(r->MutableMessage(message, field), rng);
  }
  SetScalar(message, field, 0, rng);
}

}  // namespace frontier::testing
