#include "coordinator/space/graph_choices.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "coordinator/space/decisions.h"
#include "coordinator/space/fraction.h"

namespace frontier::coordinator {
namespace {

bool Includes(const std::vector<int32_t>& options, int32_t option) {
  return std::binary_search(options.begin(), options.end(), option);
}

// One condition for each decision, in their order; nothing if two contradict each other.
std::optional<Constraint> Simplify(Constraint constraint) {
  std::stable_sort(constraint.begin(), constraint.end(),
                   [](const Condition& a, const Condition& b) { return a.decision < b.decision; });
  Constraint simple;
  for (Condition& condition : constraint) {
    if (simple.empty() || simple.back().decision != condition.decision) {
      simple.push_back(std::move(condition));
      continue;
    }
    std::vector<int32_t> both;
    std::set_intersection(simple.back().options.begin(), simple.back().options.end(),
                          condition.options.begin(), condition.options.end(),
                          std::back_inserter(both));
    simple.back().options = std::move(both);
  }
  for (const Condition& condition : simple) {
    if (condition.options.empty()) return std::nullopt;
  }
  return simple;
}

std::string DescribeConstraint(const std::vector<Decision>& decisions,
                               const Constraint& constraint) {
  return absl::StrJoin(constraint, " with ", [&](std::string* out, const Condition& condition) {
    const Decision& decision = decisions[condition.decision];
    absl::StrAppend(
        out, decision.name, " = ",
        absl::StrJoin(condition.options, " or ", [&](std::string* text, int32_t option) {
          absl::StrAppend(text, decision.options[option]);
        }));
  });
}

}  // namespace

// Builds the diagram of `decisions` under some of the constraints.
class GraphChoicesBuilder {
 public:
  GraphChoicesBuilder(const std::vector<Decision>& decisions,
                      const std::vector<Constraint>& constraints, const std::vector<bool>& used)
      : decisions_(decisions), meets_(decisions.size()), built_(decisions) {
    for (size_t i = 0; i < constraints.size(); ++i) {
      if (!used[i]) continue;
      const std::optional<Constraint> simple = Simplify(constraints[i]);
      if (simple.has_value()) constraints_.push_back(*simple);
    }
    for (size_t c = 0; c < constraints_.size(); ++c) {
      const size_t last = constraints_[c].size() - 1;
      for (size_t i = 0; i <= last; ++i) {
        meets_[constraints_[c][i].decision].push_back(
            {static_cast<int32_t>(c), i == 0, i == last, &constraints_[c][i].options});
      }
    }
  }

  absl::StatusOr<GraphChoices> Build() {
    const absl::Status listed = ListStates();
    arcs_ = static_cast<int64_t>(built_.arcs_.size());
    RETURN_IF_ERROR(listed);
    Count();
    return std::move(built_);
  }

  // How many options over all states it went through: the work of it.
  int64_t arcs() const { return arcs_; }

 private:
  // What is remembered before a decision.
  struct Memory {
    std::vector<int32_t> dead;  // inactive decisions from here on; ascending
    std::vector<int32_t> met;   // constraints that hold so far and go on; ascending
    template <typename H>
    friend H AbslHashValue(H h, const Memory& m) {
      return H::combine(std::move(h), m.dead, m.met);
    }
    bool operator==(const Memory& other) const { return dead == other.dead && met == other.met; }
  };
  // Where a constraint meets a decision.
  struct Meeting {
    int32_t constraint = 0;
    bool first = false;
    bool last = false;
    const std::vector<int32_t>* options = nullptr;
  };

  // What is remembered after `option` (-1 = inactive); nothing if a constraint forbids it.
  std::optional<Memory> After(const Memory& before, int32_t decision, int32_t option) const {
    Memory after;
    for (const int32_t each : before.dead) {
      if (each != decision) after.dead.push_back(each);
    }
    for (auto later = static_cast<size_t>(decision) + 1; later < decisions_.size(); ++later) {
      for (const Condition& condition : decisions_[later].conditions) {
        if (condition.decision != decision || Includes(condition.options, option)) continue;
        const auto index = static_cast<int32_t>(later);
        const auto place = std::lower_bound(after.dead.begin(), after.dead.end(), index);
        if (place == after.dead.end() || *place != index) after.dead.insert(place, index);
      }
    }
    after.met = before.met;
    for (const Meeting& meeting : meets_[decision]) {
      const auto place = std::lower_bound(after.met.begin(), after.met.end(), meeting.constraint);
      const bool was_met = place != after.met.end() && *place == meeting.constraint;
      const bool holds = (meeting.first || was_met) && Includes(*meeting.options, option);
      if (holds && meeting.last) return std::nullopt;
      if (holds && !was_met) after.met.insert(place, meeting.constraint);
      if (!holds && was_met) after.met.erase(place);
    }
    return after;
  }

