#include "worker/trial/trial_process.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "worker/trial/memory_use.h"

namespace frontier::worker {
namespace {

// Exit codes. A failed trial that could be told is a success of its process.
constexpr int kOutcomeWritten = 0;
constexpr int kBadInput = 2;
constexpr int kNoOutput = 3;

absl::StatusOr<std::string> ReadToEnd(int fd) {
  std::string content;
  char buffer[1 << 16];
  while (true) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot read", "standard input");
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
  }
}

// Varint of the length, then the message, in as few writes as the pipe allows; nothing is buffered.
absl::Status WriteFramed(int fd, const v1::TrialProcessUpdate& update) {
  std::string frame;
  {
    google::protobuf::io::StringOutputStream stream(&frame);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.WriteVarint32(static_cast<uint32_t>(update.ByteSizeLong()));
    if (!update.SerializeToCodedStream(&coded)) {
      return absl::InternalError("cannot serialize an update");
    }
  }
  absl::string_view left = frame;
  while (!left.empty()) {
    const ssize_t n = write(fd, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "cannot write", "standard output");
    left.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

}  // namespace

int RunTrialProcess(int input_fd, int output_fd) {
  ReturnFreedMemory();
  signal(SIGPIPE, SIG_IGN);  // a daemon that is gone shows as an error of the write
  const absl::StatusOr<std::string> bytes = ReadToEnd(input_fd);
  v1::TrialProcessInput input;
  if (!bytes.ok() || !input.ParseFromString(*bytes)) {
    LogError({}, bytes.ok() ? "standard input is no trial"
                            : absl::string_view(bytes.status().message()));
    return kBadInput;
  }
  SystemClock clock;
  RunTrial(input, &clock, [output_fd](const v1::TrialProcessUpdate& update) {
    const absl::Status written = WriteFramed(output_fd, update);
    if (written.ok()) return;
    LogError({}, written.message());
    _exit(kNoOutput);  // nobody waits for the rest, so there is nothing to finish
  });
  return kOutcomeWritten;
}

}  // namespace frontier::worker
