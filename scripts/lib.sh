# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts beside it: where things are, and how what is missing gets installed.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${MVB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/milvus-bouncer}
venv=$cache/venv
python=$venv/bin/python

build_packages=(
  cmake ninja-build pkg-config gcc libc6-dev libevent-dev libgrpc-dev libprotobuf-c-dev
  protobuf-c-compiler protobuf-compiler libyaml-dev libjansson-dev libsystemd-dev uthash-dev
  libmimalloc-dev libnghttp2-dev libhttp-parser-dev libssl-dev libcrypt-dev zlib1g-dev
  libcriterion-dev
)
fuzz_packages=(clang-14 libclang-rt-14-dev)
format_packages=(clang-format-14)
integration_packages=(curl nginx-light haproxy nghttp2-server iproute2 systemd openssl util-linux)
bench_targets=(load once)
python_packages=(python3 python3-venv)

say() {
  printf '== %s\n' "$*"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages NAME...: Debian packages, installed if they are not there.
need_packages() {
  local name missing=()
  for name in "$@"; do
    is_installed "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# need_python REQUIREMENTS: $python with these packages of PyPI. The environment is kept in $cache
# for all scripts, and made anew when one of the files that went into it has changed.
need_python() {
  local file=$1 stamp hash
  stamp=$venv/$(echo "${file#"$root"/}" | tr / -).sha256
  hash=$(sha256sum <"$file")
  if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$hash" ]; then
    return 0
  fi
  need_packages "${python_packages[@]}"
  if [ -e "$stamp" ] || ! [ -x "$python" ]; then
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv"
  fi
  say "downloading what ${file#"$root"/} names"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$file"
  echo "$hash" >"$stamp"
}

# build PRESET [TARGET...]: configures when needed, and builds.
build() {
  local preset=$1
  shift
  say "building: $preset"
  (cd "$root" && cmake --preset "$preset" >/dev/null && cmake --build --preset "$preset" ${1:+--target "$@"} -- --quiet)
}

# sources PATTERN...: files of the project by name, without what a build made.
sources() {
  local pattern names=()
  for pattern in "$@"; do
    names+=(-o -name "$pattern")
  done
  find "$root" \( -name .git -o -path "$root/build*" \) -prune -o -type f \( "${names[@]:1}" \) -print
}
