// A small data set and a task on it.
#ifndef FRONTIER_TESTS_UNIT_WORKER_TRIAL_TRIAL_CASES_H_
#define FRONTIER_TESTS_UNIT_WORKER_TRIAL_TRIAL_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/architecture/builder.h"
#include "common/base/random.h"
#include "frontier/v1/trial_process.pb.h"
#include "tests/support/idx_files.h"

namespace frontier::worker {

inline constexpr int kTrialClasses = 3;
inline constexpr int kTrialSamples = 240;

// Writes a training part of 1 x 6 x 6 images whose bright column tells the class.
inline void WriteStripes(const frontier::testing::IdxFolder& folder) {
  Rng rng(11);
  std::vector<uint8_t> images, labels;
  for (int i = 0; i < kTrialSamples; ++i) {
    const int label = i % kTrialClasses;
    labels.push_back(static_cast<uint8_t>(label));
    for (int p = 0; p < 36; ++p) {
      images.push_back(static_cast<uint8_t>((p % 6 / 2 == label ? 150 : 0) + rng.Uniform(100)));
    }
  }
  folder.Write("train-images-idx3-ubyte",
               frontier::testing::IdxBytes({kTrialSamples, 6, 6}, images));
  folder.Write("train-labels-idx1-ubyte", frontier::testing::IdxBytes({kTrialSamples}, labels));
}

inline v1::TrialProcessInput StripesTask(const frontier::testing::IdxFolder& folder) {
  v1::Shape shape;
  shape.set_channels(1);
  shape.set_height(6);
  shape.set_width(6);
  ArchitectureBuilder b(shape, kTrialClasses);
  b.Linear("classifier", b.ConvolutionNormRelu("stem", b.input(), SquareConvolution(8, 3)),
           kTrialClasses);
  v1::TrialProcessInput input;
  input.set_dataset_path(folder.path());
  input.set_hardware_class("test-class");
  v1::TrialTask* task = input.mutable_task();
  *task->mutable_architecture() = b.Build().value();
  task->mutable_dataset()->set_name("stripes");
  task->mutable_dataset()->set_classes(kTrialClasses);
  task->mutable_dataset()->set_validation_fraction(0.25);
  task->mutable_training()->set_epochs(2);
  task->mutable_training()->set_batch_size(16);
  task->mutable_training()->set_learning_rate(0.05);
  task->mutable_training()->set_momentum(0.9);
  task->set_seed(3);
  task->set_reproducible(true);
  return input;
}

}  // namespace frontier::worker

#endif  // FRONTIER_TESTS_UNIT_WORKER_TRIAL_TRIAL_CASES_H_
