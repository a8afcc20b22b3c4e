#include "coordinator/cli/session.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/serialize.h"
#include "common/base/status.h"
#include "coordinator/cli/render/format.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"

namespace frontier::cli {
namespace {

// Nothing is cut where no one's screen is too narrow.
constexpr int kUnlimitedWidth = 10'000;

constexpr char kTypePrefix[] = "type.googleapis.com";

bool SpeaksUnicode(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = absl::AsciiStrToLower(environment.variable(name));
    if (value.empty()) continue;
    return absl::StrContains(value, "utf-8") || absl::StrContains(value, "utf8");
  }
  return false;
}

}  // namespace

Session::Session(const Environment& environment) : environment_(environment) {
  coordinator = environment_.variable("FRONTIER_COORDINATOR");
  if (coordinator.empty()) coordinator = kDefaultCoordinator;
}

Look Session::look() const {
  Look look;
  look.unicode = SpeaksUnicode(environment_);
  look.zone = environment_.zone;
  look.color = color == "always" || (color == "auto" && environment_.out_is_terminal &&
                                     environment_.variable("NO_COLOR").empty() &&
                                     environment_.variable("TERM") != "dumb");
  int columns = 0;
  if (!absl::SimpleAtoi(environment_.variable("COLUMNS"), &columns) || columns <= 0) {
    columns = environment_.columns;
  }
  if (columns <= 0) columns = environment_.out_is_terminal ? 100 : kUnlimitedWidth;
  look.width = std::max(columns, 40);
  return look;
}

bool Session::IsLive() const {
  return environment_.out_is_terminal && environment_.variable("TERM") != "dumb";
}

JobClient* Session::client() {
  if (client_ == nullptr) {
    JobClientOptions options;
    options.address = coordinator;
    options.deadline = absl::Seconds(timeout_seconds);
    options.retry_for = std::min(options.retry_for, options.deadline);
    client_ = environment_.connect(options);
  }
  return client_.get();
}

absl::StatusOr<int64_t> Session::ResolveJob(int64_t job_id) {
  if (job_id != 0) return job_id;
  v1::ListJobsRequest request;
  request.set_page_size(1);
  ASSIGN_OR_RETURN(const v1::ListJobsResponse response, client()->ListJobs(request));
  if (response.jobs().empty()) {
    return absl::NotFoundError("no jobs yet; start one with: frontier submit JOB_FILE");
  }
  return response.jobs(0).id();
}

absl::Status Session::PrintJson(const google::protobuf::Message& message) {
  return WriteJson(message, true);
}

absl::Status Session::PrintJsonLine(const google::protobuf::Message& message) {
  return WriteJson(message, false);
}

absl::Status Session::WriteJson(const google::protobuf::Message& message, bool lines) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = lines;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  // By way of the binary form, in which maps can be sorted.
  ASSIGN_OR_RETURN(const std::string binary, SerializeDeterministically(message, "the answer"));
  std::string text;
  const std::unique_ptr<google::protobuf::util::TypeResolver> types(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kTypePrefix, google::protobuf::DescriptorPool::generated_pool()));
  const auto status = google::protobuf::util::BinaryToJsonString(
      types.get(), absl::StrCat(kTypePrefix, "/", message.GetTypeName()), binary, &text, options);
  if (!status.ok()) {
    return absl::InternalError(
        absl::StrCat("cannot write the answer as JSON: ", status.ToString()));
  }
  out() << text << (lines ? "" : "\n") << std::flush;
  return absl::OkStatus();
}

ExitCode Session::Report(const absl::Status& status) {
  const std::string message = Printable(status.message());
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kUnavailable:
      err() << "frontier: " << message << "\n";
      // With a detail it is the coordinator itself that says so.
      if (!GetErrorDetail(status).has_value()) {
        err() << "Is frontier-coordinator running there? Name another with --coordinator HOST:PORT "
                 "or FRONTIER_COORDINATOR.\n";
      }
      return ExitCode::kUnreachable;
    case absl::StatusCode::kDeadlineExceeded:
      err() << "frontier: " << message << "\nWaited " << FormatSeconds(timeout_seconds)
            << "; --timeout SECONDS waits longer.\n";
      return ExitCode::kUnreachable;
    default:
      err() << "frontier: " << message << "\n";
  }
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return ExitCode::kInvalidInput;
    case absl::StatusCode::kFailedPrecondition:
      return GetErrorReason(status) == v1::ERROR_REASON_PROTOCOL_VERSION ? ExitCode::kInternal
                                                                         : ExitCode::kWrongState;
    case absl::StatusCode::kAborted:  // somebody else was quicker
      return ExitCode::kWrongState;
    default:
      return ExitCode::kInternal;
  }
}

}  // namespace frontier::cli
