// frontier extend: more options in the space of a job that runs.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/job_file/job_file.h"
#include "coordinator/cli/render/text.h"

namespace frontier::cli {
namespace {

struct ExtendFlags {
  int64_t job_id = 0;
  std::string list;
  std::vector<std::string> values;
};

absl::StatusOr<ExitCode> Extend(Session* session, const ExtendFlags& flags) {
  v1::GetJobRequest get;
  get.set_job_id(flags.job_id);
  ASSIGN_OR_RETURN(const v1::GetJobResponse job, session->client()->GetJob(get));
  const v1::JobSpec& spec = job.job().spec();
  Override change;
  change.path = absl::StrCat("search_space.", flags.list);
  change.value = absl::StrCat("[", absl::StrJoin(flags.values, ", "), "]");
  change.flag = flags.list;
  change.append = true;
  const JobFile file = ParseJobFile(WriteJobFile(spec), {change});
  if (!file.problems.empty()) {
    for (const Problem& problem : file.problems) {
      session->err() << FormatProblem(absl::StrCat("job ", flags.job_id), problem) << "\n";
    }
    session->err() << "frontier: nothing was added\n";
    return ExitCode::kInvalidInput;
  }
  v1::ExtendSpaceRequest request;
  request.set_job_id(flags.job_id);
  *request.mutable_search_space() = file.spec.search_space();
  request.set_from_version(spec.search_space().version());
  ASSIGN_OR_RETURN(const v1::ExtendSpaceResponse response, session->client()->ExtendSpace(request));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << "job " << flags.job_id << " has version "
                   << response.job().spec().search_space().version()
                   << " of its space: " << Printable(response.job().space_size())
                   << " genotypes, were " << Printable(job.job().space_size()) << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddExtendCommand(CLI::App* app, Session* session) {
  CLI::App* command =
      app->add_subcommand("extend", "Add options to the search space of a job that has not ended");
  auto flags = std::make_shared<ExtendFlags>();
  AddNumber(command, "JOB", &flags->job_id, "Number of a job")->required();
  command
      ->add_option("LIST", flags->list,
                   "List in its search space, as frontier show has it: staged.stages[1].kernels")
      ->required();
  command->add_option("VALUE", flags->values, "What is added at the end of the list")
      ->required()
      ->expected(-1);
  command->footer(
      "Trials keep their meaning, so options can be added but not changed or taken away. A job "
      "that has\nnothing left to propose goes on.\n\n"
      "Examples:\n"
      "  frontier extend 3 staged.stem_widths 32\n"
      "  frontier extend 3 'staged.stages[1].kernels' 7 9\n"
      "  frontier extend 3 'graph.choices[0].options' 48");
  command->callback(
      [session, flags] { session->action = [session, flags] { return Extend(session, *flags); }; });
}

}  // namespace frontier::cli
