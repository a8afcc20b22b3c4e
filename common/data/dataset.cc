#include "common/data/dataset.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/data/idx.h"

namespace frontier {
namespace {

namespace fs = std::filesystem;

struct PartFiles {
  std::string images;
  std::string labels;
  int image_rank = 3;
  bool signals = false;
};

// Ends of the names of sample files, by what they hold.
struct SampleKind {
  const char* stem;
  int rank;
  bool signals;
};
constexpr SampleKind kSampleKinds[] = {{"-images-idx3-ubyte", 3, false},
                                       {"-images-idx4-ubyte", 4, false},
                                       {"-signals-idx2-ubyte", 2, true},
                                       {"-signals-idx3-ubyte", 3, true}};

// The files in a folder, and the data set's name that their names may begin with ("" = any).
struct Listing {
  std::string folder;
  std::string prefix;
  std::vector<std::string> names;
};

absl::StatusOr<Listing> ListFolder(const std::string& folder) {
  Listing listing;
  fs::path path(folder);
  std::error_code error;
  if (!fs::is_directory(path, error) && path.has_filename()) {
    // "images/mnist18k": the files "mnist18k-..." of the folder "images".
    listing.prefix = path.filename().string();
    path = path.has_parent_path() ? path.parent_path() : fs::path(".");
  }
  listing.folder = path.string();
  fs::directory_iterator it(path, error);
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("cannot list data set folder '", folder, "': ", error.message()));
  }
  for (; it != fs::directory_iterator(); it.increment(error)) {
    listing.names.push_back(it->path().filename().string());
    if (error) break;
  }
  if (error) {
    return absl::InternalError(
        absl::StrCat("cannot list data set folder '", folder, "': ", error.message()));
  }
  std::sort(listing.names.begin(), listing.names.end());
  return listing;
}

// The one file named [<data set>-]<stem>[.gz]; the empty string if there is none.
absl::StatusOr<std::string> FindFile(const Listing& listing, absl::string_view stem) {
  std::vector<std::string> found;
  for (const std::string& name : listing.names) {
    absl::string_view base = name;
    if (absl::EndsWith(base, ".gz")) base.remove_suffix(3);
    if (!absl::EndsWith(base, stem)) continue;
    base.remove_suffix(stem.size());
    if (!base.empty() && !absl::EndsWith(base, "-")) continue;
    if (!listing.prefix.empty() && base != absl::StrCat(listing.prefix, "-")) continue;
    found.push_back(name);
  }
  if (found.empty()) return std::string();
  // Beside its packed form a plain file is the same data.
  if (found.size() == 2 && found[1] == absl::StrCat(found[0], ".gz")) found.pop_back();
  if (found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "folder '", listing.folder, "' holds several '", stem, "' files (",
        absl::StrJoin(found, ", "), "): name one as '", listing.folder, "/<data set>'"));
  }
  return (fs::path(listing.folder) / found[0]).string();
}

absl::StatusOr<PartFiles> FindPart(const Listing& listing, Part part) {
  const std::vector<const char*> words = part == Part::kTrain
                                             ? std::vector<const char*>{"train"}
                                             : std::vector<const char*>{"t10k", "test"};
  for (const char* word : words) {
    PartFiles files;
    for (const SampleKind& kind : kSampleKinds) {
      files.image_rank = kind.rank;
      files.signals = kind.signals;
      ASSIGN_OR_RETURN(files.images, FindFile(listing, absl::StrCat(word, kind.stem)));
      if (!files.images.empty()) break;
    }
    if (files.images.empty()) continue;
    ASSIGN_OR_RETURN(files.labels, FindFile(listing, absl::StrCat(word, "-labels-idx1-ubyte")));
    if (files.labels.empty()) {
      return absl::NotFoundError(absl::StrCat("folder '", listing.folder, "' has '", files.images,
                                              "' but no '", word, "-labels-idx1-ubyte[.gz]'"));
    }
    return files;
  }
  // The path named no folder, and its parent has no data set of that name either.
  const std::string missing =
      listing.prefix.empty()
          ? ""
          : absl::StrCat("folder '", (fs::path(listing.folder) / listing.prefix).string(),
                         "' does not exist, and ");
  return absl::NotFoundError(absl::StrCat(
      missing, "folder '", listing.folder, "' has no '",
      listing.prefix.empty() ? "" : absl::StrCat(listing.prefix, "-"),
      part == Part::kTrain ? "train" : "t10k", "-images-idx3-ubyte[.gz]', idx4 images or signals"));
}

absl::Status CheckImages(const std::string& path, const IdxHeader& header, int64_t labels,
                         const std::string& labels_path) {
  if (header.dimensions[0] != labels) {
    return absl::DataLossError(absl::StrCat("'", path, "' has ", header.dimensions[0],
                                            " images but '", labels_path, "' has ", labels,
                                            " labels"));
  }
  for (size_t i = 1; i < header.dimensions.size(); ++i) {
    if (header.dimensions[i] > 1 << 16) {
      return absl::DataLossError(absl::StrCat("'", path, "': dimension ", i, " is ",
                                              header.dimensions[i], ", more than 65536"));
    }
  }
  if (header.dimensions[0] > INT32_MAX) {
    return absl::DataLossError(
        absl::StrCat("'", path, "' has ", header.dimensions[0], " images, more than 2^31 - 1"));
  }
  return absl::OkStatus();
}