  absl::Status ListStates() {
    std::vector<Memory> layer = {{}};
    for (size_t i = 0; i < decisions_.size(); ++i) {
      const auto decision = static_cast<int32_t>(i);
      const auto next_begin = static_cast<int32_t>(built_.states_.size() + layer.size());
      layer_ends_.push_back(next_begin);
      std::vector<Memory> next_layer;
      absl::flat_hash_map<Memory, int32_t> indices;
      for (const Memory& memory : layer) {
        GraphChoices::State state;
        state.first_arc = static_cast<int32_t>(built_.arcs_.size());
        state.active = !Includes(memory.dead, decision);
        built_.states_.push_back(state);
        const auto options = static_cast<int32_t>(decisions_[i].options.size());
        for (int32_t option = 0; option < (state.active ? options : 1); ++option) {
          GraphChoices::Arc arc;
          std::optional<Memory> after = After(memory, decision, state.active ? option : -1);
          if (after.has_value()) {
            remembered_ += static_cast<int64_t>(after->dead.size() + after->met.size());
            const auto [found, is_new] =
                indices.insert({*after, static_cast<int32_t>(next_layer.size())});
            if (is_new) next_layer.push_back(*std::move(after));
            arc.next = next_begin + found->second;
          }
          built_.arcs_.push_back(arc);
        }
        RETURN_IF_ERROR(CheckLimits(i, built_.states_.size() + next_layer.size()));
      }
      layer = std::move(next_layer);
    }
    if (!layer.empty()) built_.states_.emplace_back();  // the end; nothing is remembered there
    return absl::OkStatus();
  }

  absl::Status CheckLimits(size_t decision, size_t states) const {
    if (static_cast<int64_t>(states) <= GraphChoices::kMaxStates &&
        static_cast<int64_t>(built_.arcs_.size()) <= GraphChoices::kMaxArcs &&
        remembered_ <= kMaxRemembered) {
      return absl::OkStatus();
    }
    return absl::ResourceExhaustedError(absl::StrCat(
        "choice '", decisions_[decision].name,
        "': too many combinations of conditions and constraints meet here to be counted; put "
        "choices nearer to those they go with, or make them fewer"));
  }

  // From the last decision to the first; only one layer's counts are kept.
  void Count() {
    std::vector<mpz_class> later;
    auto later_begin = static_cast<int64_t>(built_.states_.size());
    const int64_t end = layer_ends_.empty() ? 0 : layer_ends_.back();
    if (later_begin > end) {
      later.emplace_back(1);
      --later_begin;
    }
    for (size_t i = decisions_.size(); i-- > 0;) {
      const int64_t begin = i == 0 ? 0 : layer_ends_[i - 1];
      std::vector<mpz_class> counts(static_cast<size_t>(layer_ends_[i] - begin));
      for (size_t s = 0; s < counts.size(); ++s) {
        const GraphChoices::State& state = built_.states_[static_cast<size_t>(begin) + s];
        GraphChoices::Arc* arcs = &built_.arcs_[state.first_arc];
        const size_t options = state.active ? decisions_[i].options.size() : 1;
        std::vector<mpz_class> sums(options);  // of the options up to each
        for (size_t o = 0; o < options; ++o) {
          if (arcs[o].next >= 0) {
            const mpz_class& ways = later[arcs[o].next - later_begin];
            if (ways == 0) arcs[o].next = -1;
            counts[s] += ways;
          }
          sums[o] = counts[s];
        }
        for (size_t o = 0; o < options; ++o) {
          if (arcs[o].next >= 0 && sums[o] < counts[s]) {
            arcs[o].below = Fraction(sums[o], counts[s]);
          }
        }
      }
      later = std::move(counts);
      later_begin = begin;
    }
    built_.size_ = later.empty() ? "0" : later.front().get_str();
  }

  // Entries of all memories together: a bound of the time to build a diagram.
  static constexpr int64_t kMaxRemembered = int64_t{1} << 23;

