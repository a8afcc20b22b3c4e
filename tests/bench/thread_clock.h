// Processor time, so that other programs disturb less.
#ifndef FRONTIER_TESTS_BENCH_THREAD_CLOCK_H_
#define FRONTIER_TESTS_BENCH_THREAD_CLOCK_H_

#include <time.h>

namespace frontier {

// Seconds that the calling thread has run.
inline double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace frontier

#endif  // FRONTIER_TESTS_BENCH_THREAD_CLOCK_H_
