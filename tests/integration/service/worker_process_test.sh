#!/usr/bin/env bash
# The worker as a process: exit codes, signals, what it registers, how it divides the machine.
#   worker_process_test.sh FRONTIER_WORKER FRONTIER_COORDINATOR FRONTIER
set -euo pipefail
worker=$1 coordinator=$2 frontier=$3
# shellcheck source=tests/integration/service/process_helpers.sh
source "$(dirname "$0")/process_helpers.sh"

unset FRONTIER_COORDINATOR
is_alive() { "$frontier" workers --json | grep -A40 "\"id\": *\"$1\"" | grep -q '"alive": *true'; }
work() { # NAME FLAG...: starts a worker and waits until the coordinator knows it.
  local name=$1
  shift
  "$worker" --worker_id "$name" --state_dir "$name.state" "$@" 2>"$name.log" &
  started+=($!)
  wait_for "worker $name" is_alive "$name"
}
ends() { # CODE: so does what was started last.
  local got=0
  wait "${started[-1]}" || got=$?
  [[ "$got" == "$1" ]] || fail "exit code $got instead of $1"
}

# Two samples of 2 x 2, of two classes, in each part.
mkdir -p data/tiny
for part in train t10k; do
  printf '\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0\2abcdefgh' >"data/tiny/$part-images-idx3-ubyte"
  printf '\0\0\10\1\0\0\0\2\0\1' >"data/tiny/$part-labels-idx1-ubyte"
done

expect 0 'Exit codes' "$worker" --help
expect 0 'frontier-worker 0.' "$worker" --version
expect 2 'nonsense' "$worker" --nonsense
expect 2 "'data/none'" "$worker" --dataset x=data/none --state_dir s
touch file
expect 5 'file' "$worker" --state_dir file --slots 1 --threads_per_trial 1
expect 3 'no coordinator after' "$worker" --coordinator 127.0.0.1:9 --connect_timeout_seconds 0.5 \
  --state_dir s --slots 1 --threads_per_trial 1 --dataset_root data
expect 0 '"name": "tiny"' "$worker" hardware --dataset_root data --slots 1 --threads_per_trial 1
grep -q '"channels": 1' out.log && grep -q '"classes": 2' out.log && grep -q '"train_samples": "2"' out.log ||
  fail 'the data set is not described'

"$coordinator" --data_dir d --listen 127.0.0.1:0 --port_file address 2>coordinator.log &
started+=($!)
wait_for 'the coordinator' test -s address
FRONTIER_COORDINATOR=$(<address)
export FRONTIER_COORDINATOR

# By itself it finds out how to divide the machine, once.
work one --dataset_root data --label rack=3
grep -qE '[0-9]+ trial\(s\) at a time of [0-9]+ thread' one.log || fail 'the split is not in the log'
[[ -s one.state/split ]] || fail 'the split is not kept'
"$frontier" workers | grep -q 'rack=3' || fail 'the label is not registered'
expect 5 'in use' "$worker" --state_dir one.state --slots 1 --threads_per_trial 1
kill -TERM "${started[-1]}"
ends 0
has_left() { ! is_alive one && "$frontier" workers --json | grep -q '"one"'; }
wait_for 'that the worker has left' has_left

# Without work to wait for, both ways to leave are the same.
for signal in INT USR1; do
  work "two-$signal" --dataset_root data --slots 2 --threads_per_trial 1 --pin=false
  kill -"$signal" "${started[-1]}"
  ends 0
  grep -q ' left' "two-$signal.log" || fail "SIG$signal: nothing is said of leaving"
done
echo 'PASSED'
