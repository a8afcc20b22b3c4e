#include "worker/engine/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace frontier::worker {
namespace {

constexpr int64_t kHugePage = 2 << 20;
constexpr int64_t kLarge = 2 * kHugePage;

int64_t RoundUp(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Buffers that share one place, and when it is needed.
struct Group {
  int64_t bytes = 0;
  int first = -1;
  int last = -1;
};

}  // namespace

int ArenaPlanner::AddBuffer(int64_t bytes) {
  buffers_.push_back(RoundUp(std::max<int64_t>(bytes, 1)));
  return static_cast<int>(buffers_.size()) - 1;
}

ArenaPlanner::Layout ArenaPlanner::Plan() const {
  std::vector<int> last(buffers_.size(), -1);
  for (size_t s = 0; s < steps_.size(); ++s) {
    for (const auto* list : {&steps_[s].reads, &steps_[s].writes}) {
      for (const int b : *list) last[static_cast<size_t>(b)] = static_cast<int>(s);
    }
  }
  std::vector<int> group_of(buffers_.size(), -1);
  std::vector<Group> groups;
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    if (step.in_place && !step.reads.empty() && !step.writes.empty()) {
      const size_t from = static_cast<size_t>(step.reads[0]);
      const size_t to = static_cast<size_t>(step.writes[0]);
      if (group_of[to] < 0 && group_of[from] >= 0 && last[from] == static_cast<int>(s) &&
          buffers_[to] <= groups[static_cast<size_t>(group_of[from])].bytes) {
        group_of[to] = group_of[from];
      }
    }
    for (const auto* list : {&step.reads, &step.writes}) {
      for (const int b : *list) {
        int& g = group_of[static_cast<size_t>(b)];
        if (g < 0) {
          g = static_cast<int>(groups.size());
          groups.push_back({buffers_[static_cast<size_t>(b)], static_cast<int>(s), 0});
        }
        groups[static_cast<size_t>(g)].last = static_cast<int>(s);
      }
    }
  }

  std::vector<size_t> order(groups.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return groups[a].bytes > groups[b].bytes; });
  Layout layout;
  std::vector<int64_t> offsets(groups.size(), -1);
  std::vector<size_t> placed;  // by offset
  for (const size_t g : order) {
    int64_t at = 0;
    for (const size_t other : placed) {
      if (groups[other].last < groups[g].first || groups[g].last < groups[other].first) continue;
      if (offsets[other] - at >= groups[g].bytes) break;
      at = std::max(at, offsets[other] + groups[other].bytes);
    }
    offsets[g] = at;
    layout.bytes = std::max(layout.bytes, at + groups[g].bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), g,
                                   [&](size_t a, size_t b) { return offsets[a] < offsets[b]; }),
                  g);
  }
  for (const int g : group_of) {
    layout.offsets.push_back(g < 0 ? -1 : offsets[static_cast<size_t>(g)]);
  }
  return layout;
}

void AlignedBuffer::Free::operator()(std::byte* p) const { std::free(p); }

absl::StatusOr<AlignedBuffer> AlignedBuffer::Create(int64_t bytes, absl::string_view what) {
  AlignedBuffer buffer;
  const int64_t rounded = RoundUp(std::max<int64_t>(bytes, 1));
  const int64_t alignment = rounded < kLarge ? kAlignment : kHugePage;
  void* data = nullptr;
  if (posix_memalign(&data, static_cast<size_t>(alignment), static_cast<size_t>(rounded)) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for ", rounded, " bytes of ", what));
  }
#if defined(MADV_HUGEPAGE)
  // A step goes through all of its memory: with small pages the CPU would spend a good part of it
  // looking them up. Only whole huge pages, so that no more memory is taken; a refusal costs speed.
  if (rounded >= kLarge) {
    madvise(data, static_cast<size_t>(rounded / kHugePage * kHugePage), MADV_HUGEPAGE);
  }
#endif
  std::memset(data, 0, static_cast<size_t>(rounded));
  buffer.data_.reset(static_cast<std::byte*>(data));
  return buffer;
}

}  // namespace frontier::worker
