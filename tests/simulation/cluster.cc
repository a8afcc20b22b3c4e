#include "tests/simulation/cluster.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "coordinator/core/trial_machine.h"
#include "coordinator/storage/sqlite/sqlite_store.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::simulation {
namespace {

using coordinator::AttemptId;
using coordinator::DispatcherOptions;
using coordinator::HasEnded;

constexpr int kWorkers = 4;
constexpr int kCheckEvery = 8;
constexpr int kMostRounds = 3000;  // until all has ended once faults stop

v1::JobSpec MakeJob(uint64_t seed, int number) {
  v1::JobSpec spec = testing::SmallJob(number == 1 ? 12 : 6);
  spec.mutable_strategy()->set_seed(seed + static_cast<uint64_t>(number));
  switch ((seed + static_cast<uint64_t>(number)) % 3) {
    case 0:
      spec.mutable_strategy()->mutable_evolution();
      break;
    case 1:
      spec.mutable_strategy()->mutable_nsga2();
      break;
    default:
      spec.mutable_strategy()->mutable_random();
  }
  if (number == 2) {
    spec.set_max_parallel_trials(2);
    if (seed % 2 == 1) {
      spec.mutable_training()->set_epochs(9);
      spec.mutable_early_stopping()->mutable_asha();
    }
  }
  return spec;
}

// The first line in which two texts differ.
std::string Difference(const std::string& before, const std::string& after) {
  const std::vector<std::string> old = absl::StrSplit(before, '\n');
  const std::vector<std::string> now = absl::StrSplit(after, '\n');
  for (size_t i = 0; i < std::min(old.size(), now.size()); ++i) {
    if (old[i] != now[i]) return absl::StrCat("line ", i, " '", old[i], "' is '", now[i], "'");
  }
  return absl::StrCat(old.size(), " lines are ", now.size());
}

// What two answers of the same state may differ in.
void StripTime(v1::Job* job) {
  job->mutable_usage()->clear_wall_seconds();
  job->clear_seconds_left();
  job->clear_waiting_for();
}

}  // namespace

Cluster::Cluster(uint64_t seed) : seed_(seed) {
  for (int i = 0; i < kWorkers; ++i) workers_.emplace_back(i + 1, &calls_);
  cut_.resize(kWorkers, false);
  StartCoordinator();
  for (int number = 1; number <= 2 && dispatcher_ != nullptr; ++number) {
    v1::SubmitJobRequest request;
    request.set_request_id(absl::StrCat("submit-", number));
    request.set_protocol_version(kProtocolVersion);
    *request.mutable_spec() = MakeJob(seed_, number);
    const auto response = dispatcher_->SubmitJob(request);
    if (!response.ok()) {
      Violate(std::string(response.status().message()));
      return;
    }
    journal_->CommitGroup();
    jobs_.push_back(response->job().id());
    told_.jobs.insert(response->job().id());
  }
}

Cluster::~Cluster() {
  dispatcher_.reset();
  journal_.reset();
  store_.reset();
}

void Cluster::Violate(const std::string& what) {
  if (violation_.empty()) violation_ = absl::StrCat("after operation ", applied_, ": ", what);
}

void Cluster::Expect(bool holds, const std::string& what) {
  if (!holds) Violate(what);
}

void Cluster::StartCoordinator() {
  clock_.Restart();
  coordinator::SqliteStoreOptions options;
  options.path = folder_.File("frontier.db");
  options.vfs = disk_.vfs();
  auto store = coordinator::OpenSqliteStore(options);
  if (!store.ok()) {
    Expect(trouble_, absl::StrCat("the database does not open: ", store.status().message()));
    return;
  }
  store_ = *std::move(store);
  journal_ = std::make_unique<coordinator::GroupJournal>(store_.get());
  DispatcherOptions dispatching;
  dispatching.outlined_together = 3;
  auto dispatcher =
      coordinator::CreateDispatcher(dispatching, store_.get(), journal_.get(), &blobs_, &clock_);
  if (!dispatcher.ok()) {
    Expect(trouble_,
           absl::StrCat("the coordinator does not start: ", dispatcher.status().message()));
    store_.reset();
    return;
  }
  dispatcher_ = *std::move(dispatcher);
  const std::string wrong = CheckStore(*store_, blobs_, told_);
  Expect(wrong.empty(), absl::StrCat("at the start: ", wrong));
}

