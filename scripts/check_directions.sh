#!/usr/bin/env bash
# Checks who includes whom; see "Directions" in README.md. Prints each breach; exits 1 if there is any.
#   scripts/check_directions.sh [FOLDER]
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"
breaches=0

# forbid WHAT PATTERN ALLOWED FOLDER...: no file below FOLDER... includes what matches PATTERN, but for
# lines FILE:NUMBER:TEXT whose beginning matches ALLOWED ("" = no exception).
forbid() {
  local what=$1 pattern=$2 allowed=$3
  shift 3
  local hits folder
  for folder in "$@"; do
    # A rule for what was renamed would be kept by all.
    [[ -d "$folder" ]] && continue
    echo "breach: no folder $folder, for which there is a rule: $what"
    breaches=$((breaches + 1))
    return
  done
  hits=$(grep -rnE --include='*.h' --include='*.cc' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)" "$@" || true)
  [[ -n "$allowed" && -n "$hits" ]] && hits=$(grep -vE "^($allowed)" <<<"$hits" || true)
  if [[ -n "$hits" ]]; then
    echo "breach: $what"
    echo "$hits" | sed 's/^/  /'
    breaches=$((breaches + 1))
  fi
}

product=(common coordinator worker)
forbid 'the coordinator includes the worker' 'worker/' '' coordinator
forbid 'the worker includes the coordinator' 'coordinator/' '' worker
forbid 'common includes a daemon' '(coordinator|worker)/' '' common
forbid 'the command line includes more than common' 'coordinator/' '[^"<]*["<]coordinator/cli/' coordinator/cli
forbid 'product code includes tests' 'tests/' '' "${product[@]}"
forbid 'SQLite outside coordinator/storage/sqlite' 'sqlite3\.h|SQLiteCpp/' 'coordinator/storage/sqlite/' "${product[@]}"
forbid 'gRPC outside its rooms' 'grpc(pp|\+\+)?/|frontier/v1/[a-z_]+\.grpc\.pb\.h' 'coordinator/service/|worker/agent/|common/rpc/' "${product[@]}"
forbid 'oneDNN outside worker/engine/onednn' '(oneapi/dnnl/)?dnnl' 'worker/engine/onednn/' "${product[@]}"
forbid 'OpenCL headers of oneDNN' '.*dnnl_ocl' '' "${product[@]}" tests
forbid 'the pure core includes transport or SQL' 'grpc|sqlite3\.h|SQLiteCpp/|coordinator/storage/sqlite/' '' coordinator/core coordinator/space coordinator/composer coordinator/strategy coordinator/stopping

seams=$(grep -rnE --include='*.h' --include='*.cc' 'ForTest(s|ing)?\b|friend class [A-Za-z0-9_]*Test|#if(def)? +(TEST|TESTING)\b' "${product[@]}" || true)
if [[ -n "$seams" ]]; then
  echo 'breach: product code knows of its tests'
  echo "$seams" | sed 's/^/  /'
  breaches=$((breaches + 1))
fi
if ((breaches > 0)); then exit 1; fi
echo 'directions: kept'
