#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "coordinator/cli/render/architecture_view.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/job_view.h"
#include "coordinator/cli/render/plot.h"
#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/text.h"
#include "coordinator/cli/render/trial_view.h"
#include "coordinator/cli/render/worker_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"
#include "tests/unit/coordinator/cli/samples.h"

namespace frontier::cli {
namespace {

using ::frontier::testing::ExpectGolden;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Look Plain() {
  Look look;
  look.width = 120;
  return look;
}

Look Ascii() {
  Look look = Plain();
  look.unicode = false;
  return look;
}

Look Colored() {
  Look look = Plain();
  look.color = true;
  return look;
}

Trials AsList(const std::vector<v1::Trial>& trials) { return {trials.begin(), trials.end()}; }

Trials SampleFront() {
  Trials front;
  for (const v1::Trial& trial : SampleTrials()) {
    if (trial.on_front()) *front.Add() = trial;
  }
  return front;
}

TEST(TextTest, WidthCountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("größe"), 5);
  EXPECT_EQ(DisplayWidth("模型"), 4);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1);  // e and a combining accent
  EXPECT_EQ(DisplayWidth("\x1b[31mred\x1b[0m"), 3);
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2);
}

TEST(TextTest, PrintableDisarmsControlCharacters) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\td"), "a?[2Jb c d");
  EXPECT_EQ(Printable("\xff ok \xc3"), "? ok ?");
  EXPECT_EQ(Printable("\xE2\x80\xAE"
                      "evil"),
            "?evil");  // right-to-left override
  EXPECT_EQ(Printable("\xC2\x9B"
                      "2J"),
            "?2J");  // one-character CSI
  EXPECT_EQ(Printable("größe 模型"), "größe 模型");
}

TEST(TextTest, ShortenKeepsWithinTheWidth) {
  EXPECT_EQ(Shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(Shorten("abcdefg", 6), "abcde…");
  EXPECT_EQ(Shorten("abcdefg", 6, false), "abc...");
  EXPECT_EQ(Shorten("模型模型", 6), "模型…");
  EXPECT_EQ(Shorten("abc", 0), "");
}

TEST(TextTest, WrapBreaksAtSpaces) {
  EXPECT_EQ(Wrap("one two three four five six seven", 22, 2),
            "  one two three four\n  five six seven\n");
  EXPECT_EQ(Wrap("", 80, 2), "");
}

TEST(FormatTest, Numbers) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(-1234567), "-1,234,567");
  EXPECT_EQ(FormatSignificant(0.00041349, 3), "0.000413");
  EXPECT_EQ(FormatSignificant(1234567, 3), "1,234,567");
  EXPECT_EQ(FormatSignificant(12.34, 3), "12.3");
  EXPECT_EQ(FormatSignificant(1e-9, 3), "1e-09");
  EXPECT_EQ(FormatSignificant(0, 3), "0");
  EXPECT_EQ(FormatSignificant(std::nan(""), 3), "nan");
  EXPECT_EQ(FormatSeconds(4.25), "4.2 s");
  EXPECT_EQ(FormatSeconds(42.4), "42 s");
  EXPECT_EQ(FormatSeconds(125), "2m 05s");
  EXPECT_EQ(FormatSeconds(7620), "2h 07m");
  EXPECT_EQ(FormatSeconds(3 * 86400 + 4 * 3600), "3d 04h");
  EXPECT_EQ(FormatSeconds(59.7), "1m 00s");
  EXPECT_EQ(FormatSeconds(3599.9), "1h 00m");
  EXPECT_EQ(FormatSeconds(std::numeric_limits<double>::infinity()), "unknown");
  EXPECT_EQ(FormatBytes(int64_t{2} << 30), "2.0 GiB");
  EXPECT_EQ(FormatBytes(100), "100 B");
}

TEST(FormatTest, Times) {
  EXPECT_EQ(FormatTime(kSampleTimeUs, absl::UTCTimeZone()), "2026-01-02 03:04:05");
  EXPECT_EQ(FormatTime(kSampleTimeUs, absl::FixedTimeZone(3600)), "2026-01-02 04:04:05");
  EXPECT_EQ(FormatTime(0, absl::UTCTimeZone()), "-");
}

