#!/usr/bin/env bash
# scripts/bench.sh, with stubs in place of the build and of what measures: it builds the test programs
# that the rows run, and mistakes in the arguments before anything is built.
#   bench_test.sh SCRIPTS_FOLDER
set -euo pipefail
scripts=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
fail() {
  echo "bench.sh: $*"
  exit 1
}
mkdir -p "$tree"/{scripts,tests/bench,elsewhere}
cp "$scripts/bench.sh" "$tree/scripts/"
cat >"$tree/scripts/build.sh" <<'STUB'
#!/usr/bin/env bash
echo "$*" >"$(dirname "$0")/../built"
STUB
chmod +x "$tree/scripts/build.sh"
cat >"$tree/tests/bench/run.py" <<'STUB'
import os, sys
if '--help' in sys.argv:
    print('some help')
elif 'nets' in sys.argv:
    sys.exit(2)
elif '--check_arguments' in sys.argv:
    print('one_test other_test' if 'coordinator' in sys.argv else '')
    sys.exit(10)
else:
    print('measured in', os.path.basename(os.getcwd()))
STUB

run() { # ARGUMENTS...
  rm -f "$tree/built"
  (cd "$tree/elsewhere" && FRONTIER_SKIP_SETUP=1 ../scripts/bench.sh "$@" 2>/dev/null)
}
[[ $(run coordinator) == 'measured in elsewhere' ]] || fail 'coordinator is not measured where it was called'
grep -qE '^release .*frontier-coordinator .*one_test other_test$' "$tree/built" ||
  fail "of the suite coordinator it builds: $(<"$tree/built")"
[[ $(run engine) == 'measured in elsewhere' ]] || fail 'engine is not measured'
grep -q _test "$tree/built" && fail "of the suite engine it builds: $(<"$tree/built")"
[[ $(run --help) == 'some help' ]] || fail '--help does not print the help'
[[ ! -e "$tree/built" ]] || fail 'it builds for --help'
code=0
run nets || code=$?
((code == 2)) || fail "a mistake ends with exit code $code"
[[ ! -e "$tree/built" ]] || fail 'it builds in spite of a mistake'
echo 'bench.sh: in order'
