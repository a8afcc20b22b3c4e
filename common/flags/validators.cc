#include "common/flags/validators.h"

#include <cmath>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/rpc/address.h"

namespace frontier {

CLI::Validator NumberIn(double low, double high) {
  return CLI::Validator(
      [low, high](std::string& text) {
        double number = 0;
        if (absl::SimpleAtod(text, &number) && std::isfinite(number) && number >= low &&
            number <= high) {
          return std::string();
        }
        return absl::StrCat("'", text, "' is not a number from ", low, " to ", high);
      },
      absl::StrCat("[", low, " - ", high, "]"));
}

CLI::Validator NotEmpty() {
  return CLI::Validator(
      [](std::string& text) { return std::string(text.empty() ? "is empty" : ""); }, "");
}

CLI::Validator ListenAddress() {
  return CLI::Validator(
      [](std::string& text) { return std::string(ParseAddress(text).status().message()); }, "");
}

CLI::Validator PeerAddress() {
  return CLI::Validator(
      [](std::string& text) { return std::string(ParsePeerAddress(text).status().message()); }, "");
}

}  // namespace frontier
