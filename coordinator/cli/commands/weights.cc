// frontier weights: the trained model of a trial, to a file.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/commands/user_files.h"
#include "coordinator/cli/render/format.h"
#include "google/protobuf/struct.pb.h"

namespace frontier::cli {
namespace {

struct WeightsFlags {
  int64_t job_id = 0;
  int64_t trial = 0;
  std::string output;
};

absl::StatusOr<ExitCode> GetWeights(Session* session, const WeightsFlags& flags) {
  ASSIGN_OR_RETURN(const std::string model, DownloadModel(session, flags.job_id, flags.trial));
  const std::string digest = Sha256Hex(model);
  RETURN_IF_ERROR(WriteUserFile(flags.output, model));
  if (session->json) {
    google::protobuf::Struct answer;
    auto& fields = *answer.mutable_fields();
    fields["path"].set_string_value(flags.output);
    fields["bytes"].set_number_value(static_cast<double>(model.size()));
    fields["sha256"].set_string_value(digest);
    RETURN_IF_ERROR(session->PrintJson(answer));
  } else {
    session->out() << flags.output << ": " << FormatBytes(static_cast<int64_t>(model.size()))
                   << ", sha256 " << digest << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

absl::StatusOr<std::string> DownloadModel(Session* session, int64_t job_id, int64_t trial) {
  v1::GetTrialRequest trial_request;
  trial_request.set_job_id(job_id);
  trial_request.set_trial(trial);
  ASSIGN_OR_RETURN(const v1::GetTrialResponse record, session->client()->GetTrial(trial_request));
  v1::GetWeightsRequest request;
  request.set_job_id(job_id);
  request.set_trial(trial);
  ASSIGN_OR_RETURN(std::string model, session->client()->GetWeights(request));
  const std::string& expected = record.trial().result().weights_sha256();
  const std::string digest = Sha256Hex(model);
  if (!expected.empty() && digest != expected) {
    return absl::DataLossError(absl::StrCat("trial ", trial, " of job ", job_id,
                                            ": the model arrived with digest ", digest,
                                            ", its record says ", expected));
  }
  return model;
}

void AddWeightsCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand(
      "weights", "Download the trained model of a trial on the front to a file");
  auto flags = std::make_shared<WeightsFlags>();
  AddNumber(command, "JOB", &flags->job_id, "Number of a job")->required();
  AddNumber(command, "TRIAL", &flags->trial, "Number of one of its trials")->required();
  command->add_option("-o,--output", flags->output, "File to write; one that is there is replaced")
      ->required()
      ->type_name("FILE");
  command->footer(
      "The file is a frontier.v1.Model: architecture, weights, and how its input is scaled. It is\n"
      "checked against the trial's record and appears whole or not at all.\n\n"
      "Examples:\n"
      "  frontier weights 3 17 --output model.pb");
  command->callback([session, flags] {
    session->action = [session, flags] { return GetWeights(session, *flags); };
  });
}

}  // namespace frontier::cli
