// frontier submit: a job file to the coordinator.
#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "common/base/version.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/commands/user_files.h"
#include "coordinator/cli/job_file/job_file.h"
#include "coordinator/cli/render/format.h"
#include "coordinator/cli/render/job_view.h"

namespace frontier::cli {
namespace {

// Flags that set one field each. Where the path ends with "*", the flag's value takes its place.
struct FieldFlag {
  const char* flag;
  const char* value_name;
  const char* path;
  const char* description;
};
constexpr FieldFlag kFieldFlags[] = {
    {"--name", "TEXT", "name", "Name of the job"},
    {"--trials", "N", "budget.trials", "Most trials"},
    {"--wall_time", "TIME", "budget.wall_time", "Longest time, such as 90s or 2h30m"},
    {"--strategy", "NAME", "strategy.*", "Strategy by name, with its defaults"},
    {"--seed", "N", "strategy.seed", "Seed of the search"},
    {"--epochs", "N", "training.epochs", "Epochs each trial is trained for"},
};

constexpr size_t kStrategyFlag = 3;
constexpr size_t kMostProblemsShown = 50;

std::vector<std::string> StrategyNames() {
  std::vector<std::string> names;
  const auto* kind = v1::StrategySpec::descriptor()->FindOneofByName("kind");
  for (int i = 0; i < kind->field_count(); ++i) names.push_back(kind->field(i)->name());
  return names;
}

struct SubmitFlags {
  std::string file;
  std::vector<std::string> field_values{std::size(kFieldFlags)};
  std::vector<CLI::Option*> field_options;
  std::vector<std::string> sets;
  bool watch = false;
  bool validate_only = false;
  bool print_job = false;
};

absl::StatusOr<std::string> ReadSource(Session* session, const std::string& file, size_t most) {
  if (file != "-") return OfUserFile(ReadFile(file));
  // One byte more than is accepted is enough to refuse.
  std::string text;
  std::istream& in = *session->environment().in;
  for (char c; text.size() <= most && in.get(c);) text += c;
  return text;
}

absl::StatusOr<std::vector<Override>> CollectOverrides(const SubmitFlags& flags) {
  std::vector<Override> overrides;
  for (size_t i = 0; i < std::size(kFieldFlags); ++i) {
    if (flags.field_options[i]->count() == 0) continue;
    absl::string_view path = kFieldFlags[i].path;
    if (absl::ConsumeSuffix(&path, "*")) {
      overrides.push_back({absl::StrCat(path, flags.field_values[i]), "", kFieldFlags[i].flag});
    } else {
      overrides.push_back({std::string(path), flags.field_values[i], kFieldFlags[i].flag});
    }
  }
  for (const std::string& set : flags.sets) {
    const size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--set ", set, ": expected PATH=VALUE, such as --set training.epochs=3"));
    }
    const std::string path = set.substr(0, equals);
    overrides.push_back({path, set.substr(equals + 1), absl::StrCat("--set ", path)});
  }
  return overrides;
}

ExitCode RefuseFile(Session* session, const std::string& source,
                    const std::vector<Problem>& problems) {
  const size_t shown = std::min(problems.size(), kMostProblemsShown);
  for (size_t i = 0; i < shown; ++i) {
    session->err() << FormatProblem(source, problems[i]) << "\n";
  }
  if (shown < problems.size()) {
    session->err() << "... and " << problems.size() - shown << " more\n";
  }
  session->err() << "frontier: " << source << ": " << problems.size()
                 << (problems.size() == 1 ? " problem" : " problems")
                 << "; nothing was submitted\n";
  return ExitCode::kInvalidInput;
}

// What the coordinator refuses is shown at its place in the file.
std::optional<Problem> AsProblem(const JobFile& file, const absl::Status& status) {
  const std::optional<v1::ErrorDetail> detail = GetErrorDetail(status);
  if (!detail.has_value() || detail->reason() != v1::ERROR_REASON_INVALID_FIELD) {
    return std::nullopt;
  }
  absl::string_view field = detail->field();
  absl::string_view message = status.message();
  if (absl::ConsumePrefix(&field, "spec.")) absl::ConsumePrefix(&message, "spec.");
  Problem problem;
  problem.position = file.PositionOf(field);
  problem.message = Printable(message);
  return problem;
}

absl::StatusOr<ExitCode> Submit(Session* session, const SubmitFlags& flags) {
  const DocumentLimits limits;
  const std::string source = flags.file == "-" ? "standard input" : flags.file;
  ASSIGN_OR_RETURN(const std::string text, ReadSource(session, flags.file, limits.bytes));
  ASSIGN_OR_RETURN(const std::vector<Override> overrides, CollectOverrides(flags));
  const JobFile file = ParseJobFile(text, overrides, limits);
  if (!file.problems.empty()) return RefuseFile(session, source, file.problems);
  if (flags.print_job) {
    if (session->json) {
      RETURN_IF_ERROR(session->PrintJson(file.spec));
    } else {
      session->out() << WriteJobFile(file.spec);
    }
    return ExitCode::kOk;
  }

  v1::SubmitJobRequest request;
  *request.mutable_spec() = file.spec;
  request.set_validate_only(flags.validate_only);
  request.set_protocol_version(kProtocolVersion);
  const absl::StatusOr<v1::SubmitJobResponse> response = session->client()->SubmitJob(request);
  if (!response.ok()) {
    const std::optional<Problem> problem = AsProblem(file, response.status());
    if (problem.has_value()) return RefuseFile(session, source, {*problem});
    return response.status();
  }
  const v1::Job& job = response->job();
  const bool follow = flags.watch && !flags.validate_only;
  if (session->json) {
    RETURN_IF_ERROR(follow ? session->PrintJsonLine(*response) : session->PrintJson(*response));
  } else if (flags.validate_only) {
    session->out() << source << ": accepted";
    if (job.spec().search_space().auto_().composition().probing()) {
      session->out() << "; its search space would follow from " << Printable(job.space_size())
                     << " probes";
    } else if (!job.space_size().empty()) {
      session->out() << "; its search space has " << Printable(job.space_size())
                     << (job.space_size() == "1" ? " genotype" : " genotypes");
    }
    session->out() << "; nothing was submitted\n"
                   << RenderComposition(session->look(), job.spec().search_space());
    if (!job.waiting_for().empty()) {
      session->out() << "It would wait: " << Printable(job.waiting_for()) << "\n";
    }
  } else {
    session->out() << "job " << job.id() << " submitted: " << Printable(job.spec().name()) << "\n"
                   << RenderComposition(session->look(), job.spec().search_space());
    if (!job.waiting_for().empty()) {
      session->out() << "It waits: " << Printable(job.waiting_for()) << "\n";
    }
    if (!follow) session->out() << "Follow it with: frontier watch " << job.id() << "\n";
  }
  if (follow) return WatchJob(session, job.id());
  return ExitCode::kOk;
}

}  // namespace

