// Times proposals of a search space: sampling, lowering, validation with costs, canonical hash.
//   frontier-space-bench SPACE SHAPE CLASSES [SEED]
// SPACE is a SearchSpace in protobuf's text format ("nasbench201 {}"), SHAPE such as 3x32x32. For
// each line SECONDS of standard input it works that long (processor time) and answers with a line
// of JSON.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/space/space.h"
#include "google/protobuf/text_format.h"
#include "tests/bench/thread_clock.h"

namespace frontier::coordinator {
namespace {

absl::StatusOr<v1::Shape> ParseShape(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, 'x');
  int extents[3];
  for (size_t i = 0; i < 3; ++i) {
    if (parts.size() != 3 || !absl::SimpleAtoi(parts[i], &extents[i])) {
      return absl::InvalidArgumentError("SHAPE is not of the form 3x32x32");
    }
  }
  v1::Shape shape;
  shape.set_channels(extents[0]);
  shape.set_height(extents[1]);
  shape.set_width(extents[2]);
  return shape;
}

// One proposal; returns the number of its nodes.
absl::StatusOr<int> Propose(const Space& space, Rng* rng) {
  ASSIGN_OR_RETURN(const v1::Architecture architecture, space.Lower(space.Sample(rng)));
  ASSIGN_OR_RETURN(const GraphCosts costs, AnalyzeGraph(architecture));
  RETURN_IF_ERROR(CanonicalHash(architecture, costs).status());
  return architecture.nodes_size();
}

double Quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1))];
}

absl::Status Run(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    return absl::InvalidArgumentError("usage: frontier-space-bench SPACE SHAPE CLASSES [SEED]");
  }
  v1::SearchSpace spec;
  if (!google::protobuf::TextFormat::ParseFromString(argv[1], &spec)) {
    return absl::InvalidArgumentError("SPACE is no SearchSpace in text format");
  }
  ASSIGN_OR_RETURN(const v1::Shape shape, ParseShape(argv[2]));
  int classes = 0;
  uint64_t seed = 1;
  if (!absl::SimpleAtoi(argv[3], &classes)) return absl::InvalidArgumentError("CLASSES: no number");
  if (argc == 5 && !absl::SimpleAtoi(argv[4], &seed)) {
    return absl::InvalidArgumentError("SEED: no number");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Space> space, CreateSpace(spec, shape, classes));
  Rng rng(seed);
  double seconds = 0;
  while (std::cin >> seconds) {
    std::vector<double> microseconds;
    int64_t nodes = 0;
    const double begin = ThreadSeconds();
    for (double before = begin; before - begin < seconds;) {
      ASSIGN_OR_RETURN(const int size, Propose(*space, &rng));
      const double after = ThreadSeconds();
      microseconds.push_back(1e6 * (after - before));
      nodes += size;
      before = after;
    }
    if (microseconds.empty()) return absl::InvalidArgumentError("no time for a single proposal");
    double sum = 0;
    for (const double value : microseconds) sum += value;
    std::sort(microseconds.begin(), microseconds.end());
    const auto count = static_cast<double>(microseconds.size());
    std::printf(
        "{\"proposals\": %zu, \"mean_us\": %.3f, \"median_us\": %.3f, \"p99_us\": %.3f, "
        "\"nodes\": %.1f}\n",
        microseconds.size(), sum / count, Quantile(microseconds, 0.5), Quantile(microseconds, 0.99),
        static_cast<double>(nodes) / count);
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace frontier::coordinator

int main(int argc, char** argv) {
  const absl::Status status = frontier::coordinator::Run(argc, argv);
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << "frontier-space-bench: " << status.message() << "\n";
  return EXIT_FAILURE;
}
