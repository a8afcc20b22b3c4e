#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/architecture/graph.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "common/data/dataset.h"
#include "common/model_io/model_file.h"
#include "worker/batching/batches.h"
#include "worker/benchmark/latency.h"
#include "worker/engine/inference_plan.h"
#include "worker/engine/schedule.h"
#include "worker/engine/training_plan.h"
#include "worker/trial/checkpoint.h"
#include "worker/trial/engine_record.h"
#include "worker/trial/evaluate.h"
#include "worker/trial/inherited_model.h"
#include "worker/trial/learning_curve.h"
#include "worker/trial/measure.h"
#include "worker/trial/memory_reserve.h"
#include "worker/trial/memory_use.h"
#include "worker/trial/pick_store.h"
#include "worker/trial/proxy.h"
#include "worker/trial/recipe.h"
#include "worker/trial/trial_process.h"

namespace frontier::worker {
namespace {

constexpr size_t kReserveBytes = size_t{4} << 20;
constexpr size_t kMaxMessageBytes = 4096;
// Streams of the trial's seed for the order of samples and for dropout; weights use those below.
constexpr uint64_t kOrderStream = uint64_t{1} << 32;
constexpr uint64_t kDropoutStream = kOrderStream + 1;

// What the trial was about when an error came up; the same code means different things.
enum class Stage { kTask, kData, kOtherData, kPlan, kScoring, kTraining, kTrained };

v1::FailureCause CauseOf(const absl::Status& status, Stage stage) {
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    return GetErrorReason(status) == v1::ERROR_REASON_DISK_FULL ? v1::FAILURE_CAUSE_INTERNAL
                                                                : v1::FAILURE_CAUSE_OUT_OF_MEMORY;
  }
  switch (stage) {
    case Stage::kTask:
      return v1::FAILURE_CAUSE_INVALID;
    case Stage::kData:
      return v1::FAILURE_CAUSE_DATASET;
    case Stage::kOtherData:
      return v1::FAILURE_CAUSE_OTHER_DATA;
    case Stage::kPlan:
      return absl::IsInvalidArgument(status) || absl::IsUnimplemented(status)
                 ? v1::FAILURE_CAUSE_INVALID
                 : v1::FAILURE_CAUSE_INTERNAL;
    case Stage::kScoring:
      if (absl::IsOutOfRange(status)) return v1::FAILURE_CAUSE_DIVERGED;
      return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status) ||
                     absl::IsUnimplemented(status)
                 ? v1::FAILURE_CAUSE_INVALID
                 : v1::FAILURE_CAUSE_INTERNAL;
    case Stage::kTraining:
      return absl::IsOutOfRange(status) ? v1::FAILURE_CAUSE_DIVERGED : v1::FAILURE_CAUSE_INTERNAL;
    case Stage::kTrained:
      // A model whose values are not finite is no valid model.
      return absl::IsInvalidArgument(status) || absl::IsOutOfRange(status)
                 ? v1::FAILURE_CAUSE_DIVERGED
                 : v1::FAILURE_CAUSE_INTERNAL;
  }
  return v1::FAILURE_CAUSE_INTERNAL;
}

v1::TrialProcessUpdate FailureUpdate(v1::FailureCause cause, absl::string_view message) {
  v1::TrialProcessUpdate update;
  update.mutable_failure()->set_cause(cause);
  const absl::string_view kept = message.substr(0, kMaxMessageBytes);
  update.mutable_failure()->set_message(kept.data(), kept.size());
  return update;
}

// Pages of libraries that come into memory with the first step, measured.
constexpr int64_t kLibraryBytes = int64_t{3} << 20;
// How often a long epoch says that it goes on.
constexpr absl::Duration kSignOfLife = absl::Seconds(10);

void AddMeasurement(v1::Metric metric, double value, double low, double high,
                    absl::string_view method, v1::TrialResult* result) {
  v1::Measurement* measurement = result->add_measurements();
  measurement->set_metric(metric);
  measurement->set_value(value);
  measurement->set_low(low);
  measurement->set_high(high);
  measurement->set_method(method.data(), method.size());
}