void SetShape(const IdxHeader& header, bool signals, int* channels, int* height, int* width) {
  const std::vector<int64_t>& d = header.dimensions;
  const size_t plain = signals ? 2 : 3;  // dimensions of samples of one channel
  *channels = d.size() > plain ? static_cast<int>(d[1]) : 1;
  *height = signals ? 1 : static_cast<int>(d[d.size() - 2]);
  *width = static_cast<int>(d[d.size() - 1]);
}

// One part of a data set, from its labels and the header of its images.
struct PartSummary {
  int channels = 0, height = 0, width = 0;
  int64_t samples = 0;
  int classes = 0;
};

absl::StatusOr<PartSummary> SummarizePart(const PartFiles& files) {
  PartSummary summary;
  ASSIGN_OR_RETURN(const IdxArray labels, ReadIdx(files.labels, 1));
  ASSIGN_OR_RETURN(const IdxHeader images, ReadIdxHeader(files.images, files.image_rank));
  RETURN_IF_ERROR(CheckImages(files.images, images, labels.header.elements, files.labels));
  SetShape(images, files.signals, &summary.channels, &summary.height, &summary.width);
  summary.samples = labels.header.elements;
  summary.classes = 1 + *std::max_element(labels.values.begin(), labels.values.end());
  return summary;
}

}  // namespace

absl::StatusOr<Samples> ReadSamples(const std::string& folder, Part part, int classes) {
  ASSIGN_OR_RETURN(const Listing listing, ListFolder(folder));
  ASSIGN_OR_RETURN(const PartFiles files, FindPart(listing, part));
  ASSIGN_OR_RETURN(IdxArray labels, ReadIdx(files.labels, 1));
  if (classes > 0) {
    for (size_t i = 0; i < labels.values.size(); ++i) {
      if (labels.values[i] >= classes) {
        return absl::OutOfRangeError(absl::StrCat("'", files.labels, "': label ", labels.values[i],
                                                  " of sample ", i, " is not below ", classes,
                                                  " classes"));
      }
    }
  }
  // Counts are compared before the images are unpacked.
  ASSIGN_OR_RETURN(const IdxHeader header, ReadIdxHeader(files.images, files.image_rank));
  RETURN_IF_ERROR(CheckImages(files.images, header, labels.header.elements, files.labels));
  ASSIGN_OR_RETURN(IdxArray images, ReadIdx(files.images, files.image_rank));
  Samples samples;
  SetShape(images.header, files.signals, &samples.channels, &samples.height, &samples.width);
  samples.images = std::move(images.values);
  samples.labels = std::move(labels.values);
  return samples;
}

std::string DigestOf(const Samples& samples) {
  const auto bytes = [](const std::vector<uint8_t>& v) {
    return absl::string_view(reinterpret_cast<const char*>(v.data()), v.size());
  };
  Sha256 digest;
  digest.Update(absl::StrCat(samples.size(), "x", samples.channels, "x", samples.height, "x",
                             samples.width, "\n"));
  digest.Update(bytes(samples.labels));
  digest.Update(bytes(samples.images));
  return digest.FinishHex();
}

absl::StatusOr<v1::Dataset> DescribeDataset(const std::string& folder, const std::string& name) {
  ASSIGN_OR_RETURN(const Listing listing, ListFolder(folder));
  ASSIGN_OR_RETURN(const PartFiles train_files, FindPart(listing, Part::kTrain));
  ASSIGN_OR_RETURN(const PartSummary train, SummarizePart(train_files));
  v1::Dataset dataset;
  dataset.set_name(name);
  dataset.set_channels(train.channels);
  dataset.set_height(train.height);
  dataset.set_width(train.width);
  dataset.set_classes(train.classes);
  dataset.set_train_samples(train.samples);
  const absl::StatusOr<PartFiles> test_files = FindPart(listing, Part::kTest);
  if (absl::IsNotFound(test_files.status())) return dataset;  // a search needs no test part
  RETURN_IF_ERROR(test_files.status());
  ASSIGN_OR_RETURN(const PartSummary test, SummarizePart(*test_files));
  if (test.channels != train.channels || test.height != train.height || test.width != train.width) {
    return absl::DataLossError(absl::StrCat("'", test_files->images, "' has images of ",
                                            test.channels, "x", test.height, "x", test.width,
                                            " but '", train_files.images, "' of ", train.channels,
                                            "x", train.height, "x", train.width));
  }
  dataset.set_classes(std::max(train.classes, test.classes));
  dataset.set_test_samples(test.samples);
  return dataset;
}

}  // namespace frontier
