// Random changes of training samples.
#ifndef FRONTIER_WORKER_BATCHING_AUGMENTATION_H_
#define FRONTIER_WORKER_BATCHING_AUGMENTATION_H_

#include <cstdint>

#include "common/base/random.h"

namespace frontier::worker {

struct AugmentationOptions {
  bool horizontal_flip = false;    // mirrors half of the samples
  int crop_padding = 0;            // black pixels on every side before a crop, by CropMove
  int cutout_size = 0;             // side of a square set to the mean (DeVries and Taylor 2017)
  double erasing_probability = 0;  // of a rectangle set to the mean (Zhong et al. 2020)
  double mixup_alpha = 0;          // Zhang et al. 2018; 0 = off
};

// A part of an image, within it.
struct Box {
  int top = 0, left = 0, height = 0, width = 0;
};

// By how much a crop to the old size moves along an axis of `side` pixels: uniform up to `padding`
// either way, but less than `side`, so that something of the sample stays. A signal (height 1) so
// moves along its width alone.
int CropMove(int padding, int side, Rng* rng);

// Square of `size` around a pixel drawn at random, cut at the border.
Box CutoutBox(int size, int height, int width, Rng* rng);

// Zhong et al. 2020, "Random Erasing Data Augmentation", algorithm 1, with their area of 2 to 33 %
// and aspect of 0.3 to 1 / 0.3 (its logarithm uniform, as in torchvision); empty if ten draws did
// not fit. Of a signal, which no rectangle fits into, the same share of the length: at least one
// value and not all.
Box ErasingBox(int height, int width, Rng* rng);

// Sets `box` of each of the planes to 0, the mean of normalized values.
void Erase(const Box& box, int channels, int height, int width, float* image);

// Beta(alpha, alpha), alpha > 0: the ratio of gamma variates (Marsaglia and Tsang 2000, "A simple
// method for generating gamma variables").
double SampleBeta(double alpha, Rng* rng);

}  // namespace frontier::worker

#endif  // FRONTIER_WORKER_BATCHING_AUGMENTATION_H_
