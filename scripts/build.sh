#!/usr/bin/env bash
# Builds one preset: scripts/build.sh [release|debug|asan|tsan] [TARGET ...]
# FRONTIER_WERROR=ON makes warnings errors, as the checks of a change do. FRONTIER_PRECOMPILE=OFF
# compiles each file with its own includes alone, which is the default with a compiler cache.
# FRONTIER_UNITY=ON compiles several files of the product as one, as the sanitizers' presets always do.
# FRONTIER_SANITIZE_ALL=ON gives asan the sequential unit tests, too.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
shift || true
options=(-DFRONTIER_WERROR="${FRONTIER_WERROR:-OFF}"
         -DFRONTIER_SANITIZE_ALL="${FRONTIER_SANITIZE_ALL:-OFF}")
# Said each time, or an earlier call's would hold.
[[ "$preset" == *san ]] || options+=(-DCMAKE_UNITY_BUILD="${FRONTIER_UNITY:-OFF}")
# A compiler cache does not store what was compiled with a precompiled header.
precompile=ON
if command -v ccache >/dev/null; then
  options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  precompile=OFF
fi
options+=(-DFRONTIER_PRECOMPILE="${FRONTIER_PRECOMPILE:-$precompile}")
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