// One run of a task, from data to result. `stage` says how far it came.
class Trial {
 public:
  Trial(const v1::TrialProcessInput& input, Clock* clock,
        absl::FunctionRef<void(const v1::TrialProcessUpdate&)> update)
      : input_(input),
        task_(input.task()),
        clock_(clock),
        update_(update),
        last_epoch_(task_.until_epoch() > 0
                        ? std::min(task_.until_epoch(), task_.training().epochs())
                        : task_.training().epochs()) {
    options_.threads = inference_.threads = std::max(1, task_.limits().threads());
    options_.adamw = task_.training().optimizer() == v1::OPTIMIZER_ADAMW;
    options_.average = task_.training().average_decay() > 0;
  }

  Stage stage() const { return stage_; }

  absl::StatusOr<v1::TrialResult> Run() {
    stage_ = Stage::kTask;
    RETURN_IF_ERROR(CheckRecipe(task_.training(), task_.architecture().classes()));
    ASSIGN_OR_RETURN(costs_, AnalyzeGraph(task_.architecture()));
    if (task_.limits().threads() < 0 || task_.limits().threads() > kMaxThreads) {
      return InvalidField("limits.threads", absl::StrCat(task_.limits().threads(),
                                                         " is not between 0 and ", kMaxThreads));
    }
    StartThreads(options_.threads);
    RETURN_IF_ERROR(LoadData());

    stage_ = Stage::kPlan;
    RETURN_IF_ERROR(CheckMemory(ReadMemoryUse(), WeightBytes(costs_.parameters),
                                task_.limits().memory_bytes()));
    ASSIGN_OR_RETURN(model_, FirstModel());
    *model_.mutable_normalization() = MeasureNormalization(samples_, split_.train);
    model_.set_dataset(task_.dataset().name());
    RETURN_IF_ERROR(CheckInferencePrecision());
    if (task_.proxy() != v1::PROXY_UNSPECIFIED) return Screen();
    FindCheckpoint();
    ASSIGN_OR_RETURN(std::unique_ptr<TrainingPlan> plan, MakePlan());
    RETURN_IF_ERROR(plan->ImportModel(model_));
    plan->SeedDropout(Rng(task_.seed(), kDropoutStream).NextUint64(), /*step=*/0);
    RETURN_IF_ERROR(Train(plan.get()));
    stage_ = Stage::kTrained;
    if (pauses()) {
      RETURN_IF_ERROR(KeepPause(plan.get()));
    } else {
      RETURN_IF_ERROR(KeepWeights());
    }
    plan.reset();
    RETURN_IF_ERROR(Measure());
    result_.mutable_engine()->set_peak_memory_bytes(ReadMemoryUse().peak_resident);
    return result_;
  }

 private:
  // The weights that training begins with.
  absl::StatusOr<v1::Model> FirstModel() const {
    if (!task_.has_inheritance()) return InitialModel(task_.architecture(), task_.seed());
    return InheritedModel(task_.inheritance(), input_.parent_path(), task_.architecture());
  }

