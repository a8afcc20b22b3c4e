// Job files from the corpus, and seeded mutations of them, through the reader.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "coordinator/cli/job_file/job_file.h"
#include "coordinator/cli/render/text.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace frontier::cli {
namespace {

constexpr int kMutations = 4000;

std::vector<std::string> ReadCorpus() {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {FRONTIER_CORPUS_DIR, FRONTIER_EXAMPLES_DIR}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    corpus.push_back(text.str());
  }
  return corpus;
}

// Whatever comes in: an answer, harmless to print, and what is accepted survives being written.
void Check(const std::string& text, const std::vector<Override>& overrides = {}) {
  const JobFile file = ParseJobFile(text, overrides);
  for (const Problem& problem : file.problems) {
    const std::string line = FormatProblem("f", problem);
    ASSERT_EQ(line, Printable(line)) << "of:\n" << text;
    ASSERT_TRUE(problem.position.line >= 1 || !problem.position.flag.empty()) << line;
    ASSERT_LT(line.size(), 2000u) << line;
  }
  ASSERT_GE(file.PositionOf("search_space.staged.stages[1].kernels[0]").column, 0);
  if (!file.problems.empty()) return;
  const std::string written = WriteJobFile(file.spec);
  const JobFile again = ParseJobFile(written, {});
  ASSERT_TRUE(again.problems.empty()) << FormatProblem("written", again.problems[0]) << "\n"
                                      << written << "of:\n"
                                      << text;
  ASSERT_TRUE(google::protobuf::util::MessageDifferencer::Equals(again.spec, file.spec))
      << written << "of:\n"
      << text;
}

std::string Mutate(const std::vector<std::string>& corpus, Rng* rng) {
  static const char* const kPieces[] = {
      "[",         "]",     "{",   "}",    ": ", "- ",    "\n",   "  ",
      "&a ",       "*a",    "? ",  "\"",   "'",  "#",     "|\n",  "<<: ",
      "!!x ",      "---\n", "~",   "-1",   "0",  "1e999", ".inf", "nan",
      "2GiB",      "1h1h",  "<= ", "null", "\t", "\x80",  "\xf0", "9223372036854775808",
      "4294967296"};
  std::string text = corpus[rng->Uniform(corpus.size())];
  const int changes = 1 + static_cast<int>(rng->Uniform(6));
  for (int i = 0; i < changes; ++i) {
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
      case 4: {
        const std::string& other = corpus[rng->Uniform(corpus.size())];
        const size_t from = rng->Uniform(other.size() + 1);
        text.replace(at, length, other.substr(from, rng->Uniform(60)));
        break;
      }
    }
  }
  return text;
}

TEST(JobFileFuzzTest, Corpus) {
  const std::vector<std::string> corpus = ReadCorpus();
  ASSERT_GE(corpus.size(), 9u);
  for (const std::string& text : corpus) Check(text);
}

TEST(JobFileFuzzTest, Mutations) {
  uint64_t seed = 20260101;
  if (const char* given = std::getenv("FRONTIER_FUZZ_SEED")) {
    ASSERT_TRUE(absl::SimpleAtoi(given, &seed)) << given;
  }
  std::cout << "seed " << seed << " (FRONTIER_FUZZ_SEED)\n";
  const std::vector<std::string> corpus = ReadCorpus();
  Rng rng(seed);
  for (int i = 0; i < kMutations; ++i) {
    const std::string text = Mutate(corpus, &rng);
    std::vector<Override> overrides;
    if (rng.Uniform(4) == 0) {
      overrides.push_back({text.substr(rng.Uniform(text.size() + 1), rng.Uniform(30)),
                           text.substr(rng.Uniform(text.size() + 1), rng.Uniform(30)), "--set"});
    }
    Check(text, overrides);
    if (HasFatalFailure()) {
      FAIL() << "at mutation " << i << " of seed " << seed;
    }
  }
}

}  // namespace
}  // namespace frontier::cli