void AddSubmitCommand(CLI::App* app, Session* session) {
  CLI::App* command = app->add_subcommand("submit", "Submit a job file; waits for nothing");
  auto flags = std::make_shared<SubmitFlags>();
  command->add_option("JOB_FILE", flags->file, "YAML or JSON; - reads standard input")
      ->required()
      ->type_name("FILE");
  command->add_flag("--watch", flags->watch, "Follow the job to its end");
  command->add_flag("--validate_only", flags->validate_only,
                    "Let the coordinator check the job, submit nothing");
  command->add_flag("--print_job", flags->print_job,
                    "Print the job as it would be submitted, submit nothing");
  for (size_t i = 0; i < std::size(kFieldFlags); ++i) {
    flags->field_options.push_back(
        command->add_option(kFieldFlags[i].flag, flags->field_values[i], kFieldFlags[i].description)
            ->type_name(kFieldFlags[i].value_name));
  }
  flags->field_options[kStrategyFlag]->check(OneOf(StrategyNames()));
  command
      ->add_option("--set", flags->sets,
                   "Set any field of the job, such as --set training.epochs=3; may be repeated")
      ->type_name("PATH=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->footer(
      "Flags take the place of what the file says. What --json printed of a job, by this command "
      "or by\n"
      "frontier show JOB, is such a file, too.\n\n"
      "Examples:\n"
      "  frontier submit deploy/examples/fashion-mnist.yaml --watch\n"
      "  frontier submit job.yaml --trials 30 --seed 2 --set training.batch_size=256\n"
      "  frontier submit job.yaml --validate_only\n"
      "  frontier show 3 | frontier submit - --name again\n"
      "  frontier show 3 --json | jq .job.spec.priority=5 | frontier submit -");
  command->callback([session, flags] {
    session->needs_coordinator = !flags->print_job;
    session->action = [session, flags] { return Submit(session, *flags); };
  });
}

}  // namespace frontier::cli
