#!/usr/bin/env bash
# What the Slurm script tells a worker, which is a stub here.
#   slurm_test.sh SLURM_FOLDER
set -euo pipefail
script=$1/frontier-workers.sbatch
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cat >"$tree/frontier-worker" <<'STUB'
#!/usr/bin/env bash
echo "$*"
STUB
chmod +x "$tree/frontier-worker"

run() { # NAME=VALUE...
  env FRONTIER_COORDINATOR=head:7070 FRONTIER_BIN="$tree" FRONTIER_STATE=/state SLURM_JOB_ID=12 \
    SLURM_ARRAY_JOB_ID=11 SLURM_ARRAY_TASK_ID=3 SLURM_JOB_NAME=frontier-worker "$@" "$script"
}
expect() { # TEXT NAME=VALUE...
  local out
  out=$(run "${@:2}") || { echo "with ${*:2}: it ends with exit code $?"; exit 1; }
  [[ " $out " == *" $1 "* ]] || { echo "with ${*:2}: no '$1' in: $out"; exit 1; }
}
expect '--coordinator head:7070 --state_dir /state/frontier-worker-3' SLURM_CPUS_PER_TASK=4
expect '--slots 4 --threads_per_trial 1' SLURM_CPUS_PER_TASK=4
expect '--slots 2 --threads_per_trial 2' SLURM_CPUS_PER_TASK=4 FRONTIER_THREADS_PER_TRIAL=2
expect '--slots 1 --threads_per_trial 8' SLURM_CPUS_PER_TASK=4 FRONTIER_THREADS_PER_TRIAL=8
expect '--slots 0 --threads_per_trial 0' SLURM_CPUS_PER_TASK=4 FRONTIER_THREADS_PER_TRIAL=0
expect '--memory_mb_per_trial=1800' SLURM_CPUS_PER_TASK=4 SLURM_MEM_PER_CPU=2000
[[ $(run FRONTIER_THREADS_PER_TRIAL=0 SLURM_MEM_PER_CPU=2000) != *--memory_mb_per_trial* ]] ||
  { echo 'memory is shared by a number of slots that is not known'; exit 1; }
# Submitted again it is another job with the same workers.
expect '--state_dir /state/frontier-worker-3' SLURM_JOB_ID=20 SLURM_ARRAY_JOB_ID=19
expect '--state_dir /state/other-3' SLURM_JOB_NAME=other
out=$(FRONTIER_COORDINATOR=head:7070 FRONTIER_BIN="$tree" "$script" --label rack=3 --dataset 'a=/b c')
[[ $out == *' --label rack=3 --dataset a=/b c' ]] || { echo "flags of the caller are not in: $out"; exit 1; }
code=0
run FRONTIER_THREADS_PER_TRIAL=many >/dev/null 2>&1 || code=$?
((code == 2)) || { echo "a number of threads that is none ends with exit code $code"; exit 1; }
echo 'slurm: in order'
