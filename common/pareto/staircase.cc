#include "common/pareto/staircase.h"

#include <iterator>

namespace frontier {

Staircase::Found Staircase::Find(double x, double y) const {
  Found found;
  found.begin = steps_.lower_bound(x);
  found.end = found.begin;
  double ceiling = found.begin == steps_.begin() ? reference_y_ : std::prev(found.begin)->second;
  found.dominated = ceiling <= y || (found.begin != steps_.end() && found.begin->first == x &&
                                     found.begin->second <= y);
  if (found.dominated) return found;
  double left = x;
  for (; found.end != steps_.end() && found.end->second >= y; ++found.end) {
    found.gain += (found.end->first - left) * (ceiling - y);
    left = found.end->first;
    ceiling = found.end->second;
  }
  const double right = found.end == steps_.end() ? reference_x_ : found.end->first;
  found.gain += (right - left) * (ceiling - y);
  return found;
}

double Staircase::Insert(double x, double y) {
  const Found found = Find(x, y);
  if (found.dominated) return 0;
  steps_.emplace_hint(steps_.erase(found.begin, found.end), x, y);
  return found.gain;
}

}  // namespace frontier
