// A search space: the set of architectures a job may propose, and how to move in it.
#ifndef FRONTIER_COORDINATOR_SPACE_SPACE_H_
#define FRONTIER_COORDINATOR_SPACE_SPACE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/random.h"
#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/compression.pb.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

// Holds if `decision` is active and takes one of `options`.
struct Condition {
  int decision = 0;  // index of an earlier decision
  std::vector<int32_t> options;
};

// One choice of a space, with the names of its options. It is active if all its conditions hold; an
// inactive one has no meaning, and its option in a genotype is 0, so that no two genotypes differ
// in nothing that matters.
struct Decision {
  std::string name;                  // "stage2.kernel"
  std::vector<std::string> options;  // at least one
  std::vector<Condition> conditions = {};
};

// Immutable, so safe from any thread.
class Space {
 public:
  virtual ~Space() = default;

  virtual const std::vector<Decision>& decisions() const = 0;
  // Number of genotypes, exact, decimal.
  virtual std::string Size() const = 0;

  // Uniform over the genotypes.
  virtual v1::Genotype Sample(Rng* rng) const = 0;
  // `parent` with exactly one decision changed, uniform over the active ones that have more than
  // one option; equal to the parent only if none has. Decisions which that makes active are drawn,
  // each uniformly; those which it makes inactive become 0.
  virtual v1::Genotype Mutate(const v1::Genotype& parent, Rng* rng) const = 0;

  // Each active decision from one of the parents in which it is active, at even odds; uniform if it
  // is in neither. A parent that is not of this space leaves the other; without any, a uniform
  // draw.
  virtual v1::Genotype Cross(const v1::Genotype& first, const v1::Genotype& second,
                             Rng* rng) const = 0;
  // All that differ from `genotype` in one active decision, in the order of decisions and options;
  // decisions which that makes active take their option 0. None for a genotype that is not of this
  // space.
  virtual std::vector<v1::Genotype> Neighbours(const v1::Genotype& genotype) const = 0;
  // For predictors: as many numbers in [0, 1] for each genotype of this space, zeros for inactive
  // decisions and for any other genotype.
  virtual std::vector<float> Features(const v1::Genotype& genotype) const = 0;

  // Enumeration: the first genotype, and the one after `genotype` (false at the end).
  virtual v1::Genotype First() const = 0;
  virtual bool Advance(v1::Genotype* genotype) const = 0;

  // The graph a genotype stands for, valid by AnalyzeGraph. INVALID_ARGUMENT if the genotype is not
  // of this space, or its network has no valid shape (say, strides that leave nothing); names what
  // and why.
  virtual absl::StatusOr<v1::Architecture> Lower(const v1::Genotype& genotype) const = 0;

  // How the candidate is trained in a job that trains by `base`: with its hyperparameters put in.
  // INVALID_ARGUMENT if the genotype is not of this space and the space has any.
  virtual absl::StatusOr<v1::TrainingRecipe> Recipe(const v1::Genotype& /*genotype*/,
                                                    const v1::TrainingRecipe& base) const {
    return base;
  }
  // Those hyperparameters, in the order of the space; none in a space without.
  virtual std::vector<v1::HyperparameterValue> HyperparameterValues(
      const v1::Genotype& /*genotype*/) const {
    return {};
  }

  // How the candidate follows from the network that a space makes smaller; empty in other spaces
  // and for a genotype that is not of this one.
  virtual v1::Compression CompressionOf(const v1::Genotype& /*genotype*/) const { return {}; }
  // Of the numbers that the trained network is to be used in; unspecified where that is not
  // searched.
  virtual v1::InferencePrecision PrecisionOf(const v1::Genotype& /*genotype*/) const {
    return v1::INFERENCE_PRECISION_UNSPECIFIED;
  }

  // One line for people: "stem16 | conv3x3 w32 d2 s2 | ..."
  virtual std::string Summarize(const v1::Genotype& genotype) const = 0;
};

// The space for samples of shape `input` and `classes` classes. INVALID_ARGUMENT (reason
// INVALID_FIELD, path from within SearchSpace) names field and value for what makes no space.
absl::StatusOr<std::unique_ptr<Space>> CreateSpace(const v1::SearchSpace& spec,
                                                   const v1::Shape& input, int classes);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_SPACE_H_
