#!/usr/bin/env bash
# Checks deploy/: units load, scripts parse, configuration files are accepted, every flag that is named
# exists in the binary it is named with, and every example is listed. Prints each fault; exits 1 if
# there is any.
#   scripts/check_deploy.sh BIN_FOLDER [DEPLOY_FOLDER]
set -euo pipefail
bin=$(cd "$1" && pwd)
cd "${2:-$(dirname "$0")/../deploy}"
faults=0
fault() {
  echo "deploy: $*"
  faults=$((faults + 1))
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for binary in frontier frontier-coordinator frontier-worker; do
  [[ -x "$bin/$binary" ]] || { echo "deploy: '$bin/$binary' is not built"; exit 1; }
done

# Help of a binary, or of a command of it, once.
help_of() { # BINARY [COMMAND]
  local file="$scratch/help.$1.${2:-}"
  [[ -f "$file" ]] || "$bin/$1" ${2:+"$2"} --help >"$file" 2>&1 || true
  cat "$file"
}
has_flag() { # FLAG BINARY [COMMAND]
  help_of "${@:2}" | grep -qE -- "(^|[^a-z_-])$1([^a-z_-]|$)"
}

# 1. Units.
if command -v systemd-analyze >/dev/null; then
  for unit in systemd/*.service; do
    sed "s|/usr/local/bin/|$bin/|; /^Documentation=/d" "$unit" >"$scratch/$(basename "$unit")"
    out=$(systemd-analyze verify --man=no "$scratch/$(basename "$unit")" 2>&1 | grep -F "$(basename "$unit")" || true)
    [[ -z "$out" ]] || fault "$unit: $out"
  done
else
  echo 'deploy: no systemd-analyze; units are not checked'
fi
grep -q '^MemoryDenyWriteExecute=yes' systemd/frontier-worker.service &&
  fault 'systemd/frontier-worker.service: MemoryDenyWriteExecute stops oneDNN from making kernels'

for unit in systemd/*.service; do
  while IFS= read -r document; do
    grep -qE "install .* ${document//./\\.}\$" README.md || fault "$unit: README.md does not install $document"
  done < <(sed -n 's/^Documentation=file://p' "$unit")
done

# 2. Scripts.
for script in slurm/*.sbatch; do
  bash -n "$script" || fault "$script: does not parse"
  if command -v shellcheck >/dev/null; then
    shellcheck --severity=warning "$script" || fault "$script: shellcheck"
  fi
done

# 3. Configuration files, with what they only suggest taken up as well.
for name in coordinator worker; do
  sed -E 's/^# ([a-z_]+ = )/\1/' "config/$name.conf" | grep -v '^dataset = ' >"$scratch/$name.conf"
  out=$("$bin/frontier-$name" --config "$scratch/$name.conf" --print_config 2>&1 >/dev/null) ||
    fault "config/$name.conf: $out"
done

# 4. Flags on command lines of our binaries. Lines that end with a backslash go on.
while IFS=: read -r file line; do
  rest=$line
  while [[ $rest =~ (^|[[:space:]\`/\'])(frontier(-worker|-coordinator)?)([[:space:]]+([^|\;\&\`]*)|$) ]]; do
    match=${BASH_REMATCH[0]}
    binary=${BASH_REMATCH[2]}
    arguments=${BASH_REMATCH[5]:-}
    command=
    if [[ $binary == frontier && $arguments =~ ^([a-z-]+) ]]; then
      command=${BASH_REMATCH[1]}
      if ! help_of frontier | grep -qE "^ +$command( |$)"; then command=; fi
    elif [[ $binary == frontier-worker && $arguments =~ ^(hardware|evaluate)( |$) ]]; then
      command=${BASH_REMATCH[1]}
    fi
    for word in $(grep -oE -- '(^|[[:space:]])--[a-z][a-z_-]*' <<<"$arguments" || true); do
      has_flag "$word" "$binary" ${command:+"$command"} || has_flag "$word" "$binary" ||
        fault "$file: $binary ${command:+$command }has no flag $word"
    done
    rest=${rest#*"$match"}
  done
done < <(find . -type f \( -name '*.md' -o -name '*.service' -o -name '*.sbatch' \) -print0 | sort -z |
  xargs -0 awk '{ sub(/\r$/, ""); if (sub(/\\$/, "")) { held = held $0; next } print FILENAME ":" held $0; held = "" }')

# 5. Flags with an underscore are ours wherever they stand.
while IFS=: read -r file flag; do
  has_flag "$flag" frontier || has_flag "$flag" frontier submit ||
    has_flag "$flag" frontier-worker || has_flag "$flag" frontier-coordinator ||
    fault "$file: no binary has a flag $flag"
done < <(grep -roE -- '--[a-z]+_[a-z_]+' . | sort -u)

# 6. Examples are listed.
for example in examples/*.yaml; do
  grep -qF "\`$(basename "$example")\`" README.md || fault "README.md does not list $example"
done

if ((faults > 0)); then exit 1; fi
echo 'deploy: in order'
