#!/usr/bin/env bash
# Builds Release, installs the programs to compare with, measures a suite and prints its table.
#   scripts/bench.sh SUITE [--json FILE] [--only ROW-PREFIX] [--quick] [--list] [OPTIONS]
# Suites: engine (under 25 minutes), accuracy (hours; --networks, --seeds, --epochs and
# --training_images make it shorter), space (seconds), auto (20 minutes to an hour or two), strategies,
# coordinator (a quarter of an hour). Some rows of the last three need public data: --data FOLDER, see
# tests/bench/README.md. FRONTIER_SKIP_SETUP=1 installs nothing; what is missing then is said in the
# rows. Run it on an otherwise idle machine.
set -euo pipefail
called_from=$PWD
cd "$(dirname "$0")/.."

run=(/usr/bin/python3 "$PWD/tests/bench/run.py")
[[ -x "${run[0]}" ]] || run=(python3 "$PWD/tests/bench/run.py")
# Mistakes in the arguments, --help and --list need no build; 10 says that there is more to do, and
# which test programs that needs.
code=0
answer=$(cd "$called_from" && "${run[@]}" "$@" --check_arguments) || code=$?
if ((code != 10)); then
  [[ -z "$answer" ]] || printf '%s\n' "$answer"
  exit "$code"
fi
read -ra tests <<<"$answer"

# Peers are for the comparison alone: without them our figures are printed, and what is missing.
try() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    echo "bench: '$*' failed: $(tail -n 1 "$log")" >&2
  fi
  rm -f "$log"
}

install_packages() {
  local as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "bench: as root, install $*" >&2
      return
    fi
    as_root=(sudo)
  fi
  echo "bench: installing $*" >&2
  try "${as_root[@]}" apt-get update -qq
  try "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "$@"
}

node_modules=${NODE_PATH:-}
has_onnx_runtime() {
  NODE_PATH=$node_modules node -e 'require("onnxruntime-node")' >/dev/null 2>&1
}

install_peers() {
  local packages=()
  /usr/bin/python3 -c 'import torch' >/dev/null 2>&1 || packages+=(python3-torch)
  /usr/bin/python3 -c 'import optuna' >/dev/null 2>&1 || packages+=(python3-optuna)
  if ! command -v node >/dev/null; then packages+=(nodejs npm); fi
  if ((${#packages[@]} > 0)) && command -v apt-get >/dev/null; then
    install_packages "${packages[@]}"
  fi
  has_onnx_runtime && return
  local folder=$PWD/build/bench-peers
  node_modules=$folder/node_modules${NODE_PATH:+:$NODE_PATH}
  has_onnx_runtime && return
  if ! command -v npm >/dev/null; then
    if command -v apt-get >/dev/null; then install_packages npm; fi
    command -v npm >/dev/null || return 0
  fi
  echo "bench: installing onnxruntime-node" >&2
  mkdir -p "$folder"
  # Its install script would fetch what only GPUs need.
  try npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund onnxruntime-node
}

if [[ "${FRONTIER_SKIP_SETUP:-0}" == 1 ]]; then
  echo "bench: installs nothing, as FRONTIER_SKIP_SETUP=1 says" >&2
else
  scripts/setup.sh >&2
  install_peers
fi
scripts/build.sh release frontier-engine-bench frontier-space-bench \
  frontier-strategy-bench frontier-coordinator-bench frontier \
  frontier-coordinator frontier-worker "${tests[@]}" >&2
binaries=$PWD/build/release/bin
# Ten thousand workers have a connection each.
ulimit -n "$(ulimit -Hn)"
cd "$called_from"
exec "${run[@]}" "$@" --binaries "$binaries" --node_modules "$node_modules"
