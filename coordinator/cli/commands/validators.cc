// What option values must be.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/cli/commands/commands.h"
#include "coordinator/cli/words.h"

namespace frontier::cli {

CLI::Validator OneOf(const std::vector<std::string>& choices) {
  return CLI::Validator(
      [choices](std::string& text) {
        if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string();
        return absl::StrCat("'", text, "' is not one of ", Listing(choices),
                            Suggestion(text, choices));
      },
      absl::StrCat("{", absl::StrJoin(choices, ","), "}"));
}

CLI::Validator NumberUpTo(int64_t most) {
  return CLI::Validator(
      [most](std::string& text) {
        int64_t value = 0;
        if (absl::SimpleAtoi(text, &value) && value > 0 && value <= most) return std::string();
        return absl::StrCat(
            "'", text, "' is not a whole number from 1",
            most < std::numeric_limits<int64_t>::max() ? absl::StrCat(" to ", most) : "");
      },
      "");
}

CLI::Option* AddNumber(CLI::App* command, const std::string& name, int64_t* number,
                       const std::string& description) {
  return command->add_option(name, *number, description)
      ->type_name("N")
      ->check(NumberUpTo(std::numeric_limits<int64_t>::max()));
}

}  // namespace frontier::cli