TEST(FormatTest, Metrics) {
  EXPECT_EQ(FormatMetricWithUnit(v1::METRIC_LATENCY_MS, 0.41234), "0.412 ms");
  EXPECT_EQ(FormatMetricWithUnit(v1::METRIC_ACCURACY, 0.89), "0.8900");
  EXPECT_EQ(FormatMetric(v1::METRIC_PARAMETERS, 1234567), "1,234,567");
  EXPECT_EQ(MetricTitle(v1::METRIC_ENERGY_J), "energy J");
  EXPECT_EQ(MetricTitle(static_cast<v1::Metric>(99)), "99");
}

TEST(FormatTest, Sparklines) {
  EXPECT_EQ(Sparkline(Plain(), {1, 2, 3, 4}), "▁▃▆█");
  EXPECT_EQ(Sparkline(Ascii(), {1, 2, 3, 4}), "_-*#");
  EXPECT_EQ(Sparkline(Plain(), {5}), "█");
  EXPECT_EQ(Sparkline(Plain(), {}), "");
  EXPECT_EQ(Sparkline(Plain(), {0, std::nan(""), 1}).empty(), false);
}

TEST(TableTest, AlignsAndLeavesOutEmptyColumns) {
  Table table({{"NAME"}, {"COUNT", Align::kRight}, {"EMPTY"}, {"LAST"}});
  table.AddRow({"größe", "1", "", "x"});
  table.AddRow({"b", "12345", "", ""});
  EXPECT_EQ(table.Render(Plain()),
            "NAME   COUNT  LAST\n"
            "größe      1  x\n"
            "b      12345\n");
}

TEST(TableTest, ShrinksTheColumnThatMay) {
  Table table({{"ID"}, {"TEXT", Align::kLeft, 12}, {"END"}});
  table.AddRow({"1", "a rather long text that does not fit in here", "x"});
  Look look = Plain();
  look.width = 30;
  EXPECT_EQ(table.Render(look),
            "ID  TEXT                   END\n"
            "1   a rather long text t…  x\n");
  for (absl::string_view line : absl::StrSplit(table.Render(look), '\n')) {
    EXPECT_LE(DisplayWidth(line), 30);
  }
}

TEST(TableTest, LeavesOutWhatMayBeLeftOut) {
  Table table({{"ONE"}, {"TWO", Align::kLeft, 0, 1}, {"THREE", Align::kLeft, 0, 2}});
  table.AddRow({"11111111", "22222222", "33333333"});
  Look look = Plain();
  look.width = 20;
  EXPECT_EQ(table.Render(look), "ONE       TWO\n11111111  22222222\n");
  look.width = 10;
  EXPECT_EQ(table.Render(look), "ONE\n11111111\n");
  EXPECT_EQ(table.Width(), 28);
}

TEST(ViewTest, TablesFitANarrowTerminal) {
  Look look = Plain();
  look.width = 80;
  v1::ListWorkersResponse workers;
  for (const v1::Worker& worker : SampleWorkers()) *workers.add_workers() = worker;
  v1::ListJobsResponse jobs;
  *jobs.add_jobs() = SampleJob();
  const std::string texts[] = {RenderFront(look, SampleJob(), SampleFront()),
                               RenderTrialList(look, AsList(SampleTrials())),
                               RenderWorkers(look, workers, absl::FromUnixMicros(kSampleTimeUs)),
                               RenderJobList(look, jobs.jobs())};
  for (const std::string& text : texts) {
    for (absl::string_view line : absl::StrSplit(text, '\n')) EXPECT_LE(DisplayWidth(line), 80);
  }
}

TEST(PlotTest, AxesHaveRoundTicks) {
  const Axis axis = MakeAxis({0.81, 0.90}, 5);
  EXPECT_FALSE(axis.logarithmic);
  EXPECT_THAT(axis.labels, ElementsAre("0.82", "0.84", "0.86", "0.88", "0.90"));
  EXPECT_GT(axis.Position(0.81), 0);
  EXPECT_LT(axis.Position(0.90), 1);
}