void Cluster::StopCoordinator(Left left, uint32_t seed) {
  disk_.PowerOff();
  dispatcher_.reset();
  journal_.reset();
  store_.reset();
  // Connections break; answers under way do not arrive.
  messages_.erase(std::remove_if(messages_.begin(), messages_.end(),
                                 [](const Message& message) { return !message.to_coordinator; }),
                  messages_.end());
  Rng rng(seed);
  switch (left) {
    case Left::kAll:
      disk_.PowerOnWithAll();
      break;
    case Left::kSome:
      disk_.PowerOnWithSome(&rng);
      break;
    case Left::kSynced:
      disk_.PowerOnWithSynced();
      break;
  }
}

std::string Cluster::AllAnswers() {
  std::string all;
  const auto add = [&](auto answer, const auto& strip) {
    Expect(answer.ok(), absl::StrCat("an answer is refused: ", answer.status().message()));
    if (!answer.ok()) return;
    strip(&*answer);
    absl::StrAppend(&all, answer->DebugString());
  };
  const auto strip_job = [](auto* answer) { StripTime(answer->mutable_job()); };
  for (const int64_t id : jobs_) {
    v1::GetJobRequest job;
    job.set_job_id(id);
    add(dispatcher_->GetJob(job), strip_job);
    v1::GetFrontRequest front;
    front.set_job_id(id);
    add(dispatcher_->GetFront(front), strip_job);
    v1::ListTrialsRequest trials;
    trials.set_job_id(id);
    add(dispatcher_->ListTrials(trials), [](auto*) {});
  }
  return all;
}

void Cluster::RestartCleanly() {
  journal_->CommitGroup();
  if (trouble_) return;
  const std::string before = AllAnswers();
  StopCoordinator(Left::kAll, 0);
  StartCoordinator();
  if (dispatcher_ == nullptr) return;
  const std::string after = AllAnswers();
  Expect(after == before, absl::StrCat("a restart changed an answer: ", Difference(before, after)));
}

void Cluster::Send(size_t worker, Call call) {
  Message message;
  message.worker = worker;
  message.call = call.id;
  message.request = std::move(call.request);
  messages_.push_back(std::move(message));
}

void Cluster::NoteLease(const v1::AttemptLease& lease) {
  const AttemptId id = AttemptId::FromKey(lease.task().key());
  const auto [told, is_new] = told_.leases.emplace(lease.token(), id);
  Expect(is_new || told->second == id,
         absl::StrCat("token ", lease.token(), " is of ", told->second.ToString(), " and of ",
                      id.ToString()));
}

void Cluster::NoteTold(const Request& request, const Response& response) {
  if (const auto* lease = std::get_if<v1::LeaseResponse>(&response)) {
    if (lease->has_lease()) NoteLease(lease->lease());
  } else if (const auto* heartbeat = std::get_if<v1::HeartbeatResponse>(&response)) {
    for (const v1::Directive& directive : heartbeat->directives()) {
      if (directive.has_lease()) NoteLease(directive.lease());
    }
  } else if (const auto* report = std::get_if<v1::ReportResponse>(&response)) {
    const auto& reported = std::get<v1::ReportRequest>(request);
    const AttemptId id = AttemptId::FromKey(reported.key());
    const auto [told, is_new] =
        told_.reports.emplace(id, Told::Report{reported.request_id(), report->trial_state()});
    Expect(is_new || (told->second.request_id == reported.request_id() &&
                      told->second.state == report->trial_state()),
           absl::StrCat(id.ToString(), " was acknowledged twice, differently"));
    if (is_new) accepted_.push_back(reported);
    if (report->has_next()) NoteLease(report->next());
  }
}

template <typename Answer>
void Cluster::Respond(const Message& message, int64_t losses,
                      const absl::StatusOr<Answer>& answer) {
  Message back = message;
  back.to_coordinator = false;
  if (answer.ok()) {
    back.response = Response(*answer);
  } else {
    back.response = answer.status();
  }
  dispatcher_->WhenDurable(losses, [this, back](const absl::Status& durable) mutable {
    if (!durable.ok()) {
      back.response = durable;
    } else if (back.response.ok()) {
      NoteTold(back.request, *back.response);
    }
    messages_.push_back(std::move(back));
  });
}