  absl::Status LoadData() {
    stage_ = Stage::kData;
    const v1::Architecture& architecture = task_.architecture();
    const v1::DatasetSpec& spec = task_.dataset();
    if (spec.classes() != 0 && spec.classes() != architecture.classes()) {
      stage_ = Stage::kTask;
      return InvalidField("dataset.classes",
                          absl::StrCat(spec.classes(), " differ from the ", architecture.classes(),
                                       " classes of the architecture"));
    }
    ASSIGN_OR_RETURN(samples_,
                     ReadSamples(input_.dataset_path(), Part::kTrain, architecture.classes()));
    const std::string digest = DigestOf(samples_);
    if (const std::string& wanted = task_.dataset_sha256(); !wanted.empty() && digest != wanted) {
      stage_ = Stage::kOtherData;
      return absl::FailedPreconditionError(absl::StrCat(
          "the training part of data set '", spec.name(), "' in '", input_.dataset_path(),
          "' is another (SHA-256 ", digest, ") than that of the job's results (", wanted, ")"));
    }
    result_.mutable_engine()->set_dataset_sha256(digest);
    const v1::Shape& shape = architecture.input();
    if (samples_.channels != shape.channels() || samples_.height != shape.height() ||
        samples_.width != shape.width()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "data set '", spec.name(), "' in '", input_.dataset_path(), "' has samples of ",
          samples_.channels, "x", samples_.height, "x", samples_.width, ", the architecture takes ",
          shape.channels(), "x", shape.height(), "x", shape.width()));
    }
    stage_ = Stage::kTask;
    ASSIGN_OR_RETURN(split_, SplitTraining(samples_, spec));
    const int64_t trained = static_cast<int64_t>(split_.train.size());
    if (task_.training().batch_size() > trained) {
      return InvalidField("training.batch_size",
                          absl::StrCat(task_.training().batch_size(), " is more than the ", trained,
                                       " training samples"));
    }
    return absl::OkStatus();
  }

  // That this machine can use the network as the task wants, before it is trained for nothing.
  absl::Status CheckInferencePrecision() const {
    if (task_.inference_precision() != v1::INFERENCE_PRECISION_BF16) return absl::OkStatus();
    InferenceOptions narrow = inference_;
    narrow.precision = InferencePrecision::kBf16;
    return InferencePlan::Create(model_, /*batch=*/1, narrow).status();
  }

  // Sets `checkpoint_` if training goes on from one.
  void FindCheckpoint() {
    if (input_.checkpoint_path().empty()) return;
    absl::StatusOr<v1::Checkpoint> read = ReadCheckpoint(input_.checkpoint_path());
    if (!read.ok()) {
      if (!absl::IsNotFound(read.status())) {
        LogWarning({}, absl::StrCat(read.status().message(), "; training begins anew"));
      }
      return;
    }
    const v1::Checkpoint here =
        CheckpointOf(input_, options_.threads, result_.engine().dataset_sha256());
    // One that the coordinator sends may come from another machine.
    const bool fits =
        task_.checkpoint_sha256().empty() ? SameTask(*read, here) : SameTraining(*read, here);
    if (!fits || read->epochs_size() >= last_epoch_) {
      LogWarning({},
                 absl::StrCat("checkpoint '", input_.checkpoint_path(),
                              "' is of another task, release or machine; training begins anew"));
      return;
    }
    elsewhere_ = read->trained_elsewhere();
    moved_ = !SameTask(*read, here);
    if (moved_) {
      absl::StrAppend(&elsewhere_, elsewhere_.empty() ? "" : ", ", read->hardware_class());
    }
    checkpoint_ = *std::move(read);
  }

  // The plan as a checkpoint or the task fixes it, or with picks made here. Says how it came out in
  // the result's record.
  absl::StatusOr<std::unique_ptr<TrainingPlan>> MakePlan() {
    const PickStore store(input_.picks_path(), EngineDescription(), input_.hardware_class());
    Picks picks;
    options_.precision = PrecisionOf(task_.training().precision());
    if (checkpoint_.has_value()) {
      ASSIGN_OR_RETURN(options_.precision, RecordedPrecision(checkpoint_->precision()));
    }
    if (checkpoint_.has_value() && !moved_) {
      picks = PicksOf(checkpoint_->picks());
    } else if (task_.picks_size() > 0) {
      picks = PicksOf(task_.picks());
    } else if (!task_.reproducible()) {
      options_.picking_clock = clock_;
      picks = store.Load();
    }
    options_.picks = &picks;
    options_.admit = [this](int64_t plan_bytes) { return MakeRoom(plan_bytes); };
    ASSIGN_OR_RETURN(
        std::unique_ptr<TrainingPlan> plan,
        TrainingPlan::Create(task_.architecture(), task_.training().batch_size(), options_));
    options_.picks = nullptr;
    if (options_.picking_clock != nullptr) {
      // Worth a warning, not the trial.
      if (const absl::Status added = store.Add(picks); !added.ok()) {
        LogWarning({}, absl::StrCat("picks are not remembered: ", added.message()));
      }
    }
    v1::EngineRecord* record = result_.mutable_engine();
    record->set_library(EngineDescription());
    record->set_precision(PrecisionName(plan->precision()));
    record->set_threads(options_.threads);
    record->set_seed(task_.seed());
    *record->mutable_picks() = ListOf(plan->picks());
    record->set_hardware_class(input_.hardware_class());
    record->set_trained_elsewhere(elsewhere_);
    return plan;
  }

  // Foretells the memory of training with a plan of so many bytes, and refuses it if that is too
  // much. Makes the evaluator, which is part of it, once there is room for the rest. Plans that are
  // made to be timed ask as well; the last one to ask is used.
  absl::Status MakeRoom(int64_t plan_bytes) {
    const int64_t more = plan_bytes + RunBytes(model_, task_.training(), kEvaluationBatch,
                                               !input_.checkpoint_path().empty());
    RETURN_IF_ERROR(CheckMemory(ReadMemoryUse(), more, task_.limits().memory_bytes()));
    if (evaluator_ == nullptr) {
      ASSIGN_OR_RETURN(evaluator_, InferencePlan::Create(model_, kEvaluationBatch, inference_));
    }
    const MemoryUse now = ReadMemoryUse();
    result_.mutable_engine()->set_predicted_memory_bytes(
        std::max(now.peak_resident, now.resident + more + kLibraryBytes));
    return CheckMemory(now, more, task_.limits().memory_bytes());
  }

  absl::Status Train(TrainingPlan* plan) {
    const v1::TrainingRecipe& recipe = task_.training();
    TrainingBatchesOptions batching;
    batching.batch_size = recipe.batch_size();
    batching.seed = Rng(task_.seed(), kOrderStream).NextUint64();
    batching.augmentation = AugmentationOf(recipe);
    const int64_t per_epoch =
        static_cast<int64_t>(split_.train.size()) / std::max(1, recipe.batch_size());
    ASSIGN_OR_RETURN(const int done, Resume(plan));
    batching.first_batch = done * per_epoch;
    ASSIGN_OR_RETURN(
        const std::unique_ptr<TrainingBatches> batches,
        TrainingBatches::Create(samples_, split_.train, model_.normalization(), batching));
    const ScheduleSettings schedule = ScheduleOf(recipe, per_epoch);
    OptimizerSettings settings = OptimizerOf(recipe);
    const std::vector<float> class_weights = ClassWeightsOf(recipe);
    std::vector<double> curve;
    for (const v1::EpochMetrics& past : result_.epochs()) {
      curve.push_back(past.validation_accuracy());
    }
    const LossSettings loss_settings{static_cast<float>(recipe.label_smoothing()), class_weights};
    for (int epoch = done; epoch < last_epoch_ && !result_.has_early_stop(); ++epoch) {
      stage_ = Stage::kTraining;
      const absl::Duration begin = clock_->Elapsed();
      double loss = 0;
      int64_t correct = 0;
      for (int64_t i = 0; i < per_epoch; ++i) {
        settings.learning_rate = static_cast<float>(ScheduledRate(schedule, epoch * per_epoch + i));
        const Batch& batch = batches->Next();
        const absl::StatusOr<StepStats> stats =
            plan->Step(batch.images, Targets{batch.labels, batch.others, batch.shares}, settings,
                       loss_settings);
        if (!stats.ok()) {
          return absl::Status(stats.status().code(),
                              absl::StrCat("epoch ", epoch + 1, ", step ", i + 1, " of ", per_epoch,
                                           ": ", stats.status().message()));
        }
        loss += stats->loss;
        correct += stats->correct;
        steps_ = epoch * per_epoch + i + 1;
        SayAlive(steps_);
      }
      const double seconds = absl::ToDoubleSeconds(clock_->Elapsed() - begin);
      stage_ = Stage::kTrained;
      RETURN_IF_ERROR(Take(plan));
      RETURN_IF_ERROR(Validate(epoch + 1));

      v1::EpochMetrics* metrics = result_.add_epochs();
      const double trained = static_cast<double>(per_epoch * recipe.batch_size());
      metrics->set_epoch(epoch + 1);
      metrics->set_train_loss(loss / static_cast<double>(per_epoch));
      metrics->set_train_accuracy(static_cast<double>(correct) / trained);
      metrics->set_validation_loss(evaluation_.loss);
      metrics->set_validation_accuracy(evaluation_.accuracy);
      metrics->set_learning_rate(settings.learning_rate);
      metrics->set_wall_seconds(seconds);
      metrics->set_images_per_second(seconds > 0 ? trained / seconds : 0);
      v1::TrialProcessUpdate update;
      *update.mutable_epoch() = *metrics;
      curve.push_back(evaluation_.accuracy);
      if (auto stop = JudgeCurve(task_.stop_rule(), curve, recipe.epochs()); stop.has_value()) {
        *result_.mutable_early_stop() = *std::move(stop);
      }
      // Not of an epoch that ends it: an attempt that goes on from there would train another.
      if (epoch + 1 < last_epoch_ && !result_.has_early_stop()) {
        // A full disk is no reason to lose the training as well.
        if (const absl::Status kept = KeepCheckpoint(plan, input_.checkpoint_path()); !kept.ok()) {
          LogWarning({}, absl::StrCat("epoch ", epoch + 1, " is not kept: ", kept.message()));
        }
      }
      update_(update);
    }
    return absl::OkStatus();
  }

  void SayAlive(int64_t steps) {
    if (clock_->Elapsed() - last_sign_ < kSignOfLife) return;
    last_sign_ = clock_->Elapsed();
    v1::TrialProcessUpdate update;
    update.set_steps(steps);
    update_(update);
  }

  // The network that is validated and kept.
  absl::Status Take(TrainingPlan* plan) {
    RETURN_IF_ERROR(options_.average ? plan->ExportAverage(&model_) : plan->ExportModel(&model_));
    return evaluator_->ImportModel(model_);
  }

  absl::Status KeepCheckpoint(TrainingPlan* plan, const std::string& path) {
    if (path.empty()) return absl::OkStatus();
    v1::Checkpoint checkpoint =
        CheckpointOf(input_, options_.threads, result_.engine().dataset_sha256());
    RETURN_IF_ERROR(plan->ExportState(checkpoint.mutable_state()));
    checkpoint.set_precision(result_.engine().precision());
    *checkpoint.mutable_picks() = result_.engine().picks();
    *checkpoint.mutable_epochs() = result_.epochs();
    checkpoint.set_trained_elsewhere(elsewhere_);
    return WriteCheckpoint(path, std::move(checkpoint));
  }

  // Whether training is to go on later, from where it is then.
  bool pauses() const {
    return last_epoch_ < task_.training().epochs() && !result_.has_early_stop();
  }

  // Leaves the state in the place of the weights.
  absl::Status KeepPause(TrainingPlan* plan) {
    if (input_.weights_path().empty()) return absl::OkStatus();
    RETURN_IF_ERROR(KeepCheckpoint(plan, input_.weights_path()));
    ASSIGN_OR_RETURN(*result_.mutable_checkpoint_sha256(), FileSha256(input_.weights_path()));
    return absl::OkStatus();
  }

  // In the place of training: scores the network as it would begin.
  absl::StatusOr<v1::TrialResult> Screen() {
    stage_ = Stage::kScoring;
    ASSIGN_OR_RETURN(const double score,
                     ScoreUntrained(task_.proxy(), model_, samples_, split_.train,
                                    {options_.threads, task_.limits().memory_bytes()}));
    AddMeasurement(v1::METRIC_PROXY, score, score, score, ProxyName(task_.proxy()), &result_);
    RETURN_IF_ERROR(MeasureNetwork().status());
    return result_;
  }

  // Goes on from the checkpoint, if there is one; returns the epochs done.
  absl::StatusOr<int> Resume(TrainingPlan* plan) {
    if (!checkpoint_.has_value()) return 0;
    if (const absl::Status taken = plan->ImportState(checkpoint_->state()); !taken.ok()) {
      LogWarning({}, absl::StrCat("checkpoint '", input_.checkpoint_path(), "': ", taken.message(),
                                  "; training begins anew"));
      checkpoint_.reset();
      elsewhere_.clear();
      result_.mutable_engine()->clear_trained_elsewhere();
      RETURN_IF_ERROR(plan->ImportModel(model_));
      return 0;
    }
    RETURN_IF_ERROR(Take(plan));
    *result_.mutable_epochs() = checkpoint_->epochs();
    checkpoint_.reset();
    return result_.epochs_size();
  }

  absl::Status Validate(int epoch) {
    ASSIGN_OR_RETURN(evaluation_,
                     Evaluate(evaluator_.get(), samples_, split_.validation, model_.normalization(),
                              task_.architecture().classes(), [this] { SayAlive(steps_); }));
    if (!std::isfinite(evaluation_.loss)) {
      return absl::OutOfRangeError(
          absl::StrCat("validation loss after epoch ", epoch, " is ", evaluation_.loss));
    }
    return absl::OkStatus();
  }

  absl::Status KeepWeights() {
    if (input_.weights_path().empty()) return CheckModel(model_);
    ASSIGN_OR_RETURN(const std::string bytes, SerializeModel(model_));
    RETURN_IF_ERROR(WriteFileAtomically(input_.weights_path(), bytes));
    result_.set_weights_sha256(Sha256Hex(bytes));
    return absl::OkStatus();
  }

  // Latency, parameters and MACs.
  absl::StatusOr<v1::Measurement> MeasureNetwork() {
    ASSIGN_OR_RETURN(const Latency latency,
                     MeasureModelLatency(model_, samples_, split_, clock_, LatencyOptions()));
    AddMeasurement(v1::METRIC_LATENCY_MS, latency.median_ms, latency.low_ms, latency.high_ms,
                   "timed", &result_);
    v1::Measurement* timed = result_.mutable_measurements(result_.measurements_size() - 1);
    timed->set_hardware_class(input_.hardware_class());
    const v1::Measurement copy = *timed;
    const double parameters = static_cast<double>(costs_.parameters);
    const double macs = static_cast<double>(costs_.macs);
    AddMeasurement(v1::METRIC_PARAMETERS, parameters, parameters, parameters, "counted", &result_);
    AddMeasurement(v1::METRIC_MACS, macs, macs, macs, "counted", &result_);
    return copy;
  }

  absl::Status Measure() {
    evaluator_.reset();  // its memory is what measuring takes
    AddMeasurement(v1::METRIC_ACCURACY, evaluation_.accuracy, evaluation_.accuracy_low,
                   evaluation_.accuracy_high, "validation-split", &result_);
    AddMeasurement(v1::METRIC_LOSS, evaluation_.loss, evaluation_.loss_low, evaluation_.loss_high,
                   "validation-split", &result_);
    ASSIGN_OR_RETURN(const v1::Measurement timed, MeasureNetwork());
    // Only a network that is ready is asked for what it gives in other numbers.
    if (pauses() && task_.inference_precision() == v1::INFERENCE_PRECISION_UNSPECIFIED) {
      return absl::OkStatus();
    }
    MeasureOptions options;
    options.threads = options_.threads;
    options.alive = [this] { SayAlive(steps_); };
    // Precisions that are compared with each other deserve all samples.
    if (task_.inference_precision() != v1::INFERENCE_PRECISION_UNSPECIFIED) {
      options.most_validation_samples = std::numeric_limits<int>::max();
    }
    ASSIGN_OR_RETURN(
        const std::vector<MeasuredPrecision> precisions,
        MeasurePrecisions(model_, samples_, split_, evaluation_, timed, clock_, options));
    for (const MeasuredPrecision& measured : precisions) {
      *result_.add_precisions() = measured.result;
    }
    return TakePrecision(precisions);
  }

  // Puts accuracy and latency of the task's precision in the place of those of f32; fails as it
  // did.
  absl::Status TakePrecision(const std::vector<MeasuredPrecision>& precisions) {
    if (task_.inference_precision() <= v1::INFERENCE_PRECISION_F32) return absl::OkStatus();
    const absl::string_view name = InferencePrecisionName(
        task_.inference_precision() == v1::INFERENCE_PRECISION_BF16 ? InferencePrecision::kBf16
                                                                    : InferencePrecision::kInt8);
    for (const auto& [result, status] : precisions) {
      if (result.precision() != name) continue;
      if (!status.ok()) {
        return absl::Status(status.code(),
                            absl::StrCat("inference in ", name, ": ", status.message()));
      }
      for (v1::Measurement& measurement : *result_.mutable_measurements()) {
        if (measurement.metric() == v1::METRIC_ACCURACY) {
          measurement = result.accuracy();
        } else if (measurement.metric() == v1::METRIC_LATENCY_MS) {
          measurement = result.latency();
        } else {
          continue;
        }
        measurement.set_method(absl::StrCat(measurement.method(), ", ", name));
      }
    }
    return absl::OkStatus();
  }

  const v1::TrialProcessInput& input_;
  const v1::TrialTask& task_;
  Clock* const clock_;
  const absl::FunctionRef<void(const v1::TrialProcessUpdate&)> update_;
  PlanOptions options_;                       // of training
  InferenceOptions inference_;                // of the evaluations between epochs
  const int last_epoch_;                      // of this run
  std::optional<v1::Checkpoint> checkpoint_;  // until it is taken over
  bool moved_ = false;     // the checkpoint comes from another machine or release
  std::string elsewhere_;  // EngineRecord.trained_elsewhere
  Stage stage_ = Stage::kTask;
  int64_t steps_ = 0;  // done
  absl::Duration last_sign_ = clock_->Elapsed();
  GraphCosts costs_;
  Samples samples_;
  Split split_;
  v1::Model model_;
  std::unique_ptr<InferencePlan> evaluator_;
  Evaluation evaluation_;  // after the last epoch so far
  v1::TrialResult result_;
};

// The update that ends the trial. The trial's memory is free again when this returns.
v1::TrialProcessUpdate RunToEnd(const v1::TrialProcessInput& input, Clock* clock,
                                absl::FunctionRef<void(const v1::TrialProcessUpdate&)> update) {
  Trial trial(input, clock, update);
  absl::StatusOr<v1::TrialResult> result = trial.Run();
  if (!result.ok()) {
    return FailureUpdate(CauseOf(result.status(), trial.stage()), result.status().message());
  }
  v1::TrialProcessUpdate end;
  *end.mutable_result() = *std::move(result);
  return end;
}

}  // namespace

void RunTrial(const v1::TrialProcessInput& input, Clock* clock,
              absl::FunctionRef<void(const v1::TrialProcessUpdate&)> update) {
  v1::TrialProcessUpdate end;
  try {
    const MemoryReserve reserve(kReserveBytes);
    end = RunToEnd(input, clock, update);
  } catch (const std::bad_alloc&) {
    end = FailureUpdate(v1::FAILURE_CAUSE_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    end = FailureUpdate(v1::FAILURE_CAUSE_INTERNAL, e.what());
  }
  update(end);
}

}  // namespace frontier::worker
