#include "coordinator/service/request_checks.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/sha256.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

constexpr size_t kMaxIdBytes = 128;
constexpr size_t kMaxPageTokenBytes = 256;
constexpr size_t kMaxReplayTokenBytes = 65536;  // it holds genotypes
constexpr int kMaxReplayed = 1000;
constexpr size_t kMaxNameBytes = 256;      // of versions, models, methods
constexpr size_t kMaxTextBytes = 4 << 10;  // of errors and reasons
constexpr size_t kMaxSubmitBytes = 1 << 20;
constexpr int kMaxPageSize = 500;
constexpr int64_t kMaxWaitMs = 60'000;
constexpr int kMaxSlots = 1024;
constexpr int kMaxDatasets = 1000;
constexpr int kMaxFeatures = 256;
constexpr int kMaxLeases = 10'000;
constexpr int kMaxEpochs = 100'000;
constexpr int kMaxMeasurements = 64;
constexpr int kMaxPrecisions = 16;

absl::Status CheckSize(absl::string_view field, absl::string_view text, size_t limit) {
  if (text.size() <= limit) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(text.size(), " bytes are more than ", limit));
}

absl::Status CheckCount(absl::string_view field, int count, int limit) {
  if (count <= limit) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(count, " entries are more than ", limit));
}

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(value, " is not within ", low, " and ", high));
}

absl::Status CheckPositive(absl::string_view field, int64_t value) {
  if (value >= 1) return absl::OkStatus();
  return InvalidField(field, absl::StrCat(value, " is not positive"));
}

