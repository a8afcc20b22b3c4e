#include "coordinator/space/graph_space.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "coordinator/space/graph_choices.h"
#include "coordinator/space/graph_lowering.h"
#include "coordinator/space/graph_plan.h"
#include "coordinator/space/samples.h"

namespace frontier::coordinator {
namespace {

constexpr int kProbes = 2000;
// Layers of all networks tried: a bound of the time it takes.
constexpr int64_t kMaxProbedLayers = 500'000;
// Draws with an option before it counts as one that never works.
constexpr int kEnoughDraws = 64;
constexpr uint64_t kProbeSeed = 0x6772617068;

class GraphSpace final : public Space {
 public:
  GraphSpace(GraphChoices choices, GraphPlan plan, const v1::Shape& input, int classes)
      : choices_(std::move(choices)), plan_(std::move(plan)), input_(input), classes_(classes) {}

  const std::vector<Decision>& decisions() const override { return choices_.decisions(); }
  std::string Size() const override { return choices_.Size(); }
  v1::Genotype Sample(Rng* rng) const override { return choices_.Sample(rng); }
  v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const override {
    return choices_.Mutate(parent, rng);
  }
  v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second,
                     Rng* rng) const override {
    return choices_.Cross(first, second, rng);
  }
  std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const override {
    return choices_.Neighbours(genotype);
  }
  std::vector<float> Features(const v1::Genotype& genotype) const override {
    return choices_.Features(genotype);
  }
  v1::Genotype First() const override { return choices_.First(); }
  bool Advance(v1::Genotype* genotype) const override { return choices_.Advance(genotype); }

  absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const override {
    RETURN_IF_ERROR(choices_.Check(genotype));
    absl::StatusOr<v1::Architecture> architecture =
        LowerGraph(plan_, genotype, choices_.Active(genotype), input_, classes_);
    if (architecture.ok()) return architecture;
    return absl::Status(
        architecture.status().code(),
        absl::StrCat(architecture.status().message(), " (at ", Summarize(genotype), ")"));
  }

  std::string Summarize(const v1::Genotype& genotype) const override {
    const absl::Status status = choices_.Check(genotype);
    if (!status.ok()) return absl::StrCat("(", status.message(), ")");
    const std::vector<bool> active = choices_.Active(genotype);
    std::string text;
    for (size_t i = 0; i < active.size(); ++i) {
      if (!active[i]) continue;
      absl::StrAppend(&text, text.empty() ? "" : ", ", decisions()[i].name, " ",
                      decisions()[i].options[genotype.options(static_cast<int>(i))]);
    }
    return text.empty() ? "no choices" : text;
  }

  // Refuses options that are of no use: with which no network is valid.
  absl::Status CheckOptions() const {
    Tally tally(decisions());
    int64_t size = 0;
    bool exhaustive = absl::SimpleAtoi(Size(), &size) && size <= kProbes;
    if (exhaustive) {
      v1::Genotype genotype = First();
      do {
        TryOut(genotype, &tally);
        exhaustive = tally.layers < kMaxProbedLayers;
      } while (exhaustive && Advance(&genotype));
    } else {
      Rng rng(kProbeSeed);
      for (int i = 0; i < kProbes && tally.layers < kMaxProbedLayers; ++i) {
        TryOut(Sample(&rng), &tally);
      }
    }
    if (!tally.any_valid) {
      return InvalidField(
          "nodes", absl::StrCat("no network of the space is valid, say: ", tally.first_error));
    }
    for (size_t i = 0; i < decisions().size(); ++i) {
      for (size_t option = 0; option < decisions()[i].options.size(); ++option) {
        const Uses& uses = tally.options[i][option];
        if (uses.valid > 0 || uses.tried < (exhaustive ? 1 : kEnoughDraws)) continue;
        return InvalidField(absl::StrCat("choices[", i, "].options[", option, "]"),
                            absl::StrCat("choice '", decisions()[i].name, "': with ",
                                         decisions()[i].options[option],
                                         " no network is valid, say: ", uses.error));
      }
    }
    return absl::OkStatus();
  }

 private:
  // How an option did in the networks tried.
  struct Uses {
    int tried = 0;
    int valid = 0;
    std::string error;  // the first
  };
  struct Tally {
    explicit Tally(const std::vector<Decision>& decisions) {
      for (const Decision& decision : decisions) options.emplace_back(decision.options.size());
    }
    std::vector<std::vector<Uses>> options;  // by decision and option
    bool any_valid = false;
    int64_t layers = 0;
    std::string first_error;
  };

  void TryOut(const v1::Genotype& genotype, Tally* tally) const {
    const absl::StatusOr<v1::Architecture> lowered = Lower(genotype);
    const absl::Status status = lowered.status();
    tally->layers += lowered.ok() ? lowered->nodes_size() : static_cast<int>(plan_.nodes.size());
    const std::vector<bool> active = choices_.Active(genotype);
    tally->any_valid = tally->any_valid || status.ok();
    if (!status.ok() && tally->first_error.empty()) {
      tally->first_error = std::string(status.message());
    }
    for (size_t i = 0; i < active.size(); ++i) {
      if (!active[i]) continue;
      Uses& uses = tally->options[i][genotype.options(static_cast<int>(i))];
      ++uses.tried;
      if (status.ok()) ++uses.valid;
      if (!status.ok() && uses.error.empty()) uses.error = std::string(status.message());
    }
  }

  const GraphChoices choices_;
  const GraphPlan plan_;
  const v1::Shape input_;
  const int classes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Space>> CreateGraphSpace(const v1::GraphSpace& spec,
                                                        const v1::Shape& input, int classes) {
  RETURN_IF_ERROR(CheckDataShape(input, classes));
  ASSIGN_OR_RETURN(const std::vector<Decision> decisions, ReadGraphChoices(spec));
  ASSIGN_OR_RETURN(std::vector<Constraint> constraints, ReadGraphConstraints(spec, decisions));
  ASSIGN_OR_RETURN(GraphPlan plan, ReadGraphPlan(spec, decisions));
  absl::StatusOr<GraphChoices> choices = GraphChoices::Create(decisions, std::move(constraints));
  if (absl::IsResourceExhausted(choices.status())) {
    return InvalidField("choices", choices.status().message());
  }
  if (!choices.ok()) return choices.status();
  auto space = std::make_unique<GraphSpace>(*std::move(choices), std::move(plan), input, classes);
  RETURN_IF_ERROR(space->CheckOptions());
  return space;
}

}  // namespace frontier::coordinator
