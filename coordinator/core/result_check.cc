#include "coordinator/core/result_check.h"

#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/enum_names.h"
#include "common/base/sha256.h"
#include "common/base/status.h"

namespace frontier::coordinator {
namespace {

constexpr size_t kMaxMessageBytes = 4096;
constexpr int kMaxEpochs = 10000;
constexpr int kMaxPicks = 100000;

v1::Failure MakeFailure(v1::FailureCause cause, const std::string& message) {
  v1::Failure failure;
  failure.set_cause(cause);
  failure.set_message(message);
  return failure;
}

// Cuts a text to what is stored.
void Bound(std::string* text) {
  if (text->size() <= kMaxMessageBytes) return;
  size_t end = kMaxMessageBytes - 3;
  // Not within a UTF-8 character.
  while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xc0) == 0x80) --end;
  text->resize(end);
  text->append("...");
}

// "accuracy is 1.5, must be 0 to 1"; empty if the value is possible.
std::string FindRangeProblem(const v1::Measurement& m) {
  if (m.metric() == v1::METRIC_PROXY) return "";
  const double high = m.metric() == v1::METRIC_ACCURACY ? 1.0 : HUGE_VAL;
  if (m.value() >= 0 && m.value() <= high) return "";
  return absl::StrCat(EnumName(m.metric()), " is ", m.value(), ", must be ",
                      m.metric() == v1::METRIC_ACCURACY ? "0 to 1" : "at least 0");
}

// Whether a worker may stop trials of the job for this cause.
bool HasRule(const v1::JobSpec& spec, v1::StopCause cause) {
  const v1::EarlyStopping& stopping = spec.early_stopping();
  return (cause == v1::STOP_CAUSE_MEDIAN && stopping.has_median()) ||
         (cause == v1::STOP_CAUSE_EXTRAPOLATION && stopping.has_extrapolation()) ||
         (cause == v1::STOP_CAUSE_PATIENCE && stopping.has_patience());
}

