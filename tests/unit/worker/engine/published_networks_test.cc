// The published networks at small inputs. The large ones are in tests/integration/networks.
#include <algorithm>
#include <string>

#include "common/architecture/reference.h"
#include "gtest/gtest.h"
#include "tests/support/one_training_step.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/engine/engine_cases.h"

namespace frontier::worker {
namespace {

class PublishedNetworkTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Light, PublishedNetworkTest,
                         ::testing::Values("mnasnet-b1", "mobilenetv2", "mobilenetv3-small",
                                           "proxylessnas-mobile", "shufflenetv2-x1.0",
                                           "squeezenet-1.0", "squeezenet-1.1"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

// Images, and a signal.
TEST_P(PublishedNetworkTest, TrainsAtSmallInputs) {
  for (const v1::Shape& shape :
       {MakeShape(1, 28, 28), MakeShape(3, 32, 32), MakeShape(4, 1, 128)}) {
    ASSERT_OK_AND_ASSIGN(const v1::Architecture network,
                         ReferenceArchitecture(GetParam(), shape, 10));
    testing::ExpectTrainsAndExports(network, 4);
  }
}

}  // namespace
}  // namespace frontier::worker
