#include "coordinator/cli/render/job_view.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/words.h"
#include "google/protobuf/text_format.h"

namespace frontier::cli {
namespace {

constexpr int kBarWidth = 30;

std::string Trials(int64_t count) {
  return absl::StrCat(FormatCount(count), count == 1 ? " trial" : " trials");
}

int64_t DoneTrials(const v1::Job& job) {
  return job.trials_succeeded() - job.trials_reused() + job.trials_failed() +
         job.trials_cancelled() + job.trials_stopped();
}

// "evolution (population size 8, sample size 3)": which of its kinds a message is, and what its
// user has set.
std::string KindText(const google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const auto* kind =
      reflection.GetOneofFieldDescriptor(message, message.GetDescriptor()->FindOneofByName("kind"));
  if (kind == nullptr) return "of another release";
  const google::protobuf::Message& settings = reflection.GetMessage(message, kind);
  std::vector<const google::protobuf::FieldDescriptor*> set;
  settings.GetReflection()->ListFields(settings, &set);
  std::vector<std::string> words;
  for (const google::protobuf::FieldDescriptor* field : set) {
    const std::string name = absl::StrReplaceAll(field->name(), {{"_", " "}});
    if (field->is_repeated()) {
      words.push_back(
          absl::StrCat(settings.GetReflection()->FieldSize(settings, field), " ", name));
      continue;
    }
    std::string value;
    google::protobuf::TextFormat::PrintFieldValueToString(settings, field, -1, &value);
    words.push_back(absl::StrCat(name, " ", value));
  }
  return words.empty() ? kind->name()
                       : absl::StrCat(kind->name(), " (", absl::StrJoin(words, ", "), ")");
}

std::string StrategyText(const v1::StrategySpec& strategy) {
  return absl::StrCat(KindText(strategy), ", seed ", strategy.seed(),
                      strategy.allow_repeats() ? ", repeats allowed" : "");
}

// "naswot, 1 in 4 is trained; 40 scored, rank correlation with accuracy 0.61 (10 trained)"
std::string ScreeningText(const v1::Job& job) {
  const v1::Screening& screening = job.spec().screening();
  if (screening.proxy() == v1::PROXY_UNSPECIFIED) return "";
  const v1::ScreeningReport& report = job.screening();
  std::string text = absl::StrCat(EnumWord(screening.proxy()), ", 1 in ",
                                  screening.pool() == 0 ? 4 : screening.pool(), " is trained; ",
                                  FormatCount(report.scored()), " scored");
  if (report.compared() > 1) {
    absl::StrAppend(&text, absl::StrFormat(", rank correlation with accuracy %.2f (%d trained)",
                                           report.rank_correlation(), report.compared()));
  }
  return text;
}

std::string WarmStartText(const v1::Job& job) {
  const v1::WarmStart& warm_start = job.spec().warm_start();
  std::vector<std::string> parts;
  if (warm_start.job() != 0) {
    parts.push_back(
        absl::StrCat(FormatCount(job.trials_reused()), " results of job ", warm_start.job()));
  }
  if (warm_start.genotypes_size() > 0) {
    parts.push_back(absl::StrCat(warm_start.genotypes_size(), " tried first"));
  }
  return absl::StrJoin(parts, ", ");
}

// "tpe 41% of the gain in 12 trials, 35% of the next; ...", those with the largest share first.
std::string ArmsText(const v1::Job& job) {
  std::vector<v1::StrategyArm> arms(job.arms().begin(), job.arms().end());
  std::stable_sort(arms.begin(), arms.end(),
                   [](const auto& a, const auto& b) { return a.share() > b.share(); });
  return absl::StrJoin(arms, "; ", [](std::string* out, const v1::StrategyArm& arm) {
    absl::StrAppend(out, Printable(arm.strategy()),
                    absl::StrFormat(" %.0f%% of the gain in %s, %.0f%% of the next",
                                    100 * arm.gain(), Trials(arm.trials()), 100 * arm.share()));
  });
}

// "staged, 1152 genotypes"
std::string SpaceText(const v1::Job& job) {
  if (job.space_size().empty()) return "";
  const v1::SearchSpace& space = job.spec().search_space();
  const auto* kind = space.GetReflection()->GetOneofFieldDescriptor(
      space, space.GetDescriptor()->FindOneofByName("kind"));
  const std::string name = kind == nullptr ? "of another release" : kind->name();
  if (space.auto_().composition().probing()) {
    return absl::StrCat(name, ", ", Printable(job.space_size()), " probes first");
  }
  return absl::StrCat(name, ", ", Printable(job.space_size()),
                      job.space_size() == "1" ? " genotype" : " genotypes");
}

std::string DatasetText(const v1::DatasetSpec& dataset) {
  std::string text = Printable(dataset.name());
  if (dataset.has_input()) {
    absl::StrAppend(&text, ", ", dataset.input().channels(), " x ", dataset.input().height(), " x ",
                    dataset.input().width());
  }
  if (dataset.classes() > 0) absl::StrAppend(&text, ", ", dataset.classes(), " classes");
  if (dataset.train_samples() > 0) {
    absl::StrAppend(&text, ", ", FormatCount(dataset.train_samples()), " training samples");
  }
  return text;
}

std::string TrainingText(const v1::JobSpec& spec) {
  const v1::TrainingRecipe& training = spec.training();
  std::string text = absl::StrCat(training.epochs(), training.epochs() == 1 ? " epoch" : " epochs",
                                  ", batch ", training.batch_size());
  if (training.precision() != v1::PRECISION_UNSPECIFIED) {
    absl::StrAppend(&text, ", precision ", EnumWord(training.precision()));
  }
  if (spec.reproducible()) absl::StrAppend(&text, ", reproducible");
  return text;
}

// "labels fast, hardware class x or y; priority 3, share 2, at most 4 at a time"
std::string PlacementText(const v1::JobSpec& spec) {
  std::vector<std::string> where, line;
  const v1::Placement& placement = spec.placement();
  if (!placement.labels().empty()) {
    where.push_back(absl::StrCat("labels ", Printable(absl::StrJoin(placement.labels(), ", "))));
  }
  if (!placement.hardware_classes().empty()) {
    where.push_back(absl::StrCat("hardware class ",
                                 Printable(absl::StrJoin(placement.hardware_classes(), " or "))));
  }
  if (spec.priority() != 0) line.push_back(absl::StrCat("priority ", spec.priority()));
  if (spec.share() != 0) line.push_back(absl::StrCat("share ", spec.share()));
  if (spec.max_parallel_trials() != 0) {
    line.push_back(absl::StrCat("at most ", Trials(spec.max_parallel_trials()), " at a time"));
  }
  where.insert(where.end(), line.begin(), line.end());
  return absl::StrJoin(where, "; ");
}

std::string DroppedText(const v1::Dropped& dropped) {
  std::vector<std::string> what;
  if (dropped.trials()) what.push_back("trials off the front");
  if (dropped.log()) what.push_back("log");
  if (dropped.models()) what.push_back("models");
  return what.empty() ? "" : absl::StrCat(absl::StrJoin(what, ", "), ", by age");
}

std::string BestText(const v1::Job& job) {
  if (job.best_trial() == 0 || job.spec().objectives().empty()) return "";
  const v1::Metric metric = job.spec().objectives(0).metric();
  const std::string unit = MetricUnit(metric);
  return absl::StrCat(EnumWord(metric), " ", FormatMetric(metric, job.best_value()), " (trial ",
                      job.best_trial(), ")");
}

std::string TimeLeft(const v1::Job& job) {
  if (HasEnded(job.state()) || job.seconds_left() < 0) return "";
  return absl::StrCat("about ", FormatSeconds(job.seconds_left()), " left");
}

// "0.0021 kWh (0.0010-0.0042)"
std::string WithInterval(double value, double low, double high, absl::string_view unit) {
  std::string text = absl::StrCat(FormatSignificant(value, 3), " ", unit);
  if (low < high) {
    absl::StrAppend(&text, " (", FormatSignificant(low, 3), " to ", FormatSignificant(high, 3),
                    ")");
  }
  return text;
}

// How far a job is: the share of the limit that is nearest to its end, and that limit in words.
struct Progress {
  double share = 0;
  std::string text;
};

Progress ProgressOf(const v1::Job& job) {
  const v1::Budget& budget = job.spec().budget();
  const v1::JobUsage& usage = job.usage();
  Progress progress;
  const auto consider = [&](bool given, double used, double limit, std::string text) {
    if (!given || !(limit > 0)) return;
    const double share = std::clamp(used / limit, 0.0, 1.0);
    // Trials are what people count in, so theirs is the text whatever else is nearer to its end.
    if (progress.text.empty() || (share > progress.share && !budget.has_trials())) {
      progress.text = std::move(text);
    }
    progress.share = std::max(progress.share, share);
  };
  const double done = static_cast<double>(DoneTrials(job));
  consider(budget.has_trials(), done, static_cast<double>(budget.trials()),
           absl::StrCat(FormatCount(DoneTrials(job)), " of ", Trials(budget.trials())));
  consider(budget.has_wall_seconds(), usage.wall_seconds(), budget.wall_seconds(),
           absl::StrCat(FormatSeconds(usage.wall_seconds()), " of ",
                        FormatSeconds(budget.wall_seconds())));
  consider(budget.has_cpu_seconds(), usage.cpu_seconds(), budget.cpu_seconds(),
           absl::StrCat(FormatSeconds(usage.cpu_seconds()), " of ",
                        FormatSeconds(budget.cpu_seconds()), " CPU time"));
  consider(budget.has_energy_kwh(), usage.energy_kwh(), budget.energy_kwh(),
           absl::StrCat(FormatSignificant(usage.energy_kwh(), 3), " of ",
                        FormatSignificant(budget.energy_kwh(), 3), " kWh"));
  if (HasEnded(job.state())) progress.share = 1;
  return progress;
}

std::string ProgressBar(const Look& look, double share) {
  const int filled = static_cast<int>(std::floor(share * kBarWidth + 1e-9));
  std::string full, rest;
  for (int i = 0; i < kBarWidth; ++i) {
    absl::StrAppend(i < filled ? &full : &rest,
                    i < filled ? Glyph(look, "█", "#") : Glyph(look, "░", "."));
  }
  return absl::StrCat(Paint(look, Tone::kAccent, full), Paint(look, Tone::kFaint, rest));
}

std::string TrialCounts(const v1::Job& job) {
  std::vector<std::string> parts;
  parts.push_back(absl::StrCat(FormatCount(job.trials_succeeded()), " succeeded"));
  parts.push_back(absl::StrCat(FormatCount(job.trials_failed()), " failed"));
  if (job.trials_stopped() > 0) {
    parts.push_back(absl::StrCat(FormatCount(job.trials_stopped()), " stopped early"));
  }
  if (job.trials_cancelled() > 0) {
    parts.push_back(absl::StrCat(FormatCount(job.trials_cancelled()), " cancelled"));
  }
  if (!HasEnded(job.state())) {
    parts.push_back(absl::StrCat(FormatCount(job.trials_running()), " running"));
    if (job.trials_queued() > 0) {
      parts.push_back(absl::StrCat(FormatCount(job.trials_queued()), " queued"));
    }
  }
  return absl::StrJoin(parts, ", ");
}

std::string UsageLine(const v1::JobUsage& usage) {
  return absl::StrCat(
      FormatSeconds(usage.wall_seconds()), " elapsed, ", FormatSeconds(usage.cpu_seconds()),
      " CPU, ", FormatSignificant(usage.energy_kwh(), 3), " kWh, ",
      FormatSignificant(usage.co2_g(), 3), " g CO2",
      usage.method().empty() ? "" : absl::StrCat(" (", Printable(usage.method()), ")"));
}

std::string Title(const Look& look, const v1::Job& job, int width) {
  const std::string state = EnumWord(job.state());
  const std::string head = absl::StrCat("job ", job.id(), "  ");
  const std::string name =
      Shorten(Printable(job.spec().name()),
              std::max(width - DisplayWidth(head) - DisplayWidth(state) - 2, 8), look.unicode);
  return absl::StrCat(Paint(look, Tone::kBold, head + name), "  ",
                      Paint(look, ToneOf(job.state()), state));
}

Tone ToneOf(v1::EventKind kind) {
  switch (kind) {
    case v1::EVENT_KIND_TRIAL_SUCCEEDED:
      return Tone::kGood;
    case v1::EVENT_KIND_TRIAL_FAILED:
      return Tone::kBad;
    case v1::EVENT_KIND_ATTEMPT_ENDED:
    case v1::EVENT_KIND_TRIAL_CANCELLED:
    case v1::EVENT_KIND_TRIAL_STOPPED:
      return Tone::kWarning;
    default:
      return Tone::kPlain;
  }
}

}  // namespace

bool HasEnded(v1::JobState state) {
  return state == v1::JOB_STATE_COMPLETED || state == v1::JOB_STATE_CANCELLED ||
         state == v1::JOB_STATE_FAILED;
}

Tone ToneOf(v1::JobState state) {
  switch (state) {
    case v1::JOB_STATE_RUNNING:
    case v1::JOB_STATE_DRAINING:
      return Tone::kAccent;
    case v1::JOB_STATE_COMPLETED:
      return Tone::kGood;
    case v1::JOB_STATE_FAILED:
      return Tone::kBad;
    case v1::JOB_STATE_PAUSED:
    case v1::JOB_STATE_CANCELLED:
      return Tone::kWarning;
    default:
      return Tone::kPlain;
  }
}

std::string BudgetText(const v1::Budget& budget) {
  std::vector<std::string> limits;
  if (budget.has_trials()) limits.push_back(Trials(budget.trials()));
  if (budget.has_wall_seconds()) {
    limits.push_back(absl::StrCat(FormatSeconds(budget.wall_seconds()), " of time"));
  }
  if (budget.has_cpu_seconds()) {
    limits.push_back(absl::StrCat(FormatSeconds(budget.cpu_seconds()), " of CPU time"));
  }
  if (budget.has_energy_kwh()) {
    limits.push_back(absl::StrCat(FormatSignificant(budget.energy_kwh(), 3), " kWh"));
  }
  return absl::StrJoin(limits, ", ");
}

std::string ConstraintText(const v1::Constraint& constraint) {
  return absl::StrCat(EnumWord(constraint.metric()),
                      constraint.comparison() == v1::COMPARISON_AT_MOST ? " <= " : " >= ",
                      absl::StrFormat("%.10g", constraint.bound()));
}

std::string RenderJobList(const Look& look,
                          const google::protobuf::RepeatedPtrField<v1::Job>& jobs) {
  if (jobs.empty()) return "No jobs yet. Start one with: frontier submit JOB_FILE\n";
  Table table({{"JOB", Align::kRight},
               {"NAME", Align::kLeft, 12},
               {"STATE"},
               {"PROGRESS"},
               {"FAILED", Align::kRight, 0, 3},
               {"FRONT", Align::kRight, 0, 1},
               {"BEST"},
               {"SUBMITTED", Align::kLeft, 0, 4},
               {"TIME", Align::kRight, 0, 2}});
  for (const v1::Job& job : jobs) {
    table.AddRow({absl::StrCat(job.id()),
                  job.spec().name(),
                  {EnumWord(job.state()), ToneOf(job.state())},
                  ProgressOf(job).text,
                  {FormatCount(job.trials_failed()),
                   job.trials_failed() > 0 ? Tone::kWarning : Tone::kPlain},
                  FormatCount(job.front_size()),
                  BestText(job),
                  FormatTime(job.submitted_unix_us(), look.zone),
                  FormatSeconds(job.usage().wall_seconds())});
  }
  return table.Render(look);
}

std::string RenderJob(const Look& look, const v1::Job& job) {
  const v1::JobSpec& spec = job.spec();
  std::vector<std::string> objectives, constraints;
  for (const v1::Objective& objective : spec.objectives()) {
    objectives.push_back(
        absl::StrCat(EnumWord(objective.direction()), " ", EnumWord(objective.metric())));
  }
  for (const v1::Constraint& constraint : spec.constraints()) {
    constraints.push_back(ConstraintText(constraint));
  }
  const v1::JobUsage& usage = job.usage();
  std::string time = absl::StrCat(FormatSeconds(usage.wall_seconds()), " since ",
                                  FormatTime(job.submitted_unix_us(), look.zone));
  if (job.ended_unix_us() != 0) {
    time = absl::StrCat(FormatSeconds(usage.wall_seconds()), ", ",
                        FormatTime(job.submitted_unix_us(), look.zone), " to ",
                        FormatTime(job.ended_unix_us(), look.zone));
  } else if (!TimeLeft(job).empty()) {
    absl::StrAppend(&time, ", ", TimeLeft(job));
  }
  const std::string composed = RenderComposition(look, spec.search_space());
  return absl::StrCat(
      Title(look, job, look.width), "\n",
      RenderPairs(
          look,
          {{"reason", Printable(job.reason())},
           {"waiting for", job.waiting_for().empty()
                               ? ""
                               : Paint(look, Tone::kWarning, Printable(job.waiting_for()))},
           {"data set", DatasetText(spec.dataset())},
           {"search space", SpaceText(job)},
           {"strategy", StrategyText(spec.strategy())},
           {"arms", ArmsText(job)},
           {"warm start", WarmStartText(job)},
           {"training", TrainingText(spec)},
           {"early stopping", spec.has_early_stopping() ? KindText(spec.early_stopping()) : ""},
           {"screening", ScreeningText(job)},
           {"objectives", absl::StrJoin(objectives, ", ")},
           {"constraints", absl::StrJoin(constraints, ", ")},
           {"budget", BudgetText(spec.budget())},
           {"workers", PlacementText(spec)},
           {"dropped", DroppedText(job.dropped())},
           {"trials", TrialCounts(job)},
           {"front", Trials(job.front_size())},
           {"best", BestText(job)},
           {"time", time}},
          2),
      RenderCost(look, usage), composed.empty() ? "" : absl::StrCat("\n", composed));
}

std::string RenderComposition(const Look& look, const v1::SearchSpace& space) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const std::string& reason : space.auto_().composition().reasons()) {
    lines.emplace_back("composed", Printable(reason));
  }
  return lines.empty() ? "" : RenderPairs(look, lines, 2);
}

