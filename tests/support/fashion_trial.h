// Trials on Fashion-MNIST as Debian installs it, run in this process.
#ifndef FRONTIER_TESTS_SUPPORT_FASHION_TRIAL_H_
#define FRONTIER_TESTS_SUPPORT_FASHION_TRIAL_H_

#include <cstdio>
#include <filesystem>
#include <string>

#include "common/base/clock.h"
#include "frontier/v1/trial.pb.h"
#include "gtest/gtest.h"
#include "worker/trial/trial_process.h"

namespace frontier::testing {

inline constexpr char kFashionFolder[] = "/usr/share/datasets/fashion-mnist";

inline bool HasFashion() { return std::filesystem::exists(kFashionFolder); }

inline v1::Shape FashionShape() {
  v1::Shape shape;
  shape.set_channels(1);
  shape.set_height(28);
  shape.set_width(28);
  return shape;
}

// With batches of 64, Nesterov momentum 0.9, weight decay 5e-4 and half an epoch of warm-up.
inline v1::TrialProcessInput FashionTrial(const v1::Architecture& architecture, int epochs,
                                          double learning_rate, const std::string& weights_path) {
  v1::TrialProcessInput input;
  input.set_dataset_path(kFashionFolder);
  input.set_weights_path(weights_path);
  input.set_hardware_class("test");
  v1::TrialTask* task = input.mutable_task();
  *task->mutable_architecture() = architecture;
  task->mutable_dataset()->set_name("fashion-mnist");
  task->mutable_training()->set_epochs(epochs);
  task->mutable_training()->set_batch_size(64);
  task->mutable_training()->set_learning_rate(learning_rate);
  task->mutable_training()->set_momentum(0.9);
  task->mutable_training()->set_weight_decay(5e-4);
  task->mutable_training()->set_warmup_epochs(0.5);
  task->mutable_training()->set_horizontal_flip(true);
  task->set_seed(1);
  return input;
}

// The last update of a run; prints the epochs.
inline v1::TrialProcessUpdate RunPrinting(const v1::TrialProcessInput& input) {
  SystemClock clock;
  v1::TrialProcessUpdate last;
  worker::RunTrial(input, &clock, [&last](const v1::TrialProcessUpdate& update) {
    if (update.has_epoch()) {
      std::printf("  epoch %d: loss %.4f, validation accuracy %.4f, %.0f images/s\n",
                  update.epoch().epoch(), update.epoch().train_loss(),
                  update.epoch().validation_accuracy(), update.epoch().images_per_second());
      std::fflush(stdout);
    }
    last = update;
  });
  return last;
}

inline double MetricOf(const v1::TrialResult& result, v1::Metric metric) {
  for (const v1::Measurement& measurement : result.measurements()) {
    if (measurement.metric() == metric) return measurement.value();
  }
  ADD_FAILURE() << "no " << v1::Metric_Name(metric);
  return 0;
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_FASHION_TRIAL_H_