  const std::vector<Decision>& decisions_;
  std::vector<Constraint> constraints_;
  std::vector<std::vector<Meeting>> meets_;  // by decision
  std::vector<int64_t> layer_ends_;          // by decision: one past its last state
  int64_t remembered_ = 0;
  int64_t arcs_ = 0;
  GraphChoices built_;
};

namespace {

absl::StatusOr<GraphChoices> BuildWith(const std::vector<Decision>& decisions,
                                       const std::vector<Constraint>& constraints,
                                       const std::vector<bool>& used) {
  return GraphChoicesBuilder(decisions, constraints, used).Build();
}

// All constraints together leave nothing: the fewest, no matter which, that still do.
absl::Status ExplainEmpty(const std::vector<Decision>& decisions,
                          const std::vector<Constraint>& constraints) {
  std::vector<bool> used(constraints.size(), true);
  // A bound of the time this takes; from then on nothing is said to be empty.
  int64_t left = 2 * GraphChoices::kMaxArcs;
  const auto empty = [&](const std::vector<bool>& some) {
    if (left <= 0) return false;
    GraphChoicesBuilder builder(decisions, constraints, some);
    const absl::StatusOr<GraphChoices> built = builder.Build();
    left -= builder.arcs();
    return built.ok() && built->Size() == "0";
  };
  for (size_t i = 0; i < constraints.size(); ++i) {
    std::vector<bool> alone(constraints.size(), false);
    alone[i] = true;
    if (empty(alone)) {
      return InvalidField(
          absl::StrCat("constraints[", i, "]"),
          absl::StrCat("leaves no candidate: it rules out ",
                       DescribeConstraint(decisions, constraints[i]), ", which is all there is"));
    }
  }
  // Latest first, so that the earliest are named.
  for (size_t i = constraints.size(); i-- > 0;) {
    used[i] = false;
    if (!empty(used)) used[i] = true;
  }
  std::vector<std::string> culprits;
  std::string first;
  for (size_t i = 0; i < constraints.size(); ++i) {
    if (!used[i]) continue;
    const std::string name = absl::StrCat("constraints[", i, "]");
    if (first.empty()) first = name;
    culprits.push_back(
        absl::StrCat(name, " (", DescribeConstraint(decisions, constraints[i]), ")"));
  }
  return InvalidField(first, absl::StrCat("leaves no candidate together with others; they are: ",
                                          absl::StrJoin(culprits, ", "),
                                          "; without any one of them something is left"));
}

}  // namespace

absl::StatusOr<GraphChoices> GraphChoices::Create(std::vector<Decision> decisions,
                                                  std::vector<Constraint> constraints) {
  ASSIGN_OR_RETURN(GraphChoices choices,
                   BuildWith(decisions, constraints, std::vector<bool>(constraints.size(), true)));
  if (choices.Size() == "0") return ExplainEmpty(decisions, constraints);
  choices.constraints_ = std::move(constraints);
  return choices;
}

std::vector<bool> GraphChoices::Active(const v1::Genotype& genotype) const {
  return ActiveDecisions(decisions_, genotype);
}

absl::Status GraphChoices::Check(const v1::Genotype& genotype) const {
  RETURN_IF_ERROR(CheckDecisions(decisions_, genotype));
  const std::vector<bool> active = Active(genotype);
  for (size_t c = 0; c < constraints_.size(); ++c) {
    const bool broken = std::all_of(
        constraints_[c].begin(), constraints_[c].end(), [&](const Condition& condition) {
          return active[condition.decision] &&
                 Includes(condition.options, genotype.options(condition.decision));
        });
    if (broken) {
      return absl::InvalidArgumentError(
          absl::StrCat("genotype: constraints[", c, "] rules out ",
                       DescribeConstraint(decisions_, constraints_[c])));
    }
  }
  return absl::OkStatus();
}

int32_t GraphChoices::FirstOpen(size_t decision, int32_t state, int32_t from) const {
  const auto options = static_cast<int32_t>(decisions_[decision].options.size());
  const int32_t end = states_[state].active ? options : 1;
  for (int32_t option = from; option < end; ++option) {
    if (ArcOf(state, option).next >= 0) return option;
  }
  return -1;
}

int32_t GraphChoices::Draw(size_t decision, int32_t state, Rng* rng) const {
  int32_t option = FirstOpen(decision, state, 0);
  int32_t other = FirstOpen(decision, state, option + 1);
  if (other < 0) return option;
  const uint64_t draw = rng->NextUint64();
  while (other >= 0 && draw >= ArcOf(state, option).below) {
    option = other;
    other = FirstOpen(decision, state, option + 1);
  }
  return option;
}

std::vector<int32_t> GraphChoices::Path(const v1::Genotype& genotype) const {
  std::vector<int32_t> path;
  path.reserve(decisions_.size());
  int32_t state = 0;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    path.push_back(state);
    state = ArcOf(state, genotype.options(static_cast<int>(i))).next;
  }
  return path;
}

v1::Genotype GraphChoices::Sample(Rng* rng) const {
  v1::Genotype genotype;
  int32_t state = 0;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const int32_t option = Draw(i, state, rng);
    genotype.add_options(option);
    state = ArcOf(state, option).next;
  }
  return genotype;
}

