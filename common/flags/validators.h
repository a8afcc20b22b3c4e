// What the values of flags must be.
#ifndef FRONTIER_COMMON_FLAGS_VALIDATORS_H_
#define FRONTIER_COMMON_FLAGS_VALIDATORS_H_

#include <CLI/CLI.hpp>

namespace frontier {

// A finite number from `low` to `high`. CLI::Range takes nan for one.
CLI::Validator NumberIn(double low, double high);

CLI::Validator NotEmpty();

// host:port to listen on; port 0 takes a free one.
CLI::Validator ListenAddress();

// host:port of somebody to call.
CLI::Validator PeerAddress();

}  // namespace frontier

#endif  // FRONTIER_COMMON_FLAGS_VALIDATORS_H_
