#include "worker/agent/update_decoder.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace frontier::worker {

absl::StatusOr<std::optional<v1::TrialProcessUpdate>> UpdateDecoder::Next() {
  constexpr int kMaxVarintBytes = 5;
  uint64_t length = 0;
  size_t body = position_;
  for (int i = 0;; ++i) {
    if (i == kMaxVarintBytes) return absl::DataLossError("an update's length is no varint");
    if (body == buffer_.size()) return std::nullopt;
    const uint8_t byte = static_cast<uint8_t>(buffer_[body++]);
    length |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) break;
  }
  if (length > kMaxUpdateBytes) {
    return absl::DataLossError(
        absl::StrCat("an update of ", length, " bytes is over the limit of ", kMaxUpdateBytes));
  }
  if (buffer_.size() - body < length) return std::nullopt;
  v1::TrialProcessUpdate update;
  if (!update.ParseFromArray(buffer_.data() + body, static_cast<int>(length)) ||
      update.kind_case() == v1::TrialProcessUpdate::KIND_NOT_SET) {
    return absl::DataLossError(absl::StrCat(length, " bytes are no update"));
  }
  position_ = body + length;
  if (position_ == buffer_.size() || position_ > (size_t{1} << 16)) {
    buffer_.erase(0, position_);
    position_ = 0;
  }
  return update;
}

}  // namespace frontier::worker
