#include "worker/agent/outbox.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/sha256.h"
#include "common/base/status.h"

namespace frontier::worker {
namespace {

constexpr absl::string_view kReportSuffix = ".report";
constexpr absl::string_view kWeightsSuffix = ".model";

std::vector<std::string> FilesWithSuffix(const std::string& folder, absl::string_view suffix) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string path = it->path().string();
    if (absl::EndsWith(path, suffix)) files.push_back(path);
  }
  if (error) {
    LogWarning({}, absl::StrCat("cannot list outbox '", folder, "': ", error.message()));
  }
  return files;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Outbox>> Outbox::Open(const std::string& folder) {
  RETURN_IF_ERROR(MakeDirectories(folder));
  if (access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return ErrnoStatus(errno, "cannot use outbox", folder);
  }
  RemoveTemporaryFilesIn(folder);
  for (const std::string& weights : FilesWithSuffix(folder, kWeightsSuffix)) {
    const std::string report =
        absl::StrCat(absl::StripSuffix(weights, kWeightsSuffix), kReportSuffix);
    if (access(report.c_str(), F_OK) != 0) unlink(weights.c_str());
  }
  return std::unique_ptr<Outbox>(new Outbox(folder));
}

std::string Outbox::Stem(const v1::AttemptKey& key, int64_t token) const {
  return absl::StrCat(folder_, "/job", key.job_id(), "-trial", key.trial(), "-attempt",
                      key.attempt(), "-", token);
}

std::string Outbox::WeightsPath(const v1::AttemptKey& key, int64_t token) const {
  return absl::StrCat(Stem(key, token), kWeightsSuffix);
}

absl::Status Outbox::Put(const v1::ReportRequest& report) {
  return WriteFileAtomically(absl::StrCat(Stem(report.key(), report.token()), kReportSuffix),
                             report.SerializeAsString());
}

std::vector<v1::ReportRequest> Outbox::List() const {
  std::vector<v1::ReportRequest> reports;
  for (const std::string& path : FilesWithSuffix(folder_, kReportSuffix)) {
    const absl::StatusOr<std::string> content = ReadFile(path);
    v1::ReportRequest report;
    if (content.ok() && report.ParseFromString(*content) && report.has_key() &&
        report.outcome_case() != v1::ReportRequest::OUTCOME_NOT_SET) {
      reports.push_back(std::move(report));
      continue;
    }
    LogError({}, absl::StrCat("stored report '", path, "' is damaged; it is put aside"));
    std::rename(path.c_str(), absl::StrCat(path, ".damaged").c_str());
  }
  std::sort(reports.begin(), reports.end(),
            [](const auto& a, const auto& b) { return a.token() < b.token(); });
  return reports;
}

void Outbox::Remove(const v1::AttemptKey& key, int64_t token) {
  const std::string stem = Stem(key, token);
  for (const absl::string_view suffix : {kReportSuffix, kWeightsSuffix}) {
    const std::string path = absl::StrCat(stem, suffix);
    unlink(path.c_str());
    RemoveTemporaryFiles(path);
  }
}

}  // namespace frontier::worker
