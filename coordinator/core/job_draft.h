// A change to one job under way: decided on copies, written to the journal, then applied.
#ifndef FRONTIER_COORDINATOR_CORE_JOB_DRAFT_H_
#define FRONTIER_COORDINATOR_CORE_JOB_DRAFT_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "common/pareto/pareto.h"
#include "coordinator/core/attempt_id.h"
#include "coordinator/core/job_state.h"
#include "coordinator/core/legs.h"
#include "coordinator/core/request_log.h"
#include "coordinator/core/trial_machine.h"
#include "coordinator/space/space.h"
#include "coordinator/strategy/strategy.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/record.pb.h"
#include "frontier/v1/trial.pb.h"
#include "frontier/v1/worker_service.pb.h"

namespace frontier::coordinator {

// Why a job drains or has ended when nothing new is left to propose.
inline constexpr absl::string_view kSpaceExhausted = "space exhausted";

// Law: until Apply the job is as it was, but for its strategy and rungs, which the destructor puts
// back if Apply was not called. Proposals know nothing of trials that end in the same draft. One
// draft of a job at a time. Methods that fail leave a draft that must be dropped, except where they
// say otherwise. Not thread-safe.
class JobDraft {
 public:
  JobDraft(JobState* state, absl::Time now, absl::Duration elapsed);
  ~JobDraft();
  JobDraft(const JobDraft&) = delete;
  JobDraft& operator=(const JobDraft&) = delete;

  // Lets the strategy propose a trial, which is queued first in line. FAILED_PRECONDITION (reason
  // SPACE_EXHAUSTED) if it has nothing new (see Exhaust), UNAVAILABLE if it found nothing yet: the
  // draft then goes on.
  absl::StatusOr<TrialNumber> Propose();
  // Notes that the strategy has nothing new: the job drains.
  absl::Status Exhaust();

  // Leases the next attempt of a queued trial.
  absl::StatusOr<AttemptId> Start(TrialNumber number, const v1::LeaseRequest& request,
                                  int64_t token, absl::Time expires);

  // Adds epochs to a running attempt: those after its last one, in order. What is wrong with one
  // that is left out goes to `refused`.
  absl::Status AddEpochs(const AttemptId& id,
                         const google::protobuf::RepeatedPtrField<v1::EpochMetrics>& epochs,
                         std::string* refused);

  // Ends of a running attempt. `usage` is what it used, with energy as in RecordUsage.
  using Usage = google::protobuf::RepeatedPtrField<v1::Measurement>;
  // The attempt came to the end of its leg: the trial has succeeded, was stopped early, or pauses.
  // `result` is acceptable by JudgeResult. `load` gets the trials that leave the front.
  absl::Status Succeed(const AttemptId& id, const v1::TrialResult& result, const Usage& usage,
                       absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load);
  // A trial that waits at a rung is trained on; it is queued first in line.
  absl::Status GoOn(TrialNumber number,
                    absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load);
  // Makes `trial`, of an earlier job, one of this; see ReusableTrials.
  absl::Status Reuse(v1::Trial trial,
                     absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load);
  // Queued again if the cause is retried and attempts are left, failed otherwise.
  absl::Status Fail(const AttemptId& id, const v1::Failure& failure, const Usage& usage);
  absl::Status Lose(const AttemptId& id, v1::FailureCause cause, absl::string_view message);
  // Keeps what a repeat of the report that has just ended the attempt is to be known by, and, once
  // settled, the trial's state, which is the answer to it.
  absl::Status NoteReport(const AttemptId& id, const RequestKey& report);
  // Queued again, first in line; failed if it was given back too often.
  absl::Status Return(const AttemptId& id, absl::string_view reason, const Usage& usage);

  // The job has the larger space `space`, which is that of `spec`; `gains` says what is new. If it
  // drained because there was nothing left to propose, it goes on. FAILED_PRECONDITION (reason
  // WRONG_STATE) if it drains for another reason, or still probes.
  absl::Status ExtendSpace(const v1::SearchSpace& spec, std::unique_ptr<Space> space,
                           absl::string_view gains);

  // Takes over what `request` gives, which makes sense by itself. A job that has ended since it
  // used its budget, or drains for this, goes on if the new one leaves something.
  // FAILED_PRECONDITION (reason WRONG_STATE) if it has ended and had not used its budget;
  // INVALID_ARGUMENT (INVALID_FIELD) if it has ended and the new budget is used up, too; ABORTED if
  // the budget is not what the request says it was.
  absl::Status Update(const v1::UpdateJobRequest& request);

  absl::Status Pause();
  // That so much of the wall clock's time did not pass: it jumped, forwards or back.
  void LeaveOut(absl::Duration jump);
  absl::Status Resume();
  absl::Status Cancel();
  // Ends the job for an error of its own.
  absl::Status FailJob(absl::string_view reason);

  // Draws the consequences: a space composed once all probes have ended, pools decided, limits that
  // are reached, the end of the job. Last, before the commit.
  absl::Status Settle();
  // Whether there is anything to commit.
  bool IsEmpty() const { return !touched_; }

