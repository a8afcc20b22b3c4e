#include "common/flags/config_file.h"

#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace frontier {
namespace {

// Without what may stand around a name: spaces, quotes, the brackets of a section.
absl::string_view Bare(absl::string_view name) {
  const size_t first = name.find_first_not_of(" \t\r\"'[]");
  if (first == absl::string_view::npos) return "";
  return name.substr(first, name.find_last_not_of(" \t\r\"'[]") - first + 1);
}

// Of the first line that is about `name`, from 1.
int LineOf(absl::string_view name, absl::string_view text) {
  int line = 0;
  for (const absl::string_view content : absl::StrSplit(text, '\n')) {
    ++line;
    if (Bare(content.substr(0, content.find_first_of("=#"))) == name) return line;
  }
  return line;
}

// CLI11 tells of what is wrong neither file nor line, so each setting is applied here.
class ConfigFile final : public CLI::ConfigTOML {
 public:
  explicit ConfigFile(CLI::App* app) : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    const std::string text{std::istreambuf_iterator<char>(input), {}};
    std::istringstream again(text);
    std::set<std::string> seen;
    for (const CLI::ConfigItem& item : CLI::ConfigTOML::from_config(again)) {
      // Sections are for commands, which are not for files; CLI11 calls their beginning "++".
      const std::string name =
          item.name == "++" ? absl::StrJoin(item.parents, ".") : item.fullname();
      std::string problem;
      if (!seen.insert(name).second) {
        problem = absl::StrCat("setting '", name, "' is given again further down");
      } else {
        problem = Apply(name, item);
      }
      if (problem.empty()) continue;
      const auto files = app_->get_config_ptr()->as<std::vector<std::string>>();
      throw CLI::ConfigError(absl::StrCat(app_->get_name(), ": ", files.front(), ":",
                                          LineOf(Bare(name), text), ": ", problem));
    }
    return {};
  }

 private:
  // What is wrong, or "".
  std::string Apply(const std::string& name, const CLI::ConfigItem& item) const {
    CLI::Option* option =
        item.parents.empty() ? app_->get_option_no_throw("--" + item.name) : nullptr;
    if (option == nullptr || !option->get_configurable()) {
      return absl::StrCat("unknown setting '", name, "'");
    }
    if (!option->empty()) return "";  // given on the command line
    try {
      option->add_result(item.inputs);
      option->run_callback();
    } catch (const CLI::Error& error) {
      return error.what();
    }
    return "";
  }

  CLI::App* const app_;
};

}  // namespace

CLI::Option* AddConfigFile(CLI::App* app, const std::string& description) {
  app->config_formatter(std::make_shared<ConfigFile>(app));
  return app->set_config("--config", "", description);
}

std::string EffectiveConfig(const CLI::App& app) {
  std::string config;
  for (const absl::string_view line :
       absl::StrSplit(app.config_to_str(/*default_also=*/true, /*write_description=*/false), '\n',
                      absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> setting =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const CLI::Option* option = app.get_option_no_throw(absl::StrCat("--", setting.first));
    const bool given = option != nullptr && !option->empty();
    const bool none = setting.second == "\"\"" || setting.second == "\"[]\"";
    if (given || !none) absl::StrAppend(&config, line, "\n");
  }
  return config;
}

}  // namespace frontier
