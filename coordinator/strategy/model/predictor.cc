#include "coordinator/strategy/model/predictor.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <utility>

namespace frontier::coordinator {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::MatrixXf;
using Eigen::VectorXd;
using Eigen::VectorXf;

constexpr double kLengths[] = {0.15, 0.3, 0.6, 1.2, 2.4};
constexpr double kSignals[] = {0.7, 0.9, 0.99};
// Members are chosen on so many of the points.
constexpr Index kChoicePoints = 128;
constexpr size_t kMembers = 4;
// A member this much less likely than the best, per point and in units of 1 / points, counts by
// 1 / e of it.
constexpr double kLikelihoodScale = 2;
// Of the weight of a decision that explains nothing, in units of an equal share.
constexpr double kLeastWeight = 0.2;

// Share of the variance of `values` (mean 0, variance 1) that lies between the options of one
// decision, less what would do so by chance; in [0, 1].
double Explained(const Eigen::Ref<const Eigen::Matrix<int32_t, 1, Eigen::Dynamic>>& options,
                 const VectorXd& values) {
  const Index count = values.size();
  const int32_t most = options.maxCoeff();
  std::vector<double> sums(most + 1, 0.0);
  std::vector<int> sizes(most + 1, 0);
  for (Index i = 0; i < count; ++i) {
    sums[options(i)] += values(i);
    ++sizes[options(i)];
  }
  double between = 0;
  int groups = 0;
  for (size_t k = 0; k < sums.size(); ++k) {
    if (sizes[k] == 0) continue;
    between += sums[k] * sums[k] / sizes[k];
    ++groups;
  }
  const double by_chance = static_cast<double>(groups - 1);
  return std::clamp((between - by_chance) / static_cast<double>(count), 0.0, 1.0);
}

}  // namespace

// Correlations with the known points, each computed once.
class Predictor::Correlations {
 public:
  Correlations(const Predictor* predictor, const OptionMatrix& genotypes)
      : predictor_(*predictor), genotypes_(genotypes) {}

  const MatrixXd& Of(const Kernel& kernel) {
    for (const auto& [known, correlation] : known_) {
      if (known == kernel) return correlation;
    }
    std::optional<MatrixXf>& distances = distances_[kernel.weighted];
    if (!distances.has_value()) distances = predictor_.Distances(genotypes_, kernel.weighted);
    const auto length = static_cast<float>(kernel.length);
    return known_.emplace_back(kernel, (-*distances / length).array().exp().matrix().cast<double>())
        .second;
  }

 private:
  const Predictor& predictor_;
  const OptionMatrix& genotypes_;
  std::optional<MatrixXf> distances_[2];
  std::deque<std::pair<Kernel, MatrixXd>> known_;
};

Predictor Predictor::Fit(const OptionMatrix& genotypes, const VectorXd& values,
                         const Predictor* like) {
  Predictor predictor;
  predictor.genotypes_ = genotypes;
  predictor.mean_ = values.mean();
  predictor.values_ = values.array() - predictor.mean_;
  const double variance = predictor.values_.squaredNorm() / static_cast<double>(values.size());
  predictor.scale_ = variance > 0 ? std::sqrt(variance) : 1;
  predictor.values_ /= predictor.scale_;

  const Index decisions = genotypes.rows();
  predictor.weights_.resize(decisions);
  for (Index d = 0; d < decisions; ++d) {
    predictor.weights_(d) = std::sqrt(Explained(genotypes.row(d), predictor.values_));
  }
  predictor.weights_.array() += std::max(kLeastWeight * predictor.weights_.mean(), 1e-6);
  predictor.weights_ /= predictor.weights_.sum();
  if (like == nullptr) {
    predictor.ChooseMembers();
  } else {
    for (const Member& member : like->members_) {
      predictor.members_.push_back({member.kernel, member.signal, member.share});
    }
  }
  predictor.FitMembers();
  return predictor;
}