TEST(PlotTest, WideSpansAreLogarithmic) {
  const Axis axis = MakeAxis({0.1, 1, 50}, 5);
  EXPECT_TRUE(axis.logarithmic);
  EXPECT_THAT(axis.labels, ElementsAre("0.1", "1", "10"));
  EXPECT_FALSE(MakeAxis({-1, 50}, 5).logarithmic);
  EXPECT_FALSE(MakeAxis({0, 50}, 5).logarithmic);
}

TEST(PlotTest, BearsOddValues) {
  for (const std::vector<double>& values : std::vector<std::vector<double>>{
           {0}, {5, 5}, {-3}, {1e300, -1e300}, {1e-300, 1e300}, {1e-12, 2e-12}, {-0.0, 0.0}}) {
    Plot plot{"x", "y", {}, 8};
    for (const double value : values) plot.points.push_back({value, value, 1, true});
    const std::string text = RenderPlot(Plain(), plot);
    EXPECT_THAT(text, HasSubstr("●"));
    for (absl::string_view line : absl::StrSplit(text, '\n')) EXPECT_LE(DisplayWidth(line), 120);
  }
  Plot plot{"x", "y", {{std::nan(""), 1, 1, true}, {INFINITY, 1, 2, false}}, 8};
  EXPECT_EQ(RenderPlot(Plain(), plot), "");
}

TEST(PlotTest, KeepsLabelsApart) {
  Plot plot{"x", "y", {}, 8};
  for (int i = 0; i < 400; ++i) {
    plot.points.push_back({std::sin(i), std::cos(i * 1.7), 1000 + i, true});
  }
  for (absl::string_view line : absl::StrSplit(RenderPlot(Ascii(), plot), '\n')) {
    EXPECT_LE(DisplayWidth(line), 100);
  }
}

TEST(ViewTest, JobList) {
  v1::ListJobsResponse jobs;
  *jobs.add_jobs() = SampleJob();
  v1::Job* old = jobs.add_jobs();
  *old = SampleJob();
  old->set_id(12);
  old->mutable_spec()->set_name("größe 模型\x1b[31m");
  old->set_state(v1::JOB_STATE_COMPLETED);
  old->set_trials_failed(0);
  ExpectGolden("cli/job_list.txt", RenderJobList(Plain(), jobs.jobs()));
  EXPECT_THAT(RenderJobList(Plain(), {}), HasSubstr("No jobs yet"));
}

TEST(ViewTest, Job) {
  ExpectGolden("cli/job.txt", RenderJob(Plain(), SampleJob()));
  v1::Job single = SampleJob();
  single.mutable_spec()->mutable_search_space()->mutable_compress();
  single.set_space_size("1");
  EXPECT_THAT(RenderJob(Plain(), single), HasSubstr("search space  compress, 1 genotype\n"));
  v1::Job composed = SampleJob();
  v1::Composition* composition =
      composed.mutable_spec()->mutable_search_space()->mutable_auto_()->mutable_composition();
  composition->add_reasons("3 stages");
  composition->add_reasons("8000 genotypes in all");
  EXPECT_THAT(RenderJob(Plain(), composed),
              HasSubstr("\n  composed  3 stages\n  composed  8000 genotypes in all\n"));
  composition->set_probing(true);
  composed.set_space_size("5");
  EXPECT_THAT(RenderJob(Plain(), composed), HasSubstr("search space  auto, 5 probes first\n"));
  v1::Job waiting = SampleJob();
  waiting.set_waiting_for("no live worker has data set 'fashion-mnist'");
  waiting.set_seconds_left(-1);
  waiting.set_best_trial(0);
  ExpectGolden("cli/job_waiting.txt", RenderJob(Plain(), waiting));
  v1::Job ended = SampleJob();
  ended.set_state(v1::JOB_STATE_COMPLETED);
  ended.set_reason("budget of 14 trials used");
  ended.set_ended_unix_us(kSampleTimeUs + 92'000'000);
  ExpectGolden("cli/job_ended.txt", RenderJob(Plain(), ended));
}

