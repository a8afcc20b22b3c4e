#include "coordinator/cli/render/trial_view.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "coordinator/cli/render/architecture_view.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

Tone ToneOf(v1::TrialState state) {
  switch (state) {
    case v1::TRIAL_STATE_RUNNING:
      return Tone::kAccent;
    case v1::TRIAL_STATE_SUCCEEDED:
      return Tone::kGood;
    case v1::TRIAL_STATE_FAILED:
      return Tone::kBad;
    case v1::TRIAL_STATE_CANCELLED:
    case v1::TRIAL_STATE_STOPPED:
      return Tone::kWarning;
    default:
      return Tone::kPlain;
  }
}

std::string MetricOrNothing(const v1::Trial& trial, v1::Metric metric) {
  const v1::Measurement* measurement = FindMeasurement(trial, metric);
  return measurement == nullptr ? "" : FormatMetric(metric, measurement->value());
}

std::string FailureText(const v1::Failure& failure) {
  return absl::StrCat(EnumWord(failure.cause()), failure.message().empty() ? "" : ": ",
                      Printable(failure.message()));
}

std::string Section(const Look& look, const std::string& title) {
  return absl::StrCat("\n", Paint(look, Tone::kBold, title), "\n");
}

std::string RenderMeasurements(const Look& look, const v1::TrialResult& result) {
  Table table({{"METRIC"},
               {"VALUE", Align::kRight},
               {"INTERVAL"},
               {"UNIT"},
               {"METHOD"},
               {"HARDWARE CLASS"},
               {"NOTE", Align::kLeft, 12}});
  for (const v1::Measurement& m : result.measurements()) {
    table.AddRow({EnumWord(m.metric()), FormatMetric(m.metric(), m.value()),
                  Cell(FormatInterval(look, m), Tone::kFaint), MetricUnit(m.metric()), m.method(),
                  m.hardware_class(), m.reason()});
  }
  return table.Render(look, 2);
}

std::string RenderRungs(const Look& look, const v1::Trial& trial) {
  Table table({{"EPOCHS", Align::kRight},
               {"ATTEMPT", Align::kRight},
               {"ACCURACY", Align::kRight},
               {"LATENCY MS", Align::kRight},
               {"PROXY", Align::kRight},
               {"THEN"}});
  for (const v1::RungResult& rung : trial.rungs()) {
    const auto figure = [&rung](v1::Metric metric) -> std::string {
      for (const v1::Measurement& m : rung.measurements()) {
        if (m.metric() == metric) return FormatMetric(metric, m.value());
      }
      return "";
    };
    table.AddRow({absl::StrCat(rung.epochs()), absl::StrCat(rung.attempt()),
                  figure(v1::METRIC_ACCURACY), figure(v1::METRIC_LATENCY_MS),
                  figure(v1::METRIC_PROXY), rung.goes_on() ? "went on" : "waits"});
  }
  return table.Render(look, 2);
}

std::string RenderPrecisions(const Look& look, const v1::TrialResult& result) {
  Table table({{"PRECISION"},
               {"ACCURACY", Align::kRight},
               {"INTERVAL"},
               {"LATENCY MS", Align::kRight},
               {"INTERVAL"},
               {"WEIGHTS", Align::kRight},
               {"NOTE", Align::kLeft, 12}});
  for (const v1::PrecisionResult& p : result.precisions()) {
    if (!p.has_accuracy()) {
      table.AddRow({p.precision(), "", "", "", "", "", p.reason()});
      continue;
    }
    table.AddRow({p.precision(), FormatMetric(v1::METRIC_ACCURACY, p.accuracy().value()),
                  Cell(FormatInterval(look, p.accuracy()), Tone::kFaint),
                  FormatMetric(v1::METRIC_LATENCY_MS, p.latency().value()),
                  Cell(FormatInterval(look, p.latency()), Tone::kFaint),
                  FormatBytes(p.weight_bytes()), p.accuracy().method()});
  }
  return table.Render(look, 2);
}

using Epochs = google::protobuf::RepeatedPtrField<v1::EpochMetrics>;

