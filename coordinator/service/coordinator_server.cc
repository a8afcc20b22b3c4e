#include "coordinator/service/coordinator_server.h"

#include <pthread.h>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status.h"
#include "coordinator/maintenance/data_folder.h"
#include "coordinator/storage/sqlite/sqlite_store.h"

namespace frontier::coordinator {
namespace {

// Fewer than this many heartbeats in a lease, and one lost message loses the lease.
constexpr int kHeartbeatsPerLease = 3;

absl::Status CheckOptions(const DispatcherOptions& options) {
  if (options.heartbeat_interval <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat("heartbeat interval of ",
                                                   absl::FormatDuration(options.heartbeat_interval),
                                                   " is not positive"));
  }
  if (options.lease_duration < kHeartbeatsPerLease * options.heartbeat_interval) {
    return absl::InvalidArgumentError(
        absl::StrCat("lease duration of ", absl::FormatDuration(options.lease_duration),
                     " is less than ", kHeartbeatsPerLease, " heartbeat intervals of ",
                     absl::FormatDuration(options.heartbeat_interval)));
  }
  return absl::OkStatus();
}

}  // namespace

CoordinatorServer::CoordinatorServer(const CoordinatorServerOptions& options, Clock* clock)
    : options_(options), clock_(clock) {}

CoordinatorServer::~CoordinatorServer() { Stop(); }

absl::StatusOr<std::unique_ptr<CoordinatorServer>> CoordinatorServer::Create(
    const CoordinatorServerOptions& options, Clock* clock) {
  RETURN_IF_ERROR(CheckOptions(options.dispatcher));
  RETURN_IF_ERROR(MakeDirectories(options.data_dir));
  auto server = absl::WrapUnique(new CoordinatorServer(options, clock));
  SqliteStoreOptions store;
  store.path = DatabasePath(options.data_dir);
  store.busy_timeout = options.database_wait;
  ASSIGN_OR_RETURN(server->store_, OpenSqliteStore(store));
  FileBlobStoreOptions blobs;
  blobs.folder = BlobsFolder(options.data_dir);
  ASSIGN_OR_RETURN(server->blobs_, OpenFileBlobStore(blobs));
  server->journal_ = std::make_unique<GroupJournal>(server->store_.get());
  server->journal_thread_ = std::thread([journal = server->journal_.get()] {
    pthread_setname_np(pthread_self(), "journal");
    journal->Run();
  });
  ASSIGN_OR_RETURN(server->dispatcher_,
                   CreateDispatcher(options.dispatcher, server->store_.get(),
                                    server->journal_.get(), server->blobs_.get(), clock));
  return server;
}

absl::Status CoordinatorServer::Serve() {
  ASSIGN_OR_RETURN(gateway_,
                   Gateway::Start(options_.gateway, dispatcher_.get(), blobs_.get(), clock_));
  return absl::OkStatus();
}

void CoordinatorServer::Stop() {
  if (gateway_ != nullptr) gateway_->Stop();
  if (!journal_thread_.joinable()) return;
  journal_->Stop();
  journal_thread_.join();
}

}  // namespace frontier::coordinator