TEST(ViewTest, WatchFrames) {
  ExpectGolden("cli/watch.txt", RenderWatchFrame(Plain(), SampleJob(), SampleEvents()));
  ExpectGolden("cli/watch_ascii.txt", RenderWatchFrame(Ascii(), SampleJob(), SampleEvents()));
  ExpectGolden("cli/watch_color.txt", RenderWatchFrame(Colored(), SampleJob(), SampleEvents()));
  v1::Job ended = SampleJob();
  ended.set_state(v1::JOB_STATE_COMPLETED);
  ended.set_reason("budget of 14 trials used");
  ExpectGolden("cli/watch_ended.txt", RenderWatchFrame(Plain(), ended, {}));
}

TEST(ViewTest, WatchFramesNeverWrap) {
  v1::Job job = SampleJob();
  job.mutable_spec()->set_name(std::string(300, 'n'));
  job.set_waiting_for(std::string(300, 'w'));
  std::vector<v1::Event> events = SampleEvents();
  events[0].set_message(std::string(300, 'm'));
  for (const int width : {40, 60, 80, 200}) {
    for (Look look : {Plain(), Ascii(), Colored()}) {
      look.width = width;
      for (absl::string_view line : absl::StrSplit(RenderWatchFrame(look, job, events), '\n')) {
        EXPECT_LT(DisplayWidth(line), width) << line;
      }
    }
  }
}

TEST(ViewTest, WatchLines) {
  std::string text;
  for (const v1::Event& event : SampleEvents()) text += RenderEvent(Plain(), event) + "\n";
  ExpectGolden("cli/events.txt", text + ProgressLine(SampleJob()) + "\n");
}

TEST(ViewTest, Front) {
  ExpectGolden("cli/front.txt", RenderFront(Plain(), SampleJob(), SampleFront()));
  EXPECT_THAT(RenderFront(Plain(), SampleJob(), {}), HasSubstr("keeps all constraints"));
  v1::Job fresh;
  EXPECT_THAT(RenderFront(Plain(), fresh, {}), HasSubstr("No trial has succeeded yet"));
}

TEST(ViewTest, FrontPlot) {
  const Trials others = AsList(SampleTrials());
  ExpectGolden("cli/front_plot.txt", RenderFrontPlot(Plain(), SampleJob(), SampleFront(), others));
  ExpectGolden("cli/front_plot_ascii.txt",
               RenderFrontPlot(Ascii(), SampleJob(), SampleFront(), others));
  v1::Job single = SampleJob();
  single.mutable_spec()->mutable_objectives()->RemoveLast();
  ExpectGolden("cli/front_plot_single.txt",
               RenderFrontPlot(Plain(), single, SampleFront(), others));
  EXPECT_EQ(RenderFrontPlot(Plain(), SampleJob(), {}, {}), "");
}

TEST(ViewTest, Trials) {
  ExpectGolden("cli/trials.txt", RenderTrialList(Plain(), AsList(SampleTrials())));
}

TEST(ViewTest, Trial) {
  ExpectGolden("cli/trial.txt", RenderTrial(Plain(), SampleDetailedTrial()));
  ExpectGolden("cli/trial_failed.txt", RenderTrial(Plain(), SampleFailedTrial()));
}

TEST(ViewTest, WhatWasNotMeasuredIsNotShown) {
  v1::Trial trial = SampleDetailedTrial();
  trial.mutable_result()->clear_epochs();
  for (int i = 1; i <= 2; ++i) {  // as a worker answers from a table
    v1::EpochMetrics* epoch = trial.mutable_result()->add_epochs();
    epoch->set_epoch(i);
    epoch->set_validation_accuracy(0.4 * i);
  }
  trial.mutable_result()->mutable_engine()->Clear();
  trial.mutable_result()->mutable_engine()->set_library("table results.csv");
  trial.mutable_result()->mutable_engine()->set_precision("none");
  trial.mutable_result()->mutable_engine()->set_seed(7);
  const std::string text = RenderTrial(Plain(), trial);
  EXPECT_THAT(text, ::testing::AllOf(HasSubstr("table results.csv, seed 7\n"),
                                     HasSubstr("  EPOCH  VALIDATION ACCURACY\n"
                                               "      1               0.4000\n"
                                               "      2               0.8000\n")));
}

