#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds, installs the peers, and measures the daemon side by side with them. Arguments: bench/run.sh --help.
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

need_packages "${build_packages[@]}" "${integration_packages[@]}"
need_python "$root/tests/requirements.txt"
need_python "$root/bench/requirements.txt"
build release milvus-bouncer "${bench_targets[@]}"
exec "$python" "$root/bench/run.py" "$@"
