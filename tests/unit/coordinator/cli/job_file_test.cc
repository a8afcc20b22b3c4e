#include "coordinator/cli/job_file/job_file.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "coordinator/cli/job_file/units.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace frontier::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kGood[] = R"(name: small
dataset: {name: fashion-mnist, input: [1, 28, 28], classes: 10, train_samples: 20000}
search_space:
  staged:
    stem_widths: [8, 16]
    stages:
      - {blocks: [convolution, fire], kernels: [3, 5], widths: [16], depths: [1, 2], strides: [1, 2], connections: [0]}
strategy: {evolution: {population_size: 8, sample_size: 3}, seed: 7}
training: {epochs: 2, batch_size: 128, learning_rate: 0.1, momentum: 0.9, horizontal_flip: true}
objectives: [{accuracy: maximize}, {metric: latency_ms, direction: minimize}]
constraints: ["latency_ms <= 2", "parameters <= 200000"]
budget: {trials: 14, wall_time: 2h30m}
limits: {memory: 2GiB, wall_time: 10m, max_attempts: 3, threads: 1}
)";

std::vector<std::string> ProblemsOf(absl::string_view text,
                                    const std::vector<Override>& overrides = {}) {
  std::vector<std::string> lines;
  for (const Problem& problem : ParseJobFile(text, overrides).problems) {
    lines.push_back(FormatProblem("job.yaml", problem));
  }
  return lines;
}

// kGood with one piece of text exchanged.
std::string With(absl::string_view old_text, absl::string_view new_text) {
  EXPECT_THAT(std::string(kGood), HasSubstr(std::string(old_text)));
  return absl::StrReplaceAll(kGood, {{old_text, new_text}});
}

TEST(JobFileTest, ReadsEveryPart) {
  const JobFile file = ParseJobFile(kGood, {});
  ASSERT_THAT(ProblemsOf(kGood), IsEmpty());
  const v1::JobSpec& spec = file.spec;
  EXPECT_EQ(spec.name(), "small");
  EXPECT_EQ(spec.dataset().input().channels(), 1);
  EXPECT_EQ(spec.dataset().input().height(), 28);
  EXPECT_EQ(spec.dataset().train_samples(), 20000);
  EXPECT_THAT(spec.search_space().staged().stem_widths(), ElementsAre(8, 16));
  EXPECT_THAT(spec.search_space().staged().stages(0).blocks(),
              ElementsAre(v1::BLOCK_CONVOLUTION, v1::BLOCK_FIRE));
  EXPECT_EQ(spec.strategy().evolution().population_size(), 8);
  EXPECT_EQ(spec.strategy().seed(), 7u);
  EXPECT_DOUBLE_EQ(spec.training().learning_rate(), 0.1);
  EXPECT_TRUE(spec.training().horizontal_flip());
  EXPECT_EQ(spec.objectives(0).direction(), v1::DIRECTION_MAXIMIZE);
  EXPECT_EQ(spec.objectives(1).metric(), v1::METRIC_LATENCY_MS);
  EXPECT_EQ(spec.constraints(1).metric(), v1::METRIC_PARAMETERS);
  EXPECT_EQ(spec.constraints(1).comparison(), v1::COMPARISON_AT_MOST);
  EXPECT_DOUBLE_EQ(spec.constraints(1).bound(), 200000);
  EXPECT_DOUBLE_EQ(spec.budget().wall_seconds(), 9000);
  EXPECT_FALSE(spec.budget().has_energy_kwh());
  EXPECT_EQ(spec.limits().memory_bytes(), int64_t{2} << 30);
  EXPECT_DOUBLE_EQ(spec.limits().wall_seconds(), 600);
}

