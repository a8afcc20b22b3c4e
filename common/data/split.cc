#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/data/dataset.h"

namespace frontier {
namespace {

constexpr double kDefaultFraction = 1.0 / 6.0;

// Shares `total` out in proportion to `sizes`, none above its size (Hamilton's method: floors,
// then one more for the largest remainders, earlier first). total <= sum of sizes. Integers
// throughout, so every platform agrees.
std::vector<int64_t> Apportion(const std::vector<int64_t>& sizes, int64_t total) {
  const int64_t sum = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  std::vector<int64_t> shares(sizes.size(), 0);
  if (sum == 0) return shares;
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  int64_t left = total;
  for (size_t i = 0; i < sizes.size(); ++i) {
    shares[i] = sizes[i] * total / sum;
    left -= shares[i];
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return sizes[a] * total % sum > sizes[b] * total % sum;
  });
  for (size_t i = 0; left > 0; ++i, --left) ++shares[order[i]];
  return shares;
}

// The first Apportion(...) of each class, in the order of the file.
std::vector<int32_t> Take(const std::vector<std::vector<int32_t>>& classes, int64_t total) {
  std::vector<int64_t> sizes;
  for (const auto& members : classes) sizes.push_back(static_cast<int64_t>(members.size()));
  const std::vector<int64_t> shares = Apportion(sizes, total);
  std::vector<int32_t> taken;
  taken.reserve(static_cast<size_t>(total));
  for (size_t c = 0; c < classes.size(); ++c) {
    taken.insert(taken.end(), classes[c].begin(), classes[c].begin() + shares[c]);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

absl::StatusOr<int64_t> Limit(const char* field, int32_t wanted, int64_t available) {
  if (wanted < 0) return InvalidField(field, absl::StrCat(wanted, " is negative"));
  if (wanted > available) {
    return InvalidField(
        field, absl::StrCat(wanted, " are more than the ", available, " samples of the split"));
  }
  return wanted == 0 ? available : wanted;
}

}  // namespace

absl::StatusOr<Split> SplitTraining(const Samples& samples, const v1::DatasetSpec& spec) {
  const double fraction =
      spec.validation_fraction() == 0 ? kDefaultFraction : spec.validation_fraction();
  if (!(fraction > 0 && fraction < 1)) {
    return InvalidField("validation_fraction", absl::StrCat(fraction, " is not between 0 and 1"));
  }
  std::vector<std::vector<int32_t>> members(256);
  for (size_t i = 0; i < samples.labels.size(); ++i) {
    members[samples.labels[i]].push_back(static_cast<int32_t>(i));
  }
  std::vector<int64_t> sizes;
  for (size_t c = 0; c < members.size(); ++c) {
    Rng rng(spec.split_seed(), c);
    rng.Shuffle(&members[c]);
    sizes.push_back(static_cast<int64_t>(members[c].size()));
  }
  const int64_t held_out =
      static_cast<int64_t>(std::llround(fraction * static_cast<double>(samples.size())));
  if (held_out == 0 || held_out == samples.size()) {
    return InvalidField("validation_fraction",
                        absl::StrCat(fraction, " of ", samples.size(), " samples leaves ",
                                     held_out == 0 ? "none for validation" : "none to train on"));
  }
  const std::vector<int64_t> shares = Apportion(sizes, held_out);
  std::vector<std::vector<int32_t>> train(members.size()), validation(members.size());
  for (size_t c = 0; c < members.size(); ++c) {
    validation[c].assign(members[c].begin(), members[c].begin() + shares[c]);
    train[c].assign(members[c].begin() + shares[c], members[c].end());
  }
  ASSIGN_OR_RETURN(const int64_t train_count,
                   Limit("train_samples", spec.train_samples(), samples.size() - held_out));
  ASSIGN_OR_RETURN(const int64_t validation_count,
                   Limit("validation_samples", spec.validation_samples(), held_out));
  Split split;
  split.train = Take(train, train_count);
  split.validation = Take(validation, validation_count);
  return split;
}

}  // namespace frontier
