// The cells of NAS-Bench-201.
#ifndef FRONTIER_TESTS_SUPPORT_CELLS_H_
#define FRONTIER_TESTS_SUPPORT_CELLS_H_

#include <vector>

#include "common/architecture/nasbench201.h"

namespace frontier::testing {

// All 15,625, the operation of the last edge changing fastest.
inline std::vector<NasBench201Cell> AllNasBench201Cells() {
  std::vector<NasBench201Cell> cells;
  for (int number = 0; number < 15625; ++number) {
    NasBench201Cell cell{};
    int rest = number;
    for (size_t i = cell.size(); i-- > 0; rest /= 5) {
      cell[i] = static_cast<v1::CellOperation>(v1::CELL_OPERATION_NONE + rest % 5);
    }
    cells.push_back(cell);
  }
  return cells;
}

}  // namespace frontier::testing

#endif  // FRONTIER_TESTS_SUPPORT_CELLS_H_
