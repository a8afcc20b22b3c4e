#include "worker/engine/onednn/program.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace frontier::worker::onednn {
namespace {

void AddUses(const std::vector<Array>& arrays, std::vector<int>* uses) {
  for (const Array& array : arrays) {
    if (!array.buffer.fixed) uses->push_back(array.buffer.index);
  }
}

ArenaPlanner::Step Uses(const std::vector<Array>& reads, const std::vector<Array>& writes,
                        bool in_place) {
  ArenaPlanner::Step step;
  AddUses(reads, &step.reads);
  AddUses(writes, &step.writes);
  step.in_place = in_place && !reads.front().buffer.fixed && !writes.front().buffer.fixed;
  return step;
}

std::vector<Array> Arrays(const std::vector<Program::Argument>& arguments) {
  std::vector<Array> arrays;
  for (const Program::Argument& argument : arguments) arrays.push_back(argument.array);
  return arrays;
}

}  // namespace

absl::Status Guarded(absl::string_view what, absl::FunctionRef<absl::Status()> body) {
  try {
    return body();
  } catch (const dnnl::error& e) {
    switch (e.status) {
      case dnnl_out_of_memory:
        return absl::ResourceExhaustedError(absl::StrCat(what, ": out of memory in oneDNN"));
      case dnnl_unimplemented:
        return absl::UnimplementedError(absl::StrCat(what, ": ", e.what()));
      default:
        return absl::InternalError(absl::StrCat(what, ": ", e.what()));
    }
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat(what, ": out of memory"));
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat(what, ": ", e.what()));
  }
}

dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

Md PlainMd(const dnnl::memory::dims& dims) {
  dnnl::memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
  return Md(dims, dnnl::memory::data_type::f32, strides);
}

Md AnyMd(const dnnl::memory::dims& dims) {
  return Md(dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
}

Md OfType(Md md, dnnl::memory::data_type type) {
  md.data.data_type = dnnl::memory::convert_to_c(type);
  return md;
}

Program::Program() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

Array Program::NewArray(const Md& md) {
  return {md, {planner_.AddBuffer(static_cast<int64_t>(md.get_size())), false}};
}

Array Program::NewFixedArray(const Md& md) {
  const int64_t bytes = static_cast<int64_t>(md.get_size());
  fixed_offsets_.push_back(fixed_bytes_);
  fixed_bytes_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return {md, {static_cast<int>(fixed_offsets_.size()) - 1, true}};
}

void Program::AddPrimitive(std::string label, const dnnl::primitive_desc_base& descriptor,
                           dnnl::primitive primitive, std::vector<Argument> reads,
                           std::vector<Argument> writes, bool in_place) {
  Step step;
  step.label = std::move(label);
  step.implementation = descriptor.impl_info_str();
  step.primitive = BoundPrimitive(std::move(primitive));
  step.scratchpad = descriptor.scratchpad_desc();
  scratchpad_bytes_ = std::max(scratchpad_bytes_, static_cast<int64_t>(step.scratchpad.get_size()));
  planner_.AddStep(Uses(Arrays(reads), Arrays(writes), in_place));
  step.arguments = std::move(reads);
  step.arguments.insert(step.arguments.end(), writes.begin(), writes.end());
  steps_.push_back(std::move(step));
}

void Program::AddKernel(std::string label, std::vector<Array> reads, std::vector<Array> writes,
                        Kernel kernel, bool in_place, std::string implementation, Kernel prepare) {
  Step step;
  step.label = std::move(label);
  step.implementation = std::move(implementation);
  step.kernel = std::move(kernel);
  step.prepare = std::move(prepare);
  planner_.AddStep(Uses(reads, writes, in_place));
  step.arrays = std::move(reads);
  step.arrays.insert(step.arrays.end(), writes.begin(), writes.end());
  steps_.push_back(std::move(step));
}

Array Program::Reordered(std::string label, const Array& from, const Md& md) {
  if (from.md == md) return from;
  const Array to = NewArray(md);
  const dnnl::reorder::primitive_desc descriptor(engine_, from.md, engine_, md, Attributes());
  AddPrimitive(absl::StrCat(label, ".reorder"), descriptor, dnnl::reorder(descriptor),
               {{DNNL_ARG_FROM, from}}, {{DNNL_ARG_TO, to}});
  return to;
}

void* Program::Locate(Buffer buffer) const {
  const size_t index = static_cast<size_t>(buffer.index);
  return buffer.fixed ? fixed_.data() + fixed_offsets_[index]
                      : arena_.data() + layout_.offsets[index];
}

absl::Status Program::Finish(const std::function<absl::Status(int64_t)>& admit) {
  layout_ = planner_.Plan();
  memory_bytes_ = layout_.bytes + fixed_bytes_ + scratchpad_bytes_;
  if (admit) RETURN_IF_ERROR(admit(memory_bytes_));
  ASSIGN_OR_RETURN(arena_, AlignedBuffer::Create(layout_.bytes, "activations"));
  ASSIGN_OR_RETURN(fixed_, AlignedBuffer::Create(fixed_bytes_, "weights"));
  ASSIGN_OR_RETURN(scratchpad_, AlignedBuffer::Create(scratchpad_bytes_, "scratch memory"));
  for (Step& step : steps_) {
    for (const Argument& argument : step.arguments) {
      step.primitive.Bind(argument.name, argument.array.md, engine_, Locate(argument.array.buffer));
    }
    if (step.primitive) {
      step.primitive.Bind(DNNL_ARG_SCRATCHPAD, step.scratchpad, engine_, scratchpad_.data());
    }
    for (const Array& array : step.arrays) {
      step.pointers.push_back(static_cast<float*>(Locate(array.buffer)));
    }
    if (step.prepare) step.prepare(step.pointers);
  }
  return absl::OkStatus();
}

void Program::RunStep(const Step& step) {
  if (step.kernel) {
    step.kernel(step.pointers);
  } else {
    step.primitive.Execute(stream_);
  }
}

void Program::Run(int begin, int end) {
  for (int i = begin; i < end; ++i) RunStep(steps_[static_cast<size_t>(i)]);
}

void Program::RunTimed(int begin, int end, absl::FunctionRef<double()> now,
                       absl::Span<double> seconds) {
  for (int i = begin; i < end; ++i) {
    const double since = now();
    RunStep(steps_[static_cast<size_t>(i)]);
    seconds[static_cast<size_t>(i)] += now() - since;
  }
}

float* Program::address(const Array& array) const {
  return static_cast<float*>(Locate(array.buffer));
}

void Program::Load(const void* values, const Md& plain, const Array& array) {
  dnnl::memory from(plain, engine_, const_cast<void*>(values));
  dnnl::memory to(array.md, engine_, address(array));
  dnnl::reorder(from, to).execute(stream_, from, to);
  stream_.wait();
}

void Program::Store(const Array& array, const Md& plain, float* values) {
  dnnl::memory from(array.md, engine_, address(array));
  dnnl::memory to(plain, engine_, values);
  dnnl::reorder(from, to).execute(stream_, from, to);
  stream_.wait();
}

}  // namespace frontier::worker::onednn
