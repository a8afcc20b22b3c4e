// The area that points of two objectives dominate, as they come.
#ifndef FRONTIER_COMMON_PARETO_STAIRCASE_H_
#define FRONTIER_COMMON_PARETO_STAIRCASE_H_

#include <cstddef>

#include "absl/container/btree_map.h"

namespace frontier {

// Keeps the distinct non-dominated of its points, all of which are finite and less than the
// reference in both objectives. Not thread-safe.
class Staircase {
 public:
  Staircase(double reference_x, double reference_y)
      : reference_x_(reference_x), reference_y_(reference_y) {}

  // Area within the reference that (x, y) dominates and no point so far does. Logarithmic, and
  // linear in the number of points that (x, y) dominates.
  double Gain(double x, double y) const { return Find(x, y).gain; }
  // The same, and (x, y) is one of the points from now on. Logarithmic in the mean over all calls:
  // what a point dominates leaves.
  double Insert(double x, double y);
  void Clear() { steps_.clear(); }

  size_t size() const { return steps_.size(); }

 private:
  using Steps = absl::btree_map<double, double>;

  struct Found {
    double gain = 0;
    bool dominated = false;            // or there already
    Steps::const_iterator begin, end;  // the steps that (x, y) dominates
  };
  Found Find(double x, double y) const;

  double reference_x_;
  double reference_y_;
  Steps steps_;  // y by x; y falls
};

}  // namespace frontier

#endif  // FRONTIER_COMMON_PARETO_STAIRCASE_H_
