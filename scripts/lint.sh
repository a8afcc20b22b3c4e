#!/usr/bin/env bash
# clang-tidy over the product's sources, on demand: scripts/lint.sh [FILE ...]
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-tidy >/dev/null || { echo "lint: needs clang-tidy (Debian package clang-tidy)" >&2; exit 1; }
# Clang does not read GCC's precompiled headers.
FRONTIER_PRECOMPILE=OFF scripts/build.sh release
if (($# > 0)); then files=("$@"); else mapfile -t files < <(git ls-files 'common/*.cc' 'coordinator/*.cc' 'worker/*.cc'); fi
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy -p build/release --quiet --extra-arg=-Wno-unknown-warning-option
