// Labelled data sets of images or signals in memory, and their splits.
#ifndef FRONTIER_COMMON_DATA_DATASET_H_
#define FRONTIER_COMMON_DATA_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontier/v1/job.pb.h"
#include "frontier/v1/job_service.pb.h"

namespace frontier {

// Samples of one part (training or test), bytes as in the file.
struct Samples {
  int channels = 0, height = 0, width = 0;
  std::vector<uint8_t> images;  // N x C x H x W
  std::vector<uint8_t> labels;  // N
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

enum class Part { kTrain, kTest };

// Reads a gzip'd or plain IDX pair in `folder`: "train-images-idx3-ubyte[.gz]" and
// "train-labels-idx1-ubyte[.gz]", "t10k-" or "test-" for the test part, also with a data set's name
// and a dash before ("mnist18k-train-images-..."); idx3 is N x H x W, idx4 N x C x H x W. In place
// of images there may be 1-D signals, which are samples of height 1:
// "train-signals-idx2-ubyte[.gz]", N x L, or idx3, N x C x L. Of a folder that holds several data
// sets one is named by "folder/mnist18k"; INVALID_ARGUMENT lists them if none is. NOT_FOUND if a
// file is missing; DATA_LOSS for a truncated or corrupt file, counts that differ; OUT_OF_RANGE for
// labels of `classes` or more (0 = do not check). Messages name file and value.
absl::StatusOr<Samples> ReadSamples(const std::string& folder, Part part, int classes);

// SHA-256 of shape, labels and images, in hex: equal for equal samples, however their files are
// named and compressed.
std::string DigestOf(const Samples& samples);

// What a data set is, from headers and labels alone, without reading the images; classes are one
// more than the largest label. `name` is taken over. A missing test part is no error: it has 0
// samples. Other errors as ReadSamples.
absl::StatusOr<v1::Dataset> DescribeDataset(const std::string& folder, const std::string& name);

// Indices into the training samples.
struct Split {
  std::vector<int32_t> train;
  std::vector<int32_t> validation;
};

// Splits the training samples by class (stratified), seeded by spec.split_seed; the test part takes
// no part. INVALID_ARGUMENT (INVALID_FIELD) for a fraction outside (0, 1) or more samples asked for
// than there are.
absl::StatusOr<Split> SplitTraining(const Samples& samples, const v1::DatasetSpec& spec);

}  // namespace frontier

#endif  // FRONTIER_COMMON_DATA_DATASET_H_
