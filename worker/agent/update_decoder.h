// Takes apart what a trial process writes.
#ifndef FRONTIER_WORKER_AGENT_UPDATE_DECODER_H_
#define FRONTIER_WORKER_AGENT_UPDATE_DECODER_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "frontier/v1/trial_process.pb.h"

namespace frontier::worker {

// A stream of TrialProcessUpdates, each with its length as a varint before it. The other side is
// not trusted: it may have been killed half-way or overwritten by a stray pointer. Memory is
// bounded by one update and what was last appended. Not thread-safe.
class UpdateDecoder {
 public:
  static constexpr size_t kMaxUpdateBytes = size_t{16} << 20;

  void Append(absl::string_view bytes) { buffer_.append(bytes.data(), bytes.size()); }

  // The next update, or nothing until more is appended. DATA_LOSS for a length over the limit, a
  // body that is no update, or one that holds nothing; nothing can be read after that.
  absl::StatusOr<std::optional<v1::TrialProcessUpdate>> Next();

  // Whether the stream stands between two updates.
  bool empty() const { return position_ == buffer_.size(); }

 private:
  std::string buffer_;
  size_t position_ = 0;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_AGENT_UPDATE_DECODER_H_
