// A YAML document as a tree in which each key and value knows where it stands.
#ifndef FRONTIER_COORDINATOR_CLI_JOB_FILE_DOCUMENT_H_
#define FRONTIER_COORDINATOR_CLI_JOB_FILE_DOCUMENT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace frontier::cli {

// Where something stands: in the file, or on the command line.
struct Position {
  int line = 0;      // from 1
  int column = 0;    // from 1, in characters
  std::string flag;  // "--epochs" if a flag gave it; line and column mean nothing then
};

// One thing that is wrong with a job file.
struct Problem {
  Position position;
  std::string field;  // path as in the file, "objectives[0].direction"; empty = the whole file
  std::string message;
};

// "job.yaml:12:9: objectives[0].direction: 'maxi' is not ..."; for a flag "--epochs: ...".
std::string FormatProblem(absl::string_view source, const Problem& problem);

struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  Position position;
  std::string scalar;
  std::vector<Node> items;     // of a sequence
  std::vector<Entry> entries;  // of a map, in the file's order; no key twice
};

struct Node::Entry {
  std::string key;
  Position position;  // of the key
  Node value;
};

// "a map", "a list", "'text'", "nothing": for messages.
std::string DescribeNode(const Node& node);

struct DocumentLimits {
  size_t bytes = 256 * 1024;
  int nodes = 20'000;               // aliases counted at their full size
  size_t text_bytes = 1024 * 1024;  // of all keys and values, aliases likewise
  int depth = 32;
};

// Reads the one document in `text`. What is wrong is appended to `problems`; true if there is a
// tree to go on with (a key given twice is a problem, but its first value is kept).
bool ReadDocument(absl::string_view text, const DocumentLimits& limits, Node* root,
                  std::vector<Problem>* problems);

}  // namespace frontier::cli

#endif  // FRONTIER_COORDINATOR_CLI_JOB_FILE_DOCUMENT_H_
