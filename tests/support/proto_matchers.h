// GoogleTest matchers for protobuf messages.
#ifndef FRONTIER_TESTS_SUPPORT_PROTO_MATCHERS_H_
#define FRONTIER_TESTS_SUPPORT_PROTO_MATCHERS_H_

#include <google/protobuf/util/message_differencer.h>

#include <string>

#include "gmock/gmock.h"

namespace frontier::testing {

MATCHER_P(EqualsProto, expected, expected.ShortDebugString()) {
  std::string differences;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  const bool equal = differencer.Compare(expected, arg);
  *result_listener << differences;
  return equal;
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_PROTO_MATCHERS_H_
