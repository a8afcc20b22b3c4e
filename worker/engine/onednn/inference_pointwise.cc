// Sums, products and concatenations: own kernels over numbers of any format.
#include <algorithm>
#include <utility>

#include "worker/engine/kernels/elementwise.h"
#include "worker/engine/kernels/gate.h"
#include "worker/engine/onednn/geometry.h"
#include "worker/engine/onednn/inference_builder.h"
#include "worker/engine/onednn/quantization.h"

namespace frontier::worker::onednn {

void InferenceBuilder::AddRelu(int n) {
  const Value& x = value(view_.inputs[static_cast<size_t>(n)][0]);
  const int64_t count = NumberCount(x);
  if (x.format.type == NumberType::kF32) {
    const Array y = program_->NewArray(x.array.md);
    program_->AddKernel(
        Label(n), {x.array}, {y},
        [count](const std::vector<float*>& p) { Relu(p[0], count, p[1]); },
        /*in_place=*/true);
    SetValue(n, y, x.format);
    return;
  }
  const NumberFormat format = OutputFormat(n);
  const Array y = program_->NewArray(OfType(x.array.md, DataType(format.type)));
  program_->AddKernel(
      Label(n), {x.array}, {y},
      [count, format, a = x.format](const std::vector<float*>& p) {
        const Numbers input{a, p[0]};
        AddNumbers(absl::MakeConstSpan(&input, 1), count, /*relu=*/true, {format, p[1]});
      },
      /*in_place=*/x.format.bytes() == format.bytes());
  SetValue(n, y, format);
}

void InferenceBuilder::AddSum(int n) {
  const int relu = FusedRelu(n);
  const int last = relu >= 0 ? relu : n;
  std::vector<Array> terms;
  std::vector<NumberFormat> formats;
  for (const int input : view_.inputs[static_cast<size_t>(n)]) {
    const Value& x = value(input);
    const Md& first = terms.empty() ? x.array.md : terms[0].md;
    terms.push_back(As(Label(n), x, OfType(first, x.array.md.data_type()), x.format));
    formats.push_back(x.format);
  }
  const NumberFormat format = OutputFormat(last);
  const Array y = program_->NewArray(OfType(terms[0].md, DataType(format.type)));
  const int64_t count = NumberCount({y, format});
  formats.push_back(format);
  if (std::all_of(formats.begin(), formats.end(),
                  [](const NumberFormat& f) { return f.type == NumberType::kF32; })) {
    program_->AddKernel(
        Label(n), terms, {y},
        [count, relu](const std::vector<float*>& p) {
          Add(absl::MakeConstSpan(p.data(), p.size() - 1), count, relu >= 0, p.back());
        },
        /*in_place=*/true);
  } else {
    std::vector<Numbers> numbers;
    for (const NumberFormat& f : formats) numbers.push_back({f, nullptr});
    const bool in_place = formats[0].bytes() == format.bytes();
    program_->AddKernel(
        Label(n), terms, {y},
        [count, relu, numbers](const std::vector<float*>& p) mutable {
          for (size_t i = 0; i < numbers.size(); ++i) numbers[i].data = p[i];
          AddNumbers(absl::MakeConstSpan(numbers).first(numbers.size() - 1), count, relu >= 0,
                     numbers.back());
        },
        in_place);
  }
  SetValue(last, y, format);
}

void InferenceBuilder::AddConcat(int n) {
  const std::vector<int>& inputs = view_.inputs[static_cast<size_t>(n)];
  const bool any_quantized = std::any_of(
      inputs.begin(), inputs.end(), [this](int input) { return value(input).format.quantized(); });
  NumberFormat format = OutputFormat(n);
  if (quantizing() && !any_quantized) format = NumberFormat();
  const dnnl::memory::data_type type = DataType(format.type);
  const bool channels_last = std::any_of(inputs.begin(), inputs.end(), [this](int input) {
    return IsChannelsLast(value(input).array.md);
  });
  std::vector<Array> parts;
  std::vector<Md> mds;
  for (const int input : inputs) {
    const Value& x = value(input);
    Md md = OfType(x.array.md, type);
    if (channels_last) md = Md(md.dims(), type, dnnl::memory::format_tag::nhwc);
    parts.push_back(As(Label(n), x, md, format));
    mds.push_back(md);
  }
  const Dims dims = ValueDims(batch_, view_.shape(n));
  if (channels_last) {
    const Array y = program_->NewArray(Md(dims, type, dnnl::memory::format_tag::nhwc));
    std::vector<ConcatPart> concat;
    for (const Md& md : mds) concat.push_back({nullptr, md.dims()[1] * format.bytes()});
    const int64_t positions = dims[0] * dims[2] * dims[3];
    program_->AddKernel(Label(n), parts, {y},
                        [concat, positions](const std::vector<float*>& p) mutable {
                          for (size_t i = 0; i < concat.size(); ++i) concat[i].data = p[i];
                          ConcatChannels(concat, positions, p.back());
                        });
    SetValue(n, y, format);
    return;
  }
  std::vector<Program::Argument> reads;
  for (size_t i = 0; i < parts.size(); ++i) {
    reads.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), parts[i]});
  }
  const dnnl::concat::primitive_desc forward(/*concat_dimension=*/1, mds, program_->engine(),
                                             Attributes());
  const Array y = program_->NewArray(forward.dst_desc());
  program_->AddPrimitive(Label(n), forward, dnnl::concat(forward), reads, {{DNNL_ARG_DST, y}});
  SetValue(n, y, format);
}

