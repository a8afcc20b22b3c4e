// Dominance and fronts. All objectives are to be minimized; points of one front have one length.
#ifndef FRONTIER_COMMON_PARETO_PARETO_H_
#define FRONTIER_COMMON_PARETO_PARETO_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace frontier {

// Whether `a` is nowhere worse than `b` and somewhere better. A value that is not a number neither
// dominates nor is dominated.
bool Dominates(absl::Span<const double> a, absl::Span<const double> b);

// The non-dominated among the points inserted so far; equal points all stay. Not thread-safe.
class ParetoFront {
 public:
  struct Member {
    int64_t id = 0;
    std::vector<double> objectives;
  };
  struct InsertResult {
    bool inserted = false;
    std::vector<int64_t> removed;  // ids that the new point dominates
  };

  // Whether a point would enter: its values are finite, and no member dominates it. This and Insert
  // are linear in the size of the front.
  bool Admits(absl::Span<const double> objectives) const;
  InsertResult Insert(int64_t id, absl::Span<const double> objectives);

  const std::vector<Member>& members() const { return members_; }

 private:
  std::vector<Member> members_;
};

}  // namespace frontier

#endif  // FRONTIER_COMMON_PARETO_PARETO_H_
