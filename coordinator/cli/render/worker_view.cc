#include "coordinator/cli/render/worker_view.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/table.h"

namespace frontier::cli {

std::string RenderWorkers(const Look& look, const v1::ListWorkersResponse& response,
                          absl::Time now) {
  if (response.workers().empty()) {
    return "No worker has registered. Start one with: frontier-worker --coordinator HOST:PORT\n";
  }
  Table table({{"WORKER"},
               {"STATE"},
               {"SLOTS", Align::kRight},
               {"TRIALS", Align::kLeft, 12},
               {"SEEN", Align::kRight, 0, 2},
               {"CORES", Align::kRight, 0, 1},
               {"MEMORY", Align::kRight, 0, 3},
               {"CLASS", Align::kLeft, 12, 4},
               {"CPU", Align::kLeft, 12, 5},
               {"ENGINE", Align::kLeft, 12, 6},
               {"DATA SETS", Align::kLeft, 12},
               {"LABELS", Align::kLeft, 12, 8},
               {"VERSION", Align::kLeft, 0, 7}});
  std::vector<std::pair<std::string, std::string>> reasons;
  for (const v1::Worker& worker : response.workers()) {
    std::vector<std::string> running, datasets;
    for (const v1::AttemptKey& key : worker.running()) {
      running.push_back(absl::StrCat(key.job_id(), "/", key.trial()));
    }
    for (const v1::Dataset& dataset : worker.datasets()) datasets.push_back(dataset.name());
    Cell state("gone", Tone::kBad);
    if (worker.alive()) {
      state = worker.running().empty() ? Cell("idle") : Cell("busy", Tone::kAccent);
      if (worker.draining()) state = Cell("draining", Tone::kWarning);
      if (worker.has_quarantine()) {
        state = Cell("quarantine", Tone::kBad);
        reasons.emplace_back(worker.id(),
                             absl::StrCat("quarantine: ", Printable(worker.quarantine().reason())));
      }
    }
    const absl::Duration seen = now - absl::FromUnixMicros(worker.last_seen_unix_us());
    table.AddRow({worker.id(), state, absl::StrCat(worker.running_size(), "/", worker.slots()),
                  absl::StrJoin(running, " "),
                  absl::StrCat(FormatSeconds(std::max(0.0, absl::ToDoubleSeconds(seen))), " ago"),
                  absl::StrCat(worker.hardware().cores()),
                  FormatBytes(worker.hardware().memory_bytes()), worker.hardware().hardware_class(),
                  worker.hardware().cpu_model(), worker.hardware().engine(),
                  absl::StrJoin(datasets, ", "), absl::StrJoin(worker.labels(), ", "),
                  worker.version()});
  }
  return absl::StrCat(table.Render(look),
                      reasons.empty() ? "" : absl::StrCat("\n", RenderPairs(look, reasons, 0)));
}

}  // namespace frontier::cli
