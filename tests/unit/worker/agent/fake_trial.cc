// A trial process that misbehaves on request: the data set's path of its input says how.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <new>
#include <string>
#include <vector>

#include "frontier/v1/trial_process.pb.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "worker/agent/cpu_sets.h"
#include "worker/agent/trial_limits.h"

namespace {

using frontier::v1::TrialProcessInput;
using frontier::v1::TrialProcessUpdate;

void Write(const TrialProcessUpdate& update) {
  google::protobuf::util::SerializeDelimitedToFileDescriptor(update, STDOUT_FILENO);
}

void WriteEpoch(int epoch) {
  TrialProcessUpdate update;
  update.mutable_epoch()->set_epoch(epoch);
  Write(update);
}

void WriteResult() {
  TrialProcessUpdate update;
  const char* threads = std::getenv("OMP_NUM_THREADS");
  update.mutable_result()->mutable_engine()->set_threads(threads ? std::atoi(threads) : 0);
  Write(update);
}

[[noreturn]] void Hang() {
  while (true) pause();
}

// Touches `megabytes` of memory, a page at a time.
void Allocate(int megabytes) {
  for (int i = 0; i < megabytes; ++i) {
    char* block = static_cast<char*>(std::malloc(1 << 20));
    if (block == nullptr) throw std::bad_alloc();
    for (int page = 0; page < (1 << 20); page += 4096) {
      *const_cast<volatile char*>(block + page) = 1;
    }
  }
}

int Behave(const std::string& how) {
  if (how == "result") {
    WriteEpoch(1);
    WriteEpoch(2);
    WriteResult();
  } else if (how == "failure") {
    TrialProcessUpdate update;
    update.mutable_failure()->set_cause(frontier::v1::FAILURE_CAUSE_DIVERGED);
    update.mutable_failure()->set_message("loss is nan in epoch 1");
    Write(update);
  } else if (how == "segfault") {
    std::fputs("about to fall\n", stderr);
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  } else if (how == "exit3") {
    return 3;
  } else if (how == "silent") {
    return 0;
  } else if (how == "hang") {
    WriteEpoch(1);
    Hang();
  } else if (how == "steps") {
    for (int i = 1; i <= 20; ++i) {
      TrialProcessUpdate update;
      update.set_steps(i);
      Write(update);
    }
    WriteResult();
  } else if (how == "cpus") {
    TrialProcessUpdate update;
    for (const int cpu : frontier::worker::AllowedCpus()) {
      update.mutable_result()->add_epochs()->set_epoch(cpu);
    }
    Write(update);
  } else if (how == "hang_after_result") {
    WriteResult();
    raise(SIGSEGV);
  } else if (how == "grandchild") {
    // Lives for ever unless the group is killed.
    const pid_t child = fork();
    if (child == 0) Hang();
    TrialProcessUpdate update;
    update.mutable_result()->add_epochs()->set_epoch(child);
    Write(update);
  } else if (how == "allocate") {
    Allocate(4096);
    Hang();
  } else if (how == "allocate_unhandled") {
    Allocate(4096);
  } else if (how == "unchecked_allocation") {
    char* volatile block = static_cast<char*>(std::malloc(size_t{8} << 30));
    for (size_t at = 0; at < size_t{8} << 30; at += 4096) {
      *const_cast<volatile char*>(block + at) = 1;
    }
  } else if (how == "limited_segfault") {
    errno = 0;
    raise(SIGSEGV);
  } else if (how == "garbage") {
    std::fputs(std::string(1000, 'S').c_str(), stdout);
    std::fflush(stdout);
    Hang();
  } else if (how == "half") {
    const char half[] = {100, 1, 2};
    if (write(STDOUT_FILENO, half, sizeof(half)) < 0) return 1;
  } else if (how == "endless_length") {
    const char header[] = {'\xff', '\xff', '\xff', '\xff', '\x7f'};
    if (write(STDOUT_FILENO, header, sizeof(header)) < 0) return 1;
    Hang();
  } else if (how == "flood_output") {
    while (true) WriteEpoch(1);
  } else if (how == "flood_error") {
    for (int i = 0; i < 20000; ++i) std::fprintf(stderr, "line %d of many\n", i);
    WriteResult();
  } else if (how == "burn_cpu") {
    volatile double sum = 0;
    for (int i = 0; i < 20'000'000; ++i) sum = sum + i;
    WriteResult();
  } else {
    return 99;
  }
  return 0;
}

// Stands for `measure-training`; the hardware class says how.
int MeasureTraining(int argc, char** argv) {
  int threads = 0;
  char how[64] = {};
  for (int i = 2; i < argc; ++i) {
    std::sscanf(argv[i], "--threads=%d", &threads);
    std::sscanf(argv[i], "--hardware_class=%63s", how);
  }
  if (std::strcmp(how, "figure") == 0) {
    std::printf("%g\n", threads * 12.5);
    return 0;
  }
  if (std::strcmp(how, "hang") == 0) Hang();
  std::fputs("cannot measure\n", stderr);
  std::puts("no number");
  return std::strcmp(how, "crash") == 0 ? 3 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "measure-training") == 0) {
    return MeasureTraining(argc, argv);
  }
  long long memory_bytes = 0;
  int parent = 0;
  for (int i = 1; i < argc; ++i) {
    std::sscanf(argv[i], "--memory_bytes=%lld", &memory_bytes);
    std::sscanf(argv[i], "--parent_pid=%d", &parent);
  }
  const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
  TrialProcessInput input;
  if (argc < 2 || std::strcmp(argv[1], "run-trial") != 0 || !input.ParseFromString(bytes)) {
    return 98;
  }
  const std::string how = input.dataset_path();
  if (how == "allocate_unhandled" || how == "unchecked_allocation" || how == "limited_segfault") {
    if (!frontier::worker::ApplyTrialLimits(memory_bytes, parent).ok()) return 97;
    frontier::worker::ExitWhenOutOfMemory(memory_bytes);
  }
  return Behave(how);
}