// Any printable text of 1 to 128 characters.
absl::Status CheckId(absl::string_view field, absl::string_view id) {
  if (id.empty()) return InvalidField(field, "is missing");
  RETURN_IF_ERROR(CheckSize(field, id, kMaxIdBytes));
  for (const char c : id) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) {
      return InvalidField(field, "has a character that is not printable ASCII");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckWorkerId(absl::string_view id) {
  RETURN_IF_ERROR(CheckId("worker_id", id));
  for (const char c : id) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') {
      return InvalidField("worker_id", absl::StrCat("'", id,
                                                    "' has a character other than "
                                                    "letters, digits, '.', '_' and '-'"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPage(int page_size, absl::string_view page_token) {
  RETURN_IF_ERROR(CheckRange("page_size", page_size, 0, kMaxPageSize));
  return CheckSize("page_token", page_token, kMaxPageTokenBytes);
}

absl::Status CheckKey(const v1::AttemptKey& key) {
  RETURN_IF_ERROR(CheckPositive("key.job_id", key.job_id()));
  RETURN_IF_ERROR(CheckPositive("key.trial", key.trial()));
  return CheckPositive("key.attempt", key.attempt());
}

absl::Status CheckMeasurement(const std::string& path, const v1::Measurement& measurement) {
  RETURN_IF_ERROR(CheckSize(absl::StrCat(path, ".method"), measurement.method(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckSize(absl::StrCat(path, ".reason"), measurement.reason(), kMaxTextBytes));
  return CheckSize(absl::StrCat(path, ".hardware_class"), measurement.hardware_class(),
                   kMaxNameBytes);
}

absl::Status CheckMeasurements(
    absl::string_view field,
    const google::protobuf::RepeatedPtrField<v1::Measurement>& measurements) {
  RETURN_IF_ERROR(CheckCount(field, measurements.size(), kMaxMeasurements));
  for (int i = 0; i < measurements.size(); ++i) {
    RETURN_IF_ERROR(CheckMeasurement(absl::StrCat(field, "[", i, "]"), measurements[i]));
  }
  return absl::OkStatus();
}

absl::Status CheckHardware(const v1::Hardware& hardware) {
  RETURN_IF_ERROR(CheckSize("hardware.cpu_model", hardware.cpu_model(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckCount("hardware.isa_features", hardware.isa_features_size(), kMaxFeatures));
  for (const std::string& feature : hardware.isa_features()) {
    RETURN_IF_ERROR(CheckSize("hardware.isa_features", feature, kMaxNameBytes));
  }
  RETURN_IF_ERROR(CheckSize("hardware.os", hardware.os(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckSize("hardware.hardware_class", hardware.hardware_class(), kMaxNameBytes));
  return CheckSize("hardware.engine", hardware.engine(), kMaxNameBytes);
}

template <typename Request>
absl::Status CheckJobChange(const Request& request) {
  RETURN_IF_ERROR(CheckId("request_id", request.request_id()));
  return CheckPositive("job_id", request.job_id());
}

}  // namespace

absl::Status CheckRequest(const v1::SubmitJobRequest& request) {
  RETURN_IF_ERROR(CheckId("request_id", request.request_id()));
  const size_t bytes = request.ByteSizeLong();
  if (bytes > kMaxSubmitBytes) {
    return InvalidField("spec", absl::StrCat(bytes, " bytes are more than ", kMaxSubmitBytes));
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const v1::GetJobRequest& request) {
  return CheckPositive("job_id", request.job_id());
}

absl::Status CheckRequest(const v1::ListJobsRequest& request) {
  return CheckPage(request.page_size(), request.page_token());
}

absl::Status CheckRequest(const v1::WatchJobRequest& request) {
  RETURN_IF_ERROR(CheckPositive("job_id", request.job_id()));
  if (request.after_event() >= 0) return absl::OkStatus();
  return InvalidField("after_event", absl::StrCat(request.after_event(), " is negative"));
}

absl::Status CheckRequest(const v1::CancelJobRequest& request) { return CheckJobChange(request); }

absl::Status CheckRequest(const v1::PauseJobRequest& request) { return CheckJobChange(request); }

absl::Status CheckRequest(const v1::ResumeJobRequest& request) { return CheckJobChange(request); }

absl::Status CheckRequest(const v1::UpdateJobRequest& request) { return CheckJobChange(request); }

absl::Status CheckRequest(const v1::DeleteJobRequest& request) { return CheckJobChange(request); }

absl::Status CheckRequest(const v1::ExtendSpaceRequest& request) {
  RETURN_IF_ERROR(CheckJobChange(request));
  const size_t bytes = request.ByteSizeLong();
  if (bytes > kMaxSubmitBytes) {
    return InvalidField("search_space",
                        absl::StrCat(bytes, " bytes are more than ", kMaxSubmitBytes));
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const v1::ReplayJobRequest& request) {
  RETURN_IF_ERROR(CheckPositive("job_id", request.job_id()));
  if (request.limit() < 0 || request.limit() > kMaxReplayed) {
    return InvalidField(
        "limit", absl::StrCat("is ", request.limit(), ", must be 0 (= 100) to ", kMaxReplayed));
  }
  return CheckSize("page_token", request.page_token(), kMaxReplayTokenBytes);
}

absl::Status CheckRequest(const v1::ListTrialsRequest& request) {
  RETURN_IF_ERROR(CheckPositive("job_id", request.job_id()));
  if (!v1::TrialState_IsValid(request.state())) {
    return InvalidField("state", absl::StrCat(request.state(), " is no state of a trial"));
  }
  return CheckPage(request.page_size(), request.page_token());
}

absl::Status CheckRequest(const v1::GetTrialRequest& request) {
  RETURN_IF_ERROR(CheckPositive("job_id", request.job_id()));
  return CheckPositive("trial", request.trial());
}

absl::Status CheckRequest(const v1::GetFrontRequest& request) {
  return CheckPositive("job_id", request.job_id());
}

absl::Status CheckRequest(const v1::GetWeightsRequest& request) {
  RETURN_IF_ERROR(CheckPositive("job_id", request.job_id()));
  return CheckPositive("trial", request.trial());
}

absl::Status CheckRequest(const v1::ListWorkersRequest& request) {
  return CheckPage(request.page_size(), request.page_token());
}

absl::Status CheckRequest(const v1::DrainWorkerRequest& request) {
  RETURN_IF_ERROR(CheckId("request_id", request.request_id()));
  return CheckWorkerId(request.worker_id());
}

absl::Status CheckRequest(const v1::AdmitWorkerRequest& request) {
  RETURN_IF_ERROR(CheckId("request_id", request.request_id()));
  return CheckWorkerId(request.worker_id());
}

absl::Status CheckRequest(const v1::RegisterRequest& request) {
  RETURN_IF_ERROR(CheckId("request_id", request.request_id()));
  RETURN_IF_ERROR(CheckWorkerId(request.worker_id()));
  RETURN_IF_ERROR(CheckId("incarnation", request.incarnation()));
  RETURN_IF_ERROR(CheckSize("version", request.version(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckHardware(request.hardware()));
  RETURN_IF_ERROR(CheckRange("slots", request.slots(), 1, kMaxSlots));
  RETURN_IF_ERROR(CheckCount("datasets", request.datasets_size(), kMaxDatasets));
  for (int i = 0; i < request.datasets_size(); ++i) {
    RETURN_IF_ERROR(CheckId(absl::StrCat("datasets[", i, "].name"), request.datasets(i).name()));
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const v1::LeaseRequest& request) {
  RETURN_IF_ERROR(CheckId("request_id", request.request_id()));
  RETURN_IF_ERROR(CheckWorkerId(request.worker_id()));
  RETURN_IF_ERROR(CheckId("incarnation", request.incarnation()));
  return CheckRange("wait_ms", request.wait_ms(), 0, kMaxWaitMs);
}

absl::Status CheckRequest(const v1::HeartbeatRequest& request) {
  RETURN_IF_ERROR(CheckWorkerId(request.worker_id()));
  RETURN_IF_ERROR(CheckId("incarnation", request.incarnation()));
  RETURN_IF_ERROR(CheckCount("leases", request.leases_size(), kMaxLeases));
  for (int i = 0; i < request.leases_size(); ++i) {
    const std::string path = absl::StrCat("leases[", i, "]");
    RETURN_IF_ERROR(PrefixField(path, CheckKey(request.leases(i).key())));
    RETURN_IF_ERROR(
        CheckCount(absl::StrCat(path, ".epochs"), request.leases(i).epochs_size(), kMaxEpochs));
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const v1::UploadWeightsHeader& header) {
  RETURN_IF_ERROR(PrefixField("header", CheckWorkerId(header.worker_id())));
  RETURN_IF_ERROR(PrefixField("header", CheckKey(header.key())));
  if (!IsSha256Hex(header.sha256())) {
    return InvalidField("header.sha256", absl::StrCat("'", header.sha256().substr(0, 80),
                                                      "' is not 64 lower-case hex digits"));
  }
  return CheckPositive("header.size", header.size());
}

absl::Status CheckRequest(const v1::ReportRequest& request) {
  RETURN_IF_ERROR(CheckId("request_id", request.request_id()));
  RETURN_IF_ERROR(CheckWorkerId(request.worker_id()));
  RETURN_IF_ERROR(CheckKey(request.key()));
  if (request.outcome_case() == v1::ReportRequest::OUTCOME_NOT_SET) {
    return InvalidField("outcome", "is missing: give a result or a failure");
  }
  if (request.has_next()) RETURN_IF_ERROR(PrefixField("next", CheckRequest(request.next())));
  RETURN_IF_ERROR(CheckSize("failure.message", request.failure().message(), kMaxTextBytes));
  RETURN_IF_ERROR(CheckMeasurements("usage", request.usage()));
  const v1::TrialResult& result = request.result();
  RETURN_IF_ERROR(CheckMeasurements("result.measurements", result.measurements()));
  RETURN_IF_ERROR(CheckCount("result.precisions", result.precisions_size(), kMaxPrecisions));
  for (int i = 0; i < result.precisions_size(); ++i) {
    const v1::PrecisionResult& precision = result.precisions(i);
    const std::string path = absl::StrCat("result.precisions[", i, "]");
    RETURN_IF_ERROR(
        CheckSize(absl::StrCat(path, ".precision"), precision.precision(), kMaxNameBytes));
    RETURN_IF_ERROR(CheckSize(absl::StrCat(path, ".reason"), precision.reason(), kMaxTextBytes));
    RETURN_IF_ERROR(CheckMeasurement(absl::StrCat(path, ".accuracy"), precision.accuracy()));
    RETURN_IF_ERROR(CheckMeasurement(absl::StrCat(path, ".latency"), precision.latency()));
  }
  RETURN_IF_ERROR(CheckCount("result.epochs", result.epochs_size(), kMaxEpochs));
  RETURN_IF_ERROR(CheckSize("result.engine.library", result.engine().library(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckSize("result.engine.precision", result.engine().precision(), kMaxNameBytes));
  if (!result.weights_sha256().empty() && !IsSha256Hex(result.weights_sha256())) {
    return InvalidField("result.weights_sha256",
                        absl::StrCat("'", result.weights_sha256().substr(0, 80),
                                     "' is not 64 lower-case hex digits"));
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const v1::GiveBackRequest& request) {
  RETURN_IF_ERROR(CheckId("request_id", request.request_id()));
  RETURN_IF_ERROR(CheckWorkerId(request.worker_id()));
  RETURN_IF_ERROR(CheckKey(request.key()));
  RETURN_IF_ERROR(CheckSize("reason", request.reason(), kMaxTextBytes));
  return CheckMeasurements("usage", request.usage());
}

absl::Status CheckRequest(const v1::GetParentWeightsRequest& request) {
  RETURN_IF_ERROR(CheckWorkerId(request.worker_id()));
  return CheckKey(request.key());
}

absl::Status CheckRequest(const v1::GetCheckpointRequest& request) {
  RETURN_IF_ERROR(CheckWorkerId(request.worker_id()));
  return CheckKey(request.key());
}

}  // namespace frontier::coordinator
