#!/usr/bin/env bash
# Installs what building, testing and the demo need, from Debian 12's packages. Safe to repeat: does
# nothing once all is there. Needs root or sudo. FRONTIER_SKIP_SETUP=1 skips it.
set -euo pipefail

build_packages=(g++ cmake ninja-build pkg-config protobuf-compiler protobuf-compiler-grpc)
library_packages=(libabsl-dev libcli11-dev libdnnl-dev libeigen3-dev libgmp-dev libgrpc++-dev libmimalloc-dev libonnx-dev
  libprotobuf-dev libspdlog-dev libsqlite3-dev libsqlitecpp-dev libssl-dev libyaml-cpp-dev
  zlib1g-dev)
test_packages=(libgmock-dev libgtest-dev python3 shellcheck sqlite3 util-linux)
data_packages=(dataset-fashion-mnist)
packages=("${build_packages[@]}" "${library_packages[@]}" "${test_packages[@]}" "${data_packages[@]}")

if [[ "${FRONTIER_SKIP_SETUP:-0}" == 1 ]]; then
  echo "setup: skipped, as FRONTIER_SKIP_SETUP=1 says"
  exit 0
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  cat >&2 <<TXT
setup: this is not a Debian system, so nothing was installed. Frontier is built and tested on
Debian 12 (bookworm). Elsewhere, install by your system's own means, then run again with
FRONTIER_SKIP_SETUP=1:
  - a C++20 compiler (GCC 12 or newer), CMake 3.25, Ninja, pkg-config
  - Abseil 20220623, CLI11 2.1, Eigen 3.4, GMP, gRPC 1.51 and Protocol Buffers 3.21 with their compilers,
    oneDNN 2.6 (not 3.x: the interface differs), ONNX 1.12 (onnx/onnx.proto alone), OpenSSL 3,
    spdlog 1.10, SQLite 3.40, SQLiteCpp 3.2, yaml-cpp 0.7, zlib, each with headers
  - for the tests: GoogleTest and GoogleMock 1.12, Python 3.9, shellcheck, the sqlite3 shell, setpriv
  - for the demo: Fashion-MNIST as gzip'd IDX files in /usr/share/datasets/fashion-mnist
TXT
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ "$state" == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "setup: all ${#packages[@]} packages are installed"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup: needs root, and there is no sudo. As root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing ${#missing[@]} packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
# dpkg's chatter goes to a file, shown only if something fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
  --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  echo "setup: apt-get failed. Frontier is built and tested on Debian 12 (bookworm); this is" \
    "$(. /etc/os-release && echo "$PRETTY_NAME")" >&2
  exit 1
fi
echo "setup: done"