TEST(JobFileTest, AcceptsJson) {
  const std::string json = R"({"name": "j", "dataset": {"name": "d"},
    "search_space": {"staged": {"stem_widths": [8], "stages": [{"blocks": ["BLOCK_SKIP"],
      "kernels": [3], "widths": ["16"], "depths": [1], "strides": [1], "connections": [0]}]}},
    "strategy": {"random": {}}, "training": {"epochs": 1, "batch_size": 2, "learning_rate": 1e-3},
    "objectives": [{"metric": "METRIC_ACCURACY", "direction": "DIRECTION_MAXIMIZE"}],
    "budget": {"trials": "5", "wall_seconds": 60}})";
  ASSERT_THAT(ProblemsOf(json), IsEmpty());
  const v1::JobSpec spec = ParseJobFile(json, {}).spec;
  EXPECT_TRUE(spec.strategy().has_random());
  EXPECT_EQ(spec.budget().trials(), 5);
  EXPECT_DOUBLE_EQ(spec.budget().wall_seconds(), 60);
}

constexpr char kAnswer[] = R"({"job": {"id": "4", "state": "JOB_STATE_RUNNING", "spec": {
  "name": "j", "dataset": {"name": "d", "validation_fraction": 0, "train_samples": 0},
  "search_space": {"residual": {"blocks": []}, "version": 0, "hyperparameters": [
    {"name": "crop_padding", "only_if": [], "integer": {"low": "0", "high": "2", "step": "0"}}]},
  "strategy": {"seed": "0", "random": {}},
  "training": {"epochs": 1, "batch_size": 2, "learning_rate": 0.1, "momentum": 0,
               "optimizer": "OPTIMIZER_UNSPECIFIED", "horizontal_flip": false},
  "objectives": [{"metric": "METRIC_ACCURACY", "direction": "DIRECTION_MAXIMIZE"}],
  "budget": {"trials": "5"}, "share": 0}}})";

TEST(JobFileTest, InJsonADefaultIsLeftOut) {
  const auto problems = [](absl::string_view old_text, absl::string_view new_text) {
    return ProblemsOf(absl::StrReplaceAll(kAnswer, {{old_text, new_text}}));
  };
  ASSERT_THAT(ProblemsOf(kAnswer), IsEmpty());
  const JobFile file = ParseJobFile(kAnswer, {});
  EXPECT_EQ(file.spec.name(), "j");
  EXPECT_TRUE(file.spec.search_space().hyperparameters(0).has_integer());
  EXPECT_EQ(file.spec.search_space().hyperparameters(0).integer().high(), 2);
  EXPECT_EQ(file.PositionOf("training.epochs").line, 6);
  // Not so what must be given, nor what is there only if it is given.
  EXPECT_THAT(problems("\"epochs\": 1", "\"epochs\": 0"),
              ElementsAre(HasSubstr("training.epochs: 0 must be at least 1")));
  EXPECT_THAT(problems("METRIC_ACCURACY", "METRIC_UNSPECIFIED"),
              ElementsAre(HasSubstr("'METRIC_UNSPECIFIED' is not one of")));
  EXPECT_THAT(problems("\"5\"", "\"0\""), ElementsAre(HasSubstr("budget.trials: 0 must be")));
  EXPECT_THAT(problems("\"share\": 0", "\"shore\": 0"), ElementsAre(HasSubstr("shore: not known")));
  // Nor in files that people write, nor of flags.
  EXPECT_THAT(ProblemsOf(With("budget:", "share: 0\nbudget:")),
              ElementsAre(HasSubstr("share: 0 must be positive")));
  Override share;
  share.path = "share";
  share.value = "0";
  share.flag = "--set share";
  EXPECT_THAT(ProblemsOf(kAnswer, {share}), ElementsAre(HasSubstr("share: 0 must be positive")));
}

TEST(WriterTest, WritesTheZerosThatMustBeGiven) {
  const v1::JobSpec spec = ParseJobFile(kAnswer, {}).spec;
  const std::string text = WriteJobFile(spec);
  EXPECT_THAT(text, HasSubstr("integer: {low: 0, high: 2}"));
  EXPECT_THAT(ProblemsOf(text), IsEmpty()) << text;
  EXPECT_TRUE(
      google::protobuf::util::MessageDifferencer::Equals(ParseJobFile(text, {}).spec, spec));
}

