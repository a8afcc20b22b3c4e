#include "common/base/serialize.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace frontier {

absl::StatusOr<std::string> SerializeDeterministically(const google::protobuf::MessageLite& message,
                                                       absl::string_view what, size_t most_bytes) {
  const size_t size = message.ByteSizeLong();
  if (size > most_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, " takes ", size, " bytes, a file holds ", most_bytes));
  }
  // At its size from the start: a string that grows takes up to three times as much on the way.
  std::string bytes(size, '\0');
  google::protobuf::io::ArrayOutputStream stream(bytes.data(), static_cast<int>(size));
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  if (!message.SerializeToCodedStream(&coded) || static_cast<size_t>(coded.ByteCount()) != size) {
    return absl::InternalError(absl::StrCat(what, " cannot be serialized, ", size, " bytes"));
  }
  return bytes;
}

}  // namespace frontier
