#include "tests/support/simulated_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"

namespace frontier::testing {
namespace {

constexpr int kSectorBytes = 512;
constexpr int64_t kMillisecondsSinceJulian = 210866760000000;  // of the Unix epoch

void Apply(const SimulatedDisk::Change& change, std::string* content) {
  if (change.truncates) {
    content->resize(static_cast<size_t>(change.offset));
    return;
  }
  const size_t end = static_cast<size_t>(change.offset) + change.data.size();
  if (content->size() < end) content->resize(end);
  content->replace(static_cast<size_t>(change.offset), change.data.size(), change.data);
}

// What SQLite holds of an open file; it makes the room for it.
struct Handle {
  sqlite3_file base;
  SimulatedDisk* disk;
  SimulatedDisk::File* file;
  int lock;
  unsigned shared_regions;
  unsigned exclusive_regions;
};

Handle* Of(sqlite3_file* file) { return reinterpret_cast<Handle*>(file); }

int Close(sqlite3_file* file);

int Read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
  Handle* handle = Of(file);
  if (!handle->disk->on()) return SQLITE_IOERR_READ;
  const std::string& content = handle->file->now;
  const int64_t there =
      std::clamp<int64_t>(static_cast<int64_t>(content.size()) - offset, 0, count);
  if (there > 0) std::memcpy(to, content.data() + offset, static_cast<size_t>(there));
  if (there == count) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + there, 0, static_cast<size_t>(count - there));
  return SQLITE_IOERR_SHORT_READ;
}

int Note(Handle* handle, SimulatedDisk::Change change, int error) {
  bool full = false;
  if (!handle->disk->Step(/*writes=*/true, /*syncs=*/false, &full)) {
    return full ? SQLITE_FULL : error;
  }
  Apply(change, &handle->file->now);
  handle->file->unsynced.push_back(std::move(change));
  return SQLITE_OK;
}

int Write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  SimulatedDisk::Change change;
  change.offset = offset;
  change.data.assign(static_cast<const char*>(from), static_cast<size_t>(count));
  return Note(Of(file), std::move(change), SQLITE_IOERR_WRITE);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  SimulatedDisk::Change change;
  change.offset = size;
  change.truncates = true;
  return Note(Of(file), std::move(change), SQLITE_IOERR_TRUNCATE);
}

int Sync(sqlite3_file* file, int) {
  Handle* handle = Of(file);
  bool full = false;
  if (!handle->disk->Step(/*writes=*/false, /*syncs=*/true, &full)) return SQLITE_IOERR_FSYNC;
  handle->file->synced = handle->file->now;
  handle->file->unsynced.clear();
  handle->file->durable = true;
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  if (!Of(file)->disk->on()) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(Of(file)->file->now.size());
  return SQLITE_OK;
}

int Lock(sqlite3_file* file, int wanted) {
  Handle* handle = Of(file);
  SimulatedDisk::File* of = handle->file;
  if (handle->lock >= wanted) return SQLITE_OK;
  if (of->exclusive != nullptr && of->exclusive != handle) return SQLITE_BUSY;
  if (wanted >= SQLITE_LOCK_RESERVED && of->reserved != nullptr && of->reserved != handle) {
    return SQLITE_BUSY;
  }
  if (wanted == SQLITE_LOCK_EXCLUSIVE &&
      of->shared > (handle->lock >= SQLITE_LOCK_SHARED ? 1 : 0)) {
    return SQLITE_BUSY;
  }
  if (handle->lock == SQLITE_LOCK_NONE) ++of->shared;
  if (wanted >= SQLITE_LOCK_RESERVED) of->reserved = handle;
  if (wanted == SQLITE_LOCK_EXCLUSIVE) of->exclusive = handle;
  handle->lock = wanted;
  return SQLITE_OK;
}