void InferenceBuilder::AddMultiply(int n) {
  int a = view_.inputs[static_cast<size_t>(n)][0], b = view_.inputs[static_cast<size_t>(n)][1];
  const Dims dims = ValueDims(batch_, view_.shape(n));
  if (ValueDims(batch_, view_.shape(a)) != dims) std::swap(a, b);
  if (ValueDims(batch_, view_.shape(b)) != dims) return AddGate(n, a, b);
  const Value& x = value(a);
  const Value& other = value(b);
  const Array z = As(Label(n), other, OfType(x.array.md, other.array.md.data_type()), other.format);
  const NumberFormat format = OutputFormat(n);
  const Array y = program_->NewArray(OfType(x.array.md, DataType(format.type)));
  const int64_t count = NumberCount(x);
  if (x.format.type == NumberType::kF32 && other.format.type == NumberType::kF32 &&
      format.type == NumberType::kF32) {
    program_->AddKernel(
        Label(n), {x.array, z}, {y},
        [count](const std::vector<float*>& p) { Multiply(p[0], p[1], count, p[2]); },
        /*in_place=*/true);
  } else {
    program_->AddKernel(
        Label(n), {x.array, z}, {y},
        [=, f = x.format, g = other.format](const std::vector<float*>& p) {
          MultiplyNumbers({f, p[0]}, {g, p[1]}, count, {format, p[2]});
        },
        /*in_place=*/x.format.bytes() == format.bytes());
  }
  SetValue(n, y, format);
}

void InferenceBuilder::AddGate(int n, int map, int gate) {
  Value x = value(map);
  const Array factors =
      As(Label(n), value(gate), PlainMd(ValueDims(batch_, view_.shape(gate))), NumberFormat());
  const NumberFormat format = OutputFormat(n);
  if (x.format.type == NumberType::kF32 && format.type == NumberType::kF32) {
    std::optional<ChannelLayout> layout = LayoutOf(x.array.md);
    if (!layout.has_value()) {
      x.array = program_->Reordered(Label(n), x.array, PlainMd(x.array.md.dims()));
      layout = LayoutOf(x.array.md);
    }
    const Array y = program_->NewArray(x.array.md);
    program_->AddKernel(
        Label(n), {x.array, factors}, {y},
        [layout = *layout](const std::vector<float*>& p) { Gate(layout, p[0], p[1], p[2]); },
        /*in_place=*/true);
    SetValue(n, y, format);
    return;
  }
  x = ChannelsLast(Label(n), x);
  const Array y = program_->NewArray(OfType(x.array.md, DataType(format.type)));
  const int64_t channels = view_.shape(n).channels();
  const int64_t positions = int64_t{view_.shape(n).height()} * view_.shape(n).width();
  program_->AddKernel(
      Label(n), {x.array, factors}, {y},
      [=, f = x.format, batch = batch_](const std::vector<float*>& p) {
        GateNumbers({f, p[0]}, p[1], batch, positions, channels, {format, p[2]});
      },
      /*in_place=*/x.format.bytes() == format.bytes());
  SetValue(n, y, format);
}

}  // namespace frontier::worker::onednn
