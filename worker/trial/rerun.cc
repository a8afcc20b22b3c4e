#include "worker/trial/rerun.h"

#include "absl/strings/str_cat.h"
#include "common/base/enum_names.h"
#include "common/base/status.h"
#include "frontier/v1/trial_process.pb.h"
#include "google/protobuf/util/json_util.h"
#include "worker/trial/engine_record.h"
#include "worker/trial/trial_process.h"

namespace frontier::worker {
namespace {

void Compare(absl::string_view what, absl::string_view recorded, absl::string_view now,
             std::vector<std::string>* differences) {
  if (recorded == now) return;
  differences->push_back(
      absl::StrCat(what, ": recorded ", recorded.empty() ? "none" : recorded, ", now ", now));
}

}  // namespace

absl::StatusOr<v1::GetTrialResponse> ParseRecordedTrial(absl::string_view json) {
  v1::GetTrialResponse response;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &response, options);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is not what `frontier show JOB TRIAL --json` prints: ", std::string(parsed.message())));
  }
  const v1::Trial& trial = response.trial();
  const std::string name = absl::StrCat("trial ", trial.number(), " of job ", trial.job_id());
  if (!response.has_trial() || !response.has_task()) {
    return absl::FailedPreconditionError(
        absl::StrCat(name,
                     ": there is no task with it; print it by `frontier show JOB TRIAL "
                     "--json` of this version"));
  }
  if (!trial.has_result() || trial.result().weights_sha256().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, ": it has no result with weights to compare with; its state is ",
                     EnumName(trial.state())));
  }
  return response;
}

std::vector<std::string> Rerun::Differences() const {
  const v1::EngineRecord& before = recorded.engine();
  std::vector<std::string> differences;
  Compare("library", before.library(), now.engine().library(), &differences);
  Compare("hardware class", before.hardware_class(), now.engine().hardware_class(), &differences);
  Compare("earlier epochs trained on", before.trained_elsewhere(), now.engine().trained_elsewhere(),
          &differences);
  Compare("precision", before.precision(), now.engine().precision(), &differences);
  // A record may have more: what decided the precision, which is given now.
  const Picks picks = PicksOf(before.picks());
  for (const auto& [key, choice] : PicksOf(now.engine().picks())) {
    const auto recorded_pick = picks.find(key);
    Compare(absl::StrCat("pick ", key), recorded_pick == picks.end() ? "" : recorded_pick->second,
            choice, &differences);
  }
  return differences;
}

std::string Rerun::Describe(int64_t job_id, int64_t trial) const {
  std::string text = absl::StrCat(
      "trial ", trial, " of job ", job_id, ": ", identical() ? "identical" : "different",
      "\n  recorded  ", recorded.weights_sha256(), "\n  now       ", now.weights_sha256(), "\n");
  const std::vector<std::string> differences = Differences();
  for (const std::string& difference : differences) {
    absl::StrAppend(&text, "  ", difference, "\n");
  }
  if (!identical() && differences.empty()) {
    absl::StrAppend(&text,
                    "  the engine's record is the same: the data set or the version of Frontier is "
                    "another one\n");
  }
  return text;
}

absl::StatusOr<Rerun> RerunTrial(const v1::GetTrialResponse& trial, const RerunOptions& options,
                                 Clock* clock) {
  if (trial.task().has_inheritance() && options.parent_path.empty()) {
    const v1::Inheritance& inheritance = trial.task().inheritance();
    return absl::InvalidArgumentError(
        absl::StrCat("it begins with the weights of job ", inheritance.job_id(), " trial ",
                     inheritance.trial(), ": give the file that frontier weights ",
                     inheritance.job_id(), " ", inheritance.trial(), " writes as --parent"));
  }
  Rerun rerun;
  rerun.recorded = trial.trial().result();
  const v1::EngineRecord& record = rerun.recorded.engine();
  ASSIGN_OR_RETURN(const Precision precision, RecordedPrecision(record.precision()));
  v1::TrialProcessInput input;
  v1::TrialTask* task = input.mutable_task();
  *task = trial.task();
  task->set_seed(record.seed());
  task->set_reproducible(true);  // nothing is timed
  task->mutable_training()->set_precision(precision == Precision::kMixed ? v1::PRECISION_MIXED
                                                                         : v1::PRECISION_F32);
  *task->mutable_picks() = record.picks();
  task->mutable_limits()->set_threads(record.threads());
  task->mutable_limits()->clear_memory_bytes();
  input.set_dataset_path(options.dataset_folder);
  input.set_weights_path(options.weights_path);
  input.set_parent_path(options.parent_path);
  input.set_hardware_class(options.hardware_class);
  v1::TrialProcessUpdate end;
  RunTrial(input, clock, [&end](const v1::TrialProcessUpdate& update) { end = update; });
  if (!end.has_result()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "trial ", trial.trial().number(), " of job ", trial.trial().job_id(),
        " fails now: ", EnumName(end.failure().cause()), ": ", end.failure().message()));
  }
  rerun.now = end.result();
  return rerun;
}

}  // namespace frontier::worker
