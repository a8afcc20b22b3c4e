#include "common/rpc/client/worker_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/limits.h"
#include "frontier/v1/worker_service.grpc.pb.h"

namespace frontier {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(10);
// For the coordinator to make a change durable on a slow disk.
constexpr absl::Duration kReportDeadline = absl::Seconds(30);
// Of weights up or down: what a slow line needs for the largest.
constexpr absl::Duration kTransferDeadline = absl::Minutes(10);

class GrpcWorkerClient final : public WorkerClient {
 public:
  GrpcWorkerClient(const std::string& address, std::shared_ptr<grpc::Channel> channel)
      : address_(address),
        channel_(std::move(channel)),
        stub_(v1::WorkerService::NewStub(channel_)) {}

  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request) override {
    return Call<v1::RegisterResponse>(request, &v1::WorkerService::Stub::Register, kDeadline);
  }
  absl::StatusOr<v1::LeaseResponse> Lease(const v1::LeaseRequest& request) override {
    return Call<v1::LeaseResponse>(request, &v1::WorkerService::Stub::Lease,
                                   absl::Milliseconds(request.wait_ms()) + kDeadline);
  }
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) override {
    return Call<v1::HeartbeatResponse>(request, &v1::WorkerService::Stub::Heartbeat, kDeadline);
  }
  absl::StatusOr<v1::ReportResponse> Report(const v1::ReportRequest& request) override {
    return Call<v1::ReportResponse>(request, &v1::WorkerService::Stub::Report, kReportDeadline);
  }
  absl::StatusOr<v1::GiveBackResponse> GiveBack(const v1::GiveBackRequest& request) override {
    return Call<v1::GiveBackResponse>(request, &v1::WorkerService::Stub::GiveBack, kDeadline);
  }

  absl::Status UploadWeights(const v1::UploadWeightsHeader& header,
                             const std::string& path) override {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus(errno, "cannot open", path);
    absl::Cleanup closer = [fd] { close(fd); };
    AwaitConnection(channel_.get());
    grpc::ClientContext context;
    SetDeadline(kTransferDeadline, &context);
    absl::Status added = Add(&context);
    if (!added.ok()) return added;
    absl::Cleanup remover = [&] { Remove(&context); };

    v1::UploadWeightsResponse response;
    const std::unique_ptr<grpc::ClientWriter<v1::UploadWeightsRequest>> writer =
        stub_->UploadWeights(&context, &response);
    v1::UploadWeightsRequest message;
    *message.mutable_header() = header;
    absl::Status read_status;
    // A refused write means that the coordinator has answered already: Finish says what.
    bool going = writer->Write(message);
    std::string chunk;
    while (going) {
      chunk.resize(kMaxChunkBytes);
      const ssize_t n = read(fd, chunk.data(), chunk.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        read_status = ErrnoStatus(errno, "cannot read", path);
        context.TryCancel();
        break;
      }
      if (n == 0) break;
      chunk.resize(static_cast<size_t>(n));
      message.set_chunk(chunk);
      going = writer->Write(message);
    }
    writer->WritesDone();
    const absl::Status status = Describe(writer->Finish());
    return read_status.ok() ? status : read_status;
  }

  absl::StatusOr<std::string> GetParentWeights(
      const v1::GetParentWeightsRequest& request) override {
    return Download(request, &v1::WorkerService::Stub::GetParentWeights);
  }

  absl::StatusOr<std::string> GetCheckpoint(const v1::GetCheckpointRequest& request) override {
    return Download(request, &v1::WorkerService::Stub::GetCheckpoint);
  }

  void Cancel() override {
    MutexLock lock(&mutex_);
    cancelled_ = true;
    for (grpc::ClientContext* context : in_flight_) context->TryCancel();
  }

 private:
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::WorkerService::Stub::*)(grpc::ClientContext*, const Request&,
                                                           Response*);

  template <typename Request>
  using Stream = std::unique_ptr<grpc::ClientReader<v1::GetWeightsResponse>> (
      v1::WorkerService::Stub::*)(grpc::ClientContext*, const Request&);

  // All chunks of a stream.
  template <typename Request>
  absl::StatusOr<std::string> Download(const Request& request, Stream<Request> method) {
    AwaitConnection(channel_.get());
    grpc::ClientContext context;
    SetDeadline(kTransferDeadline, &context);
    absl::Status added = Add(&context);
    if (!added.ok()) return added;
    absl::Cleanup remover = [&] { Remove(&context); };
    const std::unique_ptr<grpc::ClientReader<v1::GetWeightsResponse>> reader =
        (stub_.get()->*method)(&context, request);
    std::string bytes;
    v1::GetWeightsResponse response;
    while (reader->Read(&response)) bytes.append(response.chunk());
    absl::Status status = Describe(reader->Finish());
    if (!status.ok()) return status;
    return bytes;
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const Request& request, Method<Request, Response> method,
                                absl::Duration deadline) {
    AwaitConnection(channel_.get());
    grpc::ClientContext context;
    SetDeadline(deadline, &context);
    absl::Status added = Add(&context);
    if (!added.ok()) return added;
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    Remove(&context);
    if (!status.ok()) return Describe(status);
    return response;
  }

  absl::Status Describe(const grpc::Status& status) const {
    return DescribeFailure(FromGrpcStatus(status), address_);
  }

  absl::Status Add(grpc::ClientContext* context) {
    MutexLock lock(&mutex_);
    if (cancelled_) return absl::CancelledError("this client was cancelled");
    in_flight_.insert(context);
    return absl::OkStatus();
  }

  void Remove(grpc::ClientContext* context) {
    MutexLock lock(&mutex_);
    in_flight_.erase(context);
  }

  const std::string address_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<grpc::ClientContext*> in_flight_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<WorkerClient> NewWorkerClient(const std::string& address) {
  return std::make_unique<GrpcWorkerClient>(address, NewChannel(address));
}

std::pair<std::unique_ptr<WorkerClient>, std::unique_ptr<WorkerClient>> NewWorkerClients(
    const std::string& address) {
  const std::shared_ptr<grpc::Channel> channel = NewChannel(address);
  return {std::make_unique<GrpcWorkerClient>(address, channel),
          std::make_unique<GrpcWorkerClient>(address, channel)};
}

}  // namespace frontier
