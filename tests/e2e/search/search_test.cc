// A whole search as its user meets it: command line, front, models.
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/pareto/pareto.h"
#include "google/protobuf/util/json_util.h"
#include "tests/e2e/search/jobs.h"
#include "tests/support/mini_cluster.h"
#include "tests/support/temp_folder.h"

namespace frontier::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kJobFile[] = R"(
name: bars by hand
dataset: {name: bars}
search_space:
  staged:
    stem_widths: [4, 8]
    stages:
      - {blocks: [convolution, residual, fire], kernels: [3, 5], widths: [8], depths: [1], strides: [1], connections: [0]}
      - {blocks: [depthwise_separable, max_pool], kernels: [3], widths: [8, 12], depths: [1], strides: [2], connections: [0]}
strategy: random
training: {epochs: 6, batch_size: 32, learning_rate: 0.1, momentum: 0.9, weight_decay: 0.0001}
objectives: [{accuracy: maximize}, {parameters: minimize}]
budget: {trials: 6}
)";

double MetricOf(const v1::Trial& trial, v1::Metric metric) {
  for (const v1::Measurement& measurement : trial.result().measurements()) {
    if (measurement.metric() == metric) return measurement.value();
  }
  ADD_FAILURE() << "trial " << trial.number() << " has no " << v1::Metric_Name(metric);
  return 0;
}

class SearchTest : public ::testing::Test {
 protected:
  SearchTest()
      : folder_(temp_.File("cluster")),
        cluster_({.folder = folder_,
                  .dataset_name = "bars",
                  .dataset_folder = absl::StrCat(folder_, "_data"),
                  .coordinator_flags = {},
                  .worker_flags = {}}) {}

  void SetUp() override {
    ASSERT_OK(WriteBarsDataset(folder_ + "_data", 1200, 400, 1));
    ASSERT_OK(cluster_.StartCoordinator());
    ASSERT_OK(cluster_.StartWorker("one"));
    ASSERT_OK(cluster_.StartWorker("two"));
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << cluster_.Logs();
  }

  CommandResult Frontier(std::vector<std::string> arguments, const std::string& input = "") {
    const absl::StatusOr<CommandResult> result = cluster_.Frontier(std::move(arguments), input);
    EXPECT_OK(result);
    return result.ok() ? *result : CommandResult{};
  }

  const TempFolder temp_;
  const std::string folder_;
  MiniCluster cluster_;
};

TEST_F(SearchTest, SubmitWatchAndLeaveWithTheFrontAndItsModels) {
  cluster_.AwaitWorker(2);
  const CommandResult submitted = Frontier({"submit", "-", "--watch"}, kJobFile);
  ASSERT_EQ(submitted.exit_code, 0) << submitted.errors;
  ExpectWholeJob(cluster_.client(), 1, 6);

  const CommandResult front_json = Frontier({"front", "1", "--json"});
  ASSERT_EQ(front_json.exit_code, 0) << front_json.errors;
  v1::GetFrontResponse front;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(front_json.output, &front).ok());
  ASSERT_GT(front.trials_size(), 0);

  // The front is what brute force over all trials says.
  std::vector<std::vector<double>> points;
  for (const v1::Trial& trial : AllTrials(cluster_.client(), 1)) {
    points.push_back(
        {-MetricOf(trial, v1::METRIC_ACCURACY), MetricOf(trial, v1::METRIC_PARAMETERS)});
    bool dominated = false;
    for (const v1::Trial& other : AllTrials(cluster_.client(), 1)) {
      dominated = dominated || Dominates({-MetricOf(other, v1::METRIC_ACCURACY),
                                          MetricOf(other, v1::METRIC_PARAMETERS)},
                                         points.back());
    }
    EXPECT_EQ(trial.on_front(), !dominated) << "trial " << trial.number();
    EXPECT_EQ(trial.weights_kept(), trial.on_front()) << "trial " << trial.number();
  }

  // Every figure is there, with a method; the networks have learnt (chance is 0.25).
  for (const v1::Trial& trial : front.trials()) {
    for (const v1::Metric metric :
         {v1::METRIC_ACCURACY, v1::METRIC_LATENCY_MS, v1::METRIC_PARAMETERS, v1::METRIC_MACS,
          v1::METRIC_ENERGY_J, v1::METRIC_CO2_G, v1::METRIC_CPU_SECONDS}) {
      EXPECT_GT(MetricOf(trial, metric), 0) << v1::Metric_Name(metric);
    }
    for (const v1::Measurement& measurement : trial.result().measurements()) {
      EXPECT_FALSE(measurement.method().empty()) << measurement.ShortDebugString();
      EXPECT_LE(measurement.low(), measurement.value()) << measurement.ShortDebugString();
      EXPECT_GE(measurement.high(), measurement.value()) << measurement.ShortDebugString();
    }
  }
  EXPECT_GT(MetricOf(front.trials(0), v1::METRIC_ACCURACY), 0.5);

  // A kept model, reloaded, reproduces the reported accuracy to the last digit.
  for (const v1::Trial& trial : front.trials()) {
    const std::string model = absl::StrCat(folder_, "/model", trial.number());
    const CommandResult downloaded =
        Frontier({"weights", "1", absl::StrCat(trial.number()), "--output", model});
    ASSERT_EQ(downloaded.exit_code, 0) << downloaded.errors;
    const absl::StatusOr<CommandResult> evaluated =
        RunCommand({BinaryPath("frontier-worker"), "evaluate", "--model", model, "--dataset_folder",
                    folder_ + "_data", "--part", "validation"});
    ASSERT_OK(evaluated);
    ASSERT_EQ(evaluated->exit_code, 0) << evaluated->errors;
    const size_t at = evaluated->output.find("\"accuracy\": ");
    ASSERT_NE(at, std::string::npos) << evaluated->output;
    EXPECT_EQ(std::strtod(evaluated->output.c_str() + at + 12, nullptr),
              MetricOf(trial, v1::METRIC_ACCURACY))
        << evaluated->output;
  }

  const CommandResult text = Frontier({"front", "1"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.output, HasSubstr("kWh"));
  EXPECT_THAT(text.output, HasSubstr("CO2"));
}

