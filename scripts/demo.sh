#!/usr/bin/env bash
# One real search on this machine: a coordinator, two workers, Fashion-MNIST, a Pareto front.
#   scripts/demo.sh [RUN_FOLDER]      default: run/demo-<date>-<time> in the repository
# In the folder of an earlier run the search is one job more. Installs what is needed, builds, and stops
# all that it started, whichever way it ends.
set -euo pipefail
called_from=$PWD
cd "$(dirname "$0")/.."

scripts/setup.sh
echo "demo: building (the first time takes some minutes)"
scripts/build.sh release frontier frontier-coordinator frontier-worker

run=$PWD/run/demo-$(date +%Y%m%d-%H%M%S)
[[ -z "${1:-}" ]] || run=$(cd "$called_from" && realpath -m -- "$1")
mkdir -p "$run"
bin=$PWD/build/release/bin
job_file=deploy/examples/fashion-mnist.yaml
started=$SECONDS
pids=()

stop_all() {
  trap - EXIT INT TERM
  local pid
  # Workers first, so that they can give back what they hold.
  for ((i = ${#pids[@]} - 1; i >= 0; --i)); do
    pid=${pids[i]}
    kill -TERM "$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
  done
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rm -f "$run/address"  # of a run that was killed
"$bin/frontier-coordinator" --listen 127.0.0.1:0 --data_dir "$run/coordinator" \
  --port_file "$run/address" --log_file "$run/coordinator.log" &
pids+=($!)
for ((i = 0; i < 100; ++i)); do
  [[ -s "$run/address" ]] && break
  if ! kill -0 "${pids[0]}" 2>/dev/null; then
    echo "demo: the coordinator did not start; see $run/coordinator.log" >&2
    tail -n 5 "$run/coordinator.log" >&2
    exit 1
  fi
  sleep 0.1
done
[[ -s "$run/address" ]] || { echo "demo: the coordinator does not answer; see $run/coordinator.log" >&2; exit 1; }
FRONTIER_COORDINATOR=$(<"$run/address")
export FRONTIER_COORDINATOR
echo "demo: coordinator serves on $FRONTIER_COORDINATOR"

for n in 1 2; do
  "$bin/frontier-worker" --coordinator "$FRONTIER_COORDINATOR" --worker_id "worker-$n" --slots 1 \
    --threads_per_trial 1 --state_dir "$run/worker-$n" --log_file "$run/worker-$n.log" &
  pids+=($!)
done
alive=0
for ((i = 0; i < 100 && alive < 2; ++i)); do
  for pid in "${pids[@]}"; do
    kill -0 "$pid" 2>/dev/null || { echo "demo: a daemon ended early; see $run/*.log" >&2; exit 1; }
  done
  ((i == 0)) || sleep 0.1
  alive=$("$bin/frontier" workers --json | grep -c '"alive": *true' || true)
done
((alive == 2)) || { echo "demo: $alive of 2 workers are there; see $run/*.log" >&2; exit 1; }
"$bin/frontier" workers

echo
echo "demo: submitting $job_file"
"$bin/frontier" submit "$job_file" --watch
echo
"$bin/frontier" front  # of the newest job
echo
echo "Searched for $((SECONDS - started)) s. What is left of it:"
echo "  database        $run/coordinator/frontier.db"
echo "  trained models  $run/coordinator/blobs"
echo "  logs            $run/*.log"
echo "Look further: start the coordinator again with"
echo "  $bin/frontier-coordinator --data_dir $run/coordinator"
echo "and ask it: frontier trials, frontier show JOB TRIAL, frontier weights JOB TRIAL --output model.pb"
