// Learning rate over a training run.
#ifndef FRONTIER_WORKER_ENGINE_SCHEDULE_H_
#define FRONTIER_WORKER_ENGINE_SCHEDULE_H_

#include <cstdint>

namespace frontier::worker {

enum class ScheduleKind { kCosine, kConstant, kStep, kOneCycle };

struct ScheduleSettings {
  ScheduleKind kind = ScheduleKind::kCosine;
  double peak = 0;
  int64_t steps = 0;        // of the optimizer, in the whole run
  double warmup_steps = 0;  // cut to `steps`
  double period_steps = 0;  // of kStep, above 0
  double factor = 0.1;      // of kStep
};

// Rate of step `step`, from 0.
// - kCosine: CosineSchedule.
// - kConstant: linear warm-up as there, then `peak`.
// - kStep: linear warm-up, then peak * factor^floor(step / period_steps).
// - kOneCycle: from peak / 25 to peak over `warmup_steps` (0 = 30 % of the run) and on to peak /
//   250,000 at the last step, both along half a cosine (Smith and Topin 2018, "Super-Convergence";
//   constants of torch.optim.lr_scheduler.OneCycleLR; momentum stays).
double ScheduledRate(const ScheduleSettings& settings, int64_t step);

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