// What two runs of a job must have in common.
std::string Essence(const v1::Trial& trial) {
  return absl::StrCat(trial.number(), " ", trial.canonical_hash(), " accuracy ",
                      absl::StrFormat("%.17g", MetricOf(trial, v1::METRIC_ACCURACY)), " weights ",
                      trial.result().weights_sha256(), " ", trial.result().engine().precision(),
                      trial.on_front() ? " on the front" : "");
}

TEST_F(SearchTest, ReproducibleJobsAreEqualAndTheirTrialsCanBeRunAgain) {
  cluster_.AwaitWorker(2);
  std::string job = kJobFile;
  job += "reproducible: true\nmax_parallel_trials: 2\n";
  std::vector<std::string> runs[2];
  for (const int64_t id : {1, 2}) {
    const CommandResult submitted = Frontier({"submit", "-", "--watch"}, job);
    ASSERT_EQ(submitted.exit_code, 0) << submitted.errors;
    for (const v1::Trial& trial : AllTrials(cluster_.client(), id)) {
      runs[id - 1].push_back(Essence(trial));
    }
  }
  ASSERT_EQ(runs[0].size(), 6u);
  EXPECT_EQ(runs[0], runs[1]);

  // As a user does it: the record into a file, and again from there.
  const CommandResult shown = Frontier({"show", "1", "2", "--json"});
  ASSERT_EQ(shown.exit_code, 0) << shown.errors;
  const std::string record = folder_ + "/trial.json";
  ASSERT_OK(WriteFileAtomically(record, shown.output));
  const auto rerun = [&] {
    return RunCommand(
        {BinaryPath("frontier-worker"), "rerun", record, "--dataset", folder_ + "_data"});
  };
  ASSERT_OK_AND_ASSIGN(const CommandResult again, rerun());
  EXPECT_EQ(again.exit_code, 0) << again.output << again.errors;
  EXPECT_THAT(again.output, HasSubstr("trial 2 of job 1: identical"));

  // A record of other weights.
  v1::GetTrialResponse trial;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(shown.output, &trial).ok());
  trial.mutable_trial()->mutable_result()->mutable_engine()->set_seed(1);
  trial.mutable_trial()->mutable_result()->mutable_engine()->set_library("another library");
  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(trial, &json).ok());
  ASSERT_OK(WriteFileAtomically(record, json));
  ASSERT_OK_AND_ASSIGN(const CommandResult other, rerun());
  EXPECT_EQ(other.exit_code, 1) << other.output << other.errors;
  EXPECT_THAT(other.output, HasSubstr("trial 2 of job 1: different"));
  EXPECT_THAT(other.output, HasSubstr(trial.trial().result().weights_sha256()));
  EXPECT_THAT(other.output, HasSubstr("library: recorded another library, now oneDNN"));

  ASSERT_OK(WriteFileAtomically(record, "{}"));
  ASSERT_OK_AND_ASSIGN(const CommandResult nothing, rerun());
  EXPECT_EQ(nothing.exit_code, 2) << nothing.output << nothing.errors;
}

TEST_F(SearchTest, WrongInputIsNamedAndStoresNothing) {
  cluster_.AwaitWorker(2);
  std::string wrong = kJobFile;
  wrong.replace(wrong.find("maximize"), 8, "maxi");
  CommandResult result = Frontier({"submit", "-"}, wrong);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors, HasSubstr("'maxi'"));

  std::string no_data = kJobFile;
  no_data.replace(no_data.find("{name: bars}"), 12, "{name: cars}");
  result = Frontier({"submit", "-"}, no_data);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors, HasSubstr("cars"));

  result = Frontier({"front", "77"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.errors, HasSubstr("job 77"));

  const absl::StatusOr<v1::ListJobsResponse> jobs =
      cluster_.client().ListJobs(v1::ListJobsRequest());
  ASSERT_OK(jobs);
  EXPECT_EQ(jobs->jobs_size(), 0);
}

}  // namespace
}  // namespace frontier::testing
