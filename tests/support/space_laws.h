// What every search space must keep to.
#ifndef FRONTIER_TESTS_SUPPORT_SPACE_LAWS_H_
#define FRONTIER_TESTS_SUPPORT_SPACE_LAWS_H_

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "common/architecture/canonical.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "coordinator/space/space.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace frontier::testing {

// The genotype that takes these options, by the names of decisions and options, and the first one
// of all others. Reports names that the space does not have.
inline v1::Genotype PickGenotype(const coordinator::Space& space,
                                 std::map<std::string, std::string> picks) {
  v1::Genotype genotype;
  for (const coordinator::Decision& decision : space.decisions()) {
    const auto pick = picks.find(decision.name);
    if (pick == picks.end()) {
      genotype.add_options(0);
      continue;
    }
    const auto option = std::find(decision.options.begin(), decision.options.end(), pick->second);
    EXPECT_NE(option, decision.options.end()) << decision.name << " has no " << pick->second;
    genotype.add_options(static_cast<int32_t>(option - decision.options.begin()) %
                         static_cast<int32_t>(decision.options.size()));
    picks.erase(pick);
  }
  for (const auto& [name, option] : picks) ADD_FAILURE() << "no decision " << name;
  return genotype;
}

// Whatever `genotype` gives validates and hashes, or says that a network has no valid shape.
// Whether it gave a network.
inline bool ExpectLowers(const coordinator::Space& space, const v1::Genotype& genotype) {
  const std::string summary = space.Summarize(genotype);
  SCOPED_TRACE(summary);
  EXPECT_EQ(summary.find('\n'), std::string::npos);
  EXPECT_NE(summary.front(), '(');  // as for a genotype that is not of the space
  const absl::StatusOr<v1::Architecture> network = space.Lower(genotype);
  if (!network.ok()) {
    EXPECT_EQ(network.status().code(), absl::StatusCode::kInvalidArgument) << network.status();
    EXPECT_EQ(network.status().message().find("genotype"), absl::string_view::npos)
        << network.status();
    return false;
  }
  EXPECT_OK(AnalyzeGraph(*network));
  EXPECT_OK(CanonicalHash(*network));
  return true;
}

// Prints the seed. Returns the networks among `samples` samples.
inline std::vector<v1::Architecture> ExpectSpaceLaws(const coordinator::Space& space, uint64_t seed,
                                                     int samples) {
  std::cout << "seed " << seed << "\n";
  Rng rng(seed);
  std::vector<v1::Architecture> networks;
  v1::Genotype previous = space.Sample(&rng);
  const size_t features = space.Features(previous).size();
  for (int i = 0; i < samples; ++i) {
    SCOPED_TRACE(i);
    const v1::Genotype sample = space.Sample(&rng);
    if (ExpectLowers(space, sample)) networks.push_back(*space.Lower(sample));
    ExpectLowers(space, space.Mutate(sample, &rng));
    ExpectLowers(space, space.Cross(sample, previous, &rng));
    EXPECT_EQ(space.Cross(sample, sample, &rng).SerializeAsString(), sample.SerializeAsString());
    const std::vector<v1::Genotype> neighbours = space.Neighbours(sample);
    if (!neighbours.empty()) ExpectLowers(space, neighbours[rng.Uniform(neighbours.size())]);
    for (const float feature : space.Features(sample)) {
      EXPECT_TRUE(feature >= 0 && feature <= 1) << feature;
    }
    EXPECT_EQ(space.Features(sample).size(), features);
    v1::Genotype next = sample;
    if (space.Advance(&next)) {
      EXPECT_TRUE(std::lexicographical_compare(sample.options().begin(), sample.options().end(),
                                               next.options().begin(), next.options().end()));
      ExpectLowers(space, next);
    }
    previous = sample;
  }
  return networks;
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_SPACE_LAWS_H_
