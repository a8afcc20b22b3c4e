#include "worker/engine/reference/network.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/status.h"
#include "common/model_io/model_file.h"
#include "common/model_io/parameters.h"

namespace frontier::worker::reference {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kStatisticsMomentum = 0.1;

v1::Pool GlobalPool(const Tensor& x) {
  v1::Pool pool;
  pool.set_kernel_height(x.h);
  pool.set_kernel_width(x.w);
  pool.set_stride_height(1);
  pool.set_stride_width(1);
  return pool;
}

}  // namespace

absl::StatusOr<Network> Network::Create(const v1::Model& model) {
  RETURN_IF_ERROR(CheckTensors(model));
  ASSIGN_OR_RETURN(GraphView view, ViewGraph(model.architecture()));
  Network network(std::move(view));
  for (const v1::Tensor& tensor : model.tensors()) {
    const std::vector<float> values = TensorValues(tensor);
    network.tensors_[{tensor.node(), tensor.name()}].assign(values.begin(), values.end());
  }
  return network;
}

const Vector& Network::get(int node, const std::string& name) const {
  static const Vector* const kNone = new Vector;
  const auto it = tensors_.find({node, name});
  return it == tensors_.end() ? *kNone : it->second;
}

DropoutMask Network::Mask(int node) const {
  return DropoutMask(dropout_seed_, step_, node, view_.node(node).dropout().rate());
}

Network::Pass Network::Forward(const std::vector<double>& images, int batch, bool training) const {
  Pass pass;
  const size_t count = view_.inputs.size();
  pass.values.resize(count);
  pass.means.resize(count);
  pass.variances.resize(count);
  pass.values[0] = Tensor(batch, view_.shape(0));
  pass.values[0].v = images;
  for (size_t i = 1; i < count; ++i) {
    if (!view_.live[i]) continue;
    const int n = static_cast<int>(i);
    const v1::Node& node = view_.node(n);
    if (node.op() == v1::OPERATOR_ZERO) {
      pass.values[i] = Tensor(batch, view_.shape(n));
      continue;
    }
    const Tensor& x = pass.values[static_cast<size_t>(view_.inputs[i][0])];
    Tensor y(batch, view_.shape(n));
    switch (node.op()) {
      case v1::OPERATOR_CONVOLUTION:
        ConvolutionForward(node.convolution(), x, get(n, "weight"), get(n, "bias"), &y);
        break;
      case v1::OPERATOR_LINEAR:
        LinearForward(x, get(n, "weight"), get(n, "bias"), &y);
        break;
      case v1::OPERATOR_BATCH_NORM:
        if (training) {
          BatchNormForward(x, get(n, "scale"), get(n, "shift"), kEpsilon, &pass.means[i],
                           &pass.variances[i], &y);
        } else {
          BatchNormInference(x, get(n, "scale"), get(n, "shift"), get(n, "mean"),
                             get(n, "variance"), kEpsilon, &y);
        }
        break;
      case v1::OPERATOR_RELU:
      case v1::OPERATOR_RELU6:
      case v1::OPERATOR_LEAKY_RELU:
      case v1::OPERATOR_SIGMOID:
      case v1::OPERATOR_SILU:
      case v1::OPERATOR_HARD_SWISH:
      case v1::OPERATOR_GELU:
      case v1::OPERATOR_HARD_SIGMOID:
        ActivationForward(node, x, &y);
        break;
      case v1::OPERATOR_MULTIPLY:
        MultiplyForward(x, pass.values[static_cast<size_t>(view_.inputs[i][1])], &y);
        break;
      case v1::OPERATOR_CHANNEL_SHUFFLE:
        ChannelShuffleForward(node.channel_shuffle().groups(), x, &y);
        break;
      case v1::OPERATOR_CHANNEL_SLICE:
        ChannelSliceForward(node.channel_slice().first(), x, &y);
        break;
      case v1::OPERATOR_DROPOUT:
        if (training) {
          DropoutForward(Mask(n), x, &y);
        } else {
          y = x;
        }
        break;
      case v1::OPERATOR_MAX_POOL:
        MaxPoolForward(node.pool(), x, &y);
        break;
      case v1::OPERATOR_AVERAGE_POOL:
        AveragePoolForward(node.pool(), x, &y);
        break;
      case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
        AveragePoolForward(GlobalPool(x), x, &y);
        break;
      case v1::OPERATOR_ADD:
        for (const int input : view_.inputs[i]) {
          const Tensor& term = pass.values[static_cast<size_t>(input)];
          for (size_t k = 0; k < y.v.size(); ++k) y.v[k] += term.v[k];
        }
        break;
      case v1::OPERATOR_CONCAT: {
        const size_t samples = static_cast<size_t>(batch);
        size_t at = 0;
        for (size_t s = 0; s < samples; ++s) {
          for (const int input : view_.inputs[i]) {
            const Tensor& part = pass.values[static_cast<size_t>(input)];
            const size_t size = part.v.size() / samples;
            for (size_t k = 0; k < size; ++k) y.v[at++] = part.v[s * size + k];
          }
        }
        break;
      }
      default:
        break;
    }
    pass.values[i] = std::move(y);
  }
  return pass;
}

