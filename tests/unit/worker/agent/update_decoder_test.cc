#include "worker/agent/update_decoder.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "common/base/random.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "tests/support/status_matchers.h"

namespace frontier::worker {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

std::string Encoded(const std::vector<int>& epochs) {
  std::ostringstream out;
  for (const int epoch : epochs) {
    v1::TrialProcessUpdate update;
    update.mutable_epoch()->set_epoch(epoch);
    google::protobuf::util::SerializeDelimitedToOstream(update, &out);
  }
  return out.str();
}

TEST(UpdateDecoderTest, AnyCutOfTheStreamGivesTheSameUpdates) {
  std::vector<int> epochs;
  for (int i = 1; i <= 300; ++i) epochs.push_back(i);
  const std::string bytes = Encoded(epochs);
  constexpr uint64_t kSeed = 20;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  UpdateDecoder decoder;
  std::vector<int> seen;
  for (size_t at = 0; at < bytes.size();) {
    const size_t n = std::min<size_t>(1 + rng.Uniform(40), bytes.size() - at);
    decoder.Append(absl::string_view(bytes).substr(at, n));
    at += n;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const auto update, decoder.Next());
      if (!update.has_value()) break;
      seen.push_back(update->epoch().epoch());
    }
  }
  EXPECT_EQ(seen, epochs);
  EXPECT_TRUE(decoder.empty());
}

TEST(UpdateDecoderTest, RefusesWhatIsNoUpdate) {
  UpdateDecoder too_long;
  too_long.Append("\xff\xff\xff\xff\x0f");
  EXPECT_THAT(too_long.Next(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("over the limit")));
  UpdateDecoder no_varint;
  no_varint.Append("\xff\xff\xff\xff\xff\xff");
  EXPECT_THAT(no_varint.Next(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no varint")));
  UpdateDecoder empty_update;
  empty_update.Append(absl::string_view("\0", 1));
  EXPECT_THAT(empty_update.Next(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("0 bytes are no update")));
  UpdateDecoder garbage;
  garbage.Append(
      "\x03"
      "abc");
  EXPECT_THAT(garbage.Next(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("3 bytes")));
}

TEST(UpdateDecoderTest, RandomBytesNeverDoHarm) {
  int refused = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    UpdateDecoder decoder;
    for (int i = 0; i < 50; ++i) {
      std::string bytes;
      for (uint64_t n = rng.Uniform(64); n > 0; --n) {
        bytes.push_back(static_cast<char>(rng.Uniform(256)));
      }
      decoder.Append(bytes);
      const auto update = decoder.Next();
      if (update.ok()) continue;
      ++refused;
      break;
    }
  }
  EXPECT_GT(refused, 50) << "chance makes few updates";
}

}  // namespace
}  // namespace frontier::worker
