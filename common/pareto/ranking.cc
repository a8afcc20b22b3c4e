#include "common/pareto/ranking.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status.h"

namespace frontier {
namespace {

using Point = std::vector<double>;

absl::Status CheckPoints(absl::string_view what, absl::Span<const Point> points) {
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i].empty()) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": point ", i, " has no objective"));
    }
    if (points[i].size() != points[0].size()) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": point ", i, " of ", points[i].size(),
                                                     " objectives, point 0 of ", points[0].size()));
    }
    for (size_t k = 0; k < points[i].size(); ++k) {
      if (std::isnan(points[i][k])) {
        return absl::InvalidArgumentError(
            absl::StrCat(what, ": point ", i, " is not a number in objective ", k));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckViolations(absl::Span<const double> violations, size_t points) {
  if (!violations.empty() && violations.size() != points) {
    return absl::InvalidArgumentError(
        absl::StrCat("ranks: ", violations.size(), " violations of ", points, " points"));
  }
  for (size_t i = 0; i < violations.size(); ++i) {
    if (!(violations[i] >= 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("ranks: violation ", violations[i], " of point ", i));
    }
  }
  return absl::OkStatus();
}

// The rank functions below take distinct points in lexicographic order: none is dominated by a
// later one.

// At most two objectives. The latest of a front has the front's least last objective, so that it
// dominates what any of them dominates; and these least values do not fall from front to front.
std::vector<int> RankPlane(const std::vector<const Point*>& points) {
  std::vector<int> ranks;
  ranks.reserve(points.size());
  std::vector<double> least;
  for (const Point* point : points) {
    const double value = point->back();
    const auto front = std::upper_bound(least.begin(), least.end(), value);
    ranks.push_back(static_cast<int>(front - least.begin()));
    if (front == least.end()) {
      least.push_back(value);
    } else {
      *front = value;
    }
  }
  return ranks;
}

// Points whose sets of dominators are made at a time: the sets stay in a cache, and each pass over
// the orders serves many of them.
constexpr size_t kBlock = 512;
constexpr size_t kBits = 64;

// More objectives. Bit q of the set of p says that q dominates p: q is earlier and among those that
// are at most p in each objective but the first, which follows from being earlier.
std::vector<int> RankSpace(const std::vector<const Point*>& points) {
  struct Entry {
    double value;
    size_t index;
  };
  struct Word {
    size_t place;
    uint64_t bits;
  };
  const size_t count = points.size();
  std::vector<std::vector<Entry>> orders(points[0]->size() - 1);
  for (size_t k = 0; k < orders.size(); ++k) {
    for (size_t i = 0; i < count; ++i) orders[k].push_back({(*points[i])[k + 1], i});
    std::sort(orders[k].begin(), orders[k].end(),
              [](const Entry& a, const Entry& b) { return a.value < b.value; });
  }

  std::vector<int> ranks;
  ranks.reserve(count);
  std::vector<std::vector<Word>> fronts;  // members as bits, without the words that have none
  std::vector<uint64_t> sets;
  std::vector<uint64_t> at_most;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t end = std::min(count, begin + kBlock);
    const size_t words = (end + kBits - 1) / kBits;
    sets.assign((end - begin) * words, 0);
    for (size_t i = begin; i < end; ++i) {
      uint64_t* set = &sets[(i - begin) * words];
      std::fill_n(set, i / kBits, ~uint64_t{0});
      set[i / kBits] = (uint64_t{1} << (i % kBits)) - 1;
    }
    for (const std::vector<Entry>& order : orders) {
      at_most.assign(words, 0);
      size_t next = 0;
      for (const Entry& entry : order) {
        for (; next < count && order[next].value <= entry.value; ++next) {
          const size_t index = order[next].index;
          if (index < end) at_most[index / kBits] |= uint64_t{1} << (index % kBits);
        }
        if (entry.index < begin || entry.index >= end) continue;
        uint64_t* set = &sets[(entry.index - begin) * words];
        for (size_t w = 0; w < words; ++w) set[w] &= at_most[w];
      }
    }
    for (size_t i = begin; i < end; ++i) {
      const uint64_t* set = &sets[(i - begin) * words];
      // What a front dominates, every front before it dominates.
      auto front = std::partition_point(
          fronts.begin(), fronts.end(), [set](const std::vector<Word>& members) {
            return std::any_of(members.begin(), members.end(),
                               [set](const Word& word) { return set[word.place] & word.bits; });
          });
      ranks.push_back(static_cast<int>(front - fronts.begin()));
      if (front == fronts.end()) front = fronts.emplace(front);
      if (front->empty() || front->back().place != i / kBits) front->push_back({i / kBits, 0});
      front->back().bits |= uint64_t{1} << (i % kBits);
    }
  }
  return ranks;
}

// Ranks of points[i] for i in `indices`, which are not empty, by their objectives only; written
// from `first` on. Returns the first rank beyond.
int RankByObjectives(absl::Span<const Point> points, absl::Span<size_t> indices, int first,
                     std::vector<int>* ranks) {
  std::sort(indices.begin(), indices.end(),
            [&](size_t a, size_t b) { return points[a] < points[b]; });
  std::vector<const Point*> distinct;
  for (size_t i : indices) {
    if (distinct.empty() || *distinct.back() != points[i]) distinct.push_back(&points[i]);
  }
  const std::vector<int> found =
      points[indices[0]].size() <= 2 ? RankPlane(distinct) : RankSpace(distinct);
  size_t at = 0;
  int beyond = first;
  for (size_t i : indices) {
    if (*distinct[at] != points[i]) ++at;
    (*ranks)[i] = first + found[at];
    beyond = std::max(beyond, (*ranks)[i] + 1);
  }
  return beyond;
}

// Where a value lies, such that distances are finite: see CrowdingDistances. `least` and `largest`
// of all values are too far apart.
double Place(double value, double least, double largest) {
  if (!std::isinf(least) && !std::isinf(largest)) return value / 2;
  return std::isinf(value) ? std::copysign(1.0, value) : 0;
}

}  // namespace

