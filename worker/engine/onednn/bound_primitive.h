// A primitive with the memory it works on.
#ifndef FRONTIER_WORKER_ENGINE_ONEDNN_BOUND_PRIMITIVE_H_
#define FRONTIER_WORKER_ENGINE_ONEDNN_BOUND_PRIMITIVE_H_

#include <dnnl.hpp>
#include <utility>
#include <vector>

namespace frontier::worker::onednn {

// Functions throw dnnl::error.
class BoundPrimitive {
 public:
  BoundPrimitive() = default;
  explicit BoundPrimitive(dnnl::primitive primitive) : primitive_(std::move(primitive)) {}

  // `name` is a DNNL_ARG_...; the first address given for one stays, since what is read and written
  // is an argument once.
  void Bind(int name, const dnnl::memory::desc& md, const dnnl::engine& engine, void* address) {
    for (const dnnl_exec_arg_t& bound : arguments_) {
      if (bound.arg == name) return;
    }
    memory_.emplace_back(md, engine, address);
    arguments_.push_back({name, memory_.back().get()});
  }

  // dnnl::primitive::execute would make a list of the arguments in each call.
  void Execute(const dnnl::stream& stream) const {
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), stream.get(), static_cast<int>(arguments_.size()),
                               arguments_.data()),
        "could not execute a primitive");
  }

  explicit operator bool() const { return static_cast<bool>(primitive_); }

 private:
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memory_;  // what the arguments refer to
  std::vector<dnnl_exec_arg_t> arguments_;
};

}  // namespace frontier::worker::onednn

#endif  // FRONTIER_WORKER_ENGINE_ONEDNN_BOUND_PRIMITIVE_H_
