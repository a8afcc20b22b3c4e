#include "coordinator/maintenance/data_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/base/file.h"
#include "common/base/status.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/core/outlines.h"
#include "coordinator/core/references.h"
#include "coordinator/storage/sqlite/file_lock.h"
#include "coordinator/storage/sqlite/maintenance.h"
#include "coordinator/storage/sqlite/sqlite_store.h"

namespace frontier::coordinator {
namespace {

// While blobs are copied trials leave fronts: then the moment is chosen anew, for which only what
// is new is copied.
constexpr int kTries = 10;

constexpr int kMostLinks = 40;  // in a row; the kernel follows no more, either

std::string BlobPath(const std::string& data_dir, const std::string& sha256) {
  return FileBlobPath(BlobsFolder(data_dir), sha256);
}

// Where the links lead that `path` may be, so that what is made there takes the place of none.
absl::StatusOr<std::string> FollowLinks(const std::string& path) {
  std::filesystem::path place = path;
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(place, error); ++links) {
    if (links == kMostLinks) return ErrnoStatus(ELOOP, "cannot follow", path);
    const std::filesystem::path target = std::filesystem::read_symlink(place, error);
    if (error) return ErrnoStatus(error.value(), "cannot follow", path);
    place = place.parent_path() / target;
  }
  return place.string();
}

// Nothing there, or an empty folder.
absl::Status CheckFree(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return absl::OkStatus();
  if (std::filesystem::is_directory(folder, error) && std::filesystem::is_empty(folder, error)) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(absl::StrCat("'", folder, "' is there already"));
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const std::string& data_dir) {
  SqliteStoreOptions options;
  options.path = DatabasePath(data_dir);
  RETURN_IF_ERROR(FileSize(options.path).status());  // it would be made
  return OpenSqliteStore(options);
}

// Digests of the blobs that are needed, sorted.
absl::StatusOr<std::vector<std::string>> NeededBlobs(const Store& store) {
  absl::flat_hash_map<std::string, int> references;
  RETURN_IF_ERROR(CountReferences(store, &references));
  std::vector<std::string> needed;
  for (const auto& [sha256, count] : references) needed.push_back(sha256);
  std::sort(needed.begin(), needed.end());
  return needed;
}

// Makes the database of `part` what that of `from` is at one moment, in the schema that it has; the
// blobs that are needed then.
absl::StatusOr<std::vector<std::string>> CopyDatabase(const std::string& from,
                                                      const std::string& part) {
  // Of an earlier try; the blobs stay.
  std::error_code ignored;
  std::filesystem::remove(DatabasePath(part), ignored);
  RETURN_IF_ERROR(MakeDirectories(BlobsFolder(part)));
  RETURN_IF_ERROR(BackUpDatabase(DatabasePath(from), DatabasePath(part)));
  // Counted on another copy: opening this one could take it to a newer schema.
  const std::string scratch = absl::StrCat(part, "/references");
  RETURN_IF_ERROR(MakeDirectories(scratch));
  absl::Cleanup remover = [&scratch] {
    std::error_code error;
    std::filesystem::remove_all(scratch, error);
  };
  RETURN_IF_ERROR(CopyFile(DatabasePath(part), DatabasePath(scratch)));
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStore(scratch));
  return NeededBlobs(*store);
}

// Copies those of `needed` that are not among `copied` yet. Ends at the first that is not there any
// more, and returns it; "" = all are copied.
absl::StatusOr<std::string> CopyBlobs(const std::string& from, const std::string& part,
                                      const std::vector<std::string>& needed,
                                      const std::function<void(const std::string&)>& copying,
                                      std::set<std::string>* copied) {
  for (const std::string& sha256 : needed) {
    if (copied->count(sha256) > 0) continue;
    if (copying != nullptr) copying(sha256);
    RETURN_IF_ERROR(
        MakeDirectories(std::filesystem::path(BlobPath(part, sha256)).parent_path().string()));
    const absl::Status status = CopyFile(BlobPath(from, sha256), BlobPath(part, sha256));
    if (absl::IsNotFound(status)) return sha256;
    RETURN_IF_ERROR(status);
    copied->insert(sha256);
  }
  return "";
}

