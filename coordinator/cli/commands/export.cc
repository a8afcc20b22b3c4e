// frontier export: a trained model as an ONNX file.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "common/model_io/model_file.h"
#include "common/model_io/onnx_export.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/commands/user_files.h"
#include "coordinator/cli/render/format.h"
#include "google/protobuf/struct.pb.h"

namespace frontier::cli {
namespace {

struct ExportFlags {
  int64_t job_id = 0;
  int64_t trial = 0;
  std::string model;  // a file; empty = of the trial
  std::string output;
  bool normalized_input = false;
};

// Throws, as CLI11 does for a wrong command line.
void CheckFlags(const ExportFlags& flags) {
  const bool of_trial = flags.job_id != 0;
  if (of_trial && !flags.model.empty()) {
    throw CLI::ValidationError("JOB and TRIAL are given, and --model too: which model is it?");
  }
  if (of_trial && flags.trial == 0) throw CLI::ValidationError("TRIAL is required after JOB");
  if (!of_trial && flags.model.empty()) {
    throw CLI::ValidationError("JOB and TRIAL are required, or --model FILE");
  }
}

absl::StatusOr<v1::Model> LoadModel(Session* session, const ExportFlags& flags) {
  if (!flags.model.empty()) return OfUserFile(ReadModel(flags.model));
  ASSIGN_OR_RETURN(const std::string bytes, DownloadModel(session, flags.job_id, flags.trial));
  return ParseModel(bytes, absl::StrCat("trial ", flags.trial, " of job ", flags.job_id));
}

absl::StatusOr<ExitCode> Export(Session* session, const ExportFlags& flags) {
  ASSIGN_OR_RETURN(const v1::Model model, LoadModel(session, flags));
  ASSIGN_OR_RETURN(
      const std::string onnx,
      ExportOnnx(model, flags.normalized_input ? OnnxInput::kNormalized : OnnxInput::kPixels));
  RETURN_IF_ERROR(WriteUserFile(flags.output, onnx));
  if (session->json) {
    google::protobuf::Struct answer;
    auto& fields = *answer.mutable_fields();
    fields["path"].set_string_value(flags.output);
    fields["bytes"].set_number_value(static_cast<double>(onnx.size()));
    fields["sha256"].set_string_value(Sha256Hex(onnx));
    RETURN_IF_ERROR(session->PrintJson(answer));
  } else {
    const v1::Shape& input = model.architecture().input();
    session->out() << flags.output << ": " << FormatBytes(static_cast<int64_t>(onnx.size()))
                   << ", input N x " << input.channels() << " x " << input.height() << " x "
                   << input.width()
                   << (flags.normalized_input ? " (normalized)" : " (pixels / 255)")
                   << ", logits N x " << model.architecture().classes() << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddExportCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand(
      "export", "Write the trained model of a trial on the front as an ONNX file");
  auto flags = std::make_shared<ExportFlags>();
  AddNumber(command, "JOB", &flags->job_id, "Number of a job");
  AddNumber(command, "TRIAL", &flags->trial, "Number of one of its trials");
  command
      ->add_option("--model", flags->model,
                   "Instead of JOB and TRIAL: a file that frontier weights wrote")
      ->type_name("FILE");
  command->add_option("-o,--output", flags->output, "File to write; one that is there is replaced")
      ->required()
      ->type_name("FILE");
  command->add_flag("--normalized_input", flags->normalized_input,
                    "Leave the scaling of the input to the caller");
  command->footer(
      "The graph (operator set 13, f32) takes \"input\", N x channels x height x width, pixels "
      "from\n"
      "0 to 1 (bytes / 255), and gives \"logits\", N x classes, before softmax; N is free. It "
      "scales\n"
      "the pixels itself by the mean and deviation of the training data, which its metadata also\n"
      "holds; with --normalized_input it takes them scaled: (pixels / 255 - mean) / deviation.\n\n"
      "Examples:\n"
      "  frontier export 3 17 --output model.onnx\n"
      "  frontier export --model model.pb --output model.onnx");
  command->callback([session, flags] {
    CheckFlags(*flags);
    session->needs_coordinator = flags->model.empty();
    session->action = [session, flags] { return Export(session, *flags); };
  });
}

}  // namespace frontier::cli
