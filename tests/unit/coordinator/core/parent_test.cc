// Jobs that compress: where their parent comes from, and that its weights stay.
#include "coordinator/core/parent.h"

#include <functional>
#include <optional>
#include <string>

#include "common/architecture/compression.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::Harness;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;
using ::frontier::testing::StatusIs;
using ::testing::HasSubstr;

v1::JobSpec CompressJob(const std::function<void(v1::CompressParent*)>& set) {
  v1::JobSpec spec = SmallJob(10);
  v1::CompressSpace* compress = spec.mutable_search_space()->mutable_compress();
  set(compress->mutable_parent());
  for (const double share : {0.5, 0.75}) compress->add_widths(share);
  return spec;
}

v1::JobSpec CompressJob(int64_t job, int64_t trial) {
  return CompressJob([&](v1::CompressParent* parent) {
    parent->set_job(job);
    parent->set_trial(trial);
  });
}

// Leases a trial and reports it with weights of digest `digit` times 64.
int64_t RunWithWeights(Harness* h, char digit, double accuracy, double latency) {
  const std::optional<v1::AttemptLease> lease = h->Lease("w1");
  const std::string digest(64, digit);
  EXPECT_OK(h->Upload("w1", *lease, digest));
  v1::TrialResult result = MakeResult(accuracy, latency);
  result.set_weights_sha256(digest);
  EXPECT_OK(h->Report("w1", *lease, result));
  return lease->task().key().trial();
}

TEST(ParentTest, TrialsOfAJobInheritFromTheTrialItNames) {
  Harness h;
  h.Register("w1");
  const int64_t first = h.Submit(SmallJob(1));
  const int64_t parent = RunWithWeights(&h, 'a', 0.9, 1);
  const int64_t second = h.Submit(CompressJob(first, parent));
  const std::optional<v1::AttemptLease> lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  const v1::Inheritance& inheritance = lease->task().inheritance();
  EXPECT_EQ(inheritance.job_id(), first);
  EXPECT_EQ(inheritance.trial(), parent);
  EXPECT_EQ(inheritance.weights_sha256(), std::string(64, 'a'));
  // What is inherited leads to the architecture that is trained.
  const Compressor compressor = Compressor::Create(h.Trial(first, parent).architecture()).value();
  EXPECT_EQ(compressor.Compress(inheritance.compression())->architecture.SerializeAsString(),
            lease->task().architecture().SerializeAsString());
  EXPECT_FALSE(inheritance.compression().widths().empty());
  // The worker may have them, others not.
  v1::GetParentWeightsRequest request;
  request.set_worker_id("w1");
  *request.mutable_key() = lease->task().key();
  request.set_token(lease->token());
  ASSERT_OK_AND_ASSIGN(const std::string digest, h.core().FindParentWeights(request));
  EXPECT_EQ(digest, std::string(64, 'a'));
  request.set_token(lease->token() + 1);
  EXPECT_EQ(GetErrorReason(h.core().FindParentWeights(request).status()),
            v1::ERROR_REASON_STALE_LEASE);
  // What users see of the job is what they wrote.
  EXPECT_FALSE(h.Job(second).spec().search_space().compress().parent().has_architecture());
  EXPECT_EQ(h.Job(second).spec().search_space().compress().parent().weights_sha256(), "");
}

TEST(ParentTest, WeightsOfAParentStayWhateverHappensToItsTrial) {
  Harness h;
  h.Register("w1");
  const int64_t first = h.Submit(SmallJob(2));
  const int64_t parent = RunWithWeights(&h, 'a', 0.5, 2);
  const int64_t second = h.Submit(CompressJob(first, parent));
  ASSERT_OK(h.Pause(second));
  RunWithWeights(&h, 'b', 0.9, 1);  // takes the parent's place on the front
  EXPECT_FALSE(h.Trial(first, parent).weights_kept());
  EXPECT_TRUE(h.blobs().Has(std::string(64, 'a')));
  h.Restart();
  h.Tick();
  EXPECT_TRUE(h.blobs().Has(std::string(64, 'a')));
  ASSERT_OK(h.Resume(second));
  h.Register("w1", "i2");
  EXPECT_EQ(h.Lease("w1", "i2")->task().inheritance().weights_sha256(), std::string(64, 'a'));
}

