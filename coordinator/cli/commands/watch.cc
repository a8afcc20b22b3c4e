// frontier watch: a job followed to its end.
#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/render/job_view.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

constexpr size_t kEventsShown = 6;

// Draws frames over one another.
class LiveDisplay {
 public:
  explicit LiveDisplay(std::ostream* out) : out_(out) {}

  void Draw(const std::string& frame) {
    // Up to the frame's first line, and clear to the end of the screen.
    if (lines_ > 0) *out_ << "\x1b[" << lines_ << "A\r\x1b[J";
    lines_ = std::count(frame.begin(), frame.end(), '\n');
    *out_ << frame << std::flush;
  }

 private:
  std::ostream* const out_;
  long lines_ = 0;
};

int64_t EndedTrials(const v1::Job& job) {
  return job.trials_succeeded() + job.trials_failed() + job.trials_cancelled() +
         job.trials_stopped();
}

class Watcher {
 public:
  explicit Watcher(Session* session)
      : session_(session), look_(session->look()), display_(&session->out()) {}

  const v1::Job& job() const { return job_; }

  absl::Status Show(const v1::WatchJobResponse& response) {
    const bool first = job_.id() == 0;
    const int64_t ended_before = EndedTrials(job_);
    job_ = response.job();
    if (session_->json) return session_->PrintJsonLine(response);
    if (session_->IsLive()) {
      for (const v1::Event& event : response.events()) {
        events_.push_back(event);
        if (events_.size() > kEventsShown) events_.pop_front();
      }
      display_.Draw(RenderWatchFrame(look_, job_, {events_.begin(), events_.end()}));
      return absl::OkStatus();
    }
    if (first) {
      session_->out() << "job " << job_.id() << " " << Printable(job_.spec().name()) << ": "
                      << EnumWord(job_.state()) << "\n";
      if (!job_.waiting_for().empty()) {
        session_->out() << "waiting for: " << Printable(job_.waiting_for()) << "\n";
      }
    }
    for (const v1::Event& event : response.events()) {
      session_->out() << RenderEvent(look_, event) << "\n";
    }
    if (first || EndedTrials(job_) != ended_before) {
      session_->out() << "          " << ProgressLine(job_) << "\n";
    }
    session_->out() << std::flush;
    return absl::OkStatus();
  }

 private:
  Session* const session_;
  const Look look_;
  LiveDisplay display_;
  v1::Job job_;
  std::deque<v1::Event> events_;
};

}  // namespace

absl::StatusOr<ExitCode> WatchJob(Session* session, int64_t job_id) {
  Watcher watcher(session);
  v1::WatchJobRequest request;
  request.set_job_id(job_id);
  absl::Status shown;
  RETURN_IF_ERROR(session->client()->WatchJob(request, [&](const v1::WatchJobResponse& response) {
    shown = watcher.Show(response);
    return shown.ok() && session->out().good();
  }));
  RETURN_IF_ERROR(shown);
  const v1::Job& job = watcher.job();
  if (!HasEnded(job.state())) {
    return absl::InternalError(absl::StrCat("job ", job_id, ": the watch ended before the job"));
  }
  if (!session->json) {
    session->out() << "job " << job_id << " " << EnumWord(job.state());
    if (!job.reason().empty()) session->out() << ": " << Printable(job.reason());
    session->out() << "\n";
    if (job.front_size() > 0)
      session->out() << "See what it found: frontier front " << job_id << "\n";
  }
  return job.state() == v1::JOB_STATE_COMPLETED ? ExitCode::kOk : ExitCode::kJobNotDone;
}

void AddWatchCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand("watch", "Follow a job to its end");
  auto job_id = std::make_shared<int64_t>(0);
  AddNumber(command, "JOB", job_id.get(), "Number of a job; left out, the newest");
  command->footer(
      "On a terminal the picture is redrawn in place; elsewhere each event is a line. Leaving it\n"
      "(Ctrl-C) does not touch the job. Exits with 7 if the job fails or is cancelled.\n\n"
      "Examples:\n"
      "  frontier watch 3\n"
      "  frontier watch 3 --json | jq .job.front_size");
  command->callback([session, job_id] {
    session->action = [session, job_id]() -> absl::StatusOr<ExitCode> {
      ASSIGN_OR_RETURN(const int64_t resolved, session->ResolveJob(*job_id));
      return WatchJob(session, resolved);
    };
  });
}

}  // namespace frontier::cli