absl::StatusOr<std::vector<int>> NonDominatedRanks(absl::Span<const Point> points,
                                                   absl::Span<const double> violations) {
  RETURN_IF_ERROR(CheckPoints("ranks", points));
  RETURN_IF_ERROR(CheckViolations(violations, points.size()));
  std::vector<int> ranks(points.size(), 0);
  std::vector<size_t> order(points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto violation = [&](size_t i) { return violations.empty() ? 0.0 : violations[i]; };
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return violation(a) < violation(b); });
  int rank = 0;
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && violation(order[end]) == violation(order[begin])) ++end;
    rank =
        RankByObjectives(points, absl::MakeSpan(order).subspan(begin, end - begin), rank, &ranks);
    begin = end;
  }
  return ranks;
}

std::vector<std::vector<size_t>> FrontsOf(absl::Span<const int> ranks) {
  std::vector<std::vector<size_t>> fronts;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const auto rank = static_cast<size_t>(ranks[i]);
    if (rank >= fronts.size()) fronts.resize(rank + 1);
    fronts[rank].push_back(i);
  }
  return fronts;
}

absl::StatusOr<std::vector<double>> CrowdingDistances(absl::Span<const Point> points) {
  RETURN_IF_ERROR(CheckPoints("crowding", points));
  std::vector<double> distances(points.size(), 0);
  if (points.empty()) return distances;
  std::vector<size_t> order(points.size());
  std::vector<double> values(points.size());
  for (size_t objective = 0; objective < points[0].size(); ++objective) {
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return points[a][objective] < points[b][objective];
    });
    for (size_t i = 0; i < order.size(); ++i) values[i] = points[order[i]][objective];
    if (!std::isfinite(values.back() - values.front())) {
      const double least = values.front();
      const double largest = values.back();
      for (double& value : values) value = Place(value, least, largest);
    }
    const double range = values.back() - values.front();
    if (!(range > 0)) continue;
    distances[order.front()] = distances[order.back()] = std::numeric_limits<double>::infinity();
    for (size_t i = 1; i + 1 < order.size(); ++i) {
      distances[order[i]] += (values[i + 1] - values[i - 1]) / range;
    }
  }
  return distances;
}

}  // namespace frontier
