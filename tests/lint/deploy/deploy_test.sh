#!/usr/bin/env bash
# The check of deploy/ passes on the tree and fails on each kind of fault.
set -euo pipefail
check=$1 bin=$2 deploy=$3
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

expect_fault() { # FILE SED-EXPRESSION
  rm -rf "$tree/deploy"
  cp -rH "$deploy" "$tree/deploy"
  sed -i -E "$2" "$tree/deploy/$1"
  cmp -s "$deploy/$1" "$tree/deploy/$1" && { echo "the fault was not put in: $1: $2"; exit 1; }
  if "$check" "$bin" "$tree/deploy" >/dev/null 2>&1; then
    echo "not caught: $1: $2"
    exit 1
  fi
}
"$check" "$bin" "$deploy"
expect_fault systemd/frontier-worker.service 's/--state_dir/--state_folder/'
expect_fault systemd/frontier-worker.service 's/^RestrictNamespaces=yes/MemoryDenyWriteExecute=yes/'
expect_fault systemd/frontier-coordinator.service 's|^Documentation=.*|Documentation=file:/usr/share/doc/other.md|'
if command -v systemd-analyze >/dev/null; then
  expect_fault systemd/frontier-worker.service 's/^Restart=on-failure/Restart=on-tuesdays/'
fi
expect_fault slurm/frontier-workers.sbatch 's/--slots/--slot/'
expect_fault slurm/frontier-workers.sbatch 's/^fi$//'
expect_fault config/worker.conf 's/^slots = 0/slotz = 0/'
expect_fault config/worker.conf 's/^# pue = 1.2/# pue = 0.2/'
expect_fault config/coordinator.conf 's/^listen/listen_at/'
expect_fault README.md 's/`--shutdown_seconds`/`--leaving_seconds`/'
expect_fault README.md 's/frontier-coordinator --listen/frontier-coordinator --serve/'
expect_fault README.md 's/`vgg.yaml`/`vgg-like.yaml`/'
