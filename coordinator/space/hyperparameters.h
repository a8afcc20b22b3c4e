// Fields of the training recipe as decisions: what they may be, and the recipe that follows.
#ifndef FRONTIER_COORDINATOR_SPACE_HYPERPARAMETERS_H_
#define FRONTIER_COORDINATOR_SPACE_HYPERPARAMETERS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coordinator/space/encoding.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/search_space.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace frontier::coordinator {

// Largest numbers of hyperparameters, and of values of one.
inline constexpr int kMaxHyperparameters = 32;
inline constexpr int kMaxHyperparameterValues = 1000;

// Immutable. Decision i, "training.learning_rate", is hyperparameter i, its options are the values
// as text, rounded to six significant digits. A range over a field of whole numbers is rounded to
// those.
class Hyperparameters {
 public:
  using Specs = google::protobuf::RepeatedPtrField<v1::Hyperparameter>;

  // INVALID_ARGUMENT (reason INVALID_FIELD, path such as
  // "hyperparameters[0].log.low") for: a name that is no field of TrainingRecipe, or is given
  // twice; no range, or one that is empty, has too many values or one twice; a value that is none
  // of the field's type; a condition on what is not an earlier hyperparameter or on a value it does
  // not have.
  static absl::StatusOr<Hyperparameters> Create(const Specs& specs);

  const Encoding& encoding() const { return encoding_; }

  // For a genotype of encoding(), those that are active.
  std::vector<v1::HyperparameterValue> Values(const v1::Genotype& genotype) const;

  // `base` with those put in. Of `base`, what is then for another optimizer or schedule alone
  // (beta2, epsilon; step_epochs, step_factor) is left out, so that it may serve several. The
  // values are not checked.
  v1::TrainingRecipe Apply(const v1::Genotype& genotype, const v1::TrainingRecipe& base) const;

 private:
  Hyperparameters(std::vector<std::string> names, Encoding encoding)
      : names_(std::move(names)), encoding_(std::move(encoding)) {}

  std::vector<std::string> names_;
  Encoding encoding_;
};

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_HYPERPARAMETERS_H_
