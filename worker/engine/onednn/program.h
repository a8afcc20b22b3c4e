// A list of oneDNN primitives and own kernels over buffers, planned once and run many times.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_PROGRAM_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_PROGRAM_H_

#include <cstdint>
#include <dnnl.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "worker/engine/arena.h"
#include "worker/engine/onednn/bound_primitive.h"

namespace frontier::worker::onednn {

using Md = dnnl::memory::desc;

// The border of this room: runs `body` and turns what oneDNN and the allocator throw into a status:
// RESOURCE_EXHAUSTED for exhausted memory, UNIMPLEMENTED for what oneDNN does not offer, INTERNAL
// for the rest. The message begins with `what`.
absl::Status Guarded(absl::string_view what, absl::FunctionRef<absl::Status()> body);

// A buffer of a program. `fixed` ones keep their content from run to run; the others share one
// arena and are only there from their first step to their last.
struct Buffer {
  int index = -1;
  bool fixed = false;
};

// Memory of a program in a format.
struct Array {
  Md md;
  Buffer buffer;
};

// Functions may throw dnnl::error and std::bad_alloc. Not thread-safe.
class Program {
 public:
  struct Argument {
    int name = 0;  // DNNL_ARG_...
    Array array;
  };
  // Gets the addresses of the buffers it reads, then of those it writes.
  using Kernel = std::function<void(const std::vector<float*>&)>;

  Program();

  const dnnl::engine& engine() const { return engine_; }

  Array NewArray(const Md& md);
  Array NewFixedArray(const Md& md);

  // `descriptor` has been made with user scratchpad mode.
  void AddPrimitive(std::string label, const dnnl::primitive_desc_base& descriptor,
                    dnnl::primitive primitive, std::vector<Argument> reads,
                    std::vector<Argument> writes, bool in_place = false);
  // With `in_place` the first write may lie on the first read. `prepare`, unless empty, is called
  // once, with the addresses of all runs.
  void AddKernel(std::string label, std::vector<Array> reads, std::vector<Array> writes,
                 Kernel kernel, bool in_place = false, std::string implementation = "kernel",
                 Kernel prepare = nullptr);
  // `from` in the format `md`; `from` itself if that is its format.
  Array Reordered(std::string label, const Array& from, const Md& md);

  int steps() const { return static_cast<int>(steps_.size()); }
  // Places the buffers and binds the steps to them; nothing is added after this. `admit`, unless
  // empty, is asked with memory_bytes() before the memory is taken; its error is returned.
  absl::Status Finish(const std::function<absl::Status(int64_t)>& admit = nullptr);
  // Runs steps [begin, end). Allocates nothing.
  void Run(int begin, int end);
  // The same, with the time of each step in seconds added to `seconds[i]`.
  void RunTimed(int begin, int end, absl::FunctionRef<double()> now, absl::Span<double> seconds);
  const std::string& label(int i) const { return steps_[static_cast<size_t>(i)].label; }
  // Name of the step's implementation in the library, "kernel" for our own.
  const std::string& implementation(int i) const {
    return steps_[static_cast<size_t>(i)].implementation;
  }

  // After Finish, of a fixed buffer.
  float* address(const Array& array) const;
  // Copies between plain memory in `plain` format and a fixed array. At setup only.
  void Load(const void* values, const Md& plain, const Array& array);
  void Store(const Array& array, const Md& plain, float* values);

  int64_t memory_bytes() const { return memory_bytes_; }

 private:
  struct Step {
    std::string label;
    std::string implementation;
    BoundPrimitive primitive;
    std::vector<Argument> arguments;  // reads, then writes
    std::vector<Array> arrays;        // of a kernel: reads, then writes
    Kernel kernel, prepare;
    std::vector<float*> pointers;
    Md scratchpad;
  };

  void* Locate(Buffer buffer) const;
  void RunStep(const Step& step);

  dnnl::engine engine_;
  dnnl::stream stream_;
  ArenaPlanner planner_;
  ArenaPlanner::Layout layout_;
  std::vector<int64_t> fixed_offsets_;
  int64_t fixed_bytes_ = 0;
  int64_t scratchpad_bytes_ = 0;
  int64_t memory_bytes_ = 0;
  AlignedBuffer arena_, fixed_, scratchpad_;
  std::vector<Step> steps_;
};

// Attributes for primitives of a Program.
dnnl::primitive_attr Attributes();

Md PlainMd(const dnnl::memory::dims& dims);      // row-major f32
Md AnyMd(const dnnl::memory::dims& dims);        // oneDNN chooses
Md OfType(Md md, dnnl::memory::data_type type);  // the same format of other numbers
inline bool IsBf16(const Md& md) { return md.data_type() == dnnl::memory::data_type::bf16; }
inline int64_t Elements(const Md& md) {  // padding included; f32 or bf16
  return static_cast<int64_t>(md.get_size() / (IsBf16(md) ? sizeof(uint16_t) : sizeof(float)));
}

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_PROGRAM_H_