// Fills `part` with what `from` has at one moment.
absl::StatusOr<Backup> Copy(const std::string& from, const std::string& part, int tries,
                            const std::function<void(const std::string&)>& copying) {
  std::set<std::string> copied;
  std::vector<std::string> needed;
  std::string missing, missing_before;
  for (int i = 0; i < tries; ++i) {
    ASSIGN_OR_RETURN(needed, CopyDatabase(from, part));
    missing_before = std::move(missing);
    ASSIGN_OR_RETURN(missing, CopyBlobs(from, part, needed, copying, &copied));
    // What a later moment needs as well did not go with a trial.
    if (missing.empty() || missing == missing_before) break;
  }
  if (!missing.empty() && (tries == 1 || missing == missing_before)) {
    return absl::NotFoundError(
        absl::StrCat("'", from, "' lacks blob ", missing, ", which its database needs"));
  }
  if (!missing.empty()) {
    return absl::UnavailableError(
        absl::StrCat("'", from, "' changes too quickly: each of ", tries,
                     " times a blob that was needed went before it was copied, at last ", missing));
  }
  for (const std::string& sha256 : needed) copied.erase(sha256);
  for (const std::string& sha256 : copied) {
    std::error_code error;
    std::filesystem::remove(BlobPath(part, sha256), error);
    if (error) return ErrnoStatus(error.value(), "cannot delete", BlobPath(part, sha256));
  }
  Backup backup;
  backup.blobs = static_cast<int64_t>(needed.size());
  ASSIGN_OR_RETURN(backup.bytes, FileSize(DatabasePath(part)));
  for (const std::string& sha256 : needed) {
    ASSIGN_OR_RETURN(const int64_t size, FileSize(BlobPath(part, sha256)));
    backup.bytes += size;
  }
  RETURN_IF_ERROR(SyncFolder(part));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(BlobsFolder(part))) {
    if (entry.is_directory()) RETURN_IF_ERROR(SyncFolder(entry.path().string()));
  }
  RETURN_IF_ERROR(SyncFolder(BlobsFolder(part)));
  return backup;
}

// What is wrong beside the pages and rows of the database that `store` is.
std::vector<std::string> FindProblems(const Store& store, const std::string& data_dir) {
  const absl::StatusOr<std::vector<std::string>> needed = NeededBlobs(store);
  if (!needed.ok()) return {std::string(needed.status().message())};
  const absl::StatusOr<std::vector<std::string>> outlines = FindWrongOutlines(store);
  if (!outlines.ok()) return {std::string(outlines.status().message())};
  std::vector<std::string> problems = *outlines;
  for (const std::string& sha256 : *needed) {
    const absl::StatusOr<std::string> found = FileSha256(BlobPath(data_dir, sha256));
    if (!found.ok()) {
      problems.push_back(absl::StrCat("blob ", sha256, ": ", found.status().message()));
    } else if (*found != sha256) {
      problems.push_back(absl::StrCat("blob ", sha256, " has other content, ", *found));
    }
  }
  return problems;
}

// Tokens that `store` gives from now on are none that were given by a coordinator that went on from
// the same state before.
absl::Status FenceLeases(absl::Time now, Store* store) {
  ASSIGN_OR_RETURN(const int64_t token, store->NextLeaseToken());
  v1::Change change;
  change.set_next_lease_token(std::max(token, absl::ToUnixMicros(now)));
  return store->Commit(&change);
}

