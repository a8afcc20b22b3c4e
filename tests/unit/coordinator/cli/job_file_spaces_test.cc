// Spaces of cells in job files.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "coordinator/cli/job_file/job_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace frontier::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string JobWith(absl::string_view space) {
  return absl::StrCat(R"(name: cells
dataset: {name: fashion-mnist, input: [1, 28, 28], classes: 10}
search_space: )",
                      space, R"(
strategy: {random: {}}
training: {epochs: 1, batch_size: 64, learning_rate: 0.1}
objectives: [{accuracy: maximize}]
budget: {trials: 4}
)");
}

std::vector<std::string> ProblemsOf(const std::string& text) {
  std::vector<std::string> lines;
  for (const Problem& problem : ParseJobFile(text, {}).problems) {
    lines.push_back(FormatProblem("job.yaml", problem));
  }
  return lines;
}

TEST(JobFileSpacesTest, ReadsCellSpaces) {
  const std::string full =
      JobWith("{nasbench201: {channels: 8, cells_per_stage: 2, operations: [none, nor_conv_3x3]}}");
  ASSERT_THAT(ProblemsOf(full), IsEmpty());
  const v1::NasBench201Space cells = ParseJobFile(full, {}).spec.search_space().nasbench201();
  EXPECT_EQ(cells.channels(), 8);
  EXPECT_EQ(cells.cells_per_stage(), 2);
  EXPECT_THAT(cells.operations(),
              ElementsAre(v1::CELL_OPERATION_NONE, v1::CELL_OPERATION_NOR_CONV_3X3));
  const std::string other = JobWith("{nasbench101: {stem_channels: 32, max_vertices: 5}}");
  ASSERT_THAT(ProblemsOf(other), IsEmpty());
  EXPECT_EQ(ParseJobFile(other, {}).spec.search_space().nasbench101().max_vertices(), 5);
}

TEST(JobFileSpacesTest, AllOfACellSpaceMayBeLeftOut) {
  for (const char* space : {"{nasbench201: {}}", "{nasbench101: {}}"}) {
    EXPECT_THAT(ProblemsOf(JobWith(space)), IsEmpty()) << space;
  }
}

TEST(JobFileSpacesTest, NamesMistakesInCellSpaces) {
  EXPECT_THAT(ProblemsOf(JobWith("{nasbench201: {operations: [nor_conv_5x5]}}")),
              Contains(HasSubstr("nor_conv_5x5")));
  EXPECT_THAT(ProblemsOf(JobWith("{nasbench201: {operations: [none, none]}}")),
              Contains(HasSubstr("operations")));
  EXPECT_THAT(ProblemsOf(JobWith("{nasbench101: {max_edges: -2}}")), Contains(HasSubstr("-2")));
  EXPECT_THAT(ProblemsOf(JobWith("{nasbench101: {vertices: 4}}")), Contains(HasSubstr("vertices")));
}

}  // namespace
}  // namespace frontier::cli
