#include "worker/agent/cpu_sets.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DivideCpusTest : public ::testing::Test {
 protected:
  void AddCpu(int cpu, int package, int core) {
    const std::string topology =
        absl::StrCat(root_.path(), "/devices/system/cpu/cpu", cpu, "/topology");
    ASSERT_OK(MakeDirectories(topology));
    ASSERT_OK(WriteFileAtomically(topology + "/core_id", absl::StrCat(core, "\n")));
    ASSERT_OK(WriteFileAtomically(topology + "/physical_package_id", absl::StrCat(package, "\n")));
  }
  std::vector<std::vector<int>> Divide(const std::vector<int>& cpus, int slots) {
    return DivideCpus(cpus, slots, root_.path());
  }

  TempFolder root_;
};

TEST_F(DivideCpusTest, ThreadsOfACoreStayTogether) {
  for (int cpu = 0; cpu < 8; ++cpu) AddCpu(cpu, /*package=*/0, /*core=*/cpu % 4);
  EXPECT_THAT(Divide({0, 1, 2, 3, 4, 5, 6, 7}, 2),
              ElementsAre(ElementsAre(0, 4, 1, 5), ElementsAre(2, 6, 3, 7)));
  EXPECT_THAT(
      Divide({0, 1, 2, 3, 4, 5, 6, 7}, 4),
      ElementsAre(ElementsAre(0, 4), ElementsAre(1, 5), ElementsAre(2, 6), ElementsAre(3, 7)));
  // Of core 2 one thread is allowed.
  EXPECT_THAT(Divide({0, 2, 4}, 2), ElementsAre(ElementsAre(0, 4), ElementsAre(2)));
}

TEST_F(DivideCpusTest, PackagesStayTogether) {
  for (int cpu = 0; cpu < 4; ++cpu) AddCpu(cpu, /*package=*/cpu % 2, /*core=*/cpu / 2);
  EXPECT_THAT(Divide({0, 1, 2, 3}, 2), ElementsAre(ElementsAre(0, 2), ElementsAre(1, 3)));
}

TEST_F(DivideCpusTest, MoreSlotsThanCoresShareCoresButNoCpu) {
  for (int cpu = 0; cpu < 4; ++cpu) AddCpu(cpu, /*package=*/0, /*core=*/cpu / 2);
  EXPECT_THAT(Divide({0, 1, 2, 3}, 4),
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2), ElementsAre(3)));
  EXPECT_THAT(Divide({0, 1, 2, 3}, 3),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2), ElementsAre(3)));
}

TEST_F(DivideCpusTest, MoreSlotsThanCpusAreNotBound) {
  EXPECT_THAT(Divide({0, 1}, 3), ElementsAre(IsEmpty(), IsEmpty(), IsEmpty()));
}

TEST_F(DivideCpusTest, WithoutATopologyEachCpuIsACore) {
  EXPECT_THAT(Divide({3, 5, 9}, 2), ElementsAre(ElementsAre(3, 5), ElementsAre(9)));
}

TEST(ThreadAffinityTest, HoldsWhileItExists) {
  const std::vector<int> before = AllowedCpus();
  ASSERT_FALSE(before.empty());
  {
    const ThreadAffinity affinity({before.back()});
    EXPECT_THAT(AllowedCpus(), ElementsAre(before.back()));
  }
  EXPECT_EQ(AllowedCpus(), before);
  {
    const ThreadAffinity none({});
    const ThreadAffinity impossible({60000});
    EXPECT_EQ(AllowedCpus(), before);
  }
  EXPECT_EQ(AllowedCpus(), before);
}

}  // namespace
}  // namespace frontier::worker
