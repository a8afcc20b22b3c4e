#include "coordinator/service/upload_reactor.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/limits.h"
#include "coordinator/service/durable.h"
#include "coordinator/service/request_checks.h"

namespace frontier::coordinator {
namespace {

class UploadReactor final : public grpc::ServerReadReactor<v1::UploadWeightsRequest> {
 public:
  UploadReactor(Dispatcher* dispatcher, BlobStore* blobs,
                const grpc::CallbackServerContext* context)
      : dispatcher_(dispatcher), blobs_(blobs), context_(context) {}

  void Start(absl::StatusOr<std::unique_ptr<Admission::Transfer>> place) {
    if (!place.ok()) {
      Finish(ToGrpcStatus(place.status()));
      return;
    }
    place_ = *std::move(place);
    losses_ = dispatcher_->losses();
    Read();
  }

  void OnReadDone(bool ok) override {
    place_->Moved();
    absl::Status status = ok ? Take() : TakeEnd();
    if (ok && status.ok()) {
      Read();
    } else {
      writer_.reset();  // an unfinished one leaves nothing
      AnswerWhenDurable(dispatcher_, losses_, status, [this](const absl::Status& answer) {
        place_->Finish([this, answer] { Finish(ToGrpcStatus(answer)); });
      });
    }
  }

  void OnDone() override { delete this; }

 private:
  void Read() {
    place_->Wait();
    StartRead(&message_);
  }

  absl::Status Take() {
    if (message_.has_header()) {
      if (writer_ != nullptr) return InvalidField("header", "came twice");
      const v1::UploadWeightsHeader& header = message_.header();
      RETURN_IF_ERROR(CheckRequest(header));
      RETURN_IF_ERROR(dispatcher_->CheckLease(header));
      absl::StatusOr<std::unique_ptr<BlobWriter>> writer =
          blobs_->NewWriter(header.sha256(), header.size());
      if (!writer.ok()) return PrefixField("header", writer.status());
      writer_ = *std::move(writer);
      return absl::OkStatus();
    }
    if (!message_.has_chunk()) return InvalidField("part", "is missing");
    if (writer_ == nullptr) return InvalidField("header", "must come before the first chunk");
    if (message_.chunk().size() > kMaxChunkBytes) {
      return InvalidField(
          "chunk", absl::StrCat(message_.chunk().size(), " bytes are more than ", kMaxChunkBytes));
    }
    return writer_->Append(message_.chunk());
  }

  absl::Status TakeEnd() {
    if (context_->IsCancelled()) return absl::CancelledError("the worker is gone");
    if (writer_ == nullptr) return InvalidField("header", "is missing");
    return writer_->Finish();
  }

  Dispatcher* const dispatcher_;
  BlobStore* const blobs_;
  const grpc::CallbackServerContext* const context_;
  int64_t losses_ = 0;  // of the dispatcher, when it began
  v1::UploadWeightsRequest message_;
  std::unique_ptr<BlobWriter> writer_;
  std::unique_ptr<Admission::Transfer> place_;
};

}  // namespace

grpc::ServerReadReactor<v1::UploadWeightsRequest>* ReceiveWeights(
    Admission* admission, BlobStore* blobs, grpc::CallbackServerContext* context) {
  auto* reactor = new UploadReactor(admission->dispatcher(), blobs, context);
  reactor->Start(admission->BeginTransfer(context));
  return reactor;
}

}  // namespace frontier::coordinator
