#include "worker/profile/training_profile.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <set>

#include "common/architecture/architecture_argument.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

// Each look at the time takes a millisecond.
class TickingClock final : public Clock {
 public:
  absl::Time Now() override { return absl::UnixEpoch() + Elapsed(); }
  absl::Duration Elapsed() override { return absl::Milliseconds(ticks_++); }

 private:
  int64_t ticks_ = 0;
};

ProfileOptions Small() {
  ProfileOptions options;
  options.batch = 4;
  options.steps = 3;
  options.precision = Precision::kF32;
  return options;
}

TEST(IdentifyStepTest, ReadsLabels) {
  v1::Architecture a = FindArchitecture("resnet20", "", 0).value();
  struct Case {
    const char* label;
    int node;
    StepKind kind;
    const char* pass;
    bool product;
  };
  for (const Case& c : {
           Case{"node 1 stem", 1, StepKind::kConvolution, "forward", true},
           Case{"node 1 stem.backward.weights", 1, StepKind::kConvolution, "backward.weights",
                true},
           Case{"node 4 stage1.block0.conv1.backward.data", 4, StepKind::kConvolution,
                "backward.data", true},
           Case{"node 4 stage1.block0.conv1.reorder", 4, StepKind::kReorder, "forward", false},
           Case{"node 1 stem.gradient.reorder", 1, StepKind::kReorder, "backward", false},
           Case{"node 2 stem.norm", 2, StepKind::kNorm, "forward", false},
           Case{"node 2 stem.norm.statistics", 2, StepKind::kNorm, "forward", false},
           Case{"node 2 stem.norm.backward", 2, StepKind::kNorm, "backward", false},
           Case{"node 3 stem.relu", 3, StepKind::kElementwise, "forward", false},
           Case{"node 3 stem.relu.gradient.sum", 3, StepKind::kElementwise, "backward", false},
           Case{"loss", -1, StepKind::kLoss, "forward", false},
           Case{"logits.reorder", -1, StepKind::kReorder, "forward", false},
           Case{"node 999 gone", -1, StepKind::kOther, "forward", false},
           Case{"node ", -1, StepKind::kOther, "forward", false},
           Case{"", -1, StepKind::kOther, "forward", false},
       }) {
    SCOPED_TRACE(c.label);
    const StepIdentity identity = IdentifyStep(a, c.label);
    EXPECT_EQ(identity.node, c.node);
    EXPECT_EQ(identity.kind, c.kind) << StepKindName(identity.kind);
    EXPECT_EQ(identity.pass, c.pass);
    EXPECT_EQ(identity.product, c.product);
  }
  // A name may look like a suffix, or be missing.
  a.mutable_nodes(1)->set_name("a.backward.weights");
  EXPECT_EQ(IdentifyStep(a, "node 1 a.backward.weights").pass, "forward");
  a.mutable_nodes(1)->clear_name();
  EXPECT_EQ(IdentifyStep(a, "node 1.backward.data").pass, "backward.data");
}

TEST(TrainingProfileTest, CoversAllPasses) {
  const v1::Architecture network = FindArchitecture("resnet20", "1x8x8", 0).value();
  TickingClock clock;
  ASSERT_OK_AND_ASSIGN(const TrainingProfile profile, ProfileTraining(network, Small(), &clock));
  std::set<std::string> passes;
  double sum = 0;
  for (const ProfiledStep& step : profile.steps) {
    EXPECT_GT(step.milliseconds, 0) << step.label;
    EXPECT_NE(step.identity.kind, StepKind::kOther) << step.label;
    if (step.identity.product) {
      EXPECT_GT(step.gflops, 0) << step.label;
      passes.insert(step.identity.pass);
    }
    sum += step.milliseconds;
  }
  EXPECT_EQ(passes, (std::set<std::string>{"backward.data", "backward.weights", "forward"}));
  double kinds = 0;
  for (const auto& [kind, ms] : profile.sums) kinds += ms;
  EXPECT_NEAR(kinds - profile.sums.at(StepKind::kOptimizer), sum, 1e-9 * sum);
  EXPECT_GT(profile.memory_bytes, 0);
  EXPECT_GT(profile.images_per_second, 0);
  EXPECT_EQ(profile.precision, Precision::kF32);

  const std::string table = ProfileTable(profile);
  EXPECT_THAT(table, HasSubstr("stem.backward.weights"));
  EXPECT_THAT(table, HasSubstr("images/s with 1 thread, batch 4 of 1x8x8, f32"));
}

TEST(TrainingProfileTest, JsonIsWellFormed) {
  v1::Architecture network = FindArchitecture("small-cnn", "1x6x5", 3).value();
  network.mutable_nodes(1)->set_name("a \"quoted\\\n name");
  TickingClock clock;
  ASSERT_OK_AND_ASSIGN(TrainingProfile profile, ProfileTraining(network, Small(), &clock));
  profile.picks["key \"1\""] = "name";
  google::protobuf::Struct json;
  const std::string text = ProfileJson(profile);
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text, &json).ok()) << text;
  EXPECT_EQ(json.fields().at("batch").number_value(), 4);
  EXPECT_EQ(json.fields().at("steps").list_value().values_size(),
            static_cast<int>(profile.steps.size()));
  EXPECT_EQ(json.fields().at("picks").struct_value().fields().at("key \"1\"").string_value(),
            "name");
}

TEST(TrainingProfileTest, RefusesWhatCannotBeTrained) {
  const v1::Architecture network = FindArchitecture("small-cnn", "1x6x5", 3).value();
  TickingClock clock;
  ProfileOptions options = Small();
  options.steps = 0;
  EXPECT_THAT(ProfileTraining(network, options, &clock),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 steps")));
  options = Small();
  options.batch = 0;
  EXPECT_THAT(ProfileTraining(network, options, &clock),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("batch")));
}

}  // namespace
}  // namespace frontier::worker
