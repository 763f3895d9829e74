#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every Milvus SDK direct and through the daemon: scripts/sdk.sh [ARGUMENT OF PYTEST]...
#   MVB_BINARY     the daemon under test (build/milvus-bouncer)
#   --table FILE   writes which SDK can do what, in Markdown
. "$(dirname "${BASH_SOURCE[0]}")/sdk_lib.sh"

need_packages "${integration_packages[@]}"
need_python "$root/tests/requirements.txt"
need_program node MVB_SDK_NODE
need_program go MVB_SDK_GO
need_program java MVB_SDK_JAVA
MVB_CACHE=$cache "$python" -m pytest "$root/tests/sdk" -q "$@"
