// Architecture files from the corpus, seeded mutations of them, and random and damaged messages,
// through the parser and all that follows from a graph.
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "common/architecture/architecture_argument.h"
#include "common/architecture/canonical.h"
#include "common/architecture/difference.h"
#include "common/architecture/graph.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "coordinator/cli/render/architecture_view.h"
#include "gtest/gtest.h"
#include "tests/support/message_mutator.h"
#include "tests/support/random_architecture.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

constexpr int kTextMutations = 8000;
constexpr int kMessageMutations = 3000;

uint64_t Seed() {
  uint64_t seed = 20260303;
  if (const char* given = std::getenv("FRONTIER_FUZZ_SEED")) {
    EXPECT_TRUE(absl::SimpleAtoi(given, &seed)) << given;
  }
  std::cout << "seed " << seed << " (FRONTIER_FUZZ_SEED)\n";
  return seed;
}

// By file name.
std::map<std::string, std::string> ReadCorpus() {
  std::map<std::string, std::string> corpus;
  for (const auto& entry : std::filesystem::directory_iterator(FRONTIER_CORPUS_DIR)) {
    corpus[entry.path().filename().string()] = ReadFile(entry.path().string()).value();
  }
  return corpus;
}

std::string Json(const v1::Architecture& architecture) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(architecture, &json, options).ok());
  return json;
}

// Of an architecture that AnalyzeGraph accepts.
void CheckValid(const v1::Architecture& architecture) {
  const absl::StatusOr<std::string> hash = CanonicalHash(architecture);
  ASSERT_TRUE(hash.ok() || absl::IsResourceExhausted(hash.status())) << hash.status();
  ASSERT_OK_AND_ASSIGN(const v1::Architecture again, ParseArchitecture(Json(architecture)));
  if (hash.ok()) {
    EXPECT_EQ(CanonicalHash(again).value_or(""), *hash);
  }
  EXPECT_EQ(again.SerializeAsString(), architecture.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const ArchitectureDifference difference,
                       CompareArchitectures(architecture, again));
  EXPECT_TRUE(difference.only_a.empty() && difference.only_b.empty());
  const std::string table = cli::RenderNamedArchitecture(cli::Look(), "fuzzed", architecture);
  ASSERT_OK_AND_ASSIGN(const std::string dot, cli::ArchitectureDot(architecture));
  for (const std::string& text : {table, dot}) {
    for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  }
}

// Whatever comes in: an architecture, or words about what is wrong.
bool Check(const std::string& bytes) {
  const absl::StatusOr<v1::Architecture> architecture = ParseArchitecture(bytes);
  if (!architecture.ok()) {
    EXPECT_TRUE(absl::IsInvalidArgument(architecture.status())) << architecture.status();
    EXPECT_FALSE(architecture.status().message().empty());
    return false;
  }
  CheckValid(*architecture);
  return true;
}

TEST(ArchitectureFuzzTest, Corpus) {
  const google::protobuf::LogSilencer silencer;  // of complaints about text that is not UTF-8
  const std::map<std::string, std::string> corpus = ReadCorpus();
  ASSERT_GE(corpus.size(), 20u);
  for (const auto& [name, bytes] : corpus) {
    SCOPED_TRACE(name);
    EXPECT_EQ(Check(bytes), absl::StartsWith(name, "good_"));
  }
}

// Of one of the `good`, mostly, or of any.
std::string Mutate(const std::vector<std::string>& good, const std::vector<std::string>& all,
                   Rng* rng) {
  static const char* const kPieces[] = {
      "{",  "}",  "[",    "]",     "\"",  ":",    ",",          "-1",          "0",
      "1",  "64", "1e99", "nan",   "inf", "null", "2147483647", "2147483648",  "nodes",
      "op", " ",  "\n",   "input", "\\u", "\x80", "\xf0\x9f",   "OPERATOR_ADD"};
  const std::vector<std::string>& corpus = rng->Uniform(4) == 0 ? all : good;
  std::string text = corpus[rng->Uniform(corpus.size())];
  for (uint64_t n = 1 + rng->Uniform(3); n > 0; --n) {
    const size_t at = rng->Uniform(text.size() + 1);
    const size_t length = std::min<size_t>(rng->Uniform(24), text.size() - at);
    switch (rng->Uniform(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, kPieces[rng->Uniform(std::size(kPieces))]);
        break;
      case 2:
        text.insert(rng->Uniform(text.size() + 1), text.substr(at, length));
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(rng->Uniform(256));
        break;
      default:
        // A number for another one: the text stays what it is.
        for (size_t i = at; i < text.size(); ++i) {
          if (text[i] < '0' || text[i] > '9') continue;
          text[i] = static_cast<char>('0' + rng->Uniform(10));
          break;
        }
    }
  }
  return text;
}

TEST(ArchitectureFuzzTest, MutatedFiles) {
  const google::protobuf::LogSilencer silencer;
  std::vector<std::string> good, all;
  for (const auto& [name, bytes] : ReadCorpus()) {
    all.push_back(bytes);
    if (absl::StartsWith(name, "good_")) good.push_back(bytes);
  }
  const uint64_t seed = Seed();
  Rng rng(seed);
  int accepted = 0;
  for (int i = 0; i < kTextMutations; ++i) {
    const std::string bytes = Mutate(good, all, &rng);
    accepted += Check(bytes);
    if (HasFailure()) FAIL() << "at mutation " << i << " of seed " << seed << ":\n" << bytes;
  }
  // Neither all nor none, or the mutations are too weak or too strong.
  EXPECT_GT(accepted, kTextMutations / 50);
  EXPECT_LT(accepted, kTextMutations / 2);
}

TEST(ArchitectureFuzzTest, RandomArchitecturesSurviveJson) {
  const uint64_t seed = Seed();
  Rng rng(seed);
  for (int i = 0; i < 300; ++i) {
    const v1::Architecture architecture = testing::RandomArchitecture(
        static_cast<int>(rng.Uniform(30)), &rng, testing::OperatorSet::kAll);
    CheckValid(architecture);
    if (HasFailure()) FAIL() << "at network " << i << " of seed " << seed;
  }
}

TEST(ArchitectureFuzzTest, DamagedMessages) {
  const google::protobuf::LogSilencer silencer;
  const uint64_t seed = Seed();
  Rng rng(seed);
  int accepted = 0;
  for (int i = 0; i < kMessageMutations; ++i) {
    v1::Architecture architecture = testing::RandomArchitecture(
        static_cast<int>(1 + rng.Uniform(12)), &rng, testing::OperatorSet::kAll);
    const v1::Architecture whole = architecture;
    for (uint64_t n = 1 + rng.Uniform(3); n > 0; --n) testing::MutateMessage(&architecture, &rng);
    const absl::Status status = AnalyzeGraph(architecture).status();
    EXPECT_EQ(CompareArchitectures(whole, architecture).ok(), status.ok());
    if (status.ok()) {
      ++accepted;
      EXPECT_TRUE(CanonicalHash(architecture).ok());
    } else {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_FALSE(CanonicalHash(architecture).ok());
    }
    // Views show what is there, valid or not.
    EXPECT_FALSE(cli::RenderArchitecture(cli::Look(), architecture).empty());
    if (HasFailure()) {
      FAIL() << "at message " << i << " of seed " << seed << ": " << architecture.DebugString();
    }
  }
  EXPECT_GT(accepted, kMessageMutations / 50);
}

}  // namespace
}  // namespace frontier
