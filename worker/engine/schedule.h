// Learning rate over a training run.
#ifndef FRONTIER_WORKER_ENGINE_SCHEDULE_H_
#define FRONTIER_WORKER_ENGINE_SCHEDULE_H_

#include <cstdint>

namespace frontier::worker {

// Linear warm-up, then half a cosine down to 0 (Loshchilov and Hutter 2017, "SGDR", equation 5,
// without restarts; Goyal et al. 2017 for the warm-up).
class CosineSchedule {
 public:
  // `steps` and `warmup_steps` in optimizer steps; warmup_steps is cut to `steps`.
  CosineSchedule(double peak, int64_t steps, double warmup_steps);

  // Rate of step `step`, from 0; that of the last step is above 0.
  double Rate(int64_t step) const;

 private:
  double peak_;
  double steps_;
  double warmup_steps_;
};

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_ENGINE_SCHEDULE_H_