std::string RenderCost(const Look& look, const v1::JobUsage& usage) {
  const std::string method =
      usage.method().empty() ? "" : absl::StrCat(", method ", Printable(usage.method()));
  return RenderPairs(
      look,
      {{"CPU time    ", FormatSeconds(usage.cpu_seconds())},
       {"energy", absl::StrCat(WithInterval(usage.energy_kwh(), usage.energy_kwh_low(),
                                            usage.energy_kwh_high(), "kWh"),
                               method)},
       {"CO2", absl::StrCat(WithInterval(usage.co2_g(), usage.co2_g_low(), usage.co2_g_high(), "g"),
                            method)}},
      2);
}

std::string RenderEvent(const Look& look, const v1::Event& event) {
  std::string subject;
  if (event.trial() != 0) {
    subject = absl::StrCat("trial ", event.trial());
    if (event.attempt() > 1) absl::StrAppend(&subject, " attempt ", event.attempt());
  } else {
    subject = "job";
  }
  std::string what;
  switch (event.kind()) {
    case v1::EVENT_KIND_JOB_SUBMITTED:
      what = "submitted";
      break;
    case v1::EVENT_KIND_TRIAL_PROPOSED:
      what = "proposed";
      break;
    case v1::EVENT_KIND_ATTEMPT_STARTED:
      what = "started";
      break;
    case v1::EVENT_KIND_ATTEMPT_ENDED:
      what = "ended early";
      break;
    case v1::EVENT_KIND_TRIAL_SUCCEEDED:
      what = "succeeded";
      break;
    case v1::EVENT_KIND_TRIAL_FAILED:
      what = "failed";
      break;
    case v1::EVENT_KIND_TRIAL_STOPPED:
      what = "stopped";
      break;
    case v1::EVENT_KIND_TRIAL_GOES_ON:
      what = "goes on";
      break;
    case v1::EVENT_KIND_TRIAL_CANCELLED:
      what = "cancelled";
      break;
    case v1::EVENT_KIND_SPACE_EXTENDED:
      what = "space extended";
      break;
    case v1::EVENT_KIND_SPACE_COMPOSED:
      what = "space composed";
      break;
    case v1::EVENT_KIND_JOB_UPDATED:
      what = "updated";
      break;
    default:
      break;
  }
  std::string text =
      absl::StrCat(Paint(look, Tone::kFaint, FormatClock(event.at_unix_us(), look.zone)), "  ",
                   subject, what.empty() ? "" : " ", Paint(look, ToneOf(event.kind()), what));
  if (!event.worker_id().empty()) absl::StrAppend(&text, " on ", Printable(event.worker_id()));
  // What the line has said already is not said again.
  absl::string_view message = event.message();
  absl::ConsumePrefix(&message, absl::StrCat(what, ": "));
  if (event.kind() == v1::EVENT_KIND_ATTEMPT_STARTED) message = "";
  if (!message.empty()) absl::StrAppend(&text, ": ", Printable(message));
  return text;
}