  // To be committed; what does not concern jobs (answers to requests) may be added.
  v1::Change* change() { return &change_; }
  const v1::JobRecord& record() const { return record_; }
  // The trial as drafted; null if it has ended before or was never made.
  const v1::Trial* FindTrial(TrialNumber number) const;

  // Digests of weights that are kept from now on, of those that were and no longer are, and of
  // those that were reported but never kept.
  const std::vector<std::string>& weights_kept() const { return weights_kept_; }
  const std::vector<std::string>& weights_released() const { return weights_released_; }
  const std::vector<std::string>& weights_unused() const { return weights_unused_; }

  // After the change is written.
  void Apply();

 private:
  static void Count(v1::Job* job, v1::TrialState state, int64_t change);
  absl::StatusOr<v1::Trial*> Edit(TrialNumber number);
  // The record's spec, to be changed.
  v1::JobSpec* OwnSpec();
  const v1::Architecture& ArchitectureOf(const v1::Trial& trial) const;
  absl::Status SetState(v1::Trial* trial, TrialEvent event);
  // Why a job that ends by `limit` without a success has failed.
  std::string NoSuccess(absl::string_view limit) const;
  absl::Status SetJobState(JobEvent event, absl::string_view reason);
  // What the job's later results must be of, too.
  void NoteDataset(const v1::TrialResult& result, const std::string& worker_id);
  absl::StatusOr<v1::Attempt*> EndAttempt(const AttemptId& id, v1::Trial* trial, AttemptEvent event,
                                          const Usage& usage);
  absl::Status RetryOrFail(const AttemptId& id, v1::Trial* trial, const v1::Failure& failure,
                           bool retried);
  absl::Status CancelTrials(absl::string_view reason, bool running_too);
  // What follows for the job from a trial that has succeeded.
  absl::Status EndWell(v1::Trial* trial,
                       absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load);
  absl::Status EndTrialOnFront(v1::Trial* trial, const std::vector<double>& objectives,
                               absl::FunctionRef<absl::StatusOr<v1::Trial>(TrialNumber)> load);
  // Ends of a leg that is not the last, or that its worker ended early.
  absl::Status PauseAtRung(const AttemptId& id, v1::Trial* trial, const Leg& leg);
  absl::Status WaitInPool(const AttemptId& id, v1::Trial* trial);
  absl::Status Stop(const AttemptId& id, v1::Trial* trial, const v1::EarlyStop& early_stop);
  v1::RungResult* AddRung(const AttemptId& id, v1::Trial* trial, int epochs);
  // Chooses from pools that no more scores are awaited for.
  absl::Status DecidePools();
  absl::Status DecidePool(const std::vector<TrialNumber>& scored);
  void NoteScreening(const v1::Trial& trial);
  // Whether a trial that waits at a rung may go on now that nothing else is left to do.
  bool MayGoOn() const;
  void DropCheckpoint(v1::Trial* trial);
  void ReleaseCheckpoints();
  // The next of the genotypes that the user wants tried first. NOT_FOUND if there is none.
  absl::StatusOr<Candidate> FirstToTry(const SearchContext& context) const;
  // Notes how a trial of a job that probes ended.
  absl::Status AddFinding(const v1::Trial& trial);
  absl::Status ComposeIfProbed();
  absl::Status UseComposition(v1::Composition composition);
  void NoteArms();
  // Notes the space that the job has now, since it gets another.
  void KeepPastSpace();
  // Notes the end of a trial for proposals to come.
  absl::StatusOr<Observation> NoteEnd(v1::Trial* trial);
  // Returns its place in the history.
  int64_t NoteObservation(const Observation& observation);
  void AddEvent(v1::EventKind kind, int64_t trial, int32_t attempt, absl::string_view worker_id,
                absl::string_view message);
  int64_t now_us() const { return absl::ToUnixMicros(now_); }

  JobState* const state_;
  const absl::Time now_;
  const absl::Duration elapsed_;

  // Its spec is the state's, lent, unless `owns_spec_`: it is most of a record and hardly ever
  // changes.
  v1::JobRecord record_;
  bool owns_spec_ = false;
  std::map<TrialNumber, v1::Trial> trials_;  // changed; with architectures if they are new here
  std::deque<QueuedTrial> queue_;
  std::optional<ParetoFront> front_;
  std::unique_ptr<Space> space_;        // in place of the state's; null = that
  std::unique_ptr<Strategy> strategy_;  // likewise
  std::vector<Observation> new_ends_;
  std::vector<std::pair<std::vector<double>, bool>> new_curves_;  // whether trained to the end
  std::vector<std::pair<double, double>> new_scores_;             // with accuracies
  std::map<int64_t, std::string> new_checkpoints_;                // by trial; "" = none any more
  std::vector<std::string> new_hashes_;
  std::vector<std::string> weights_kept_;
  std::vector<std::string> weights_released_;
  std::vector<std::string> weights_unused_;
  std::optional<AttemptId> reported_;
  v1::Change change_;
  bool touched_ = false;
  bool reopened_ = false;  // had ended, and goes on
  bool strategy_touched_ = false;
  bool applied_ = false;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_CORE_JOB_DRAFT_H_