Network::Tensors Network::Backward(const Pass& pass, const Tensor& dlogits) const {
  Tensors gradients;
  for (const auto& [key, values] : tensors_) {
    if (key.second != "mean" && key.second != "variance") {
      gradients[key].assign(values.size(), 0.0);
    }
  }
  const size_t count = view_.inputs.size();
  std::vector<Tensor> d(count);
  for (size_t i = 0; i < count; ++i) {
    d[i] = pass.values[i];
    for (double& v : d[i].v) v = 0;
  }
  d[static_cast<size_t>(view_.output)] = dlogits;
  Vector none;
  for (size_t i = count; i-- > 1;) {
    if (!view_.live[i]) continue;
    const int n = static_cast<int>(i);
    const v1::Node& node = view_.node(n);
    if (node.op() == v1::OPERATOR_ZERO) continue;
    const size_t in = static_cast<size_t>(view_.inputs[i][0]);
    const Tensor& x = pass.values[in];
    Vector* const bias = gradients.count({n, "bias"}) != 0 ? &gradients[{n, "bias"}] : &none;
    switch (node.op()) {
      case v1::OPERATOR_CONVOLUTION:
        ConvolutionBackward(node.convolution(), x, get(n, "weight"), d[i], &d[in],
                            &gradients[{n, "weight"}], bias);
        break;
      case v1::OPERATOR_LINEAR:
        LinearBackward(x, get(n, "weight"), d[i], &d[in], &gradients[{n, "weight"}], bias);
        break;
      case v1::OPERATOR_BATCH_NORM:
        BatchNormBackward(x, get(n, "scale"), pass.means[i], pass.variances[i], kEpsilon, d[i],
                          &d[in], &gradients[{n, "scale"}], &gradients[{n, "shift"}]);
        break;
      case v1::OPERATOR_RELU:
      case v1::OPERATOR_RELU6:
      case v1::OPERATOR_LEAKY_RELU:
      case v1::OPERATOR_SIGMOID:
      case v1::OPERATOR_SILU:
      case v1::OPERATOR_HARD_SWISH:
      case v1::OPERATOR_GELU:
      case v1::OPERATOR_HARD_SIGMOID:
        ActivationBackward(node, x, d[i], &d[in]);
        break;
      case v1::OPERATOR_MULTIPLY: {
        const size_t other = static_cast<size_t>(view_.inputs[i][1]);
        MultiplyBackward(x, pass.values[other], d[i], &d[in], &d[other]);
        break;
      }
      case v1::OPERATOR_CHANNEL_SHUFFLE:
        ChannelShuffleBackward(node.channel_shuffle().groups(), d[i], &d[in]);
        break;
      case v1::OPERATOR_CHANNEL_SLICE:
        ChannelSliceBackward(node.channel_slice().first(), d[i], &d[in]);
        break;
      case v1::OPERATOR_DROPOUT:
        DropoutBackward(Mask(n), d[i], &d[in]);
        break;
      case v1::OPERATOR_MAX_POOL:
        MaxPoolBackward(node.pool(), x, d[i], &d[in]);
        break;
      case v1::OPERATOR_AVERAGE_POOL:
        AveragePoolBackward(node.pool(), d[i], &d[in]);
        break;
      case v1::OPERATOR_GLOBAL_AVERAGE_POOL:
        AveragePoolBackward(GlobalPool(x), d[i], &d[in]);
        break;
      case v1::OPERATOR_ADD:
        for (const int input : view_.inputs[i]) {
          Tensor& term = d[static_cast<size_t>(input)];
          for (size_t k = 0; k < term.v.size(); ++k) term.v[k] += d[i].v[k];
        }
        break;
      case v1::OPERATOR_CONCAT: {
        const size_t samples = static_cast<size_t>(dlogits.n);
        size_t at = 0;
        for (size_t s = 0; s < samples; ++s) {
          for (const int input : view_.inputs[i]) {
            Tensor& part = d[static_cast<size_t>(input)];
            const size_t size = part.v.size() / samples;
            for (size_t k = 0; k < size; ++k) part.v[s * size + k] += d[i].v[at++];
          }
        }
        break;
      }
      default:
        break;
    }
  }
  return gradients;
}