int Unlock(sqlite3_file* file, int wanted) {
  Handle* handle = Of(file);
  SimulatedDisk::File* of = handle->file;
  if (handle->lock <= wanted) return SQLITE_OK;
  if (of->exclusive == handle) of->exclusive = nullptr;
  if (wanted < SQLITE_LOCK_RESERVED && of->reserved == handle) of->reserved = nullptr;
  if (wanted == SQLITE_LOCK_NONE) --of->shared;
  handle->lock = wanted;
  return SQLITE_OK;
}

int CheckReservedLock(sqlite3_file* file, int* reserved) {
  *reserved = Of(file)->file->reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return kSectorBytes; }
int DeviceCharacteristics(sqlite3_file*) { return 0; }

int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  auto& regions = Of(file)->file->regions;
  *memory = nullptr;
  while (static_cast<int>(regions.size()) <= region) {
    if (extend == 0) return SQLITE_OK;
    regions.push_back(std::make_unique<char[]>(static_cast<size_t>(size)));
    std::memset(regions.back().get(), 0, static_cast<size_t>(size));
  }
  *memory = regions[static_cast<size_t>(region)].get();
  return SQLITE_OK;
}

int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  Handle* handle = Of(file);
  SimulatedDisk::File* of = handle->file;
  for (int i = offset; i < offset + count; ++i) {
    const unsigned bit = 1U << i;
    const int others = of->region_shared[i] - ((handle->shared_regions & bit) != 0 ? 1 : 0);
    const bool taken = of->region_exclusive[i] != nullptr && of->region_exclusive[i] != handle;
    if ((flags & SQLITE_SHM_LOCK) == 0) continue;
    if (taken || ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && others > 0)) return SQLITE_BUSY;
  }
  for (int i = offset; i < offset + count; ++i) {
    const unsigned bit = 1U << i;
    if ((flags & SQLITE_SHM_LOCK) != 0) {
      if ((flags & SQLITE_SHM_EXCLUSIVE) != 0) {
        of->region_exclusive[i] = handle;
        handle->exclusive_regions |= bit;
      } else if ((handle->shared_regions & bit) == 0) {
        ++of->region_shared[i];
        handle->shared_regions |= bit;
      }
      continue;
    }
    if (of->region_exclusive[i] == handle) of->region_exclusive[i] = nullptr;
    if ((handle->shared_regions & bit) != 0) --of->region_shared[i];
    handle->exclusive_regions &= ~bit;
    handle->shared_regions &= ~bit;
  }
  return SQLITE_OK;
}

void ShmBarrier(sqlite3_file*) {}

