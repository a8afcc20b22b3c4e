#include "coordinator/cli/job_file/job_file.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "coordinator/cli/job_file/converter.h"
#include "coordinator/cli/job_file/overrides.h"
#include "coordinator/cli/job_file/protocol_json.h"
#include "coordinator/cli/job_file/schema.h"

namespace frontier::cli {

Position JobFile::PositionOf(absl::string_view field) const {
  while (!field.empty()) {
    auto found = positions.find(std::string(field));
    if (found != positions.end()) return found->second;
    const size_t end = field.find_last_of(".[");
    field = end == absl::string_view::npos ? "" : field.substr(0, end);
  }
  auto root = positions.find("");
  return root == positions.end() ? Position{1, 1, ""} : root->second;
}

JobFile ParseJobFile(absl::string_view text, absl::Span<const Override> overrides,
                     const DocumentLimits& limits) {
  JobFile file;
  Node root;
  if (!ReadDocument(text, limits, &root, &file.problems)) return file;
  if (IsJson(text)) ReadAsProtocolJson(*v1::JobSpec::descriptor(), &root);
  for (const Override& change : overrides) {
    ApplyOverride(*v1::JobSpec::descriptor(), change, &root, &file.problems);
  }
  ConvertDocument(root, &file.spec, &file.positions, &file.problems);
  // Checks of whole messages make sense only once each field is what it should be.
  if (file.problems.empty()) {
    std::vector<Problem> found;
    CheckMessage(file.spec, "", &found);
    CheckMessage(file.spec.budget(), "budget", &found);
    for (Problem& problem : found) {
      problem.position = file.PositionOf(problem.field);
      file.problems.push_back(std::move(problem));
    }
  }
  std::stable_sort(file.problems.begin(), file.problems.end(),
                   [](const Problem& a, const Problem& b) {
                     return std::tie(a.position.line, a.position.column) <
                            std::tie(b.position.line, b.position.column);
                   });
  return file;
}

}  // namespace frontier::cli
