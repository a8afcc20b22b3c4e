#include "coordinator/service/weights_reactor.h"

#include <cstdint>
#include <string>
#include <utility>

#include "common/rpc/grpc_status.h"
#include "common/rpc/limits.h"
#include "coordinator/service/durable.h"

namespace frontier::coordinator {
namespace {

class WeightsReactor final : public grpc::ServerWriteReactor<v1::GetWeightsResponse> {
 public:
  explicit WeightsReactor(const BlobStore* blobs) : blobs_(blobs) {}

  void Start(Dispatcher* dispatcher, int64_t losses, absl::StatusOr<std::string> digest) {
    if (!digest.ok()) {
      AnswerWhenDurable(dispatcher, losses, digest.status(),
                        [this](const absl::Status& answer) { Finish(ToGrpcStatus(answer)); });
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

grpc::ServerWriteReactor<v1::GetWeightsResponse>* SendWeights(
    Dispatcher* dispatcher, const BlobStore* blobs,
    absl::FunctionRef<absl::StatusOr<std::string>()> find) {
  auto* reactor = new WeightsReactor(blobs);
  const int64_t losses = dispatcher->losses();
  reactor->Start(dispatcher, losses, find());
  return reactor;
}

}  // namespace frontier::coordinator
