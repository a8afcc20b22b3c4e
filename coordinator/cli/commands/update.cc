// frontier update: other limits and another place in line for a job.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/job_file/job_file.h"
#include "coordinator/cli/render/job_view.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {
namespace {

struct UpdateFlags {
  int64_t job_id = 0;
  // Options given, by their place in a job file.
  std::vector<std::pair<std::string, std::string>> values;
};

struct UpdateOption {
  const char* flag;
  const char* path;
  const char* type;
  const char* description;
};

constexpr UpdateOption kOptions[] = {
    {"--trials", "budget.trials", "N", "Trials in all"},
    {"--wall_time", "budget.wall_time", "TIME", "Time in all, such as 90m or 2h30m"},
    {"--cpu_time", "budget.cpu_time", "TIME", "CPU time of trials in all"},
    {"--energy", "budget.energy_kwh", "KWH", "Energy of trials in all"},
    {"--priority", "priority", "N", "-100 to 100; jobs with a higher one come first"},
    {"--share", "share", "X", "Of workers, beside jobs of the same priority"},
    {"--max_parallel", "max_parallel_trials", "N", "Trials at a time; 0 = no limit"}};

// What `request` has changed of `spec`: "its budget is 14 trials; its share is 2".
std::string ChangesText(const v1::UpdateJobRequest& request, const v1::JobSpec& spec) {
  std::vector<std::string> changes;
  if (request.has_budget()) {
    changes.push_back(absl::StrCat("its budget is ", BudgetText(spec.budget())));
  }
  if (request.has_priority()) {
    changes.push_back(absl::StrCat("its priority is ", spec.priority()));
  }
  if (request.has_share()) changes.push_back(absl::StrCat("its share is ", spec.share()));
  if (request.has_max_parallel_trials()) {
    const int most = spec.max_parallel_trials();
    changes.push_back(most == 0 ? "any number of its trials run at a time"
                                : absl::StrCat("at most ", most, " of its trials run at a time"));
  }
  return absl::StrJoin(changes, "; ");
}

absl::StatusOr<ExitCode> Update(Session* session, const UpdateFlags& flags) {
  v1::GetJobRequest get;
  get.set_job_id(flags.job_id);
  ASSIGN_OR_RETURN(const v1::GetJobResponse job, session->client()->GetJob(get));
  std::vector<Override> overrides;
  bool budget = false;
  for (const auto& [path, value] : flags.values) {
    Override change;
    change.path = path;
    change.value = value;
    change.flag = absl::StrCat(path, "=", value);
    overrides.push_back(std::move(change));
    budget |= path.rfind("budget.", 0) == 0;
  }
  const JobFile file = ParseJobFile(WriteJobFile(job.job().spec()), overrides);
  if (!file.problems.empty()) {
    for (const Problem& problem : file.problems) {
      session->err() << FormatProblem(absl::StrCat("job ", flags.job_id), problem) << "\n";
    }
    session->err() << "frontier: nothing was changed\n";
    return ExitCode::kInvalidInput;
  }
  v1::UpdateJobRequest request;
  request.set_job_id(flags.job_id);
  if (budget) {
    *request.mutable_budget() = file.spec.budget();
    *request.mutable_from_budget() = job.job().spec().budget();
  }
  for (const auto& [path, value] : flags.values) {
    if (path == "priority") request.set_priority(file.spec.priority());
    if (path == "share") request.set_share(file.spec.share());
    if (path == "max_parallel_trials") {
      request.set_max_parallel_trials(file.spec.max_parallel_trials());
    }
  }
  ASSIGN_OR_RETURN(const v1::UpdateJobResponse response, session->client()->UpdateJob(request));
  if (session->json) {
    RETURN_IF_ERROR(session->PrintJson(response));
  } else {
    session->out() << "job " << flags.job_id << " is " << EnumWord(response.job().state()) << "; "
                   << ChangesText(request, response.job().spec()) << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace

void AddUpdateCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand(
      "update", "Change the budget of a job, also after its end, or its place in line");
  auto flags = std::make_shared<UpdateFlags>();
  AddNumber(command, "JOB", &flags->job_id, "Number of a job")->required();
  for (const UpdateOption& option : kOptions) {
    command
        ->add_option_function<std::string>(
            option.flag,
            [flags, path = option.path](const std::string& value) {
              flags->values.emplace_back(path, value);
            },
            option.description)
        ->type_name(option.type);
  }
  command->footer(
      "A job that ended since it had used its budget goes on with a larger one. Limits that are "
      "not "
      "given\nstay as they are.\n\n"
      "Examples:\n"
      "  frontier update 3 --trials 200\n"
      "  frontier update 3 --priority 10 --share 2\n"
      "  frontier update 3 --wall_time 12h --max_parallel 4");
  command->callback([session, flags] {
    if (flags->values.empty()) {
      std::vector<std::string> names;
      for (const UpdateOption& option : kOptions) names.emplace_back(option.flag);
      throw CLI::ValidationError(
          absl::StrCat("nothing to change; give at least one of ", absl::StrJoin(names, ", ")));
    }
    session->action = [session, flags] { return Update(session, *flags); };
  });
}

}  // namespace frontier::cli
