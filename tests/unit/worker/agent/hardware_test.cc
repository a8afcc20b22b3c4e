#include "worker/agent/hardware.h"

#include "common/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::frontier::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A machine as the kernel shows it, in a folder.
class HardwareTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write("proc/cpuinfo",
          "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz\n"
          "flags\t\t: fpu sse4_2 avx avx2 fma hypervisor\n\n"
          "processor\t: 1\nmodel name\t: Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz\n"
          "flags\t\t: fpu sse4_2 avx avx2 fma hypervisor\n");
    Write("proc/meminfo", "MemTotal:       16384000 kB\nMemFree:         1000 kB\n");
    Write("proc/self/status", "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n");
    Write("proc/sys/kernel/osrelease", "6.1.0-28-amd64\n");
    Write("sys/devices/system/cpu/online", "0-15\n");
    Write("etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  }

  void Write(const std::string& name, absl::string_view content) {
    const std::string path = folder_.path() + "/" + name;
    ASSERT_OK(MakeDirectories(path.substr(0, path.rfind('/'))));
    ASSERT_OK(WriteFileAtomically(path, content));
  }

  HardwarePaths Paths() const {
    return {folder_.path() + "/proc", folder_.path() + "/sys", folder_.path() + "/etc/os-release"};
  }

  v1::Hardware Detect() {
    absl::StatusOr<v1::Hardware> hardware = DetectHardware(Paths());
    EXPECT_OK(hardware);
    return hardware.ok() ? *hardware : v1::Hardware();
  }

  TempFolder folder_;
};

TEST_F(HardwareTest, ReadsAnX86Machine) {
  const v1::Hardware hardware = Detect();
  EXPECT_EQ(hardware.cpu_model(), "Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz");
  EXPECT_THAT(hardware.isa_features(), ElementsAre("avx", "avx2", "fma", "sse4_2"));
  EXPECT_EQ(hardware.cores(), 8);
  EXPECT_EQ(hardware.memory_bytes(), int64_t{16384000} * 1024);
  EXPECT_EQ(hardware.os(), "Debian GNU/Linux 12 (bookworm), Linux 6.1.0-28-amd64");
  EXPECT_THAT(hardware.hardware_class(), StartsWith("intel-xeon-e5-2620-v3-2.40ghz-"));
  EXPECT_EQ(OnlineCores(Paths()), 16);
}

TEST_F(HardwareTest, ReadsAnArmMachineWithTwoKindsOfCore) {
  Write("proc/cpuinfo",
        "processor\t: 0\nFeatures\t: fp asimd asimddp\nCPU implementer\t: 0x41\n"
        "CPU part\t: 0xd05\n\nprocessor\t: 1\nFeatures\t: fp asimd asimddp\n"
        "CPU implementer\t: 0x41\nCPU part\t: 0xd0b\n");
  const v1::Hardware hardware = Detect();
  EXPECT_EQ(hardware.cpu_model(), "ARM Cortex-A55 + ARM Cortex-A76");
  EXPECT_THAT(hardware.isa_features(), ElementsAre("asimd", "asimddp"));
}

TEST_F(HardwareTest, NamesAnUnknownArmCoreByItsNumbers) {
  Write("proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x61\nCPU part\t: 0x022\n");
  EXPECT_EQ(Detect().cpu_model(), "arm64 implementer 0x61 part 0x022");
}

TEST_F(HardwareTest, ClassDependsOnModelAndFeaturesOnly) {
  const std::string before = Detect().hardware_class();
  Write("proc/meminfo", "MemTotal:       1000 kB\n");
  Write("proc/self/status", "Cpus_allowed_list:\t0\n");
  EXPECT_EQ(Detect().hardware_class(), before);
  Write("proc/cpuinfo",
        "model name\t: Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz\nflags\t\t: sse4_2 avx\n");
  EXPECT_NE(Detect().hardware_class(), before);
}

TEST_F(HardwareTest, UnifiedControlGroupsLimitCoresAndMemoryAncestorsIncluded) {
  Write("proc/self/cgroup", "0::/system.slice/frontier.service\n");
  Write("sys/fs/cgroup/system.slice/frontier.service/cpu.max", "max 100000\n");
  Write("sys/fs/cgroup/system.slice/cpu.max", "250000 100000\n");
  Write("sys/fs/cgroup/system.slice/frontier.service/memory.max", "1073741824\n");
  Write("sys/fs/cgroup/system.slice/memory.max", "max\n");
  const v1::Hardware hardware = Detect();
  EXPECT_EQ(hardware.cores(), 2);
  EXPECT_EQ(hardware.memory_bytes(), int64_t{1} << 30);
}

TEST_F(HardwareTest, AFractionOfACoreIsOneCore) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(Detect().cores(), 1);
}

TEST_F(HardwareTest, ControllerHierarchiesOfVersionOneAreRead) {
  Write("proc/self/cgroup", "4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n");
  Write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "300000\n");
  Write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
  Write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "536870912\n");
  const v1::Hardware hardware = Detect();
  EXPECT_EQ(hardware.cores(), 3);
  EXPECT_EQ(hardware.memory_bytes(), 536870912);
}

TEST_F(HardwareTest, ALimitAboveTheMachineIsNone) {
  Write("proc/self/cgroup", "4:memory:/\n1:cpu:/\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const v1::Hardware hardware = Detect();
  EXPECT_EQ(hardware.cores(), 8);
  EXPECT_EQ(hardware.memory_bytes(), int64_t{16384000} * 1024);
}

TEST_F(HardwareTest, SaysWhatCannotBeRead) {
  Write("proc/meminfo", "garbage\n");
  EXPECT_THAT(DetectHardware(Paths()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("meminfo' has no MemTotal")));
  HardwarePaths nowhere = Paths();
  nowhere.proc_root = folder_.path() + "/absent";
  EXPECT_THAT(DetectHardware(nowhere),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("absent/cpuinfo")));
}

TEST_F(HardwareTest, UnknownProcessorSaysSo) {
  Write("proc/cpuinfo", "processor\t: 0\n");
  EXPECT_EQ(Detect().cpu_model(), "unknown processor");
}

TEST(CpuListTest, CountsRangesAndSingles) {
  EXPECT_EQ(CountCpuList("0"), 1);
  EXPECT_EQ(CountCpuList("0-3,8,10-11\n"), 7);
  EXPECT_EQ(CountCpuList(""), 0);
  EXPECT_EQ(CountCpuList("3-1"), 0);
  EXPECT_EQ(CountCpuList("a"), 0);
  EXPECT_EQ(CountCpuList("0-1-2"), 0);
}

TEST(HardwareOfThisMachineTest, CanBeDetected) {
  ASSERT_OK_AND_ASSIGN(const v1::Hardware hardware, DetectHardware({}));
  EXPECT_GE(hardware.cores(), 1);
  EXPECT_GT(hardware.memory_bytes(), 0);
  EXPECT_FALSE(hardware.cpu_model().empty());
}

}  // namespace
}  // namespace frontier::worker