void Cluster::Upload(const v1::ReportRequest& report) {
  const std::string& sha256 = report.result().checkpoint_sha256().empty()
                                  ? report.result().weights_sha256()
                                  : report.result().checkpoint_sha256();
  // Once is enough while the lease is held, as workers rely on.
  if (sha256.empty() || !uploaded_.insert(sha256).second) return;
  v1::UploadWeightsHeader header;
  header.set_worker_id(report.worker_id());
  *header.mutable_key() = report.key();
  header.set_token(report.token());
  header.set_sha256(sha256);
  if (dispatcher_->CheckLease(header).ok()) {
    blobs_.Put(sha256, "weights");
  } else {
    uploaded_.erase(sha256);
  }
}

void Cluster::Handle(const Message& message) {
  const int64_t losses = dispatcher_->losses();
  std::visit(
      [&](const auto& request) {
        using Kind = std::decay_t<decltype(request)>;
        if constexpr (std::is_same_v<Kind, v1::RegisterRequest>) {
          Respond(message, losses, dispatcher_->Register(request));
        } else if constexpr (std::is_same_v<Kind, v1::LeaseRequest>) {
          Respond(message, losses, dispatcher_->TryLease(request));
        } else if constexpr (std::is_same_v<Kind, v1::HeartbeatRequest>) {
          Respond(message, losses, dispatcher_->Heartbeat(request));
        } else if constexpr (std::is_same_v<Kind, v1::GiveBackRequest>) {
          Respond(message, losses, dispatcher_->GiveBack(request));
        } else {
          Upload(request);
          Respond(message, losses, dispatcher_->Report(request));
        }
      },
      message.request);
}

void Cluster::Deliver(size_t index) {
  const Message message = messages_[index];
  messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(index));
  if (index > 0) Fault("reordered");
  if (cut_[message.worker]) return Fault("cut off");
  if (!message.to_coordinator) {
    Worker& worker = workers_[message.worker];
    worker.TakeAnswer(message.call, message.response);
    Expect(worker.violation().empty(), absl::StrCat(worker.id(), ": ", worker.violation()));
    return;
  }
  if (dispatcher_ == nullptr) {
    workers_[message.worker].TakeAnswer(message.call, absl::UnavailableError("it is down"));
    return;
  }
  Handle(message);
}

void Cluster::Tick() {
  if (dispatcher_ == nullptr) {
    StartCoordinator();
    return;
  }
  const absl::Status status = dispatcher_->Tick();
  Expect(status.ok() || trouble_, absl::StrCat("clock work: ", status.message()));
  if (status.ok() && !disk_.failing()) trouble_ = false;
}

void Cluster::CheckLive() {
  if (dispatcher_ == nullptr) return;
  for (const int64_t id : jobs_) {
    v1::GetJobRequest request;
    request.set_job_id(id);
    const auto response = dispatcher_->GetJob(request);
    if (!response.ok()) {
      Expect(trouble_, absl::StrCat("job ", id, ": ", response.status().message()));
      continue;
    }
    const v1::Job& job = response->job();
    const int64_t sum = job.trials_queued() + job.trials_running() + job.trials_succeeded() +
                        job.trials_failed() + job.trials_cancelled() + job.trials_stopped();
    Expect(sum == job.trials_created() && job.trials_created() <= job.spec().budget().trials() &&
               job.trials_running() <= kWorkers && job.trials_queued() >= 0,
           absl::StrCat("job ", id,
                        ": counts make no sense: ", job.ShortDebugString().substr(0, 2000)));
    const int limit = job.spec().max_parallel_trials();
    Expect(limit == 0 || job.trials_running() <= limit,
           absl::StrCat("job ", id, " runs ", job.trials_running(), " trials, may run ", limit));
  }
  if (applied_ % kCheckEvery != 0) return;
  const std::string wrong = CheckStore(*store_, blobs_, told_);
  Expect(wrong.empty(), wrong);
}