std::string RenderEpochs(const Look& look, const Epochs& epochs) {
  Table table({{"EPOCH", Align::kRight},
               {"TRAIN LOSS", Align::kRight},
               {"TRAIN ACCURACY", Align::kRight},
               {"VALIDATION LOSS", Align::kRight},
               {"VALIDATION ACCURACY", Align::kRight},
               {"TIME", Align::kRight},
               {"IMAGES/S", Align::kRight}});
  std::vector<double> curve;
  for (const v1::EpochMetrics& epoch : epochs) {
    curve.push_back(epoch.validation_accuracy());
    // Trials that a table answers for are not trained.
    const bool trained = epoch.wall_seconds() > 0;
    const auto figure = [](bool measured, double value) {
      return measured ? absl::StrFormat("%.4f", value) : "";
    };
    table.AddRow({absl::StrCat(epoch.epoch()), figure(trained, epoch.train_loss()),
                  figure(trained, epoch.train_accuracy()),
                  figure(trained || epoch.validation_loss() > 0, epoch.validation_loss()),
                  figure(true, epoch.validation_accuracy()),
                  trained ? FormatSeconds(epoch.wall_seconds()) : "",
                  trained ? FormatSignificant(epoch.images_per_second(), 4) : ""});
  }
  std::string out = table.Render(look, 2);
  if (curve.size() > 1) {
    absl::StrAppend(&out, "  validation accuracy ",
                    Paint(look, Tone::kAccent, Sparkline(look, curve)), "\n");
  }
  return out;
}

std::string RenderAttempts(const Look& look, const v1::Trial& trial) {
  Table table({{"ATTEMPT", Align::kRight},
               {"STATE"},
               {"WORKER"},
               {"STARTED"},
               {"TIME", Align::kRight},
               {"CPU TIME", Align::kRight},
               {"ENERGY J", Align::kRight},
               {"CO2 G", Align::kRight},
               {"METHOD"}});
  std::string failures;
  for (const v1::Attempt& attempt : trial.attempts()) {
    const bool ended = attempt.ended_unix_us() != 0;
    const double seconds =
        static_cast<double>(attempt.ended_unix_us() - attempt.started_unix_us()) * 1e-6;
    table.AddRow({absl::StrCat(attempt.number()), EnumWord(attempt.state()), attempt.worker_id(),
                  FormatTime(attempt.started_unix_us(), look.zone),
                  ended ? FormatSeconds(seconds) : "",
                  attempt.cpu_seconds() > 0 ? FormatSeconds(attempt.cpu_seconds()) : "",
                  attempt.energy_j() > 0 ? FormatSignificant(attempt.energy_j(), 3) : "",
                  attempt.co2_g() > 0 ? FormatSignificant(attempt.co2_g(), 3) : "",
                  attempt.energy_method()});
    // The last failure is the trial's own and stands above.
    const bool told = trial.has_failure() && attempt.number() == trial.attempts_size();
    if (attempt.has_failure() && !told) {
      absl::StrAppend(&failures, Wrap(absl::StrCat("attempt ", attempt.number(), ": ",
                                                   FailureText(attempt.failure())),
                                      look.width, 2));
    }
  }
  return absl::StrCat(table.Render(look, 2), failures);
}

// "2026-11-28 10:00:00 by evolution, from trials 3 and 12"
std::string ProposedText(const v1::Trial& trial, const Look& look) {
  std::string text = FormatTime(trial.created_unix_us(), look.zone);
  const v1::Origin& origin = trial.origin();
  if (trial.has_reused()) {
    return absl::StrCat(text, " in job ", trial.reused().job_id(), " as trial ",
                        trial.reused().trial());
  }
  if (!origin.strategy().empty()) absl::StrAppend(&text, " by ", Printable(origin.strategy()));
  if (origin.parents_size() > 0) {
    absl::StrAppend(&text, origin.parents_size() == 1 ? ", from trial " : ", from trials ",
                    absl::StrJoin(origin.parents(), " and "));
  }
  return text;
}

}  // namespace

std::string RenderTrialList(const Look& look, const Trials& trials) {
  if (trials.empty()) return "No trials.\n";
  Table table({{"TRIAL", Align::kRight},
               {"STATE"},
               {"FRONT"},
               {"ACCURACY", Align::kRight},
               {"LATENCY MS", Align::kRight},
               {"PARAMETERS", Align::kRight, 0, 1},
               {"MACS", Align::kRight, 0, 4},
               {"ENERGY J", Align::kRight, 0, 5},
               {"ATTEMPTS", Align::kRight, 0, 3},
               {"WORKER", Align::kLeft, 0, 2},
               {"NOTE", Align::kLeft, 24}});
  for (const v1::Trial& trial : trials) {
    const bool failed = trial.state() == v1::TRIAL_STATE_FAILED;
    std::string front;
    if (trial.on_front()) {
      front = "yes";
    } else if (trial.state() == v1::TRIAL_STATE_SUCCEEDED && !trial.feasible()) {
      front = "infeasible";
    }
    table.AddRow({absl::StrCat(trial.number()),
                  {EnumWord(trial.state()), ToneOf(trial.state())},
                  Cell(front, trial.on_front() ? Tone::kGood : Tone::kFaint),
                  MetricOrNothing(trial, v1::METRIC_ACCURACY),
                  MetricOrNothing(trial, v1::METRIC_LATENCY_MS),
                  MetricOrNothing(trial, v1::METRIC_PARAMETERS),
                  MetricOrNothing(trial, v1::METRIC_MACS),
                  MetricOrNothing(trial, v1::METRIC_ENERGY_J),
                  absl::StrCat(trial.attempts_size()),
                  trial.attempts().empty() ? "" : trial.attempts().rbegin()->worker_id(),
                  failed ? FailureText(trial.failure()) : trial.summary()});
  }
  return table.Render(look);
}

