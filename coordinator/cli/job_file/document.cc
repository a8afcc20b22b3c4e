#include "coordinator/cli/job_file/document.h"

#include <exception>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/utf8.h"
#include "coordinator/cli/render/text.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace frontier::cli {
namespace {

Position At(const YAML::Mark& mark) {
  Position position;
  position.line = mark.line + 1;
  position.column = mark.column + 1;
  return position;
}

// Ends the parse from inside a handler; never leaves this file.
struct Refusal {
  Problem problem;
};

// What a tree takes up.
struct Size {
  int nodes = 0;
  size_t text_bytes = 0;
};

void AddSize(const Node& node, Size* size) {
  ++size->nodes;
  size->text_bytes += node.scalar.size();
  for (const Node& item : node.items) AddSize(item, size);
  for (const Node::Entry& entry : node.entries) {
    size->text_bytes += entry.key.size();
    AddSize(entry.value, size);
  }
}

int Depth(const Node& node) {
  int deepest = 0;
  for (const Node& item : node.items) deepest = std::max(deepest, Depth(item));
  for (const Node::Entry& entry : node.entries) deepest = std::max(deepest, Depth(entry.value));
  return deepest + 1;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const DocumentLimits& limits, std::vector<Problem>* problems)
      : limits_(limits), problems_(problems) {}

  Node TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.position = At(mark);
    Finish(std::move(node), anchor, {1, 0});
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::kScalar;
    node.position = At(mark);
    node.scalar = value;
    Finish(std::move(node), anchor, {1, value.size()});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Refuse(mark, "an alias may not refer to what it stands in");
    const Node& target = found->second;
    if (static_cast<int>(open_.size()) + Depth(target) > limits_.depth) RefuseDepth(mark);
    Size size;
    AddSize(target, &size);
    Finish(target, 0, size);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, Node::Kind::kSequence, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, Node::Kind::kMap, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapEnd() override { Close(); }

 private:
  struct OpenNode {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Node> key;  // of a map: read, its value not yet
  };

  [[noreturn]] void Refuse(const YAML::Mark& mark, const std::string& message) {
    throw Refusal{{At(mark), "", message}};
  }
  [[noreturn]] void RefuseDepth(const YAML::Mark& mark) {
    Refuse(mark, absl::StrCat("nested more than ", limits_.depth, " levels deep"));
  }

  void Open(const YAML::Mark& mark, Node::Kind kind, YAML::anchor_t anchor) {
    if (static_cast<int>(open_.size()) >= limits_.depth) RefuseDepth(mark);
    Node node;
    node.kind = kind;
    node.position = At(mark);
    open_.push_back({std::move(node), anchor, std::nullopt});
  }

  void Close() {
    OpenNode closed = std::move(open_.back());
    open_.pop_back();
    Finish(std::move(closed.node), closed.anchor, {1, 0});
  }

  // `added`: by how much the document grows.
  void Finish(Node node, YAML::anchor_t anchor, const Size& added) {
    size_.nodes += added.nodes;
    size_.text_bytes += added.text_bytes;
    if (size_.nodes > limits_.nodes) {
      throw Refusal{
          {node.position, "", absl::StrCat("more than ", limits_.nodes, " values in one file")}};
    }
    if (size_.text_bytes > limits_.text_bytes) {
      throw Refusal{{node.position, "",
                     absl::StrCat("more than ", limits_.text_bytes, " bytes of keys and values")}};
    }
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    OpenNode& parent = open_.back();
    if (parent.node.kind == Node::Kind::kSequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key.has_value()) {
      parent.key = std::move(node);
    } else {
      AddEntry(&parent, std::move(node));
    }
  }

  void AddEntry(OpenNode* parent, Node value) {
    Node key = *std::move(parent->key);
    parent->key.reset();
    if (key.kind != Node::Kind::kScalar) {
      problems_->push_back(
          {key.position, "", absl::StrCat("a key must be a word, not ", DescribeNode(key))});
      return;
    }
    for (const Node::Entry& earlier : parent->node.entries) {
      if (earlier.key == key.scalar) {
        problems_->push_back(
            {key.position, "",
             absl::StrCat("'", Printable(key.scalar), "' is given twice, first on line ",
                          earlier.position.line)});
        return;
      }
    }
    parent->node.entries.push_back({key.scalar, key.position, std::move(value)});
  }

  const DocumentLimits limits_;
  std::vector<Problem>* const problems_;
  std::vector<OpenNode> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  Node root_;
  Size size_;
};

// The place of the first byte that is not text, if any.
std::optional<Problem> FindBadBytes(absl::string_view text) {
  Position position;
  position.line = position.column = 1;
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0) return Problem{position, "", "the file is not UTF-8 text"};
    if (text[i] == '\0')
      return Problem{position, "", "the file holds a zero byte: not a text file"};
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else {
      ++position.column;
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace

std::string FormatProblem(absl::string_view source, const Problem& problem) {
  std::string text =
      problem.position.flag.empty()
          ? absl::StrCat(source, ":", problem.position.line, ":", problem.position.column, ": ")
          : absl::StrCat(problem.position.flag, ": ");
  if (!problem.field.empty()) absl::StrAppend(&text, problem.field, ": ");
  absl::StrAppend(&text, problem.message);
  return Printable(text);
}

std::string DescribeNode(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return absl::StrCat("'", Shorten(Printable(node.scalar), 60), "'");
    case Node::Kind::kSequence:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return "";
}

bool ReadDocument(absl::string_view text, const DocumentLimits& limits, Node* root,
                  std::vector<Problem>* problems) {
  Position start;
  start.line = start.column = 1;
  if (text.size() > limits.bytes) {
    problems->push_back({start, "",
                         absl::StrCat("the file has ", text.size(), " bytes; at most ",
                                      limits.bytes, " are read")});
    return false;
  }
  if (std::optional<Problem> bad = FindBadBytes(text)) {
    problems->push_back(*std::move(bad));
    return false;
  }
  TreeBuilder builder(limits, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      problems->push_back({start, "", "the file is empty"});
      return false;
    }
    *root = builder.TakeRoot();
    TreeBuilder second(limits, problems);
    if (parser.HandleNextDocument(second)) {
      problems->push_back(
          {second.TakeRoot().position, "", "a second document begins; a job file holds one"});
    }
  } catch (const Refusal& refusal) {
    problems->push_back(refusal.problem);
    return false;
  } catch (const YAML::Exception& error) {
    problems->push_back({At(error.mark), "", absl::StrCat("not valid YAML: ", error.msg)});
    return false;
  } catch (const std::exception& error) {
    problems->push_back({start, "", absl::StrCat("not valid YAML: ", error.what())});
    return false;
  }
  return true;
}

}  // namespace frontier::cli
