#include "worker/trial/inherited_model.h"

#include <filesystem>
#include <string>

#include "common/architecture/compression.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/idx_files.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/trial/trial_cases.h"
#include "worker/trial/rerun.h"
#include "worker/trial/trial_process.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::IdxFolder;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

v1::TrialProcessUpdate LastUpdate(const v1::TrialProcessInput& input) {
  SystemClock clock;
  v1::TrialProcessUpdate last;
  RunTrial(input, &clock, [&last](const v1::TrialProcessUpdate& update) { last = update; });
  return last;
}

// A trained parent, and the task of a child with five of its eight channels.
class InheritedModelTest : public ::testing::Test {
 protected:
  InheritedModelTest() {
    WriteStripes(folder_);
    v1::TrialProcessInput parent = StripesTask(folder_);
    parent.set_weights_path(folder_.File("parent"));
    parent_ = LastUpdate(parent).result();
    child_ = StripesTask(folder_);
    child_.set_weights_path(folder_.File("child"));
    child_.set_parent_path(folder_.File("parent"));
    v1::TrialTask* task = child_.mutable_task();
    v1::Inheritance* inheritance = task->mutable_inheritance();
    inheritance->set_job_id(3);
    inheritance->set_trial(17);
    inheritance->set_weights_sha256(parent_.weights_sha256());
    inheritance->mutable_compression()->add_widths()->set_share(0.6);
    const Compressor compressor = Compressor::Create(task->architecture()).value();
    *task->mutable_architecture() =
        compressor.Compress(inheritance->compression()).value().architecture;
    task->mutable_training()->set_epochs(1);
    // So slow that what is learnt here does not count.
    task->mutable_training()->set_learning_rate(1e-7);
  }

  void ExpectFailure(v1::FailureCause cause, const std::string& message) {
    const v1::TrialProcessUpdate end = LastUpdate(child_);
    EXPECT_EQ(v1::FailureCause_Name(end.failure().cause()), v1::FailureCause_Name(cause));
    EXPECT_THAT(end.failure().message(), HasSubstr(message));
  }

  v1::Inheritance* inheritance() { return child_.mutable_task()->mutable_inheritance(); }

  IdxFolder folder_;
  v1::TrialResult parent_;
  v1::TrialProcessInput child_;
};

TEST_F(InheritedModelTest, ATrialBeginsWhereItsParentEnded) {
  const v1::TrialProcessUpdate heir = LastUpdate(child_);
  ASSERT_TRUE(heir.has_result()) << heir.ShortDebugString();
  // Without inheritance it guesses.
  child_.mutable_task()->clear_inheritance();
  const v1::TrialProcessUpdate stranger = LastUpdate(child_);
  ASSERT_TRUE(stranger.has_result()) << stranger.ShortDebugString();
  EXPECT_GT(heir.result().epochs(0).train_accuracy(), 0.8);
  EXPECT_LT(stranger.result().epochs(0).train_accuracy(), 0.6);
}

TEST_F(InheritedModelTest, TheSameTaskGivesTheSameWeights) {
  const v1::TrialProcessUpdate first = LastUpdate(child_);
  const v1::TrialProcessUpdate second = LastUpdate(child_);
  ASSERT_TRUE(first.has_result()) << first.ShortDebugString();
  EXPECT_EQ(first.result().weights_sha256(), second.result().weights_sha256());
}

TEST_F(InheritedModelTest, FiguresAreThoseOfThePrecisionThatIsSearched) {
  child_.mutable_task()->set_inference_precision(v1::INFERENCE_PRECISION_INT8);
  const v1::TrialProcessUpdate end = LastUpdate(child_);
  ASSERT_TRUE(end.has_result()) << end.ShortDebugString();
  ASSERT_EQ(end.result().precisions_size(), 3);
  const v1::PrecisionResult& int8 = end.result().precisions(2);
  ASSERT_EQ(int8.precision(), "int8");
  ASSERT_EQ(int8.reason(), "");
  for (const v1::Measurement& measurement : end.result().measurements()) {
    if (measurement.metric() == v1::METRIC_ACCURACY) {
      EXPECT_EQ(measurement.value(), int8.accuracy().value());
      EXPECT_THAT(measurement.method(), ::testing::EndsWith(", int8"));
    } else if (measurement.metric() == v1::METRIC_LATENCY_MS) {
      EXPECT_EQ(measurement.value(), int8.latency().value());
      EXPECT_EQ(measurement.hardware_class(), "test-class");
    }
  }
}

TEST_F(InheritedModelTest, SaysWhatIsWrongWithTheParent) {
  child_.clear_parent_path();
  ExpectFailure(v1::FAILURE_CAUSE_INTERNAL,
                "weights of job 3 trial 17 are inherited, and there is no file of them");
  child_.set_parent_path(folder_.File("nothing"));
  ExpectFailure(v1::FAILURE_CAUSE_INTERNAL, "nothing");
  ASSERT_OK(WriteFileAtomically(folder_.File("other"), "other"));
  child_.set_parent_path(folder_.File("other"));
  ExpectFailure(v1::FAILURE_CAUSE_INTERNAL, "has digest");
}

TEST_F(InheritedModelTest, ACompressionThatDoesNotLeadToItIsInvalid) {
  inheritance()->mutable_compression()->mutable_widths(0)->set_share(0.5);
  ExpectFailure(v1::FAILURE_CAUSE_INVALID,
                "inheritance.compression: leads from job 3 trial 17 to another architecture");
  inheritance()->mutable_compression()->mutable_widths(0)->set_group(9);
  ExpectFailure(v1::FAILURE_CAUSE_INVALID,
                "inheritance.compression.widths[0].group: 9 is none of the 1 channel groups");
}

TEST(RerunTest, AsksForTheWeightsThatATrialInherits) {
  v1::GetTrialResponse recorded;
  v1::Inheritance* inheritance = recorded.mutable_task()->mutable_inheritance();
  inheritance->set_job_id(3);
  inheritance->set_trial(17);
  SystemClock clock;
  EXPECT_THAT(RerunTrial(recorded, RerunOptions(), &clock),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("frontier weights 3 17 writes as --parent")));
}

}  // namespace
}  // namespace frontier::worker
