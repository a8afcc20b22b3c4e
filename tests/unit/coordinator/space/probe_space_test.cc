#include "coordinator/space/probe_space.h"

#include <memory>
#include <string>

#include "coordinator/space/space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/space_laws.h"
#include "tests/support/spaces.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::ExpectSpaceLaws;
using ::frontier::testing::FiveByFiveSpace;
using ::frontier::testing::MakeShape;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

v1::SearchSpace SpaceOfProbes(int count) {
  const std::unique_ptr<Space> staged =
      CreateSpace(FiveByFiveSpace(), MakeShape(1, 8, 8), 10).value();
  v1::SearchSpace spec;
  v1::Composition* composition = spec.mutable_auto_()->mutable_composition();
  composition->set_probing(true);
  v1::Genotype genotype = staged->First();
  for (int i = 0; i < count; ++i) {
    *composition->add_probes() = staged->Lower(genotype).value();
    staged->Advance(&genotype);
  }
  return spec;
}

TEST(ProbeSpaceTest, HoldsTheNetworksInTheirOrder) {
  const v1::SearchSpace spec = SpaceOfProbes(3);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Space> space,
                       CreateSpace(spec, MakeShape(1, 8, 8), 10));
  EXPECT_EQ(space->Size(), "3");
  v1::Genotype genotype = space->First();
  for (const v1::Architecture& probe : spec.auto_().composition().probes()) {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture lowered, space->Lower(genotype));
    EXPECT_EQ(lowered.SerializeAsString(), probe.SerializeAsString());
    space->Advance(&genotype);
  }
  EXPECT_EQ(space->Summarize(space->First()), "probe 1 of 3");
}

TEST(ProbeSpaceTest, KeepsTheLaws) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Space> space,
                       CreateSpace(SpaceOfProbes(4), MakeShape(1, 8, 8), 10));
  ExpectSpaceLaws(*space, 3, 20);
}

TEST(ProbeSpaceTest, HyperparametersWaitForTheSpace) {
  v1::SearchSpace spec = SpaceOfProbes(2);
  v1::Hyperparameter* rate = spec.add_hyperparameters();
  rate->set_name("learning_rate");
  rate->mutable_categorical()->add_values("0.1");
  rate->mutable_categorical()->add_values("0.2");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Space> probes,
                       CreateSpace(spec, MakeShape(1, 8, 8), 10));
  EXPECT_EQ(probes->Size(), "2");
  v1::Composition* composition = spec.mutable_auto_()->mutable_composition();
  composition->Clear();
  *composition->mutable_space() = FiveByFiveSpace().staged();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Space> composed,
                       CreateSpace(spec, MakeShape(1, 8, 8), 10));
  EXPECT_EQ(composed->Size(), "50");
}

TEST(ProbeSpaceTest, RefusesAndNamesWhatIsWrong) {
  v1::SearchSpace none;
  none.mutable_auto_();
  EXPECT_THAT(CreateSpace(none, MakeShape(1, 8, 8), 10),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("auto.composition.space: is not composed")));
  EXPECT_THAT(
      CreateSpace(SpaceOfProbes(0), MakeShape(1, 8, 8), 10),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("auto.composition.probes: empty")));
  EXPECT_THAT(CreateSpace(SpaceOfProbes(2), MakeShape(1, 8, 9), 10),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("auto.composition.probes[0].input: takes 1x8x8")));
  v1::SearchSpace broken = SpaceOfProbes(2);
  broken.mutable_auto_()->mutable_composition()->mutable_probes(1)->clear_nodes();
  EXPECT_THAT(
      CreateSpace(broken, MakeShape(1, 8, 8), 10),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("auto.composition.probes[1].nodes")));
}

}  // namespace
}  // namespace frontier::coordinator
