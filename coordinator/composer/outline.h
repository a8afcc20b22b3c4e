// Stages, strides, kernels, blocks and widths worth searching, as far as they follow from the data.
#ifndef FRONTIER_COORDINATOR_COMPOSER_OUTLINE_H_
#define FRONTIER_COORDINATOR_COMPOSER_OUTLINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "frontier/v1/architecture.pb.h"
#include "frontier/v1/search_space.pb.h"

namespace frontier::coordinator {

struct DataFacts {
  v1::Shape input;  // of one sample
  int classes = 0;
  int64_t train_samples = 0;  // after the split; 0 = not known
  int epochs = 0;
  int batch_size = 0;
};

// How large networks are, from 0; each scale's are larger than those of the one before.
int ScaleCount();
// Below this scale limits bind so tightly that frugal blocks are worth it, however slow to train.
int LeastPlainScale();
// The largest scale that so many samples are worth.
int ScaleForData(int64_t train_samples);
// "widths 16 to 96, depths 1 to 2"
std::string DescribeScale(const v1::StagedSpace& space);

// Steps of training.
int64_t StepsOf(const DataFacts& facts);
// Whether there is enough training for blocks that need more of it.
bool IsLargeData(const DataFacts& facts);

// What limits that bind change.
struct Style {
  bool frugal = false;  // also blocks that do more with few weights and multiplications
  bool even = false;    // costs differ little: one kernel and the largest stride at each stage
};

// The space at one scale. Every candidate is a valid network.
v1::StagedSpace OutlineSpace(const DataFacts& facts, int scale, const Style& style);

// One sentence for each thing that the data decides.
std::vector<std::string> DescribeOutline(const DataFacts& facts, const v1::StagedSpace& space,
                                         const Style& style);

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_COMPOSER_OUTLINE_H_
