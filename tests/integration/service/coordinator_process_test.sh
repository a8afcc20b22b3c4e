#!/usr/bin/env bash
# The coordinator as a process: exit codes, port file, signals, configuration.
#   coordinator_process_test.sh FRONTIER_COORDINATOR
set -euo pipefail
coordinator=$1
# shellcheck source=tests/integration/service/process_helpers.sh
source "$(dirname "$0")/process_helpers.sh"

serve() { # NAME FLAG...: starts one and waits until it serves.
  local name=$1
  shift
  "$coordinator" --port_file "$name.address" "$@" 2>"$name.log" &
  started+=($!)
  for ((i = 0; i < 600; i++)); do
    [[ -s "$name.address" ]] && return
    kill -0 "${started[-1]}" 2>/dev/null || fail "$name ended early"
    sleep 0.05
  done
  fail "$name does not serve"
}

expect 0 'Exit codes' "$coordinator" --help
expect 0 'frontier-coordinator 0.' "$coordinator" --version
expect 2 'data_dir' "$coordinator"
expect 2 'nonsense' "$coordinator" --data_dir d --nonsense
expect 2 'loud' "$coordinator" --data_dir d --log_level loud
expect 2 '--data_dir: is empty' "$coordinator" --data_dir ''
expect 2 'folder: is empty' "$coordinator" --data_dir d backup ''
for address in foo localhost: 127.0.0.1:99999 ''; do
  expect 2 "address '$address'" "$coordinator" --data_dir d --listen "$address"
done
for flag in lease_seconds heartbeat_seconds database_wait_seconds keep_trials_days keep_log_days \
  keep_models_days keep_jobs_days keep_workers_days; do
  for value in nan inf -1 1e9; do
    expect 2 "--$flag: '$value' is not a number from" "$coordinator" --data_dir d "--$flag" "$value"
  done
done
expect 2 'none.conf' "$coordinator" --config none.conf
printf 'data_dir="from-file"\nlisten="127.0.0.1:0"\nlease_seconds=12\n' >good.conf
printf 'data_dir="d"\nbogus=1\n' >bad.conf
expect 2 "frontier-coordinator: bad.conf:2: unknown setting 'bogus'" "$coordinator" --config bad.conf
expect 2 'lease duration of 12s' "$coordinator" --config good.conf --heartbeat_seconds 5
expect 0 'lease_seconds=12' "$coordinator" --config good.conf --print_config
expect 0 'lease_seconds=20' "$coordinator" --config good.conf --lease_seconds 20 --print_config
# What is printed is a file that means the same.
"$coordinator" --config good.conf --keep_log_days 3 --print_config >printed.conf
expect 0 'keep_log_days=3' "$coordinator" --config printed.conf --print_config
cmp -s printed.conf out.log || fail 'the printed configuration is read back as another'
! grep -q 'folder\|""' printed.conf || fail 'what is not set is printed'
[[ ! -e d && ! -e from-file ]] || fail 'a refused configuration left a folder'

mkdir text && echo 'no database' >text/frontier.db
expect 3 'text/frontier.db' "$coordinator" --data_dir text --listen 127.0.0.1:0
expect 4 '192.0.2.1:7070' "$coordinator" --data_dir d --listen 192.0.2.1:7070

serve first --config good.conf
grep -q ' with data_dir="from-file" listen="127.0.0.1:0" lease_seconds=12 ' first.log ||
  fail 'the configuration is not in the log'
! grep -q '""' first.log || fail 'what is not set is in the log'
expect 4 'in use' "$coordinator" --data_dir d --listen "$(cat first.address)"
expect 3 'in use by another coordinator' "$coordinator" --data_dir from-file --listen 127.0.0.1:0 \
  --database_wait_seconds 0.1

for signal in TERM INT; do
  kill -"$signal" "${started[-1]}"
  code=0
  wait "${started[-1]}" || code=$?
  [[ "$code" == 0 ]] || fail "exit code $code on SIG$signal"
  [[ ! -e first.address ]] || fail 'the port file is still there'
  [[ "$signal" == INT ]] || serve first --config good.conf --log_format json
done
grep -q '^{.*"stopped"' first.log || fail 'no JSON in the log'

! grep -q 'whoever reaches' first.log || fail 'loopback is warned of'
serve wide --data_dir wide.data --listen 0.0.0.0:0
grep -q 'warning .*whoever reaches any address' wide.log || fail 'what is open to all is not warned of'
kill -TERM "${started[-1]}"
wait "${started[-1]}"

# Killed without a word, the next one goes on with the same data.
serve second --data_dir from-file --listen 127.0.0.1:0
kill -KILL "${started[-1]}"
wait "${started[-1]}" 2>/dev/null || true
rm second.address
serve second --data_dir from-file --listen 127.0.0.1:0

# A copy is made while it serves; what looks at a whole folder waits until it does not.
expect 0 "backed up to 'copy': the database and 0 blobs" "$coordinator" --data_dir from-file backup copy
expect 2 "'copy'" "$coordinator" --data_dir from-file backup copy
expect 3 'in use' "$coordinator" --data_dir from-file check
kill -TERM "${started[-1]}"
wait "${started[-1]}"
expect 2 "'from-file'" "$coordinator" --data_dir from-file restore copy
expect 0 "restored to 'again': the database and 0 blobs" "$coordinator" --data_dir again restore copy
expect 3 "'none" "$coordinator" --data_dir again2 restore none
expect 0 "'again' is in good order" "$coordinator" --data_dir again check
expect 0 'the database had ' "$coordinator" --data_dir again compact
serve third --data_dir again --listen 127.0.0.1:0
kill -TERM "${started[-1]}"
wait "${started[-1]}"
# The beginning of a page, as a bad disk leaves it.
printf 'not a page of a database' | dd of=again/frontier.db bs=1 seek=8192 conv=notrunc status=none
expect 3 '' "$coordinator" --data_dir again check
echo 'PASSED'
