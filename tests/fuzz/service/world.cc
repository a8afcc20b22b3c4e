#include "tests/fuzz/service/world.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/worker_service.pb.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/core/harness.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MakeRegistration;
using ::frontier::testing::MakeReport;
using ::frontier::testing::MakeResult;
using ::frontier::testing::SmallJob;

constexpr auto kDeadline = std::chrono::seconds(30);
// A watch of a job that runs has one answer, and then none until something changes.
constexpr int kMostAnswers = 1;

void Submit(JobClient* jobs, int64_t trials) {
  v1::SubmitJobRequest request;
  *request.mutable_spec() = SmallJob(trials);
  ASSERT_OK(jobs->SubmitJob(request));
}

v1::AttemptLease Lease(WorkerClient* workers, const std::string& request_id) {
  v1::LeaseRequest request;
  request.set_request_id(request_id);
  request.set_worker_id("w1");
  request.set_incarnation("i1");
  const auto response = workers->Lease(request);
  EXPECT_OK(response);
  EXPECT_TRUE(response.ok() && response->has_lease());
  return response.ok() ? response->lease() : v1::AttemptLease();
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

struct World::Reader {
  explicit Reader(const std::string& path) : database(path) {}
  SQLite::Database database;
};

std::vector<const google::protobuf::MethodDescriptor*> AllMethods() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  const auto* jobs = v1::SubmitJobRequest::descriptor()->file();
  const auto* workers = v1::RegisterRequest::descriptor()->file();
  for (const auto* file : {jobs, workers}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods.push_back(file->service(s)->method(m));
      }
    }
  }
  return methods;
}

World::World() {
  options_.data_dir = folder_.File("data");
  options_.gateway.listen = "127.0.0.1:0";
  options_.gateway.stop_grace = absl::Milliseconds(200);
  options_.dispatcher.lease_duration = absl::Hours(1);
  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server =
      CoordinatorServer::Create(options_, &clock_);
  EXPECT_OK(server);
  server_ = *std::move(server);
  EXPECT_OK(server_->Serve());
  JobClientOptions client;
  client.address = server_->address();
  jobs_ = NewJobClient(client);
  workers_ = NewWorkerClient(server_->address());
  stub_ = std::make_unique<grpc::GenericStub>(NewChannel(server_->address()));

  v1::RegisterRequest registration = MakeRegistration("w1", "i1", 4);
  registration.set_request_id("register-1");
  EXPECT_OK(workers_->Register(registration));
  Submit(jobs_.get(), 1);
  const v1::AttemptLease first = Lease(workers_.get(), "lease-1");
  const std::string model = "model\n";
  std::ofstream(folder_.File("model"), std::ios::binary) << model;
  v1::UploadWeightsHeader header;
  header.set_worker_id("w1");
  *header.mutable_key() = first.task().key();
  header.set_token(first.token());
  header.set_sha256(Sha256Hex(model));
  header.set_size(static_cast<int64_t>(model.size()));
  EXPECT_OK(workers_->UploadWeights(header, folder_.File("model")));
  v1::TrialResult result = MakeResult(0.9, 1);
  result.set_weights_sha256(header.sha256());
  EXPECT_OK(workers_->Report(MakeReport("report-1", "w1", first, result)));
  Submit(jobs_.get(), 20);
  const v1::AttemptLease second = Lease(workers_.get(), "lease-2");
  EXPECT_EQ(second.token(), 2);
  EXPECT_EQ(second.task().key().job_id(), 2);
  Submit(jobs_.get(), 5);
  v1::PauseJobRequest pause;
  pause.set_job_id(3);
  EXPECT_OK(jobs_->PauseJob(pause));
  reader_ = std::make_shared<Reader>(absl::StrCat(options_.data_dir, "/frontier.db"));
}

absl::Status World::Call(const google::protobuf::MethodDescriptor& method,
                         const std::vector<std::unique_ptr<google::protobuf::Message>>& messages) {
  std::vector<std::string> bytes;
  for (const auto& message : messages) bytes.push_back(message->SerializeAsString());
  return CallBytes(method, bytes);
}

absl::Status World::CallBytes(const google::protobuf::MethodDescriptor& method,
                              const std::vector<std::string>& messages) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  grpc::CompletionQueue queue;
  const std::string name = absl::StrCat("/", method.service()->full_name(), "/", method.name());
  const auto call = stub_->PrepareCall(&context, name, &queue);
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  call->StartCall(nullptr);
  bool open = wait();
  for (const std::string& bytes : messages) {
    if (!open) break;
    call->Write(ToBuffer(bytes), nullptr);
    open = wait();
  }
  if (open) {
    call->WritesDone(nullptr);
    wait();
  }
  int answers = 0;
  grpc::ByteBuffer answer;
  for (; answers < kMostAnswers; ++answers) {
    call->Read(&answer, nullptr);
    if (!wait()) break;
  }
  const bool left = answers == kMostAnswers;
  if (left) context.TryCancel();
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  queue.Shutdown();
  while (wait()) {
  }
  return left ? absl::OkStatus() : FromGrpcStatus(status);
}

int64_t World::DataVersion() {
  return reader_->database.execAndGet("PRAGMA data_version").getInt64();
}

std::string World::KeptResult() {
  v1::GetTrialRequest request;
  request.set_job_id(1);
  request.set_trial(1);
  const absl::StatusOr<v1::GetTrialResponse> response = jobs_->GetTrial(request);
  if (!response.ok()) return "";
  return response->trial().result().SerializeAsString();
}

}  // namespace frontier::coordinator