std::string RenderTrial(const Look& look, const v1::Trial& trial) {
  std::string out = absl::StrCat(
      Paint(look, Tone::kBold, absl::StrCat("trial ", trial.number(), " of job ", trial.job_id())),
      "  ", Paint(look, ToneOf(trial.state()), EnumWord(trial.state())), "\n");
  std::string standing;
  if (trial.state() == v1::TRIAL_STATE_SUCCEEDED) {
    standing = trial.on_front()   ? "on the front"
               : trial.feasible() ? "dominated"
                                  : "breaks a constraint";
  }
  const std::string& stopped = trial.early_stop().message();
  if (!stopped.empty()) standing = absl::StrCat("stopped early: ", Printable(stopped));
  std::string engine;
  if (const v1::EngineRecord& record = trial.result().engine(); !record.library().empty()) {
    engine = Printable(record.library());
    if (record.threads() > 0) {  // else nothing was computed
      absl::StrAppend(&engine, ", ", Printable(record.precision()), ", ", record.threads(),
                      record.threads() == 1 ? " thread" : " threads");
    }
    absl::StrAppend(&engine, ", seed ", record.seed());
    if (record.picks_size() > 0) {
      absl::StrAppend(&engine, ", ", record.picks_size(),
                      record.picks_size() == 1 ? " pick" : " picks");
    }
  }
  std::string hyperparameters;
  for (const v1::HyperparameterValue& value : trial.hyperparameters()) {
    absl::StrAppend(&hyperparameters, hyperparameters.empty() ? "" : ", ", Printable(value.name()),
                    " ", Printable(value.value()));
  }
  absl::StrAppend(
      &out, RenderPairs(
                look,
                {{"architecture", Printable(trial.summary())},
                 {"hyperparameters", hyperparameters},
                 {"hash", Printable(trial.canonical_hash())},
                 {"standing", standing},
                 {"trained model",
                  trial.weights_kept()
                      ? absl::StrCat("kept; get it with: frontier weights ", trial.job_id(), " ",
                                     trial.number(), " --output model.pb")
                      : ""},
                 {"engine", engine},
                 {"proposed", ProposedText(trial, look)},
                 {"ended",
                  trial.ended_unix_us() == 0 ? "" : FormatTime(trial.ended_unix_us(), look.zone)}},
                2));
  if (trial.has_failure()) {
    absl::StrAppend(&out, Section(look, "Failure"),
                    Wrap(FailureText(trial.failure()), look.width, 2));
  }
  if (!trial.rungs().empty()) {
    absl::StrAppend(&out, Section(look, "Rungs"), RenderRungs(look, trial));
  }
  if (!trial.result().measurements().empty()) {
    absl::StrAppend(&out, Section(look, "Measurements"), RenderMeasurements(look, trial.result()));
  }
  if (!trial.result().precisions().empty()) {
    absl::StrAppend(&out, Section(look, "Inference"), RenderPrecisions(look, trial.result()));
  }
  const Epochs* epochs = &trial.result().epochs();
  if (epochs->empty() && !trial.attempts().empty()) epochs = &trial.attempts().rbegin()->epochs();
  if (!epochs->empty()) {
    absl::StrAppend(&out, Section(look, "Training"), RenderEpochs(look, *epochs));
  }
  if (!trial.attempts().empty()) {
    absl::StrAppend(&out, Section(look, "Attempts"), RenderAttempts(look, trial));
  }
  if (!trial.architecture().nodes().empty()) {
    absl::StrAppend(&out, Section(look, "Architecture"),
                    RenderArchitecture(look, trial.architecture()));
  }
  return out;
}

}  // namespace frontier::cli
