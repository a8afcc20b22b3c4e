#include "coordinator/service/weights_reactor.h"

#include <cstdint>
#include <string>
#include <utility>

#include "common/rpc/grpc_status.h"
#include "common/rpc/limits.h"

namespace frontier::coordinator {
namespace {

class WeightsReactor final : public grpc::ServerWriteReactor<v1::GetWeightsResponse> {
 public:
  explicit WeightsReactor(const BlobStore* blobs) : blobs_(blobs) {}

  void Start(absl::StatusOr<std::string> digest) {
    if (!digest.ok()) {
      Finish(ToGrpcStatus(digest.status()));
      return;
    }
    digest_ = *std::move(digest);
    SendNext();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      SendNext();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }

  void OnDone() override { delete this; }

 private:
  void SendNext() {
    absl::StatusOr<std::string> chunk = blobs_->Read(digest_, offset_, kMaxChunkBytes);
    if (!chunk.ok() || chunk->empty()) {
      Finish(ToGrpcStatus(chunk.status()));
      return;
    }
    offset_ += static_cast<int64_t>(chunk->size());
    response_.set_chunk(*std::move(chunk));
    StartWrite(&response_);
  }

  const BlobStore* const blobs_;
  std::string digest_;
  int64_t offset_ = 0;
  v1::GetWeightsResponse response_;
};

}  // namespace

grpc::ServerWriteReactor<v1::GetWeightsResponse>* SendWeights(const BlobStore* blobs,
                                                              absl::StatusOr<std::string> digest) {
  auto* reactor = new WeightsReactor(blobs);
  reactor->Start(std::move(digest));
  return reactor;
}

}  // namespace frontier::coordinator