std::optional<v1::Genotype> GraphChoices::Change(const v1::Genotype& parent,
                                                 const std::vector<int32_t>& path, int decision,
                                                 int32_t option, bool further, Rng* rng) const {
  v1::Genotype child = parent;
  child.set_options(decision, option);
  int32_t state = ArcOf(path[decision], option).next;
  if (state < 0) return std::nullopt;
  for (auto i = static_cast<size_t>(decision) + 1; i < decisions_.size(); ++i) {
    const bool inherits = states_[path[i]].active && states_[state].active;
    int32_t next = parent.options(static_cast<int>(i));
    if (inherits && ArcOf(state, next).next < 0) {
      if (!further) return std::nullopt;
      next = Draw(i, state, rng);
    } else if (!inherits) {
      next = rng == nullptr ? FirstOpen(i, state, 0) : Draw(i, state, rng);
    }
    child.set_options(static_cast<int>(i), next);
    state = ArcOf(state, next).next;
  }
  return child;
}

v1::Genotype GraphChoices::Mutate(const v1::Genotype& parent, Rng* rng) const {
  if (!Check(parent).ok()) return Sample(rng);
  const std::vector<int32_t> path = Path(parent);
  std::vector<int> open;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    if (states_[path[i]].active && decisions_[i].options.size() > 1) {
      open.push_back(static_cast<int>(i));
    }
  }
  rng->Shuffle(&open);
  for (const bool further : {false, true}) {
    for (const int decision : open) {
      std::vector<int32_t> options;
      for (int32_t o = 0; o < static_cast<int32_t>(decisions_[decision].options.size()); ++o) {
        if (o != parent.options(decision)) options.push_back(o);
      }
      rng->Shuffle(&options);
      for (const int32_t option : options) {
        std::optional<v1::Genotype> child = Change(parent, path, decision, option, further, rng);
        if (child.has_value()) return *std::move(child);
      }
    }
  }
  return parent;
}

v1::Genotype GraphChoices::Cross(const v1::Genotype& first, const v1::Genotype& second,
                                 Rng* rng) const {
  const bool known = Check(second).ok();
  if (!Check(first).ok()) return known ? second : Sample(rng);
  if (!known) return first;
  const std::vector<bool> in_first = Active(first);
  const std::vector<bool> in_second = Active(second);
  v1::Genotype child;
  int32_t state = 0;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const auto index = static_cast<int>(i);
    int32_t option = 0;
    if (states_[state].active) {
      std::vector<int32_t> inherited;
      if (in_first[i]) inherited.push_back(first.options(index));
      if (in_second[i]) inherited.push_back(second.options(index));
      if (inherited.size() == 2 && rng->Uniform(2) == 1) std::swap(inherited[0], inherited[1]);
      option = -1;
      for (const int32_t each : inherited) {
        if (option < 0 && ArcOf(state, each).next >= 0) option = each;
      }
      if (option < 0) option = Draw(i, state, rng);
    }
    child.add_options(option);
    state = ArcOf(state, option).next;
  }
  return child;
}

std::vector<v1::Genotype> GraphChoices::Neighbours(const v1::Genotype& genotype) const {
  std::vector<v1::Genotype> neighbours;
  if (!Check(genotype).ok()) return neighbours;
  const std::vector<int32_t> path = Path(genotype);
  for (size_t i = 0; i < decisions_.size(); ++i) {
    if (!states_[path[i]].active) continue;
    for (int32_t o = 0; o < static_cast<int32_t>(decisions_[i].options.size()); ++o) {
      if (o == genotype.options(static_cast<int>(i))) continue;
      std::optional<v1::Genotype> neighbour =
          Change(genotype, path, static_cast<int>(i), o, /*further=*/false, /*rng=*/nullptr);
      if (neighbour.has_value()) neighbours.push_back(*std::move(neighbour));
    }
  }
  return neighbours;
}

std::vector<float> GraphChoices::Features(const v1::Genotype& genotype) const {
  return OneHotFeatures(decisions_, genotype, Check(genotype).ok());
}

v1::Genotype GraphChoices::First() const {
  v1::Genotype genotype;
  int32_t state = 0;
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const int32_t option = FirstOpen(i, state, 0);
    genotype.add_options(option);
    state = ArcOf(state, option).next;
  }
  return genotype;
}

bool GraphChoices::Advance(v1::Genotype* genotype) const {
  if (!Check(*genotype).ok()) return false;
  const std::vector<int32_t> path = Path(*genotype);
  for (size_t i = decisions_.size(); i-- > 0;) {
    if (!states_[path[i]].active) continue;
    const int32_t option = FirstOpen(i, path[i], genotype->options(static_cast<int>(i)) + 1);
    if (option < 0) continue;
    genotype->set_options(static_cast<int>(i), option);
    int32_t state = ArcOf(path[i], option).next;
    for (size_t later = i + 1; later < decisions_.size(); ++later) {
      const int32_t next = FirstOpen(later, state, 0);
      genotype->set_options(static_cast<int>(later), next);
      state = ArcOf(state, next).next;
    }
    return true;
  }
  return false;
}

}  // namespace frontier::coordinator
