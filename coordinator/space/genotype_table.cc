#include "coordinator/space/genotype_table.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/space/fraction.h"

namespace frontier::coordinator {
namespace {

// Decisions that are inactive whatever comes, among those not taken yet; ascending.
using Dead = std::vector<int32_t>;

Dead Union(const Dead& a, const Dead& b) {
  Dead both;
  both.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

Dead Without(const Dead& dead, int32_t decision) {
  Dead rest;
  rest.reserve(dead.size());
  for (const int32_t each : dead) {
    if (each != decision) rest.push_back(each);
  }
  return rest;
}

}  // namespace

class GenotypeTableBuilder {
 public:
  explicit GenotypeTableBuilder(const std::vector<Decision>& decisions)
      : decisions_(decisions), dependents_(decisions.size()) {}

  absl::StatusOr<GenotypeTable> Build() {
    ListDependents();
    ListSteps();
    RETURN_IF_ERROR(ListStates());
    Count();
    return std::move(table_);
  }

 private:
  void ListDependents() {
    for (size_t i = 0; i < decisions_.size(); ++i) {
      for (const Condition& condition : decisions_[i].conditions) {
        Dead& dependents = dependents_[condition.decision];
        // Several conditions may name one decision.
        if (dependents.empty() || dependents.back() != static_cast<int32_t>(i)) {
          dependents.push_back(static_cast<int32_t>(i));
        }
      }
    }
  }

  // Decisions in the order in which they can be taken, dependents first: that keeps few in mind.
  void ListSteps() {
    std::vector<size_t> missing(decisions_.size());
    for (const Dead& dependents : dependents_) {
      for (const int32_t each : dependents) ++missing[each];
    }
    std::vector<int32_t> ready;
    for (size_t root = 0; root < decisions_.size(); ++root) {
      if (!decisions_[root].conditions.empty()) continue;
      ready.push_back(static_cast<int32_t>(root));
      while (!ready.empty()) {
        const int32_t decision = ready.back();
        ready.pop_back();
        AddStep(decision);
        const Dead& dependents = dependents_[decision];
        for (auto each = dependents.rbegin(); each != dependents.rend(); ++each) {
          if (--missing[*each] == 0) ready.push_back(*each);
        }
      }
    }
  }

  void AddStep(int32_t decision) {
    const auto options = static_cast<int32_t>(decisions_[decision].options.size());
    std::vector<Dead> ends(options);  // by option: the decisions it makes inactive
    for (const int32_t dependent : dependents_[decision]) {
      std::vector<bool> allowed(options, true);
      for (const Condition& condition : decisions_[dependent].conditions) {
        if (condition.decision != decision) continue;
        std::vector<bool> named(options, false);
        for (const int32_t option : condition.options) named[option] = true;
        for (int32_t i = 0; i < options; ++i) allowed[i] = allowed[i] && named[i];
      }
      for (int32_t i = 0; i < options; ++i) {
        if (!allowed[i]) ends[i].push_back(dependent);
      }
    }
    GenotypeTable::Step step;
    step.decision = decision;
    std::vector<Dead> ended;  // by class
    std::map<Dead, size_t> classes;
    for (int32_t i = 0; i < options; ++i) {
      const auto [found, is_new] = classes.insert({ends[i], step.classes.size()});
      if (is_new) {
        step.classes.emplace_back();
        ended.push_back(ends[i]);
      }
      step.classes[found->second].push_back(i);
    }
    table_.steps_.push_back(std::move(step));
    ended_.push_back(std::move(ended));
  }

  absl::Status ListStates() {
    std::vector<Dead> layer = {{}};
    for (size_t i = 0; i < table_.steps_.size(); ++i) {
      const int32_t decision = table_.steps_[i].decision;
      layer_ends_.push_back(static_cast<int64_t>(table_.states_.size() + layer.size()));
      std::vector<Dead> next_layer;
      absl::flat_hash_map<Dead, int32_t> indices;
      const auto add_arc = [&](Dead dead) {
        const auto [found, is_new] =
            indices.insert({std::move(dead), static_cast<int32_t>(next_layer.size())});
        if (is_new) {
          next_layer.push_back(found->first);
          remembered_ += static_cast<int64_t>(found->first.size());
        }
        GenotypeTable::Arc arc;
        arc.next = static_cast<int32_t>(layer_ends_.back()) + found->second;
        table_.arcs_.push_back(arc);
      };
      for (const Dead& dead : layer) {
        GenotypeTable::State state;
        state.first_arc = static_cast<int32_t>(table_.arcs_.size());
        state.active = !std::binary_search(dead.begin(), dead.end(), decision);
        table_.states_.push_back(state);
        if (state.active) {
          for (const Dead& ended : ended_[i]) add_arc(Union(dead, ended));
        } else {
          add_arc(Union(Without(dead, decision), dependents_[decision]));
        }
        RETURN_IF_ERROR(CheckLimits(decision, next_layer.size()));
      }
      layer = std::move(next_layer);
    }
    table_.states_.emplace_back();  // the end; nothing is remembered there
    return absl::OkStatus();
  }