absl::Status ValidateMeasurements(
    const std::string& path,
    const google::protobuf::RepeatedPtrField<v1::Measurement>& measurements) {
  std::set<v1::Metric> seen;
  for (int i = 0; i < measurements.size(); ++i) {
    const v1::Metric metric = measurements[i].metric();
    const std::string field = absl::StrCat(path, "[", i, "].metric");
    if (!v1::Metric_IsValid(metric) || metric == v1::METRIC_UNSPECIFIED) {
      return InvalidField(field, absl::StrCat("unknown metric ", static_cast<int>(metric)));
    }
    if (!seen.insert(metric).second) {
      return InvalidField(field, absl::StrCat(EnumName(metric), " is given twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateUsage(const google::protobuf::RepeatedPtrField<v1::Measurement>& usage) {
  RETURN_IF_ERROR(ValidateMeasurements("usage", usage));
  for (int i = 0; i < usage.size(); ++i) {
    if (std::isfinite(usage[i].value()) && usage[i].value() >= 0) continue;
    return InvalidField(absl::StrCat("usage[", i, "].value"),
                        absl::StrCat(EnumName(usage[i].metric()),
                                     " must be finite and at least 0, is ", usage[i].value()));
  }
  return absl::OkStatus();
}

absl::Status ValidateReport(const v1::ReportRequest& request) {
  switch (request.outcome_case()) {
    case v1::ReportRequest::kResult: {
      const v1::TrialResult& result = request.result();
      RETURN_IF_ERROR(ValidateMeasurements("result.measurements", result.measurements()));
      if (result.epochs_size() > kMaxEpochs) {
        return InvalidField("result.epochs", absl::StrCat("must be at most ", kMaxEpochs, ", are ",
                                                          result.epochs_size()));
      }
      if (result.engine().picks_size() > kMaxPicks) {
        return InvalidField(
            "result.engine.picks",
            absl::StrCat("must be at most ", kMaxPicks, ", are ", result.engine().picks_size()));
      }
      for (const auto& [field, digest] :
           {std::pair("weights", &result.weights_sha256()),
            std::pair("checkpoint", &result.checkpoint_sha256()),
            std::pair("engine.dataset", &result.engine().dataset_sha256())}) {
        if (digest->empty() || IsSha256Hex(*digest)) continue;
        return InvalidField(absl::StrCat("result.", field, "_sha256"),
                            absl::StrCat("is no SHA-256 digest: '", digest->substr(0, 80), "'"));
      }
      break;
    }
    case v1::ReportRequest::kFailure: {
      const v1::FailureCause cause = request.failure().cause();
      if (!v1::FailureCause_IsValid(cause) || cause == v1::FAILURE_CAUSE_UNSPECIFIED) {
        return InvalidField("failure.cause",
                            absl::StrCat("unknown cause ", static_cast<int>(cause)));
      }
      // Such an attempt counts as no failure.
      if (cause == v1::FAILURE_CAUSE_PREEMPTED) {
        return InvalidField("failure.cause", "a worker that has to leave gives its lease back");
      }
      break;
    }
    default:
      return InvalidField("outcome", "must be a result or a failure, is not given");
  }
  return ValidateUsage(request.usage());
}

std::optional<v1::Failure> JudgeResult(const v1::JobSpec& spec, const Leg& leg, int epochs,
                                       const v1::TrialResult& result) {
  for (const v1::Metric metric : NeededMetrics(spec, leg)) {
    const v1::Measurement* found = nullptr;
    for (const v1::Measurement& m : result.measurements()) {
      if (m.metric() == metric) found = &m;
    }
    if (found == nullptr) {
      return MakeFailure(v1::FAILURE_CAUSE_INTERNAL,
                         absl::StrCat("the worker reported no ", EnumName(metric)));
    }
    if (!std::isfinite(found->value())) {
      return MakeFailure(v1::FAILURE_CAUSE_DIVERGED,
                         absl::StrCat(EnumName(metric), " is ", found->value()));
    }
    const std::string problem = FindRangeProblem(*found);
    if (!problem.empty()) return MakeFailure(v1::FAILURE_CAUSE_INTERNAL, problem);
  }
  if (result.epochs_size() > epochs) {
    return MakeFailure(
        v1::FAILURE_CAUSE_INTERNAL,
        absl::StrCat("the worker reported ", result.epochs_size(), " epochs of ", epochs));
  }
  if (leg.until_epoch > 0 && result.epochs_size() != leg.until_epoch) {
    return MakeFailure(v1::FAILURE_CAUSE_INTERNAL,
                       absl::StrCat("the worker paused after ", result.epochs_size(),
                                    " epochs, was to after ", leg.until_epoch));
  }
  for (int i = 0; i < result.epochs_size(); ++i) {
    const double accuracy = result.epochs(i).validation_accuracy();
    if (result.epochs(i).epoch() == i + 1 && accuracy >= 0 && accuracy <= 1) continue;
    return MakeFailure(v1::FAILURE_CAUSE_INTERNAL,
                       absl::StrCat("the worker reported as epoch ", i + 1, ": epoch ",
                                    result.epochs(i).epoch(), ", accuracy ", accuracy));
  }
  const v1::StopCause cause = result.early_stop().cause();
  if (cause != v1::STOP_CAUSE_UNSPECIFIED && (leg.probes || !HasRule(spec, cause))) {
    return MakeFailure(v1::FAILURE_CAUSE_INTERNAL,
                       absl::StrCat("the worker stopped early by ", v1::StopCause_Name(cause),
                                    ", which the job does not ask for"));
  }
  return std::nullopt;
}

std::optional<v1::Failure> JudgeDataset(const v1::Job& job, const v1::TrialResult& result) {
  const std::string& wanted = job.dataset_sha256();
  const std::string& read = result.engine().dataset_sha256();
  if (wanted.empty() || read.empty() || read == wanted) return std::nullopt;
  return MakeFailure(
      v1::FAILURE_CAUSE_OTHER_DATA,
      absl::StrCat("data set '", job.spec().dataset().name(), "' is another here (SHA-256 ", read,
                   ") than that of the job's first result (", wanted,
                   job.dataset_worker().empty()
                       ? ", of an earlier job)"
                       : absl::StrCat(", on worker '", job.dataset_worker(), "')")));
}

v1::TrialResult CleanResult(const v1::TrialResult& result, std::vector<std::string>* dropped) {
  v1::TrialResult clean = result;
  if (clean.has_early_stop()) Bound(clean.mutable_early_stop()->mutable_message());
  clean.clear_measurements();
  for (const v1::Measurement& m : result.measurements()) {
    if (std::isfinite(m.value()) && FindRangeProblem(m).empty()) {
      *clean.add_measurements() = m;
    } else {
      dropped->push_back(absl::StrCat(EnumName(m.metric()), " is ", m.value()));
    }
  }
  clean.clear_precisions();
  for (const v1::PrecisionResult& precision : result.precisions()) {
    const auto sound = [](const v1::Measurement& m) {
      return m.metric() == v1::METRIC_UNSPECIFIED ||
             (std::isfinite(m.value()) && FindRangeProblem(m).empty());
    };
    if (sound(precision.accuracy()) && sound(precision.latency())) {
      *clean.add_precisions() = precision;
    } else {
      dropped->push_back(absl::StrCat("figures of ", precision.precision()));
    }
  }
  return clean;
}

std::string FindEpochProblem(const v1::EpochMetrics& metrics, int epochs) {
  if (metrics.epoch() < 1 || metrics.epoch() > epochs) {
    return absl::StrCat("epoch ", metrics.epoch(), " of ", epochs);
  }
  const struct {
    const char* name;
    double value;
  } figures[] = {{"train_loss", metrics.train_loss()},
                 {"train_accuracy", metrics.train_accuracy()},
                 {"validation_loss", metrics.validation_loss()},
                 {"validation_accuracy", metrics.validation_accuracy()},
                 {"learning_rate", metrics.learning_rate()},
                 {"wall_seconds", metrics.wall_seconds()},
                 {"images_per_second", metrics.images_per_second()}};
  for (const auto& figure : figures) {
    if (!std::isfinite(figure.value)) {
      return absl::StrCat("epoch ", metrics.epoch(), ": ", figure.name, " is ", figure.value);
    }
  }
  return "";
}

v1::Failure BoundFailure(const v1::Failure& failure) {
  v1::Failure bounded = failure;
  Bound(bounded.mutable_message());
  return bounded;
}

}  // namespace frontier::coordinator
