#!/usr/bin/env bash
# scripts/demo.sh, with stubs in place of set-up, build and programs: where its files go, and that it
# shows the search that it has made.
#   demo_test.sh SCRIPTS_FOLDER
set -euo pipefail
scripts=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
fail() {
  echo "demo.sh: $*"
  exit 1
}
bin=$tree/build/release/bin
mkdir -p "$tree"/{scripts,elsewhere} "$bin"
cp "$scripts/demo.sh" "$tree/scripts/"
stub() { # FILE, its text on standard input
  { echo '#!/usr/bin/env bash'; cat; } >"$1"
  chmod +x "$1"
}
stub "$tree/scripts/setup.sh" </dev/null
stub "$tree/scripts/build.sh" </dev/null
# Counts its starts, and gives each an address of its own.
stub "$bin/frontier-coordinator" <<'STUB'
while (($# > 0)); do
  case $1 in
    --data_dir) data=$2 ;;
    --port_file) port=$2 ;;
  esac
  shift 2
done
mkdir -p "$data"
echo start >>"$data/starts"
sleep 0.3
echo "address-$(wc -l <"$data/starts")" >"$port"
exec sleep 60
STUB
stub "$bin/frontier-worker" <<'STUB'
exec sleep 60
STUB
# The newest job is as many as the coordinator was started.
stub "$bin/frontier" <<'STUB'
case "$*" in
  'workers --json') printf '"alive": true\n"alive": true\n' ;;
  submit*) echo "submitted to $FRONTIER_COORDINATOR" ;;
  front) echo "front of the newest job of $FRONTIER_COORDINATOR" ;;
  front*) echo "front of job ${*:2}" ;;
esac
STUB

for count in 1 2; do
  out=$(cd "$tree/elsewhere" && ../scripts/demo.sh runs/one)
  for line in "submitted to address-$count" "front of the newest job of address-$count"; do
    grep -qxF "$line" <<<"$out" || fail "run $count does not say '$line' but: $out"
  done
  grep -qF "$tree/elsewhere/runs/one/coordinator/frontier.db" <<<"$out" ||
    fail "run $count does not say where its database is but: $out"
  [[ -f "$tree/elsewhere/runs/one/coordinator/starts" ]] ||
    fail 'a relative folder is not where it was called'
  # As a coordinator leaves it that was killed.
  echo stale >"$tree/elsewhere/runs/one/address"
done
[[ ! -e "$tree/runs" ]] || fail 'a relative folder is in the repository'
(cd "$tree/elsewhere" && ../scripts/demo.sh >/dev/null)
compgen -G "$tree/run/demo-*/coordinator" >/dev/null || fail 'the default folder is not in the repository'
stub "$bin/frontier-worker" <<'STUB'
exit 2
STUB
stub "$bin/frontier" </dev/null
code=0
out=$(cd "$tree/elsewhere" && timeout 60 ../scripts/demo.sh 2>&1) || code=$?
[[ $code == 1 && $out == *'a daemon ended early'* ]] ||
  fail "with workers that end at once: exit code $code and: $out"
echo 'demo.sh: in order'
