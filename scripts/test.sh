#!/usr/bin/env bash
# Installs what is needed, builds, and runs the whole test suite through ctest.
#   scripts/test.sh [--preset release|debug|asan|tsan] [ctest options, such as -L unit or -R name]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=release
if [[ "${1:-}" == --preset ]]; then
  preset=${2:?"--preset wants release, debug, asan or tsan"}
  shift 2
fi
scripts/setup.sh
scripts/build.sh "$preset"
# A choice of tests that leaves none is a mistake.
exec ctest --preset "$preset" -j "$(nproc)" --no-tests=error "$@"
