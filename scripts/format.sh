#!/usr/bin/env bash
# Formats all C++ sources in place; with --check only says what would change.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format >/dev/null || { echo "format: needs clang-format (Debian package clang-format)" >&2; exit 1; }
mapfile -t files < <(git ls-files '*.cc' '*.h')
# Without files clang-format would read its standard input.
((${#files[@]} > 0)) || { echo "format: git lists no sources here" >&2; exit 1; }
if [[ "${1:-}" == --check ]]; then
  clang-format --dry-run --Werror "${files[@]}"
else
  clang-format -i "${files[@]}"
fi
