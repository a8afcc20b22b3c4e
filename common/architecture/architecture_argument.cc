#include "common/architecture/architecture_argument.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/architecture/graph.h"
#include "common/architecture/reference.h"
#include "common/base/file.h"
#include "common/base/status.h"
#include "common/base/utf8.h"
#include "frontier/v1/job_service.pb.h"
#include "frontier/v1/model.pb.h"

namespace frontier {
namespace {

// Keeps what protobuf would print to standard error.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat("line ", line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::StatusOr<v1::Architecture> FromJson(const std::string& text) {
  v1::Architecture architecture;
  const auto status = google::protobuf::util::JsonStringToMessage(text, &architecture);
  if (status.ok()) return architecture;
  v1::GetTrialResponse response;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // of a newer version
  if (google::protobuf::util::JsonStringToMessage(text, &response, options).ok() &&
      response.trial().has_architecture()) {
    return response.trial().architecture();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("JSON of neither an architecture nor a trial: ", std::string(status.message())));
}

absl::StatusOr<v1::Architecture> FromBytes(const std::string& bytes) {
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return absl::InvalidArgumentError("is empty");
  v1::Model model;
  if (model.ParseFromString(bytes) && model.architecture().nodes_size() > 0) {
    return model.architecture();
  }
  if (bytes[first] == '{') return FromJson(bytes);
  v1::Architecture architecture;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(bytes, &architecture)) {
    // An escape may stand for any byte; the other forms do not let such names in.
    for (int i = 0; i < architecture.nodes_size(); ++i) {
      if (IsUtf8(architecture.nodes(i).name())) continue;
      return InvalidField(absl::StrCat("nodes[", i, "].name"), "is not UTF-8");
    }
    return architecture;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("is no model, JSON or text of an architecture; read as text, ", error.text()));
}

absl::Status CheckAgrees(const v1::Architecture& architecture, absl::string_view input,
                         int classes) {
  if (!input.empty()) {
    ASSIGN_OR_RETURN(const v1::Shape shape, ParseShape(input));
    if (ShapeText(shape) != ShapeText(architecture.input())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "takes samples of ", ShapeText(architecture.input()), ", not of ", ShapeText(shape)));
    }
  }
  if (classes != 0 && classes != architecture.classes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", architecture.classes(), " classes, not ", classes));
  }
  return absl::OkStatus();
}

absl::Status Named(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("architecture file '", path, "': ", status.message()));
}

}  // namespace

absl::StatusOr<v1::Shape> ParseShape(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, 'x');
  int32_t extents[3];
  bool good = parts.size() == 3;
  for (size_t i = 0; good && i < 3; ++i) {
    good = absl::SimpleAtoi(parts[i], &extents[i]) && extents[i] >= 1 && extents[i] <= 65536;
  }
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("input '", text, "' is not channels x height x width, such as 1x28x28"));
  }
  v1::Shape shape;
  shape.set_channels(extents[0]);
  shape.set_height(extents[1]);
  shape.set_width(extents[2]);
  return shape;
}

absl::StatusOr<v1::Architecture> ParseArchitecture(const std::string& bytes) {
  ASSIGN_OR_RETURN(v1::Architecture architecture, FromBytes(bytes));
  architecture.DiscardUnknownFields();  // so that it survives every form
  RETURN_IF_ERROR(AnalyzeGraph(architecture).status());
  return architecture;
}

absl::StatusOr<v1::Architecture> FindArchitecture(const std::string& argument,
                                                  absl::string_view input, int classes,
                                                  const ArchitectureDefaults& defaults) {
  ASSIGN_OR_RETURN(const v1::Shape shape, ParseShape(input.empty() ? defaults.input : input));
  absl::StatusOr<v1::Architecture> reference =
      ReferenceArchitecture(argument, shape, classes == 0 ? defaults.classes : classes);
  if (reference.ok()) return reference;
  if (!absl::IsNotFound(reference.status())) {
    return absl::Status(reference.status().code(),
                        absl::StrCat("reference network '", argument, "' at ", ShapeText(shape),
                                     ": ", reference.status().message()));
  }

  const absl::StatusOr<std::string> bytes = ReadFile(argument);
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(absl::StrCat("architecture '", argument,
                                            "': no such file, nor a reference network (",
                                            absl::StrJoin(ReferenceNames(), ", "), ")"));
  }
  RETURN_IF_ERROR(bytes.status());
  absl::StatusOr<v1::Architecture> read = ParseArchitecture(*bytes);
  if (!read.ok()) return Named(argument, read.status());
  if (absl::Status status = CheckAgrees(*read, input, classes); !status.ok()) {
    return Named(argument, status);
  }
  return read;
}

}  // namespace frontier
