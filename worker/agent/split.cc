#include "worker/agent/split.h"

#include <poll.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "frontier/v1/findings.pb.h"
#include "worker/agent/child_process.h"
#include "worker/agent/cpu_sets.h"

namespace frontier::worker {
namespace {

// Differences below it are noise on most machines.
constexpr double kNoise = 0.03;
constexpr int kMostSlots = 1024;

std::string Describe(const Split& split) {
  return absl::StrCat(split.slots, " x ", split.threads, " thread(s)");
}

// A process with what it has printed so far.
struct Burst {
  std::unique_ptr<ChildProcess> child;
  std::string output, errors;
};

absl::StatusOr<Burst> StartBurst(int slot, const Split& split, const TrainingBurst& order) {
  const ThreadAffinity affinity(order.cpus.empty() ? std::vector<int>()
                                                   : order.cpus[static_cast<size_t>(slot)]);
  Burst burst;
  ASSIGN_OR_RETURN(
      burst.child,
      ChildProcess::Start(
          order.program,
          {"frontier-worker", "measure-training", absl::StrCat("--threads=", split.threads),
           absl::StrCat("--milliseconds=", absl::ToInt64Milliseconds(order.length)),
           absl::StrCat("--picks_path=", order.picks_path),
           absl::StrCat("--hardware_class=", order.hardware_class)},
          // As trials have them.
          {{"OMP_NUM_THREADS", absl::StrCat(split.threads)},
           {"OMP_DYNAMIC", "FALSE"},
           {"GOMP_SPINCOUNT", "20000"}}));
  return burst;
}

// Waits for its end; false if that does not come before `deadline`.
bool Await(Burst* burst, absl::Duration deadline, Clock* clock) {
  absl::string_view nothing;
  burst->child->Feed(&nothing);
  while (true) {
    const bool ended = burst->child->HasEnded();
    burst->child->ReadOutput(&burst->output);
    burst->child->ReadError(&burst->errors);
    if (ended) return true;
    const absl::Duration left = deadline - clock->Elapsed();
    if (left <= absl::ZeroDuration()) return false;
    pollfd items[] = {{burst->child->exit_notice(), POLLIN, 0},
                      {burst->child->output(), POLLIN, 0},
                      {burst->child->error(), POLLIN, 0}};
    poll(items, std::size(items),
         static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(left), 1, 100)));
  }
}

}  // namespace

std::vector<Split> SplitCandidates(int cores, int64_t memory_bytes, int64_t slot_bytes) {
  std::vector<Split> candidates;
  for (const int threads : {1, 2}) {
    const int slots = std::min(cores / threads, kMostSlots);
    if (slots > 1 && slots * slot_bytes <= memory_bytes) candidates.push_back({slots, threads});
  }
  candidates.push_back({1, std::max(1, cores)});
  return candidates;
}

absl::StatusOr<ChosenSplit> ChooseSplit(const std::vector<Split>& candidates, int rounds,
                                        MeasureSplit measure) {
  std::vector<double> best(candidates.size(), 0.0);
  absl::Status last = absl::InvalidArgumentError("there is no split to choose from");
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (best[i] < 0) continue;
      const absl::StatusOr<double> figure = measure(candidates[i]);
      if (figure.ok() && std::isfinite(*figure)) {
        best[i] = std::max(best[i], *figure);
        continue;
      }
      best[i] = -1;
      last = figure.ok() ? absl::InternalError("the figure is not finite") : figure.status();
      LogWarning({},
                 absl::StrCat("cannot measure ", Describe(candidates[i]), ": ", last.message()));
    }
  }
  double most = 0;
  for (const double figure : best) most = std::max(most, figure);
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (best[i] > 0 && best[i] >= (1 - kNoise) * most) return ChosenSplit{candidates[i], best[i]};
  }
  return last;
}

absl::StatusOr<ChosenSplit> ReadSplit(const std::string& path, const SplitConditions& conditions) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  v1::SplitFile file;
  if (!file.ParseFromString(bytes) || file.library() != conditions.library ||
      file.hardware_class() != conditions.hardware_class || file.cores() != conditions.cores ||
      absl::string_view(file.version()) != ProductVersion() || file.slots() < 1 ||
      file.slots() > kMostSlots || file.threads() < 1 || file.threads() > kMostSlots) {
    return absl::NotFoundError(absl::StrCat("'", path, "' has no split for this machine"));
  }
  return ChosenSplit{{file.slots(), file.threads()}, file.images_per_second()};
}

absl::Status WriteSplit(const std::string& path, const SplitConditions& conditions,
                        const ChosenSplit& chosen) {
  v1::SplitFile file;
  file.set_library(conditions.library);
  file.set_hardware_class(conditions.hardware_class);
  file.set_version(std::string(ProductVersion()));
  file.set_cores(conditions.cores);
  file.set_slots(chosen.split.slots);
  file.set_threads(chosen.split.threads);
  file.set_images_per_second(chosen.images_per_second);
  return WriteFileAtomically(path, file.SerializeAsString());
}

absl::StatusOr<double> MeasureByTraining(const Split& split, const TrainingBurst& burst,
                                         Clock* clock) {
  const absl::Duration deadline = clock->Elapsed() + burst.limit;
  std::vector<Burst> bursts;  // killed when dropped
  for (int slot = 0; slot < split.slots; ++slot) {
    ASSIGN_OR_RETURN(Burst started, StartBurst(slot, split, burst));
    bursts.push_back(std::move(started));
  }
  double sum = 0;
  for (size_t i = 0; i < bursts.size(); ++i) {
    const std::string name = absl::StrCat("process ", i + 1, " of ", bursts.size());
    if (!Await(&bursts[i], deadline, clock)) {
      return absl::DeadlineExceededError(
          absl::StrCat(name, " is not done after ", absl::FormatDuration(burst.limit)));
    }
    const ProcessEnd end = bursts[i].child->Finish();
    double figure = 0;
    if (end.signal != 0 || end.exit_code != 0 ||
        !absl::SimpleAtod(absl::StripAsciiWhitespace(bursts[i].output), &figure) || !(figure > 0)) {
      return absl::InternalError(
          absl::StrCat(name, " gave no figure: ", end.Describe(), ": ",
                       absl::StripAsciiWhitespace(bursts[i].errors).substr(0, 500)));
    }
    sum += figure;
  }
  return sum;
}

}  // namespace frontier::worker
