// What a run of an inference plan takes from the heap. Replaces the binary's operator new and
// posix_memalign, by which our arenas and the library take memory for numbers.
#include <malloc.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "common/architecture/reference.h"
#include "common/base/random.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/worker/engine/engine_cases.h"
#include "tests/unit/worker/engine/model_cases.h"
#include "worker/engine/inference_plan.h"

namespace {

struct Allocations {
  bool counting = false;
  int count = 0;
  size_t largest = 0;
  int aligned = 0;
};

// Of the thread that runs the plan; others have no work with one thread.
thread_local Allocations allocations;

// Apart, since GCC takes free() that is inlined where it knows new for a mistake.
__attribute__((noinline)) void Release(void* p) { std::free(p); }

}  // namespace

// All forms without alignment, so that each block is freed as it was made.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  if (allocations.counting) {
    ++allocations.count;
    if (bytes > allocations.largest) allocations.largest = bytes;
  }
  return std::malloc(bytes == 0 ? 1 : bytes);
}

void* operator new(size_t bytes) {
  void* p = operator new(bytes, std::nothrow);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

void* operator new[](size_t bytes) { return operator new(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t& t) noexcept {
  return operator new(bytes, t);
}
void operator delete(void* p) noexcept { Release(p); }
void operator delete(void* p, size_t) noexcept { Release(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { Release(p); }
void operator delete[](void* p) noexcept { Release(p); }
void operator delete[](void* p, size_t) noexcept { Release(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { Release(p); }

extern "C" int posix_memalign(void** p, size_t alignment, size_t bytes) noexcept {
  if (allocations.counting) ++allocations.aligned;
  *p = memalign(alignment, bytes);
  return *p == nullptr ? ENOMEM : 0;
}

namespace frontier::worker {
namespace {

// Of one run with `batch` images.
Allocations Count(const v1::Model& model, InferencePrecision precision, int batch,
                  bool* available) {
  const v1::Shape& in = model.architecture().input();
  const int classes = model.architecture().classes();
  Rng rng(1);
  const std::vector<float> images = RandomBatch(in, classes, batch, &rng).images;
  InferenceOptions options;
  options.precision = precision;
  options.calibration.images = images;
  allocations = {.counting = true};
  auto plan = InferencePlan::Create(model, batch, options);
  *available = !absl::IsUnimplemented(plan.status());
  if (!*available) {
    allocations.counting = false;
    return Allocations();
  }
  EXPECT_OK(plan.status());
  EXPECT_GT(allocations.aligned, 0) << "what the plan takes is not seen";
  allocations.counting = false;
  std::vector<float> logits(static_cast<size_t>(batch * classes));
  EXPECT_OK((*plan)->Run(images, absl::MakeSpan(logits)));
  allocations = {.counting = true};
  const absl::Status status = (*plan)->Run(images, absl::MakeSpan(logits));
  allocations.counting = false;
  EXPECT_OK(status);
  return allocations;
}

// The library makes lists of a primitive's few arguments in each call (it names them in a hash
// map), and we cannot keep it from that; memory for numbers comes from the plan.
TEST(InferenceAllocationTest, ARunAllocatesNoMoreThanListsOfArguments) {
  for (const InferencePrecision precision :
       {InferencePrecision::kF32, InferencePrecision::kBf16, InferencePrecision::kInt8}) {
    for (const char* name : {"resnet20", "mobilenetv2-like", "squeezenet-like"}) {
      const v1::Model model =
          RandomModel(ReferenceArchitecture(name, MakeShape(3, 16, 16), 10).value(), 1);
      bool available = false;
      const Allocations one = Count(model, precision, 1, &available);
      if (!available) continue;
      const Allocations many = Count(model, precision, 8, &available);
      const std::string text =
          std::string(name) + " " + std::string(InferencePrecisionName(precision));
      EXPECT_EQ(one.aligned, 0) << text;
      EXPECT_EQ(many.aligned, 0) << text;
      EXPECT_LT(one.largest, 1024u) << text;
      EXPECT_LT(many.largest, 1024u) << text;
      EXPECT_LT(one.count, 20 * model.architecture().nodes_size()) << text;
      EXPECT_LT(many.count, 20 * model.architecture().nodes_size()) << text;
    }
  }
}

}  // namespace
}  // namespace frontier::worker
