#!/usr/bin/env bash
# Builds one preset: scripts/build.sh [release|debug|asan|tsan] [TARGET ...]
# FRONTIER_WERROR=ON makes warnings errors, as the checks of a change do.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
shift || true
options=(-DFRONTIER_WERROR="${FRONTIER_WERROR:-OFF}")
if command -v ccache >/dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset "$preset" "${options[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
if (($# > 0)); then
  cmake --build --preset "$preset" --target "$@"
else
  cmake --build --preset "$preset"
fi