TEST(ParentTest, AnExtendedSpaceKeepsItsParent) {
  Harness h;
  h.Register("w1");
  const int64_t first = h.Submit(SmallJob(1));
  const int64_t parent = RunWithWeights(&h, 'a', 0.5, 2);
  const int64_t second = h.Submit(CompressJob(first, parent));
  ASSERT_OK(h.Extend(second,
                     [](v1::SearchSpace* space) { space->mutable_compress()->add_widths(0.25); }));
  EXPECT_EQ(h.Lease("w1")->task().inheritance().weights_sha256(), std::string(64, 'a'));
  EXPECT_THAT(h.Extend(second,
                       [](v1::SearchSpace* space) {
                         v1::CompressSpace* compress = space->mutable_compress();
                         compress->add_widths(0.125);
                         compress->mutable_parent()->Clear();
                         compress->mutable_parent()->set_network("resnet20");
                       })
                  .status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("search_space.compress")));
}

TEST(ParentTest, ANetworkByNameHasNoWeights) {
  Harness h;
  h.Register("w1");
  h.Submit(CompressJob([](v1::CompressParent* parent) { parent->set_network("resnet20"); }));
  const std::optional<v1::AttemptLease> lease = h.Lease("w1");
  ASSERT_TRUE(lease.has_value());
  EXPECT_FALSE(lease->task().has_inheritance());
  v1::GetParentWeightsRequest request;
  request.set_worker_id("w1");
  *request.mutable_key() = lease->task().key();
  request.set_token(lease->token());
  EXPECT_THAT(h.core().FindParentWeights(request).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("inherits no weights")));
}

TEST(ParentTest, OneNetworkInSeveralPrecisionsIsSeveralCandidates) {
  Harness h;
  h.Register("w1", "i1", 3);
  v1::JobSpec spec =
      CompressJob([](v1::CompressParent* parent) { parent->set_network("small-cnn"); });
  spec.mutable_search_space()->mutable_compress()->clear_widths();
  for (const auto precision :
       {v1::INFERENCE_PRECISION_F32, v1::INFERENCE_PRECISION_BF16, v1::INFERENCE_PRECISION_INT8}) {
    spec.mutable_search_space()->mutable_compress()->add_precisions(precision);
  }
  spec.mutable_strategy()->mutable_grid();
  h.Submit(spec);
  for (const auto precision :
       {v1::INFERENCE_PRECISION_F32, v1::INFERENCE_PRECISION_BF16, v1::INFERENCE_PRECISION_INT8}) {
    const std::optional<v1::AttemptLease> lease = h.Lease("w1");
    ASSERT_TRUE(lease.has_value());
    EXPECT_EQ(lease->task().inference_precision(), precision);
  }
  EXPECT_FALSE(h.Lease("w1").has_value());
}

TEST(ParentTest, SaysWhyATrialIsNoParent) {
  Harness h;
  h.Register("w1");
  const int64_t first = h.Submit(SmallJob(3));
  const auto refusal = [&h](const v1::JobSpec& spec) {
    const absl::Status status = h.TrySubmit(spec).status();
    EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_INVALID_FIELD) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(CompressJob(9, 1)), HasSubstr("spec.search_space.compress.parent: job 9"));
  EXPECT_THAT(refusal(CompressJob(first, 1)), HasSubstr("trial 1"));
  const std::optional<v1::AttemptLease> lease = h.Lease("w1");
  EXPECT_EQ(refusal(CompressJob(first, 1)),
            "spec.search_space.compress.parent: job 1 trial 1 is running, must have succeeded");
  ASSERT_OK(h.Report("w1", *lease, MakeResult(0.5, 1)));
  EXPECT_THAT(refusal(CompressJob(first, 1)),
              HasSubstr("no weights of it are kept, since it was reported without"));
  RunWithWeights(&h, 'a', 0.9, 2);
  v1::JobSpec other = CompressJob(first, 2);
  other.mutable_dataset()->set_name("other");
  other.mutable_dataset()->mutable_input()->set_height(32);
  EXPECT_THAT(refusal(other), HasSubstr("parent: takes samples of 1x28x28 and 10 classes, the "
                                        "data set has 1x32x28 and 10"));
  EXPECT_EQ(refusal(CompressJob([](v1::CompressParent*) {})),
            "spec.search_space.compress.parent: is missing; name a network, or a job and a trial");
  EXPECT_THAT(refusal(CompressJob([](v1::CompressParent* parent) {
                parent->set_network("resnet20");
                parent->set_weights_sha256(std::string(64, 'a'));
              })),
              HasSubstr("filled in from the network or trial"));
}

}  // namespace
}  // namespace frontier::coordinator
