#include "common/tables/table.h"

#include <zlib.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace frontier {
namespace {

using ::frontier::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TableTest, HasTextsAndNumbersByColumn) {
  ASSERT_OK_AND_ASSIGN(const Table table,
                       Table::Parse("t", "name,x\r\na,1.5\r\n\r\nb,-2e3\r\nc,\r\n"));
  EXPECT_EQ(table.rows(), 3u);
  EXPECT_THAT(table.columns(), ElementsAre("name", "x"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, table.Texts("name"));
  EXPECT_THAT(names, ElementsAre("a", "b", "c"));
  ASSERT_OK_AND_ASSIGN(const std::vector<double> numbers, table.Numbers("x"));
  EXPECT_THAT(numbers, ElementsAre(1.5, -2000, ::testing::IsNan()));
}

TEST(TableTest, NamesWhatIsWrong) {
  EXPECT_THAT(Table::Parse("t.csv", ""),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("t.csv: there is no header")));
  EXPECT_THAT(
      Table::Parse("t.csv", "a,b\n1,2\n3\n"),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("line 3: 1 fields, the header has 2")));
  EXPECT_THAT(Table::Parse("t.csv", "a,b,a\n"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("column 'a' is there twice")));
  ASSERT_OK_AND_ASSIGN(const Table table, Table::Parse("t.csv", "a,b\n1,x\n"));
  EXPECT_THAT(table.Texts("c"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no column 'c'; there are: a, b")));
  EXPECT_THAT(table.Numbers("b"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("row 1, column 'b': 'x' is not a number")));
}

TEST(TableTest, IsReadFromFilesPlainOrCompressed) {
  const testing::TempFolder folder;
  const std::string text = "a,b\n1,2\n";
  const std::string plain = folder.path() + "/plain.csv";
  std::ofstream(plain) << text;
  const std::string packed = folder.path() + "/packed.csv.gz";
  gzFile file = gzopen(packed.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
            static_cast<int>(text.size()));
  gzclose(file);
  for (const std::string& path : {plain, packed}) {
    ASSERT_OK_AND_ASSIGN(const Table table, Table::Load(path));
    ASSERT_OK_AND_ASSIGN(const std::vector<double> numbers, table.Numbers("b"));
    EXPECT_THAT(numbers, ElementsAre(2));
  }
  EXPECT_THAT(Table::Load(folder.path() + "/none.csv"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.csv")));
}

TEST(TableTest, ADamagedFileIsNoTable) {
  const testing::TempFolder folder;
  const std::string path = folder.path() + "/packed.csv.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  const std::string text = "a,b\n" + std::string(100'000, '1') + ",2\n";
  ASSERT_GT(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), 0);
  gzclose(file);
  std::ifstream in(path, std::ios::binary);
  std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::ofstream(path, std::ios::binary) << all.substr(0, all.size() / 2);
  EXPECT_THAT(Table::Load(path), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("packed.csv.gz")));
}

}  // namespace
}  // namespace frontier
