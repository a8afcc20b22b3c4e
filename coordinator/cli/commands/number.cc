#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "coordinator/cli/commands/commands.h"

namespace frontier::cli {

CLI::Option* AddNumber(CLI::App* command, const std::string& name, int64_t* number,
                       const std::string& description) {
  return command->add_option(name, *number, description)
      ->type_name("N")
      ->check(CLI::Validator(
          [](std::string& text) {
            int64_t value = 0;
            if (absl::SimpleAtoi(text, &value) && value > 0) return std::string();
            return absl::StrCat("'", text, "' is not a number from 1");
          },
          ""));
}

}  // namespace frontier::cli
