// Job files of the families of spaces.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/cli/job_file/job_file.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace frontier::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string FileWith(absl::string_view space) {
  return absl::StrCat(R"(name: small
dataset: {name: fashion-mnist, input: [1, 28, 28], classes: 10}
search_space:
  )",
                      space, R"(
strategy: random
training: {epochs: 2, batch_size: 128, learning_rate: 0.1}
objectives: [{accuracy: maximize}]
budget: {trials: 14}
)");
}

std::vector<std::string> ProblemsOf(absl::string_view space) {
  std::vector<std::string> lines;
  for (const Problem& problem : ParseJobFile(FileWith(space), {}).problems) {
    lines.push_back(FormatProblem("job.yaml", problem));
  }
  return lines;
}

TEST(SpaceFilesTest, SpacesSurviveTheirFiles) {
  for (const char* space : {
           "mobile: {}",
           "staged",
           "staged: {resolutions: [28, 14]}",
           "auto",
           "auto: {probes: 3}",
           "auto: {composition: {space: {stem_widths: [8]}, reasons: [\"as it was\"]}}",
           "mobile: {units: [{widths: [16, 24], depths: [2], kernels: [3, 5], expansions: [3], "
           "strides: [2], squeeze_excite: [0, 4], activations: [relu6, hard_swish], uniform: "
           "true}], width_multipliers: [0.5, 1], resolutions: [28, 14], dropout: 0.2}",
           "fire: {stages: [{squeezes: [4], expands: [8, 16], strides: [1, 2]}], norms: [true, "
           "false]}",
           "residual: {blocks: [basic, bottleneck], stages: [{widths: [8]}]}",
           "vgg: {stages: [{widths: [8], depths: [1]}], hidden_layers: [0, 2]}",
           "staged: {stem_widths: [8], stages: [{blocks: [inverted_bottleneck], kernels: [3], "
           "widths: [8], depths: [1], strides: [1], connections: [0], expansions: [1, 6], "
           "squeeze_excite: [0, 4], activations: [silu]}]}",
       }) {
    SCOPED_TRACE(space);
    ASSERT_THAT(ProblemsOf(space), IsEmpty());
    const v1::JobSpec spec = ParseJobFile(FileWith(space), {}).spec;
    const JobFile again = ParseJobFile(WriteJobFile(spec), {});
    EXPECT_THAT(again.problems, IsEmpty());
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(again.spec, spec))
        << WriteJobFile(spec);
  }
}

TEST(SpaceFilesTest, ProblemsNameThePlace) {
  EXPECT_THAT(
      ProblemsOf("stagd"),
      ElementsAre("job.yaml:4:3: search_space.stagd: not known here (did you mean staged?)"));
  EXPECT_THAT(ProblemsOf("auto: {probes: 33}"),
              ElementsAre("job.yaml:4:18: search_space.auto.probes: 33 must lie in [0, 32]"));
  EXPECT_THAT(ProblemsOf("mobile: {units: [{kernels: [4]}], width_multipliers: [0]}"),
              ElementsAre("job.yaml:4:20: search_space.mobile.units[0].widths: missing",
                          "job.yaml:4:31: search_space.mobile.units[0].kernels[0]: 4 is even; "
                          "kernels are odd: 1, 3, 5, ...",
                          "job.yaml:4:57: search_space.mobile.width_multipliers[0]: 0 must lie in "
                          "(0, 8]"));
  EXPECT_THAT(ProblemsOf("fire: {stages: [{squeezes: [4], expands: [8], strides: [3]}]}"),
              ElementsAre("job.yaml:4:59: search_space.fire.stages[0].strides[0]: 3 must lie in "
                          "[1, 2]"));
  EXPECT_THAT(ProblemsOf("residual: {blocks: [basic, basic]}"),
              ElementsAre("job.yaml:4:30: search_space.residual.blocks[1]: 'basic' is in the list "
                          "already"));
}

}  // namespace
}  // namespace frontier::cli