TEST(JobFileTest, AcceptsAStrategyByName) {
  const JobFile file = ParseJobFile(
      With("{evolution: {population_size: 8, sample_size: 3}, seed: 7}", "random"), {});
  EXPECT_THAT(file.problems, IsEmpty());
  EXPECT_TRUE(file.spec.strategy().has_random());
}

TEST(JobFileTest, ReadsACompressSpace) {
  const std::string staged = R"(  staged:
    stem_widths: [8, 16]
    stages:
      - {blocks: [convolution, fire], kernels: [3, 5], widths: [16], depths: [1, 2], strides: [1, 2], connections: [0]}
)";
  const auto compress = [&](absl::string_view text) {
    return With(staged, absl::StrCat("  compress: ", text, "\n"));
  };
  const std::string good = compress(
      "{parent: {job: 3, trial: 17}, widths: [1, 0.5], drop_blocks: true, precisions: [f32, "
      "int8]}");
  ASSERT_THAT(ProblemsOf(good), IsEmpty());
  const v1::CompressSpace space = ParseJobFile(good, {}).spec.search_space().compress();
  EXPECT_EQ(space.parent().job(), 3);
  EXPECT_EQ(space.parent().trial(), 17);
  EXPECT_THAT(space.widths(), ElementsAre(1, 0.5));
  EXPECT_TRUE(space.drop_blocks());
  EXPECT_THAT(space.precisions(),
              ElementsAre(v1::INFERENCE_PRECISION_F32, v1::INFERENCE_PRECISION_INT8));
  const JobFile by_name = ParseJobFile(compress("{parent: resnet20}"), {});
  EXPECT_THAT(by_name.problems, IsEmpty());
  EXPECT_EQ(by_name.spec.search_space().compress().parent().network(), "resnet20");
  EXPECT_THAT(ProblemsOf(compress("{widths: [0, 1, 1]}")),
              ElementsAre(HasSubstr("search_space.compress.parent: missing"),
                          HasSubstr("search_space.compress.widths[0]: 0 must lie in (0, 1]"),
                          HasSubstr("search_space.compress.widths[2]")));
}

TEST(JobFileTest, AcceptsAnchorsAndAliases) {
  const std::string text = With("      - {blocks: [convolution, fire], kernels: [3, 5],",
                                "      - &stage {blocks: [convolution, fire], kernels: [3, 5],");
  const std::string twice = absl::StrReplaceAll(text, {{"strategy:", "      - *stage\nstrategy:"}});
  ASSERT_THAT(ProblemsOf(twice), IsEmpty());
  const v1::JobSpec spec = ParseJobFile(twice, {}).spec;
  ASSERT_EQ(spec.search_space().staged().stages_size(), 2);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(
      spec.search_space().staged().stages(0), spec.search_space().staged().stages(1)));
}

struct BadCase {
  const char* name;
  const char* old_text;
  const char* new_text;
  const char* expected;
};

class BadJobFileTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadJobFileTest, SaysWhatAndWhere) {
  const BadCase& c = GetParam();
  EXPECT_THAT(ProblemsOf(With(c.old_text, c.new_text)), ElementsAre(std::string(c.expected)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadJobFileTest,
    ::testing::Values(
        BadCase{"WrongWord", "{accuracy: maximize}", "{metric: accuracy, direction: maxi}",
                "job.yaml:10:44: objectives[0].direction: 'maxi' is not one of maximize, minimize "
                "(did you mean maximize?)"},
        BadCase{"WrongWordInShortForm", "{accuracy: maximize}", "{accuracy: max}",
                "job.yaml:10:25: objectives[0].direction: 'max' is not one of maximize, minimize "
                "(did you mean maximize?)"},
        BadCase{"NoDirection", "{accuracy: maximize}", "accuracy",
                "job.yaml:10:14: objectives[0].direction: missing; write {accuracy: maximize} or "
                "{accuracy: minimize}"},
        BadCase{"MetricTwice", "metric: latency_ms", "metric: accuracy",
                "job.yaml:10:36: objectives[1]: metric accuracy is an objective already"},
        BadCase{"UnknownKey", "epochs: 2", "epoch: 2, epochs: 2",
                "job.yaml:9:12: training.epoch: not known here (did you mean epochs?)"},
        BadCase{"UnknownKeyAtTop",
                "limits:", "limit:", "job.yaml:13:1: limit: not known here (did you mean limits?)"},
        BadCase{"UnknownStrategy", "evolution:", "evolutoin:",
                "job.yaml:8:12: strategy.evolutoin: not known here (did you mean evolution?)"},
        BadCase{"TwoStrategies", "seed: 7", "random: {}",
                "job.yaml:8:61: strategy.random: only one of evolution and random may be given"},
        BadCase{"UnknownBlock", "fire]", "fir]",
                "job.yaml:7:32: search_space.staged.stages[0].blocks[1]: 'fir' is not one of "
                "convolution, depthwise_separable, inverted_bottleneck, residual, fire, max_pool, "
                "average_pool, skip (did you mean fire?)"},
        BadCase{"EvenKernel", "[3, 5]", "[3, 4]",
                "job.yaml:7:52: search_space.staged.stages[0].kernels[1]: 4 is even; kernels are "
                "odd: 1, 3, 5, ..."},
        BadCase{"TwiceInList", "[8, 16]", "[8, 8]",
                "job.yaml:5:22: search_space.staged.stem_widths[1]: '8' is in the list already"},
        BadCase{"EmptyList", "[3, 5]", "[]",
                "job.yaml:7:48: search_space.staged.stages[0].kernels: the list is empty"},
        BadCase{"NoList", "[8, 16]", "8",
                "job.yaml:5:18: search_space.staged.stem_widths: expected a list such as [...], "
                "found '8'"},
        BadCase{"NotWhole", "epochs: 2", "epochs: 2.5",
                "job.yaml:9:20: training.epochs: '2.5' is not a whole number"},
        BadCase{"OutOfRange", "momentum: 0.9", "momentum: 1.0",
                "job.yaml:9:70: training.momentum: 1.0 must be at least 0 and less than 1"},
        BadCase{"TooLarge", "epochs: 2", "epochs: 99999999999",
                "job.yaml:9:20: training.epochs: '99999999999' is out of range"},
        BadCase{"NotFinite", "learning_rate: 0.1", "learning_rate: .nan",
                "job.yaml:9:55: training.learning_rate: '.nan' is not a number"},
        BadCase{"NotBool", "horizontal_flip: true", "horizontal_flip: yes",
                "job.yaml:9:92: training.horizontal_flip: 'yes' is not true or false"},
        BadCase{"DurationWithoutUnit", "wall_time: 2h30m", "wall_time: 240",
                "job.yaml:12:33: budget.wall_time: '240' is not a duration such as 90s, 4m or "
                "2h30m"},
        BadCase{"BudgetOfZero", "trials: 14", "trials: 0",
                "job.yaml:12:18: budget.trials: 0 must be at least 1"},
        BadCase{"NoBudget", "{trials: 14, wall_time: 2h30m}", "{}",
                "job.yaml:12:9: budget: no limit is given; give at least one of trials, wall_time, "
                "cpu_time, energy_kwh"},
        BadCase{"LimitUnderTwoNames", "wall_time: 2h30m", "wall_time: 1h, wall_seconds: 2",
                "job.yaml:12:37: budget.wall_seconds: given already as wall_time"},
        BadCase{"BadConstraint", "\"latency_ms <= 2\"", "\"latency_ms < 2\"",
                "job.yaml:11:15: constraints[0]: 'latency_ms < 2' is not a constraint; write one "
                "as \"latency_ms <= 2\" or \"accuracy >= 0.8\""},
        BadCase{
            "ConstraintOnUnknownMetric", "latency_ms <= 2", "latency <= 2",
            "job.yaml:11:15: constraints[0].metric: 'latency' is not one of accuracy, "
            "latency_ms, parameters, macs, energy_j, co2_g, cpu_seconds, wall_seconds, loss, proxy "
            "(did you mean latency_ms?)"},
        BadCase{"Shape", "[1, 28, 28]", "[28, 28]",
                "job.yaml:2:39: dataset.input: a shape is [channels, height, width], not 2 "
                "numbers"},
        BadCase{"MissingKey", "name: small\n", "", "job.yaml:1:1: name: missing"},
        BadCase{"KeyTwice", "epochs: 2", "epochs: 2, epochs: 3",
                "job.yaml:9:23: 'epochs' is given twice, first on line 9"},
        BadCase{"NoValue", "name: small",
                "name:", "job.yaml:1:1: name: has no value; expected text"},
        BadCase{"NotAMap", "{trials: 14, wall_time: 2h30m}", "14",
                "job.yaml:12:9: budget: expected a map, found '14'"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(JobFileTest, TellsAllProblemsAtOnceInOrder) {
  std::string text = With("epochs: 2", "epochs: two");
  text = absl::StrReplaceAll(text, {{"classes: 10", "classes: 1"}, {"memory: 2GiB", "memry: 1"}});
  EXPECT_THAT(ProblemsOf(text),
              ElementsAre("job.yaml:2:61: dataset.classes: 1 must be at least 2",
                          "job.yaml:9:20: training.epochs: 'two' is not a whole number",
                          "job.yaml:13:10: limits.memry: not known here (did you mean memory?)"));
}

TEST(JobFileTest, RefusesWhatIsNoDocument) {
  EXPECT_THAT(ProblemsOf(""), ElementsAre("job.yaml:1:1: the file is empty"));
  EXPECT_THAT(ProblemsOf("# only a comment\n"), ElementsAre("job.yaml:1:1: the file is empty"));
  EXPECT_THAT(ProblemsOf("name: [1, 2"), ElementsAre(HasSubstr("not valid YAML")));
  EXPECT_THAT(ProblemsOf("name: a\xff"), ElementsAre("job.yaml:1:8: the file is not UTF-8 text"));
  EXPECT_THAT(ProblemsOf(absl::string_view("a: b\nc\0d", 8)),
              ElementsAre("job.yaml:2:2: the file holds a zero byte: not a text file"));
  EXPECT_THAT(ProblemsOf("just words"),
              ElementsAre("job.yaml:1:1: expected a map, found 'just words'"));
  EXPECT_THAT(ProblemsOf(absl::StrCat(kGood, "---\nname: other\n")),
              ElementsAre("job.yaml:15:1: a second document begins; a job file holds one"));
}

TEST(JobFileTest, LimitsSizeDepthAndAliases) {
  EXPECT_THAT(ProblemsOf(std::string(300 * 1024, ' ')), ElementsAre(HasSubstr("at most 262144")));
  EXPECT_THAT(ProblemsOf(std::string(5000, '[')), ElementsAre(HasSubstr("levels deep")));
  EXPECT_THAT(ProblemsOf("a: &a [*a]"), ElementsAre(HasSubstr("alias")));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    absl::StrAppend(&bomb, "a", i, ": &a", i, " [");
    for (int j = 0; j < 10; ++j) absl::StrAppend(&bomb, j > 0 ? ", " : "", "*a", i - 1);
    absl::StrAppend(&bomb, "]\n");
  }
  EXPECT_THAT(ProblemsOf(bomb), ElementsAre(HasSubstr("more than 20000 values")));
  std::string long_text = absl::StrCat("a: &a ", std::string(100'000, 'x'), "\nb: [");
  for (int i = 0; i < 10'000; ++i) absl::StrAppend(&long_text, "*a, ");
  EXPECT_THAT(ProblemsOf(long_text + "]"), ElementsAre(HasSubstr("bytes of keys and values")));
}

TEST(JobFileTest, MakesControlCharactersHarmless) {
  for (const std::string& line : ProblemsOf(With("epochs: 2", "epochs: \"\\e[31m\\n2\""))) {
    EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

TEST(JobFileTest, FindsThePlaceOfTheCoordinatorsFields) {
  const JobFile file = ParseJobFile(kGood, {});
  Position position = file.PositionOf("search_space.staged.stages[0].kernels[1]");
  EXPECT_EQ(position.line, 7);
  EXPECT_EQ(position.column, 52);
  position = file.PositionOf("budget.wall_seconds");
  EXPECT_EQ(position.line, 12);
  EXPECT_EQ(position.column, 33);
  // Not in the file: what is around it.
  position = file.PositionOf("training.weight_decay");
  EXPECT_EQ(position.line, 9);
  EXPECT_EQ(position.column, 11);
  EXPECT_EQ(file.PositionOf("no.such.thing").line, 1);
}

TEST(OverrideTest, TakesThePlaceOfTheFilesValue) {
  const std::vector<Override> overrides = {
      {"budget.trials", "30", "--trials"},
      {"strategy.seed", "11", "--seed"},
      {"name", "other", "--name"},
      {"training.weight_decay", "0.001", "--set"},
      {"search_space.staged.stages[0].widths", "[4, 6]", "--set"},
      {"budget.wall_seconds", "90", "--set"},
      {"objectives[1].metric", "macs", "--set"},
  };
  ASSERT_THAT(ProblemsOf(kGood, overrides), IsEmpty());
  const v1::JobSpec spec = ParseJobFile(kGood, overrides).spec;
  EXPECT_EQ(spec.budget().trials(), 30);
  EXPECT_EQ(spec.strategy().seed(), 11u);
  EXPECT_EQ(spec.strategy().evolution().population_size(), 8);
  EXPECT_EQ(spec.name(), "other");
  EXPECT_DOUBLE_EQ(spec.training().weight_decay(), 0.001);
  EXPECT_THAT(spec.search_space().staged().stages(0).widths(), ElementsAre(4, 6));
  EXPECT_DOUBLE_EQ(spec.budget().wall_seconds(), 90);
  EXPECT_EQ(spec.objectives(1).metric(), v1::METRIC_MACS);
}

TEST(OverrideTest, ChangesTheStrategyAndKeepsTheSeed) {
  const std::vector<Override> overrides = {{"strategy.grid", "", "--strategy"}};
  const v1::JobSpec spec = ParseJobFile(kGood, overrides).spec;
  EXPECT_TRUE(spec.strategy().has_grid());
  EXPECT_EQ(spec.strategy().seed(), 7u);
}

TEST(OverrideTest, ExpandsAStrategyGivenByName) {
  const std::string text =
      With("{evolution: {population_size: 8, sample_size: 3}, seed: 7}", "random");
  const std::vector<Override> overrides = {{"strategy.seed", "5", "--seed"}};
  const v1::JobSpec spec = ParseJobFile(text, overrides).spec;
  EXPECT_TRUE(spec.strategy().has_random());
  EXPECT_EQ(spec.strategy().seed(), 5u);
}

TEST(OverrideTest, ProblemsNameTheFlag) {
  EXPECT_THAT(ProblemsOf(kGood, {{"training.epochs", "none", "--epochs"}}),
              ElementsAre("--epochs: training.epochs: 'none' is not a whole number"));
  EXPECT_THAT(ProblemsOf(kGood, {{"training.epoch", "1", "--set training.epoch"}}),
              ElementsAre("--set training.epoch: training.epoch: 'epoch' not known here (did you "
                          "mean epochs?)"));
  EXPECT_THAT(ProblemsOf(kGood, {{"objectives[5].metric", "macs", "--set"}}),
              ElementsAre("--set: objectives[5].metric: there is no element 5; the list has 2 "
                          "elements"));
  EXPECT_THAT(ProblemsOf(kGood, {{"training..epochs", "1", "--set"}}),
              ElementsAre(HasSubstr("is not a path such as")));
  EXPECT_THAT(ProblemsOf(kGood, {{"training.epochs.x", "1", "--set"}}),
              ElementsAre(HasSubstr("nothing is below a plain value")));
  EXPECT_THAT(ProblemsOf(kGood, {{"training.epochs", "[1", "--set"}}),
              ElementsAre(HasSubstr("not valid YAML")));
}

TEST(WriterTest, RoundTrips) {
  const v1::JobSpec spec = ParseJobFile(kGood, {}).spec;
  const std::string text = WriteJobFile(spec);
  EXPECT_THAT(ProblemsOf(text), IsEmpty()) << text;
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(ParseJobFile(text, {}).spec, spec))
      << text;
  EXPECT_THAT(text, HasSubstr("  - \"latency_ms <= 2\"\n"));
  EXPECT_THAT(text, HasSubstr("budget: {trials: 14, wall_time: 2h30m}\n"));
}

TEST(WriterTest, RoundTripsAwkwardValues) {
  for (const char* name : {"true", "1.5", "a: b", " lead", "quote\"\\", "tab\there", "ümlaut",
                           "- x", "null", "#x", "a#b", "~", "x\x01y"}) {
    v1::JobSpec spec = ParseJobFile(kGood, {}).spec;
    spec.set_name(name);
    spec.mutable_budget()->set_wall_seconds(0.1 + 0.2);
    spec.mutable_training()->set_learning_rate(1.0 / 3);
    spec.mutable_limits()->set_memory_bytes(123456789);
    spec.mutable_strategy()->set_seed(~uint64_t{0});
    spec.mutable_strategy()->mutable_random();
    const std::string text = WriteJobFile(spec);
    EXPECT_THAT(ProblemsOf(text), IsEmpty()) << text;
    EXPECT_TRUE(
        google::protobuf::util::MessageDifferencer::Equals(ParseJobFile(text, {}).spec, spec))
        << text;
  }
}

// Hyperparameters and a space of nodes, in short and long forms.
constexpr char kOwnSpace[] = R"(
  version: 2
  hyperparameters:
    - {name: learning_rate, log: {low: 0.01, high: 0.1, steps: 3}}
    - {name: optimizer, categorical: [nesterov, adamw]}
    - {name: momentum, linear: {low: 0.8, high: 0.9, steps: 2}, only_if: [{optimizer: nesterov}]}
    - {name: batch_size, integer: {low: 32, high: 64, step: 32}, only_if: [{choice: optimizer, options: [adamw]}]}
  graph:
    choices:
      - {name: width, options: [8, 16]}
      - {name: choice, options: [a b, "true", "#"]}
      - {name: act, options: [relu, gelu], only_if: [{width: [8, 16]}, {choice: choice, options: ["true"]}]}
    constraints: [{never: [{width: 8}, {act: gelu}]}]
    nodes:
      - {name: stem, op: convolution, kernel: 3x1, channels: $width, then: [batch_norm, $act]}
      - {name: pool, op: global_average_pool, inputs: [stem]}
      - {name: head, op: linear, bias: "false", only_if: [{width: 8}]}
)";

TEST(WriterTest, RoundTripsSpacesWrittenByUsers) {
  std::string text = kGood;
  const size_t begin = text.find("search_space:") + 13;
  text.replace(begin, text.find("strategy:") - begin, kOwnSpace);
  const JobFile file = ParseJobFile(text, {});
  EXPECT_THAT(ProblemsOf(text), IsEmpty());
  const v1::SearchSpace& space = file.spec.search_space();
  EXPECT_EQ(space.version(), 2);
  EXPECT_EQ(space.hyperparameters(1).categorical().values(1), "adamw");
  EXPECT_EQ(space.hyperparameters(2).only_if(0).choice(), "optimizer");
  EXPECT_EQ(space.graph().choices(2).only_if(0).options_size(), 2);
  EXPECT_EQ(space.graph().choices(2).only_if(1).options(0), "true");
  EXPECT_EQ(space.graph().nodes(0).kernel(), "3x1");
  EXPECT_EQ(space.graph().nodes(0).channels(), "$width");
  const std::string written = WriteJobFile(file.spec);
  EXPECT_THAT(ProblemsOf(written), IsEmpty()) << written;
  EXPECT_TRUE(
      google::protobuf::util::MessageDifferencer::Equals(ParseJobFile(written, {}).spec, file.spec))
      << written;
  EXPECT_THAT(written, HasSubstr("only_if: [{width: [8, 16]}, {choice: choice, options: "
                                 "[\"true\"]}]"));
  EXPECT_THAT(written, HasSubstr("categorical: [nesterov, adamw]"));
}

TEST(JobFileTest, SaysWhatIsWrongWithASpaceOfNodes) {
  const auto problems = [](const std::string& old_text, const std::string& new_text) {
    std::string text = kGood;
    const size_t begin = text.find("search_space:") + 13;
    text.replace(begin, text.find("strategy:") - begin,
                 absl::StrReplaceAll(kOwnSpace, {{old_text, new_text}}));
    return ProblemsOf(text);
  };
  EXPECT_THAT(problems("{width: 8}, {act: gelu}", "{width: 8, act: gelu}"),
              ::testing::Contains(HasSubstr("never[0].width: not known here")));
  EXPECT_THAT(problems("{width: 8}, {act", "{width: []}, {act"),
              ElementsAre(HasSubstr("never[0].options: the list is empty")));
  EXPECT_THAT(problems("options: [8, 16]", "options: [8, 8]"),
              ElementsAre(HasSubstr("'8' is in the list already")));
  EXPECT_THAT(problems("steps: 3", "steps: 1"), ElementsAre(HasSubstr("steps: 1 must lie in")));
  EXPECT_THAT(problems("log: {low: 0.01, high: 0.1, steps: 3}", "step: 3"),
              ::testing::Contains(HasSubstr("hyperparameters[0].step: not known here")));
}

TEST(UnitsTest, Durations) {
  EXPECT_EQ(ParseDuration("90s"), 90);
  EXPECT_EQ(ParseDuration("2h30m"), 9000);
  EXPECT_EQ(ParseDuration("1d 2h"), 93600);
  EXPECT_EQ(ParseDuration("1.5h"), 5400);
  EXPECT_EQ(ParseDuration("500ms"), 0.5);
  for (const char* bad : {"", "90", "h", "5 parsecs", "-5s", "1s1m", "1m1m", "1..5s"}) {
    EXPECT_FALSE(ParseDuration(bad).has_value()) << bad;
  }
  EXPECT_EQ(WriteDuration(90061), "1d1h1m1s");
  EXPECT_EQ(WriteDuration(0.5), std::nullopt);
}

TEST(UnitsTest, Bytes) {
  EXPECT_EQ(ParseBytes("2GiB"), int64_t{2} << 30);
  EXPECT_EQ(ParseBytes("1.5 MiB"), 1572864);
  EXPECT_EQ(ParseBytes("2GB"), 2'000'000'000);
  EXPECT_EQ(ParseBytes("7B"), 7);
  for (const char* bad : {"", "2", "2 gigs", "-1GB", "9999999999TiB"}) {
    EXPECT_FALSE(ParseBytes(bad).has_value()) << bad;
  }
  EXPECT_EQ(WriteBytes(int64_t{3} << 30), "3GiB");
  EXPECT_EQ(WriteBytes(1001), "1001B");
}

}  // namespace
}  // namespace frontier::cli