  absl::Status CheckLimits(int32_t decision, size_t waiting) const {
    const auto states = static_cast<int64_t>(table_.states_.size() + waiting);
    if (states <= GenotypeTable::kMaxStates &&
        static_cast<int64_t>(table_.arcs_.size()) <= GenotypeTable::kMaxTransitions &&
        remembered_ <= kMaxRemembered) {
      return absl::OkStatus();
    }
    return absl::ResourceExhaustedError(
        absl::StrCat("decision '", decisions_[decision].name,
                     "': too many combinations of conditions meet here to be counted (", states,
                     " states, ", table_.arcs_.size(), " transitions and ", remembered_,
                     " inactive decisions so far, at most ", GenotypeTable::kMaxStates, ", ",
                     GenotypeTable::kMaxTransitions, " and ", kMaxRemembered,
                     "); let fewer decisions depend on several others"));
  }

  // From the last step to the first; only one layer's counts are kept.
  void Count() {
    std::vector<mpz_class> later = {1};
    auto later_begin = static_cast<int64_t>(table_.states_.size()) - 1;
    for (size_t i = table_.steps_.size(); i-- > 0;) {
      const std::vector<GenotypeTable::OptionClass>& classes = table_.steps_[i].classes;
      const int64_t begin = i == 0 ? 0 : layer_ends_[i - 1];
      std::vector<mpz_class> counts(static_cast<size_t>(layer_ends_[i] - begin));
      for (size_t s = 0; s < counts.size(); ++s) {
        const GenotypeTable::State& state = table_.states_[static_cast<size_t>(begin) + s];
        GenotypeTable::Arc* arcs = &table_.arcs_[state.first_arc];
        if (!state.active) {
          counts[s] = later[arcs->next - later_begin];
          continue;
        }
        std::vector<mpz_class> sums;  // of the classes up to each
        for (size_t c = 0; c < classes.size(); ++c) {
          counts[s] +=
              later[arcs[c].next - later_begin] * static_cast<unsigned long>(classes[c].size());
          sums.push_back(counts[s]);
        }
        for (size_t c = 0; c + 1 < classes.size(); ++c) {
          arcs[c].below = Fraction(sums[c], counts[s]);
        }
      }
      later = std::move(counts);
      later_begin = begin;
    }
    table_.size_ = later.front().get_str();
  }

  // Entries of all states' lists together: a bound of the time to build a table.
  static constexpr int64_t kMaxRemembered = int64_t{1} << 24;

  const std::vector<Decision>& decisions_;
  std::vector<Dead> dependents_;          // by decision: those whose conditions name it
  std::vector<std::vector<Dead>> ended_;  // by step and class: decisions it makes inactive
  std::vector<int64_t> layer_ends_;       // by step: one past its last state
  int64_t remembered_ = 0;
  GenotypeTable table_;
};

absl::StatusOr<GenotypeTable> GenotypeTable::Create(const std::vector<Decision>& decisions) {
  return GenotypeTableBuilder(decisions).Build();
}

void GenotypeTable::Sample(Rng* rng, absl::Span<int32_t> options) const {
  int32_t at = 0;
  for (const Step& step : steps_) {
    const State& state = states_[at];
    const Arc* arc = &arcs_[state.first_arc];
    int32_t& option = options[step.decision];
    option = 0;
    if (state.active) {
      size_t c = 0;
      if (step.classes.size() > 1) {
        const uint64_t draw = rng->NextUint64();
        while (c + 1 < step.classes.size() && draw >= arc[c].below) ++c;
      }
      const OptionClass& options_left = step.classes[c];
      option = options_left.size() == 1 ? options_left[0]
                                        : options_left[rng->Uniform(options_left.size())];
      arc += c;
    }
    at = arc->next;
  }
}

}  // namespace frontier::coordinator