TEST(ViewTest, TrialsShowTheirHyperparameters) {
  v1::Trial trial = SampleDetailedTrial();
  EXPECT_THAT(RenderTrial(Plain(), trial), ::testing::Not(HasSubstr("hyperparameters")));
  const std::pair<const char*, const char*> values[] = {{"learning_rate", "0.05"},
                                                        {"optimizer", "adamw\x1b[31m"}};
  for (const auto& [name, value] : values) {
    v1::HyperparameterValue* added = trial.add_hyperparameters();
    added->set_name(name);
    added->set_value(value);
  }
  EXPECT_THAT(RenderTrial(Plain(), trial),
              ::testing::AllOf(HasSubstr("learning_rate 0.05, optimizer adamw"),
                               ::testing::Not(HasSubstr("\x1b[31m"))));
}

TEST(ViewTest, LayersWithoutWeightsShowTheirAttributes) {
  v1::Architecture architecture;
  architecture.mutable_input()->set_channels(6);
  architecture.mutable_input()->set_height(4);
  architecture.mutable_input()->set_width(4);
  architecture.set_classes(6);
  const auto add = [&architecture](v1::Operator op, std::vector<int> inputs) {
    v1::Node* node = architecture.add_nodes();
    node->set_op(op);
    for (const int input : inputs) node->add_inputs(input);
    return node;
  };
  add(v1::OPERATOR_INPUT, {});
  add(v1::OPERATOR_LEAKY_RELU, {0})->mutable_leaky_relu()->set_slope(0.1f);
  add(v1::OPERATOR_CHANNEL_SHUFFLE, {1})->mutable_channel_shuffle()->set_groups(3);
  add(v1::OPERATOR_DROPOUT, {2})->mutable_dropout()->set_rate(0.25f);
  add(v1::OPERATOR_HARD_SWISH, {3});
  add(v1::OPERATOR_GLOBAL_AVERAGE_POOL, {4});
  add(v1::OPERATOR_MULTIPLY, {4, 5});
  add(v1::OPERATOR_GLOBAL_AVERAGE_POOL, {6});
  const std::string text = RenderArchitecture(Plain(), architecture);
  for (const char* part : {"leaky_relu", "slope 0.1", "channel_shuffle", "3 groups", "dropout",
                           "rate 0.25", "hard_swish", "multiply", "4, 5", "6 x 4 x 4"}) {
    EXPECT_THAT(text, HasSubstr(part)) << text;
  }
}

TEST(ViewTest, DotIsHarmless) {
  v1::Architecture architecture;
  architecture.mutable_input()->set_channels(1);
  architecture.mutable_input()->set_height(1);
  architecture.mutable_input()->set_width(1);
  architecture.set_classes(1);
  v1::Node* node = architecture.add_nodes();
  node->set_op(v1::OPERATOR_INPUT);
  node->set_name("\"]; \\ \n\x1b[2J");
  const absl::StatusOr<std::string> dot = ArchitectureDot(architecture);
  ASSERT_TRUE(dot.ok());
  EXPECT_THAT(*dot, HasSubstr(R"(label="\"]; \\ )"));
  EXPECT_THAT(*dot, Not(HasSubstr("\x1b")));
  node->set_op(v1::OPERATOR_RELU);
  EXPECT_FALSE(ArchitectureDot(architecture).ok());
}

TEST(ViewTest, TrialWithAnArchitectureThatIsNone) {
  v1::Trial trial = SampleDetailedTrial();
  trial.mutable_architecture()->mutable_nodes(6)->mutable_convolution()->set_groups(3);
  EXPECT_THAT(RenderTrial(Plain(), trial), HasSubstr("shapes and costs unknown"));
}

TEST(ViewTest, Workers) {
  v1::ListWorkersResponse response;
  for (const v1::Worker& worker : SampleWorkers()) *response.add_workers() = worker;
  const absl::Time now = absl::FromUnixMicros(kSampleTimeUs) + absl::Seconds(2);
  Look look = Plain();
  look.width = 150;
  ExpectGolden("cli/workers.txt", RenderWorkers(look, response, now));
  EXPECT_THAT(RenderWorkers(Plain(), {}, now), HasSubstr("No worker has registered"));
}

}  // namespace
}  // namespace frontier::cli
