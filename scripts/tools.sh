#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The clients in Go that test HTTP/2 and gRPC, built into $tools: h2spec, ghz and grpcurl.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tools=$cache/tools

# tool NAME PACKAGE@VERSION [MODULE@VERSION...]: builds a program, unless it is there. Modules are
# those that it needs and does not pin itself.
tool() {
  local name=$1 program=$2 source
  shift
  if [ -x "$tools/$name" ] && [ "$(cat "$tools/$name.versions" 2>/dev/null)" = "$*" ]; then
    return 0
  fi
  command -v go >/dev/null || need_packages golang-go
  say "building $program"
  source=$(mktemp -d)
  (
    cd "$source"
    export GOPATH=$source/go GOFLAGS=-modcacherw GOTOOLCHAIN=local
    go mod init tools
    go get "$@"
    go build -o "$tools/$name" "${program%@*}"
  ) >"$source.log" 2>&1 || {
    tail -n 20 "$source.log"
    exit 1
  }
  echo "$*" >"$tools/$name.versions"
  rm -rf "$source" "$source.log"
}

mkdir -p "$tools"
# h2spec is of a time before modules. All versions build with Debian 12's Go, 1.19.
tool h2spec github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible \
  github.com/fatih/color@v1.15.0 github.com/spf13/cobra@v1.7.0 golang.org/x/net@v0.17.0
tool ghz github.com/bojand/ghz/cmd/ghz@v0.117.0
tool grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.8.9
