#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds, installs what measuring needs, and prints what the daemon costs on this machine. Arguments: figures.py --help.
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

need_packages "${build_packages[@]}" "${integration_packages[@]}" nghttp2-server
need_python "$root/tests/requirements.txt"
build release milvus-bouncer load once
exec "$python" "$root/bench/figures.py" "$@"