// In single precision, which is ample. Decision by decision over all known points, so that the
// compiler can compare and add several at a time.
MatrixXf Predictor::Distances(const OptionMatrix& genotypes, bool weighted) const {
  const Index decisions = genotypes_.rows();
  const Index points = genotypes_.cols();
  const float equal = 1.0F / static_cast<float>(std::max<Index>(decisions, 1));
  const OptionMatrix by_decision = genotypes_.transpose();
  MatrixXf distances = MatrixXf::Zero(points, genotypes.cols());
  for (Index b = 0; b < genotypes.cols(); ++b) {
    float* const sums = distances.data() + b * points;
    for (Index d = 0; d < decisions; ++d) {
      const int32_t* const options = by_decision.data() + d * points;
      const int32_t option = genotypes(d, b);
      const float weight = weighted ? static_cast<float>(weights_(d)) : equal;
      for (Index a = 0; a < points; ++a) sums[a] += options[a] != option ? weight : 0.0F;
    }
  }
  return distances;
}

void Predictor::ChooseMembers() {
  // Spread over the history, so that all of it has its share.
  const Index count = std::min(genotypes_.cols(), kChoicePoints);
  Predictor part;
  part.weights_ = weights_;
  part.genotypes_.resize(genotypes_.rows(), count);
  part.values_.resize(count);
  for (Index i = 0; i < count; ++i) {
    part.genotypes_.col(i) = genotypes_.col(i * genotypes_.cols() / count);
    part.values_(i) = values_(i * genotypes_.cols() / count);
  }
  Correlations correlations(&part, part.genotypes_);
  std::vector<std::pair<double, Member>> fitted;  // by likelihood
  for (const bool by_weight : {false, true}) {
    for (const double length : kLengths) {
      const Kernel kernel{by_weight, length};
      const MatrixXd& correlation = correlations.Of(kernel);
      for (const double signal : kSignals) {
        const std::optional<GaussianProcess> process =
            GaussianProcess::Fit(correlation, part.values_, signal);
        if (!process.has_value()) continue;
        fitted.emplace_back(process->log_likelihood(), Member{kernel, signal});
      }
    }
  }
  std::stable_sort(fitted.begin(), fitted.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  // One set of weights needs one matrix of distances.
  const bool weighted = !fitted.empty() && fitted.front().second.kernel.weighted;
  fitted.erase(
      std::remove_if(fitted.begin(), fitted.end(),
                     [&](const auto& one) { return one.second.kernel.weighted != weighted; }),
      fitted.end());
  if (fitted.size() > kMembers) fitted.resize(kMembers);
  for (auto& [likelihood, member] : fitted) {
    const double less = fitted.front().first - likelihood;
    member.share = std::exp(-less * static_cast<double>(count) / kLikelihoodScale);
    members_.push_back(std::move(member));
  }
}

void Predictor::FitMembers() {
  std::vector<Member> fitted;
  Correlations correlations(this, genotypes_);
  double sum = 0;
  for (Member& member : members_) {
    std::optional<GaussianProcess> process =
        GaussianProcess::Fit(correlations.Of(member.kernel), values_, member.signal);
    if (!process.has_value()) continue;
    member.process = *std::move(process);
    sum += member.share;
    fitted.push_back(std::move(member));
  }
  for (Member& member : fitted) member.share /= sum;
  members_ = std::move(fitted);
}

Predictor::Prediction Predictor::Predict(const OptionMatrix& genotypes) const {
  return Predict(genotypes, &GaussianProcess::Variance);
}

Predictor::Prediction Predictor::PredictRoughly(const OptionMatrix& genotypes) const {
  return Predict(genotypes, &GaussianProcess::VarianceBound);
}

Predictor::Prediction Predictor::Predict(const OptionMatrix& genotypes,
                                         Variance variance_of) const {
  const Index count = genotypes.cols();
  VectorXd mean = VectorXd::Zero(count);
  VectorXd variance = VectorXd::Ones(count);
  Correlations correlations(this, genotypes);
  std::vector<VectorXd> means;
  for (const Member& member : members_) {
    const MatrixXd& correlation = correlations.Of(member.kernel);
    means.push_back(member.process.Mean(correlation));
    mean += member.share * means.back();
    if (&member == &members_.front()) variance = (member.process.*variance_of)(correlation);
  }
  for (size_t i = 0; i < members_.size(); ++i) {
    variance += members_[i].share * (means[i] - mean).cwiseAbs2();
  }
  Prediction prediction;
  prediction.mean = (mean * scale_).array() + mean_;
  prediction.deviation = variance.array().sqrt() * scale_;
  return prediction;
}

}  // namespace frontier::coordinator