int ShmUnmap(sqlite3_file* file, int) {
  return ShmLock(file, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
}

int Close(sqlite3_file* file) {
  ShmUnmap(file, 0);
  return Unlock(file, SQLITE_LOCK_NONE);
}

const sqlite3_io_methods kMethods = {2,
                                     Close,
                                     Read,
                                     Write,
                                     Truncate,
                                     Sync,
                                     FileSize,
                                     Lock,
                                     Unlock,
                                     CheckReservedLock,
                                     FileControl,
                                     SectorSize,
                                     DeviceCharacteristics,
                                     ShmMap,
                                     ShmLock,
                                     ShmBarrier,
                                     ShmUnmap,
                                     nullptr,
                                     nullptr};

SimulatedDisk* DiskOf(sqlite3_vfs* vfs) { return static_cast<SimulatedDisk*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* handle = new (file) Handle();
  handle->disk = DiskOf(vfs);
  if (!handle->disk->on()) return SQLITE_CANTOPEN;
  auto& files = handle->disk->files();
  // Of files without a name, which hold what does not fit into memory, there are none here.
  if (name == nullptr) return SQLITE_CANTOPEN;
  auto found = files.find(name);
  if (found == files.end()) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    found = files.emplace(name, std::make_unique<SimulatedDisk::File>()).first;
  }
  handle->file = found->second.get();
  handle->base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int) {
  bool full = false;
  if (!DiskOf(vfs)->Step(/*writes=*/true, /*syncs=*/false, &full)) return SQLITE_IOERR_DELETE;
  return DiskOf(vfs)->files().erase(name) > 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

int Access(sqlite3_vfs* vfs, const char* name, int, int* there) {
  if (!DiskOf(vfs)->on()) return SQLITE_IOERR_ACCESS;
  *there = DiskOf(vfs)->files().count(name) > 0 ? 1 : 0;
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs*, const char* name, int size, char* full) {
  if (static_cast<int>(std::strlen(name)) >= size) return SQLITE_CANTOPEN;
  std::strcpy(full, name);  // NOLINT: checked above
  return SQLITE_OK;
}

// The same each time: a schedule must come out the same again.
int Randomness(sqlite3_vfs*, int count, char* bytes) {
  std::memset(bytes, 0x5a, static_cast<size_t>(count));
  return count;
}

int Sleep(sqlite3_vfs*, int microseconds) { return microseconds; }

int CurrentTime(sqlite3_vfs*, sqlite3_int64* now) {
  *now = kMillisecondsSinceJulian;
  return SQLITE_OK;
}

int GetLastError(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

struct SimulatedDisk::Layer {
  std::string name;
  sqlite3_vfs vfs = {};
};

SimulatedDisk::SimulatedDisk() : layer_(std::make_unique<Layer>()) {
  static std::atomic<int> disks = 0;
  layer_->name = absl::StrCat("simulated-disk-", ++disks);
  sqlite3_vfs& vfs = layer_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(Handle);
  vfs.mxPathname = 1024;
  vfs.zName = layer_->name.c_str();
  vfs.pAppData = this;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  vfs.xRandomness = Randomness;
  vfs.xSleep = Sleep;
  vfs.xGetLastError = GetLastError;
  vfs.xCurrentTimeInt64 = CurrentTime;
  sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
}

SimulatedDisk::~SimulatedDisk() { sqlite3_vfs_unregister(&layer_->vfs); }

const std::string& SimulatedDisk::vfs() const { return layer_->name; }

bool SimulatedDisk::Step(bool writes, bool syncs, bool* full) {
  if (steps_ == off_at_) on_ = false;
  if (!on_) return false;
  ++steps_;
  if (syncs) ++syncs_;
  if (writes && full_) {
    *full = true;
    return false;
  }
  int* failing = syncs ? &failing_syncs_ : &failing_writes_;
  if (*failing > 0) {
    --*failing;
    return false;
  }
  return true;
}

void SimulatedDisk::Reset() {
  for (auto& [name, file] : files_) {
    file->synced = file->now;
    file->unsynced.clear();
    file->durable = true;
    file->shared = 0;
    file->reserved = nullptr;
    file->exclusive = nullptr;
    file->regions.clear();
    std::fill(std::begin(file->region_shared), std::end(file->region_shared), 0);
    std::fill(std::begin(file->region_exclusive), std::end(file->region_exclusive), nullptr);
  }
  on_ = true;
  off_at_ = -1;
  failing_syncs_ = 0;
  failing_writes_ = 0;
}

void SimulatedDisk::PowerOnWithAll() { Reset(); }

void SimulatedDisk::PowerOnWithSome(Rng* rng) {
  for (auto it = files_.begin(); it != files_.end();) {
    File& file = *it->second;
    if (!file.durable && rng->Uniform(2) == 0) {
      it = files_.erase(it);
      continue;
    }
    file.now = file.synced;
    for (Change& change : file.unsynced) {
      const uint64_t fate = rng->Uniform(4);
      if (fate == 0) continue;
      // Of one in four writes only the first sectors have come to the disk.
      if (fate == 1 && !change.truncates) {
        change.data.resize(rng->Uniform(change.data.size() / kSectorBytes + 1) * kSectorBytes);
      }
      Apply(change, &file.now);
    }
    ++it;
  }
  Reset();
}

void SimulatedDisk::PowerOnWithSynced() {
  for (auto it = files_.begin(); it != files_.end();) {
    if (!it->second->durable) {
      it = files_.erase(it);
      continue;
    }
    it->second->now = it->second->synced;
    ++it;
  }
  Reset();
}

}  // namespace frontier::testing
