#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building needs and leaves build/milvus-bouncer.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_packages "${build_packages[@]}"
build release
say "there is $root/build/milvus-bouncer"
