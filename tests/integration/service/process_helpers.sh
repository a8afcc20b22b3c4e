# Sourced by the tests of processes: a folder to work in, and everything in it and started by it gone
# at the end.
# shellcheck shell=bash
folder=$(mktemp -d)
started=()
clean_up() {
  local pid
  for pid in "${started[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder" || exit 1

fail() {
  echo "FAILED: $*"
  tail -n 20 ./*.log 2>/dev/null || true
  exit 1
}
expect() { # CODE WORDS COMMAND...: the command ends with this code and says these words.
  local code=$1 words=$2 got=0
  shift 2
  timeout 60 "$@" >out.log 2>&1 || got=$?
  [[ "$got" == "$code" ]] || fail "exit code $got instead of $code: $*"
  grep -qF -- "$words" out.log || fail "no '$words' from: $*"
}
wait_for() { # WHAT COMMAND...: until the command succeeds.
  local what=$1 i
  shift
  for ((i = 0; i < 600; i++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  fail "$what does not come"
}
