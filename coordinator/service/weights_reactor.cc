#include "coordinator/service/weights_reactor.h"

#include <cstdint>
#include <memory>
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

  void Refuse(const absl::Status& status) { Finish(ToGrpcStatus(status)); }

  void Start(Dispatcher* dispatcher, int64_t losses, std::unique_ptr<Admission::Transfer> place,
             absl::StatusOr<std::string> digest) {
    place_ = std::move(place);
    if (!digest.ok()) {
      AnswerWhenDurable(dispatcher, losses, digest.status(),
                        [this](const absl::Status& answer) { End(answer); });
      return;
    }
    digest_ = *std::move(digest);
    SendNext();
  }

  void OnWriteDone(bool ok) override {
    place_->Moved();
    if (ok) {
      SendNext();
    } else {
      End(absl::CancelledError("the client is gone"));
    }
  }

  void OnDone() override { delete this; }

 private:
  void SendNext() {
    absl::StatusOr<std::string> chunk = blobs_->Read(digest_, offset_, kMaxChunkBytes);
    if (!chunk.ok() || chunk->empty()) {
      End(chunk.status());
      return;
    }
    offset_ += static_cast<int64_t>(chunk->size());
    response_.set_chunk(*std::move(chunk));
    place_->Wait();
    StartWrite(&response_);
  }

  void End(const absl::Status& status) {
    place_->Finish([this, status] { Finish(ToGrpcStatus(status)); });
  }

  const BlobStore* const blobs_;
  std::string digest_;
  int64_t offset_ = 0;
  v1::GetWeightsResponse response_;
  std::unique_ptr<Admission::Transfer> place_;
};

}  // namespace

grpc::ServerWriteReactor<v1::GetWeightsResponse>* SendWeights(
    Admission* admission, const BlobStore* blobs, grpc::CallbackServerContext* context,
    absl::FunctionRef<absl::StatusOr<std::string>()> find) {
  auto* reactor = new WeightsReactor(blobs);
  absl::StatusOr<std::unique_ptr<Admission::Transfer>> place = admission->BeginTransfer(context);
  if (!place.ok()) {
    reactor->Refuse(place.status());
    return reactor;
  }
  const int64_t losses = admission->dispatcher()->losses();
  reactor->Start(admission->dispatcher(), losses, *std::move(place), find());
  return reactor;
}

}  // namespace frontier::coordinator