void Cluster::Apply(const Operation& operation) {
  if (!violation_.empty()) return;
  ++applied_;
  const size_t worker = Pick(operation.a);
  const size_t message = messages_.empty() ? 0 : operation.a % messages_.size();
  switch (operation.kind) {
    case OpKind::kWorkerStep:
      if (auto call = workers_[worker].Step(operation.b)) Send(worker, *std::move(call));
      break;
    case OpKind::kHeartbeat:
      Send(worker, workers_[worker].Heartbeat());
      break;
    case OpKind::kDeliver:
      if (!messages_.empty()) Deliver(message);
      break;
    case OpKind::kCommit:
      if (journal_ != nullptr) journal_->CommitGroup();
      break;
    case OpKind::kAdvance:
      clock_.Advance(absl::Milliseconds(50 + operation.a % (operation.b % 8 == 0 ? 40000 : 3000)));
      Tick();
      break;
    case OpKind::kClient:
      CallAsClient(operation.a);
      break;
    case OpKind::kDrop:
      if (messages_.empty()) break;
      messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(message));
      Fault("message lost");
      break;
    case OpKind::kDuplicate:
      if (messages_.empty()) break;
      messages_.push_back(messages_[message]);
      Fault("message doubled");
      break;
    case OpKind::kCut:
      cut_[worker] = true;
      break;
    case OpKind::kHeal:
      cut_[worker] = false;
      break;
    case OpKind::kClockJump:
      clock_.Jump(absl::Seconds(operation.a) * (operation.b % 2 == 0 ? 1 : -1));
      Fault("clock jump");
      break;
    case OpKind::kFailSync:
      disk_.FailSyncs(1);
      trouble_ = true;
      Fault("sync failed");
      break;
    case OpKind::kFailWrite:
      disk_.FailWrites(1);
      trouble_ = true;
      Fault("write failed");
      break;
    case OpKind::kDiskFull:
      disk_.SetFull(true);
      trouble_ = true;
      Fault("disk full");
      break;
    case OpKind::kDiskFree:
      disk_.SetFull(false);
      break;
    case OpKind::kKillCoordinator:
      Fault("coordinator killed");
      if (dispatcher_ != nullptr && operation.b % 2 == 0) {
        RestartCleanly();
        break;
      }
      StopCoordinator(Left::kAll, operation.b);
      StartCoordinator();
      break;
    case OpKind::kPowerCut:
      StopCoordinator(operation.b % 2 == 0 ? Left::kSome : Left::kSynced, operation.b);
      StartCoordinator();
      Fault("power cut");
      break;
    case OpKind::kKillWorker:
      workers_[worker].Kill();
      Fault("worker killed");
      break;
    case OpKind::kLie:
      Lie(worker, operation.b);
      break;
    case OpKind::kLeave:
      Send(worker, workers_[worker].Leave());
      Fault("worker leaves");
      break;
  }
  CheckLive();
}

bool Cluster::AllEnded() {
  if (dispatcher_ == nullptr) return false;
  for (const int64_t id : jobs_) {
    v1::GetJobRequest request;
    request.set_job_id(id);
    const auto response = dispatcher_->GetJob(request);
    if (!response.ok() || !HasEnded(response->job().state())) return false;
  }
  return true;
}

void Cluster::Settle() {
  std::fill(cut_.begin(), cut_.end(), false);
  disk_.FailSyncs(0);
  disk_.FailWrites(0);
  disk_.SetFull(false);
  constexpr uint32_t kSucceeds = 3;  // see Worker::Step
  for (int round = 0; round < kMostRounds && violation_.empty() && !AllEnded(); ++round) {
    ++applied_;
    clock_.Advance(absl::Milliseconds(500));
    Tick();
    if (dispatcher_ == nullptr) continue;
    // Again and again, since after losses changes are refused for a while.
    if (round % 10 == 0) {
      CallAsClient(2);  // resumes
      for (size_t i = 0; i < workers_.size(); ++i) AdmitWorker(i);
    }
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (auto call = workers_[i].Step(kSucceeds)) Send(i, *std::move(call));
      if (round % 10 == 0) Send(i, workers_[i].Heartbeat());
    }
    while (!messages_.empty() && violation_.empty()) {
      Deliver(0);
      journal_->CommitGroup();
    }
    // Calls whose answers were lost are given up.
    if (round % 20 == 19) {
      for (size_t i = 0; i < workers_.size(); ++i) {
        if (auto call = workers_[i].Step(4)) Send(i, *std::move(call));
      }
    }
    CheckLive();
  }
  if (!violation_.empty()) return;
  Expect(AllEnded(), "faults have stopped, and a job does not end");
  journal_->CommitGroup();
  trouble_ = false;
  const std::string wrong = CheckStore(*store_, blobs_, told_);
  Expect(wrong.empty(), wrong);
  RestartCleanly();
}

std::string Play(uint64_t seed, const Schedule& schedule, std::map<std::string, int>* faults,
                 std::string* history) {
  Cluster cluster(seed);
  for (const Operation& operation : schedule) cluster.Apply(operation);
  if (cluster.violation().empty()) cluster.Settle();
  if (faults != nullptr) *faults = cluster.faults();
  if (history != nullptr && cluster.violation().empty()) *history = cluster.AllAnswers();
  return cluster.violation();
}

}  // namespace frontier::simulation
