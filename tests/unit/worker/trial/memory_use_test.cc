#include "worker/trial/memory_use.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kMiB = int64_t{1} << 20;

TEST(MemoryUseTest, ReadsThisProcess) {
  const MemoryUse use = ReadMemoryUse();
  EXPECT_GT(use.resident, 0);
  EXPECT_GT(use.reserved_private, 0);
  EXPECT_LE(use.resident_private, use.resident);
  EXPECT_GE(use.peak_resident, use.resident_private);
}

TEST(MemoryUseTest, RefusesWhatWillNotFitWithBothNumbers) {
  MemoryUse now;
  now.resident_private = 30 * kMiB;
  EXPECT_OK(CheckMemory(now, 70 * kMiB, 100 * kMiB));
  EXPECT_OK(CheckMemory(now, 7000 * kMiB, 0));  // no limit
  EXPECT_THAT(CheckMemory(now, 70 * kMiB + 1, 100 * kMiB),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("training needs 101 MiB"), HasSubstr("limit is 100 MiB"))));
}

TEST(MemoryUseTest, WeightsTakeFourTimesTheirSizeAndNeverOverflow) {
  EXPECT_EQ(WeightBytes(1000), 16000);
  EXPECT_EQ(WeightBytes(std::numeric_limits<int64_t>::max()), int64_t{1} << 60);
}

TEST(MemoryUseTest, ARunTakesBatchesAndCopiesOfTheModel) {
  v1::Model model;
  model.mutable_architecture()->mutable_input()->set_channels(1);
  model.mutable_architecture()->mutable_input()->set_height(10);
  model.mutable_architecture()->mutable_input()->set_width(10);
  model.add_tensors()->set_data(std::string(1000, 'x'));
  const int64_t weights = static_cast<int64_t>(model.ByteSizeLong());
  v1::TrainingRecipe recipe;
  recipe.set_batch_size(8);
  EXPECT_EQ(RunBytes(model, recipe, 4, /*checkpoints=*/false), (3 * 8 + 4) * 400 + weights);
  EXPECT_EQ(RunBytes(model, recipe, 4, /*checkpoints=*/true), (3 * 8 + 4) * 400 + 4 * weights);
  recipe.set_optimizer(v1::OPTIMIZER_ADAMW);
  recipe.set_average_decay(0.9);
  EXPECT_EQ(RunBytes(model, recipe, 4, /*checkpoints=*/true), (3 * 8 + 4) * 400 + 8 * weights);
}

}  // namespace
}  // namespace frontier::worker