std::string ProgressLine(const v1::Job& job) {
  std::vector<std::string> parts;
  const Progress progress = ProgressOf(job);
  if (!progress.text.empty()) parts.push_back(progress.text);
  parts.push_back(TrialCounts(job));
  if (const std::string best = BestText(job); !best.empty()) {
    parts.push_back(absl::StrCat("best ", best));
  }
  if (const std::string left = TimeLeft(job); !left.empty()) parts.push_back(left);
  return absl::StrJoin(parts, "; ");
}

std::string RenderWatchFrame(const Look& look, const v1::Job& job,
                             const std::vector<v1::Event>& events) {
  const Progress progress = ProgressOf(job);
  const int room = std::max(look.width - 1, 20);  // a full line would wrap on some terminals
  std::vector<std::string> lines;
  lines.reserve(8 + events.size());
  lines.push_back(Title(look, job, room));
  std::string bar = absl::StrCat("  ", ProgressBar(look, progress.share), "  ", progress.text);
  if (const std::string left = TimeLeft(job); !left.empty()) absl::StrAppend(&bar, ", ", left);
  if (HasEnded(job.state())) {
    bar = absl::StrCat("  ", ProgressBar(look, 1), "  ", Shorten(Printable(job.reason()), 60));
  }
  lines.push_back(DisplayWidth(bar) <= room ? bar : absl::StrCat("  ", progress.text));
  const auto add = [&](const std::string& text) {
    lines.push_back(absl::StrCat("  ", Shorten(text, room - 2, look.unicode)));
  };
  add(TrialCounts(job));
  const std::string best = BestText(job);
  add(absl::StrCat("best ", best.empty() ? "none yet" : best, ", ", Trials(job.front_size()),
                   " on the front"));
  add(UsageLine(job.usage()));
  if (!job.waiting_for().empty()) {
    lines.push_back(absl::StrCat(
        "  ", Paint(look, Tone::kWarning,
                    Shorten(absl::StrCat("waiting for: ", Printable(job.waiting_for())), room - 2,
                            look.unicode))));
  }
  if (!events.empty()) lines.push_back("");
  Look plain = look;
  plain.color = false;
  for (const v1::Event& event : events) {
    // Cut without colours, so that no code is cut in two.
    const std::string text = RenderEvent(plain, event);
    lines.push_back(absl::StrCat("  ", DisplayWidth(text) <= room - 2
                                           ? RenderEvent(look, event)
                                           : Shorten(text, room - 2, look.unicode)));
  }
  return absl::StrCat(absl::StrJoin(lines, "\n"), "\n");
}

}  // namespace frontier::cli