// "folder/" is "folder".
std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Copies by way of a folder beside `to`, of which `accept` says whether it will do.
absl::StatusOr<Backup> CopyWhole(const std::string& from, const std::string& to, int tries,
                                 const std::function<void(const std::string&)>& copying,
                                 absl::FunctionRef<absl::Status(const std::string&)> accept) {
  ASSIGN_OR_RETURN(const std::string place, FollowLinks(WithoutSlash(to)));
  RETURN_IF_ERROR(CheckFree(place));
  const std::string part = absl::StrCat(place, ".part");
  RETURN_IF_ERROR(CheckFree(part));
  absl::Cleanup remover = [&part] {
    std::error_code ignored;
    std::filesystem::remove_all(part, ignored);
  };
  ASSIGN_OR_RETURN(const Backup backup, Copy(from, part, tries, copying));
  RETURN_IF_ERROR(accept(part));
  std::error_code error;
  std::filesystem::remove(place, error);  // if it is an empty folder
  std::filesystem::rename(part, place, error);
  if (error) return ErrnoStatus(error.value(), "cannot make", place);
  std::move(remover).Cancel();
  const std::string parent = std::filesystem::path(place).parent_path().string();
  RETURN_IF_ERROR(SyncFolder(parent.empty() ? "." : parent));
  return backup;
}

}  // namespace

std::string DatabasePath(const std::string& data_dir) {
  return absl::StrCat(data_dir, "/frontier.db");
}

std::string BlobsFolder(const std::string& data_dir) { return absl::StrCat(data_dir, "/blobs"); }

absl::StatusOr<Backup> BackUp(const std::string& data_dir, const std::string& to,
                              const std::function<void(const std::string& sha256)>& copying) {
  return CopyWhole(data_dir, to, kTries, copying,
                   [](const std::string&) { return absl::OkStatus(); });
}

absl::StatusOr<Backup> Restore(const std::string& from, const std::string& data_dir,
                               absl::Time now) {
  const auto damaged = [&from](const std::vector<std::string>& problems) {
    return absl::DataLossError(
        absl::StrCat("backup '", from, "' is damaged: ", absl::StrJoin(problems, "; ")));
  };
  ASSIGN_OR_RETURN(const std::vector<std::string> damage, FindDamage(DatabasePath(from)));
  if (!damage.empty()) return damaged(damage);
  // The rest is looked for in the copy: opening the backup could take it to a newer schema.
  return CopyWhole(from, data_dir, /*tries=*/1, /*copying=*/nullptr,
                   [&](const std::string& part) -> absl::Status {
                     ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStore(part));
                     const std::vector<std::string> problems = FindProblems(*store, part);
                     if (!problems.empty()) return damaged(problems);
                     return FenceLeases(now, store.get());
                   });
}

absl::StatusOr<std::vector<std::string>> Check(const std::string& data_dir) {
  ASSIGN_OR_RETURN(std::vector<std::string> damage, FindDamage(DatabasePath(data_dir)));
  if (!damage.empty()) return damage;  // reading on would tell the same in other words
  ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                   FileLock::Acquire(DatabasePath(data_dir), absl::ZeroDuration()));
  // On a copy, for the same reason as in Restore.
  const std::string copy = absl::StrCat(WithoutSlash(data_dir), "/check.part");
  RETURN_IF_ERROR(CheckFree(copy));
  RETURN_IF_ERROR(MakeDirectories(copy));
  absl::Cleanup remover = [&copy] {
    std::error_code ignored;
    std::filesystem::remove_all(copy, ignored);
  };
  RETURN_IF_ERROR(BackUpDatabase(DatabasePath(data_dir), DatabasePath(copy)));
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStore(copy));
  return FindProblems(*store, data_dir);
}

absl::StatusOr<Compaction> Compact(const std::string& data_dir) {
  Compaction compaction;
  ASSIGN_OR_RETURN(compaction.bytes_before, FileSize(DatabasePath(data_dir)));
  RETURN_IF_ERROR(CompactDatabase(DatabasePath(data_dir)));
  ASSIGN_OR_RETURN(compaction.bytes_after, FileSize(DatabasePath(data_dir)));
  return compaction;
}

}  // namespace frontier::coordinator
