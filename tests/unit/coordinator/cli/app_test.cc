#include "coordinator/cli/app.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "common/model_io/model_file.h"
#include "common/model_io/onnx_export.h"
#include "coordinator/cli/job_file/job_file.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/support/golden.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/cli/app_fixture.h"
#include "tests/unit/coordinator/cli/samples.h"

namespace frontier::cli {
namespace {

using ::frontier::testing::ExpectGolden;
using ::frontier::testing::FakeJobClient;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(AppTest, HelpIsComplete) {
  std::string text = Run({"--help"}).out;
  for (const char* command :
       {"submit", "status",    "watch",     "trials",  "show",   "front",      "weights", "export",
        "arch",   "arch show", "arch diff", "workers", "drain",  "admit",      "extend",  "update",
        "replay", "pause",     "resume",    "cancel",  "delete", "completion", "version"}) {
    std::vector<std::string> line = absl::StrSplit(command, ' ');
    line.push_back("--help");
    const Outcome help = Run(line);
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, AllOf(HasSubstr(absl::StrCat("Usage: frontier ", command, " ")),
                                HasSubstr("Examples:")))
        << command;
    absl::StrAppend(&text, "\n", std::string(80, '='), "\n", help.out);
  }
  ExpectGolden("cli/help.txt", text);
}

TEST_F(AppTest, WrongCommandLinesAreExplained) {
  std::string text;
  const std::vector<std::vector<std::string>> lines = {
      {"stauts"},
      {"--jsn", "status"},
      {"status", "--jsn"},
      {"status", "--limit", "0"},
      {"status", "zero"},
      {"status", "-1"},
      {"cancel"},
      {"trials", "1", "--state", "done"},
      {"status", "--color", "sometimes"},
      {"status", "--timeout", "soon"},
      {"submit", "x.yaml", "--trials"},
      {"show", "1", "2", "3"},
      {"completion", "powershell"},
      {"export", "--output", "x.onnx"},
      {"export", "1", "--output", "x.onnx"},
      {"export", "1", "2", "--model", "x.pb", "--output", "x.onnx"},
      {"export", "1", "2"},
      {"arch"},
      {"arch", "shwo", "resnet20"},
      {"arch", "show"},
      {"arch", "show", "resnet20", "vgg-16"},
      {"arch", "show", "resnet20", "--input", "28"},
      {"arch", "show", "resnet20", "--classes", "0"},
      {"arch", "show", "resnet20", "--dot", "--json"},
      {"arch", "diff", "resnet20"},
      {"update", "1"},
      {"update", "--trials", "5"},
      {"update", "1", "--trials"},
      {"update", "1", "--budget", "5"},
      {"delete"},
      {"delete", "0"},
      {"delete", "1", "two"},
      {"drain"},
      {"admit", "a", "b"},
      {"status", "--coordinator", "foo"},
      {"--coordinator", "127.0.0.1:99999", "status"},
      {"--coordinator", "host:1"},
  };
  for (const std::vector<std::string>& line : lines) {
    const Outcome outcome = Run(line);
    EXPECT_EQ(outcome.code, 2) << absl::StrJoin(line, " ");
    EXPECT_THAT(outcome.out, IsEmpty());
    absl::StrAppend(&text, "$ frontier ", absl::StrJoin(line, " "), "\n", outcome.err);
  }
  ExpectGolden("cli/usage_errors.txt", text);
  EXPECT_EQ(Run({}).code, 2);
  EXPECT_THAT(Run({}).err, HasSubstr("Usage: frontier COMMAND"));
}

TEST_F(AppTest, ErrorsHaveTheirExitCodes) {
  std::string text;
  const struct {
    absl::Status error;
    int code;
  } cases[] = {
      {absl::NotFoundError("job 9: not found"), 4},
      {absl::UnavailableError("coordinator at 127.0.0.1:7070 cannot be reached: refused"), 5},
      {ErrorWithReason(absl::StatusCode::kUnavailable, v1::ERROR_REASON_OVERLOADED,
                       "job 9: its state is read anew"),
       5},
      {absl::DeadlineExceededError("coordinator at 127.0.0.1:7070 did not answer in time"), 5},
      {absl::InvalidArgumentError("page_token: 'x' is not one of ours"), 3},
      {ErrorWithReason(absl::StatusCode::kFailedPrecondition, v1::ERROR_REASON_WRONG_STATE,
                       "job 9: completed, cannot be cancelled"),
       6},
      {CheckProtocolVersion(3, 1, "client"), 1},
      {absl::InternalError("disk\x1b[2J full"), 1},
      {absl::ResourceExhaustedError("too many calls"), 1},
  };
  for (const auto& c : cases) {
    coordinator_.error = c.error;
    const Outcome outcome = Run({"cancel", "9"});
    EXPECT_EQ(outcome.code, c.code) << c.error;
    EXPECT_THAT(outcome.err, StartsWith("frontier: "));
    EXPECT_THAT(outcome.out, IsEmpty());
    absl::StrAppend(&text, outcome.err);
  }
  ExpectGolden("cli/errors.txt", text);
}

TEST_F(AppTest, GlobalFlagsMayStandAnywhere) {
  EXPECT_EQ(Run({"--coordinator", "a:1", "status"}).code, 0);
  EXPECT_EQ(coordinator_.options.address, "a:1");
  EXPECT_EQ(Run({"status", "--coordinator", "b:2", "--timeout", "2.5"}).code, 0);
  EXPECT_EQ(coordinator_.options.address, "b:2");
  EXPECT_EQ(coordinator_.options.deadline, absl::Seconds(2.5));
  EXPECT_EQ(coordinator_.options.retry_for, absl::Seconds(2.5));
  variables_["FRONTIER_COORDINATOR"] = "c:3";
  Run({"status"});
  EXPECT_EQ(coordinator_.options.address, "c:3");
  Run({"status", "--coordinator", "d:4"});
  EXPECT_EQ(coordinator_.options.address, "d:4");
  EXPECT_EQ(Run({"status", "--coordinator", ""}).code, 2);
  // Who calls nobody may have a wrong one.
  variables_["FRONTIER_COORDINATOR"] = "foo";
  const Outcome wrong = Run({"status"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, StartsWith("frontier: FRONTIER_COORDINATOR: address 'foo': no port"));
  EXPECT_EQ(Run({"status", "--coordinator", "e:5"}).code, 0);
  EXPECT_EQ(Run({"arch", "show", "small-cnn"}).code, 0);
  EXPECT_EQ(Run({"completion", "bash"}).code, 0);
  EXPECT_EQ(Run({"submit", GoodFile(), "--print_job"}).code, 0);
}

TEST_F(AppTest, ColoursOnlyWhereTheyAreWanted) {
  EXPECT_THAT(Run({"status", "1"}).out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(Run({"status", "1", "--color", "always"}).out, HasSubstr("\x1b["));
  terminal_ = true;
  EXPECT_THAT(Run({"status", "1"}).out, HasSubstr("\x1b["));
  EXPECT_THAT(Run({"status", "1", "--color", "never"}).out, Not(HasSubstr("\x1b")));
  variables_["NO_COLOR"] = "1";
  EXPECT_THAT(Run({"status", "1"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(AppTest, EveryCommandAnswersInJson) {
  const std::vector<std::vector<std::string>> lines = {{"status"},
                                                       {"status", "1"},
                                                       {"trials", "1"},
                                                       {"show", "1"},
                                                       {"show", "1", "3"},
                                                       {"front", "1"},
                                                       {"workers"},
                                                       {"cancel", "1"},
                                                       {"update", "1", "--trials", "99"},
                                                       {"delete", "1"},
                                                       {"drain", "worker-1"},
                                                       {"admit", "worker-1"},
                                                       {"pause", "1"},
                                                       {"resume", "1"},
                                                       {"extend", "1", "staged.stem_widths", "64"},
                                                       {"version"},
                                                       {"completion", "bash"},
                                                       {"arch", "show", "small-cnn"},
                                                       {"arch", "diff", "resnet20", "vgg-like"},
                                                       {"submit", GoodFile()},
                                                       {"submit", GoodFile(), "--print_job"}};
  for (std::vector<std::string> line : lines) {
    line.push_back("--json");
    const Outcome outcome = Run(line);
    EXPECT_EQ(outcome.code, 0) << absl::StrJoin(line, " ") << outcome.err;
    google::protobuf::Struct parsed;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(outcome.out, &parsed).ok())
        << absl::StrJoin(line, " ") << "\n"
        << outcome.out;
  }
  EXPECT_THAT(Run({"workers", "--json"}).out,
              AllOf(HasSubstr("\"last_seen_unix_us\""), HasSubstr("\"alive\": true")));
  v1::GetJobResponse response;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(Run({"status", "1", "--json"}).out, &response)
          .ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(response.job(), SampleJob()));
}

TEST_F(AppTest, ReplayComparesPageByPage) {
  v1::ReplayJobResponse page;
  page.set_compared(100);
  page.set_next_page_token("more");
  coordinator_.replays.push_back(page);
  page.set_compared(20);
  page.clear_next_page_token();
  coordinator_.replays.push_back(page);
  Outcome outcome = Run({"replay", "1"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "job 1: 120 proposals rebuilt from the log, identical\n");
  ASSERT_EQ(coordinator_.replayed.size(), 2u);
  EXPECT_EQ(coordinator_.replayed[0].page_token(), "");
  EXPECT_EQ(coordinator_.replayed[1].page_token(), "more");

  v1::ReplayDifference* difference = page.add_differences();
  difference->set_trial(17);
  difference->set_proposed("stem 8; fire");
  difference->set_rebuilt("stem 16; fire");
  coordinator_.replays = {page, page};
  outcome = Run({"replay", "1"});
  EXPECT_EQ(outcome.code, 8);
  EXPECT_EQ(outcome.out,
            "job 1: 20 proposals rebuilt from the log, 1 differs\n"
            "  trial 17\n    proposed stem 8; fire\n    rebuilt  stem 16; fire\n");
  EXPECT_THAT(Run({"replay", "1", "--json"}).out, HasSubstr("\"rebuilt\": \"stem 16; fire\""));
  EXPECT_EQ(Run({"replay", "9"}).code, 4);
  EXPECT_EQ(Run({"replay"}).code, 2);
}

TEST_F(AppTest, StatusListsPageByPage) {
  coordinator_.jobs.clear();
  for (int i = 0; i < 1203; ++i) {
    coordinator_.jobs.push_back(SampleJob());
    coordinator_.jobs.back().set_id(1203 - i);
  }
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(lines(Run({"status"}).out), 1 + 50 + 1);
  EXPECT_EQ(lines(Run({"status", "--limit", "7"}).out), 1 + 7 + 1);
  EXPECT_EQ(lines(Run({"status", "--limit", "700"}).out), 1 + 700 + 1);
  EXPECT_EQ(lines(Run({"status", "--all"}).out), 1 + 1203);
  EXPECT_THAT(coordinator_.page_sizes, Each(::testing::Le(500)));
}

TEST_F(AppTest, TrialsFilterAndPage) {
  const std::string failed = Run({"trials", "1", "--state", "failed"}).out;
  EXPECT_THAT(failed, AllOf(HasSubstr("out_of_memory"), Not(HasSubstr("succeeded"))));
  EXPECT_THAT(Run({"trials", "1", "--limit", "2"}).out, HasSubstr("There are more"));
  EXPECT_THAT(Run({"trials", "1", "--all"}).out, Not(HasSubstr("There are more")));
  // The newest job, unless told.
  EXPECT_EQ(Run({"trials"}).out, Run({"trials", "1"}).out);
  coordinator_.jobs.clear();
  const Outcome none = Run({"trials"});
  EXPECT_EQ(none.code, 4);
  EXPECT_THAT(none.err, HasSubstr("no jobs yet"));
}

TEST_F(AppTest, ShowPrintsAJobThatCanBeSubmittedAgain) {
  input_ = Run({"show", "1"}).out;
  EXPECT_THAT(input_, StartsWith("# job 1, running"));
  const Outcome outcome = Run({"submit", "-", "--name", "again"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_EQ(coordinator_.submitted.size(), 1u);
  v1::JobSpec expected = SampleJob().spec();
  expected.set_name("again");
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(coordinator_.submitted[0].spec(),
                                                                 expected));
}

TEST_F(AppTest, FrontShowsTablePlotAndCost) {
  const std::string text = Run({"front", "1"}).out;
  EXPECT_THAT(text, AllOf(HasSubstr("TRIAL"), HasSubstr("●7"), HasSubstr("4 other trials"),
                          HasSubstr("Cost of the search"), HasSubstr("0.000413 kWh")));
  EXPECT_THAT(Run({"front", "1", "--no_plot"}).out, Not(HasSubstr("●")));
  variables_["LANG"] = "C";
  EXPECT_THAT(Run({"front", "1"}).out, AllOf(HasSubstr("*7"), Not(HasSubstr("●"))));
}

TEST_F(AppTest, SubmitSendsTheJob) {
  const Outcome outcome = Run({"submit", GoodFile(), "--trials", "30", "--seed", "3", "--epochs",
                               "5", "--wall_time", "1h", "--strategy", "random", "--set",
                               "training.batch_size=64", "--set", "limits.threads=2"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "job 3 submitted: fashion-mnist demo\nFollow it with: frontier watch 3\n");
  ASSERT_EQ(coordinator_.submitted.size(), 1u);
  const v1::SubmitJobRequest& request = coordinator_.submitted[0];
  EXPECT_EQ(request.protocol_version(), kProtocolVersion);
  EXPECT_EQ(request.spec().budget().trials(), 30);
  EXPECT_EQ(request.spec().budget().wall_seconds(), 3600);
  EXPECT_EQ(request.spec().strategy().seed(), 3u);
  EXPECT_TRUE(request.spec().strategy().has_random());
  EXPECT_EQ(request.spec().training().epochs(), 5);
  EXPECT_EQ(request.spec().training().batch_size(), 64);
  EXPECT_EQ(request.spec().limits().threads(), 2);
}

TEST_F(AppTest, SubmitChecksOnly) {
  const std::string file = GoodFile();
  Outcome outcome = Run({"submit", file, "--validate_only"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("accepted; its search space has 1152 genotypes"));
  EXPECT_TRUE(coordinator_.submitted.at(0).validate_only());
  outcome = Run({"submit", file, "--print_job", "--trials", "99"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("budget: {trials: 99, wall_time: 4m}\n"));
  EXPECT_EQ(coordinator_.submitted.size(), 1u);
}

TEST_F(AppTest, SubmitRefusesBadFiles) {
  const std::string file =
      WriteTemporary("bad.yaml", absl::StrReplaceAll(WriteJobFile(SampleJob().spec()),
                                                     {{"maximize", "maxi"}, {"epochs", "epoch"}}));
  const Outcome outcome = Run({"submit", file, "--trials", "many"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(coordinator_.submitted, IsEmpty());
  ExpectGolden("cli/refused_file.txt", absl::StrReplaceAll(outcome.err, {{file, "bad.yaml"}}));
  EXPECT_EQ(Run({"submit", "/no/such/file.yaml"}).code, 4);
  EXPECT_EQ(Run({"submit", ::testing::TempDir()}).code, 3);
  EXPECT_EQ(Run({"submit", GoodFile(), "--set", "nonsense"}).code, 3);
  input_.clear();
  for (int i = 0; i < 200; ++i) absl::StrAppend(&input_, "key", i, ": 1\n");
  EXPECT_THAT(Run({"submit", "-"}).err, HasSubstr("... and 157 more\n"));
  input_ = std::string(1 << 20, '#');
  EXPECT_THAT(Run({"submit", "-"}).err, HasSubstr("at most 262144 are read"));
}

TEST_F(AppTest, WhatTheCoordinatorRefusesIsShownInTheFile) {
  coordinator_.error =
      InvalidField("spec.search_space.staged.stages[0].strides[0]", "2 leaves no pixels of 1 x 1");
  Outcome outcome = Run({"submit", GoodFile()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("good.yaml:7:90: "));
  EXPECT_THAT(outcome.err, HasSubstr(": search_space.staged.stages[0].strides[0]: 2 leaves"));
  coordinator_.error = InvalidField("strategy.evolution.sample_size", "9 is over 8");
  outcome = Run({"submit", GoodFile(), "--set", "strategy.evolution.sample_size=9"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, StartsWith("--set strategy.evolution.sample_size: "));
}

TEST_F(AppTest, WatchPrintsLinesWhereThereIsNoTerminal) {
  v1::WatchJobResponse response;
  *response.mutable_job() = SampleJob();
  coordinator_.watch.push_back(response);
  for (const v1::Event& event : SampleEvents()) *response.add_events() = event;
  response.mutable_job()->set_trials_succeeded(8);
  coordinator_.watch.push_back(response);
  response.clear_events();
  response.mutable_job()->set_state(v1::JOB_STATE_COMPLETED);
  response.mutable_job()->set_reason("budget of 14 trials used");
  coordinator_.watch.push_back(response);
  const Outcome outcome = Run({"watch", "1"});
  EXPECT_EQ(outcome.code, 0);
  ExpectGolden("cli/watch_lines.txt", outcome.out);

  terminal_ = true;
  const std::string live = Run({"watch", "1", "--color", "never"}).out;
  EXPECT_THAT(live, HasSubstr("\x1b[5A\r\x1b[J"));  // over the first frame of five lines
  EXPECT_THAT(live, HasSubstr("See what it found: frontier front 1"));
  variables_["TERM"] = "dumb";
  EXPECT_THAT(Run({"watch", "1"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(AppTest, WatchTellsHowTheJobEnded) {
  v1::WatchJobResponse response;
  *response.mutable_job() = SampleJob();
  response.mutable_job()->set_state(v1::JOB_STATE_CANCELLED);
  coordinator_.watch.push_back(response);
  coordinator_.jobs.push_back(SampleJob());
  coordinator_.jobs.back().set_id(4);
  coordinator_.watched.clear();
  EXPECT_EQ(Run({"watch", "4"}).code, 7);
  EXPECT_EQ(Run({"watch"}).code, 7);
  ASSERT_EQ(coordinator_.watched.size(), 2u);
  EXPECT_EQ(coordinator_.watched[0].job_id(), 4);
  EXPECT_EQ(coordinator_.watched[1].job_id(), 1) << "the newest";
  coordinator_.watch[0].mutable_job()->set_state(v1::JOB_STATE_FAILED);
  EXPECT_EQ(Run({"submit", GoodFile(), "--watch"}).code, 7);
  coordinator_.watch[0].mutable_job()->set_state(v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Run({"watch", "1"}).code, 1);
}

TEST_F(AppTest, WatchInJsonIsOneObjectALine) {
  v1::WatchJobResponse response;
  *response.mutable_job() = SampleJob();
  coordinator_.watch.push_back(response);
  response.mutable_job()->set_state(v1::JOB_STATE_COMPLETED);
  coordinator_.watch.push_back(response);
  const Outcome outcome = Run({"submit", GoodFile(), "--watch", "--json"});
  EXPECT_EQ(outcome.code, 0);
  const std::vector<std::string> lines = absl::StrSplit(outcome.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 3u);
  for (const std::string& line : lines) {
    google::protobuf::Struct parsed;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(line, &parsed).ok()) << line;
  }
}

TEST_F(AppTest, WeightsAreCheckedAndWritten) {
  coordinator_.weights = std::string("model\0bytes", 11);
  const std::string path = Temporary("model.pb");
  coordinator_.trials[2].mutable_result()->set_weights_sha256(Sha256Hex("something else"));
  Outcome outcome = Run({"weights", "1", "3", "--output", path});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("its record says"));
  EXPECT_THAT(ReadFile(path),
              frontier::testing::StatusIs(absl::StatusCode::kNotFound, ::testing::_));
  coordinator_.trials[2].mutable_result()->set_weights_sha256(Sha256Hex(coordinator_.weights));
  outcome = Run({"weights", "1", "3", "-o", path});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_OK_AND_ASSIGN(const std::string written, ReadFile(path));
  EXPECT_EQ(written, coordinator_.weights);
  EXPECT_EQ(coordinator_.weights_of.back().job_id(), 1);
  EXPECT_EQ(coordinator_.weights_of.back().trial(), 3);
  EXPECT_EQ(Run({"weights", "1", "99", "-o", path}).code, 4);
  const std::string folder = Temporary("folder");
  ASSERT_OK(MakeDirectories(folder));
  EXPECT_EQ(Run({"weights", "1", "3", "-o", folder}).code, 3);
  EXPECT_THAT(Run({"weights", "1", "3", "-o", path, "--json"}).out, HasSubstr("\"sha256\""));
}

v1::Model TinyModel() {
  v1::Model model;
  v1::Architecture* architecture = model.mutable_architecture();
  architecture->mutable_input()->set_channels(2);
  architecture->mutable_input()->set_height(1);
  architecture->mutable_input()->set_width(1);
  architecture->set_classes(2);
  architecture->add_nodes()->set_op(v1::OPERATOR_INPUT);
  for (int c = 0; c < 2; ++c) {
    model.mutable_normalization()->add_mean(0.5f);
    model.mutable_normalization()->add_deviation(0.25f);
  }
  return model;
}

TEST_F(AppTest, ExportsTheModelOfATrialOrAFile) {
  const v1::Model model = TinyModel();
  coordinator_.weights = SerializeModel(model).value();
  coordinator_.trials[2].mutable_result()->set_weights_sha256(Sha256Hex(coordinator_.weights));
  const std::string path = Temporary("model.onnx");
  std::remove(path.c_str());
  Outcome outcome = Run({"export", "1", "3", "--output", path});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("input N x 2 x 1 x 1 (pixels / 255), logits N x 2"));
  ASSERT_OK_AND_ASSIGN(std::string written, ReadFile(path));
  EXPECT_EQ(written, ExportOnnx(model, OnnxInput::kPixels).value());

  const std::string file = WriteTemporary("model_file.pb", coordinator_.weights);
  coordinator_.error = absl::UnavailableError("a file needs no coordinator");
  outcome = Run({"export", "--model", file, "--normalized_input", "-o", path, "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_OK_AND_ASSIGN(written, ReadFile(path));
  EXPECT_EQ(written, ExportOnnx(model, OnnxInput::kNormalized).value());
  EXPECT_THAT(outcome.out, HasSubstr(Sha256Hex(written)));
}

TEST_F(AppTest, ExportRefusesWhatIsNoModel) {
  const std::string path = Temporary("refused.onnx");
  std::remove(path.c_str());
  coordinator_.weights = "\xff\xff";
  coordinator_.trials[2].mutable_result()->clear_weights_sha256();
  Outcome outcome = Run({"export", "1", "3", "--output", path});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("'trial 3 of job 1' is no model file"));
  EXPECT_EQ(Run({"export", "1", "99", "--output", path}).code, 4);
  EXPECT_EQ(Run({"export", "--model", "/no/such/model", "--output", path}).code, 4);
  outcome = Run({"export", "--model", WriteTemporary("no_model", "\xff\xff"), "--output", path});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("no_model' is no model file"));
  outcome = Run({"export", "--model", WriteTemporary("empty.pb", ""), "--output", path});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("empty.pb"));
  EXPECT_THAT(ReadFile(path),
              frontier::testing::StatusIs(absl::StatusCode::kNotFound, ::testing::_));
}

TEST_F(AppTest, VersionTellsBothSides) {
  coordinator_.info.set_version("0.2.0");
  coordinator_.info.set_protocol_version(2);
  coordinator_.info.set_started_unix_us(kSampleTimeUs);
  EXPECT_EQ(Run({"version"}).out,
            absl::StrCat(VersionLine("frontier"),
                         "\nfrontier-coordinator 0.2.0 (protocol 2) at 127.0.0.1:7070, started "
                         "2026-01-02 03:04:05\n"));
  coordinator_.error = absl::UnavailableError("connection refused");
  const Outcome outcome = Run({"version"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(outcome.out, VersionLine("frontier") + "\n");
  EXPECT_EQ(Run({"--version"}).out, VersionLine("frontier") + "\n");
  const Outcome alone = Run({"version", "--json"});
  EXPECT_EQ(alone.code, 5);
  EXPECT_EQ(alone.out,
            absl::StrCat("{\n \"client\": {\n  \"protocol_version\": ", kProtocolVersion,
                         ",\n  \"version\": \"", std::string(ProductVersion()), "\"\n }\n}\n"));
}

TEST_F(AppTest, ReportsAnOutputThatCannotBeWritten) {
  std::ofstream full("/dev/full");
  std::ostringstream err;
  std::istringstream in;
  Environment environment;
  environment.in = &in;
  environment.out = &full;
  environment.err = &err;
  environment.clock = &clock_;
  environment.variable = [](const char*) { return std::string(); };
  environment.connect = [this](const JobClientOptions&) {
    return std::make_unique<FakeJobClient>(&coordinator_);
  };
  EXPECT_EQ(RunFrontier({"status"}, environment), 1);
  EXPECT_THAT(err.str(), HasSubstr("cannot write to standard output"));
}

// What bash offers for a line; the last word is the one being typed.
std::string Complete(const std::string& script, const std::vector<std::string>& words) {
  std::string command =
      absl::StrCat("LC_ALL=C bash --norc --noprofile -c 'source ", script, "; COMP_WORDS=(");
  for (const std::string& word : words) absl::StrAppend(&command, "\"", word, "\" ");
  absl::StrAppend(&command, "); COMP_CWORD=", words.size() - 1,
                  "; _frontier; echo \"${COMPREPLY[*]}\"' 2>&1");
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::string output;
  char buffer[4096];
  while (size_t n = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  pclose(pipe);
  return std::string(absl::StripAsciiWhitespace(output));
}

TEST_F(AppTest, BashCompletes) {
  const std::string script = WriteTemporary("completion.bash", Run({"completion", "bash"}).out);
  EXPECT_EQ(Complete(script, {"frontier", "su"}), "submit");
  EXPECT_EQ(Complete(script, {"frontier", "w"}), "watch weights workers");
  EXPECT_EQ(Complete(script, {"frontier", "--color", "a"}), "auto always");
  EXPECT_EQ(Complete(script, {"frontier", "trials", "1", "--state", "s"}), "succeeded stopped");
  EXPECT_EQ(Complete(script, {"frontier", "submit", "--val"}), "--validate_only");
  EXPECT_EQ(Complete(script, {"frontier", "submit", "--col"}), "--color");
  EXPECT_EQ(Complete(script, {"frontier", "completion", "z"}), "zsh");
  const std::string file = GoodFile();
  EXPECT_EQ(Complete(script, {"frontier", "submit", file.substr(0, file.size() - 3)}), file);
  EXPECT_EQ(Complete(script, {"frontier", "status", "--coordinator", "x"}), "");
  EXPECT_EQ(Complete(script, {"frontier", "arch", "d"}), "diff");
  EXPECT_EQ(Complete(script, {"frontier", "arch", "show", "--d"}), "--dot");
  EXPECT_EQ(Complete(script, {"frontier", "arch", "show", file.substr(0, file.size() - 3)}), file);
  EXPECT_EQ(Complete(script, {"frontier", "show", "--d"}), "");
}

TEST_F(AppTest, CompletionCoversTheWholeTree) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = Run({"completion", shell}).out;
    ExpectGolden(absl::StrCat("cli/completion.", shell), script);
    EXPECT_THAT(script, AllOf(HasSubstr("validate_only"), HasSubstr("succeeded"),
                              HasSubstr("always"), HasSubstr("weights")));
  }
}

TEST_F(AppTest, ExamplesAreFine) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FRONTIER_EXAMPLES_DIR)) {
    const Outcome outcome = Run({"submit", entry.path().string(), "--validate_only"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    ++examples;
  }
  EXPECT_GE(examples, 1);
}

}  // namespace
}  // namespace frontier::cli