std::vector<double> Network::Infer(const std::vector<double>& images, int batch) const {
  return Forward(images, batch, /*training=*/false).values[static_cast<size_t>(view_.output)].v;
}

double Network::Loss(const std::vector<double>& images, const std::vector<uint8_t>& labels) const {
  const Pass pass = Forward(images, static_cast<int>(labels.size()), /*training=*/true);
  return CrossEntropy(pass.values[static_cast<size_t>(view_.output)], Wanted{labels, {}, {}, 0, {}},
                      nullptr);
}

Network::Tensors Network::Gradients(const std::vector<double>& images,
                                    const std::vector<uint8_t>& labels) const {
  const Pass pass = Forward(images, static_cast<int>(labels.size()), /*training=*/true);
  const Tensor& logits = pass.values[static_cast<size_t>(view_.output)];
  Tensor dlogits = logits;
  CrossEntropy(logits, Wanted{labels, {}, {}, 0, {}}, &dlogits);
  return Backward(pass, dlogits);
}

void Network::Optimize(Tensors gradients, const OptimizerSettings& settings) {
  double squares = 0;
  for (auto it = gradients.begin(); it != gradients.end();) {
    if (view_.live[static_cast<size_t>(it->first.first)]) {
      for (const double g : it->second) squares += g * g;
      ++it;
    } else {
      it = gradients.erase(it);
    }
  }
  double scale = 1;
  if (settings.clip_norm > 0) {
    scale = std::min(1.0, double{settings.clip_norm} / (std::sqrt(squares) + 1e-6));
  }
  const double rate = settings.learning_rate, b1 = settings.momentum, b2 = settings.beta2;
  const double t = static_cast<double>(++steps_);
  for (const auto& [key, gradient] : gradients) {
    Vector& weights = tensors_[key];
    Vector& velocity = velocities_[key];
    Vector& second = second_moments_[key];
    velocity.resize(weights.size(), 0.0);
    second.resize(weights.size(), 0.0);
    const double decay = key.second == "weight" ? double{settings.weight_decay} : 0.0;
    for (size_t i = 0; i < weights.size(); ++i) {
      double g = gradient[i] * scale;
      if (settings.kind == OptimizerKind::kAdamW) {
        weights[i] *= 1 - rate * decay;
        velocity[i] = b1 * velocity[i] + (1 - b1) * g;
        second[i] = b2 * second[i] + (1 - b2) * g * g;
        weights[i] -= rate * (velocity[i] / (1 - std::pow(b1, t))) /
                      (std::sqrt(second[i] / (1 - std::pow(b2, t))) + double{settings.epsilon});
        continue;
      }
      g += decay * weights[i];
      velocity[i] = b1 * velocity[i] + g;
      weights[i] -=
          rate * (settings.kind == OptimizerKind::kNesterov ? g + b1 * velocity[i] : velocity[i]);
    }
  }
}

double Network::Step(const std::vector<double>& images, const std::vector<uint8_t>& labels,
                     const OptimizerSettings& settings) {
  return Step(images, Wanted{labels, {}, {}, 0, {}}, settings);
}

double Network::Step(const std::vector<double>& images, const Wanted& wanted,
                     const OptimizerSettings& settings) {
  if (averages_.empty()) averages_ = tensors_;
  const Pass pass = Forward(images, static_cast<int>(wanted.labels.size()), /*training=*/true);
  const Tensor& logits = pass.values[static_cast<size_t>(view_.output)];
  Tensor dlogits = logits;
  const double loss = CrossEntropy(logits, wanted, &dlogits);
  Optimize(Backward(pass, dlogits), settings);
  for (size_t i = 0; i < pass.means.size(); ++i) {
    if (pass.means[i].empty()) continue;
    const Tensor& y = pass.values[i];
    const double count = double{1} * y.n * y.h * y.w;
    const double unbiased = count > 1 ? count / (count - 1) : 1;
    Vector& mean = tensors_[{static_cast<int>(i), "mean"}];
    Vector& variance = tensors_[{static_cast<int>(i), "variance"}];
    for (size_t c = 0; c < mean.size(); ++c) {
      mean[c] += kStatisticsMomentum * (pass.means[i][c] - mean[c]);
      variance[c] += kStatisticsMomentum * (pass.variances[i][c] * unbiased - variance[c]);
    }
  }
  const double t = static_cast<double>(steps_);
  const double decay = std::min(double{settings.average_decay}, (1 + t) / (10 + t));
  for (auto& [key, average] : averages_) {
    const Vector& values = tensors_.at(key);
    for (size_t i = 0; i < average.size(); ++i) {
      average[i] = decay * average[i] + (1 - decay) * values[i];
    }
  }
  ++step_;
  return loss;
}

}  // namespace frontier::worker::reference
