#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats the C sources as .clang-format says; with --check only tells which are not.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_packages "${format_packages[@]}"
case ${1:-} in
"") action=(-i) ;;
--check) action=(--dry-run -Werror) ;;
*)
  echo "usage: scripts/format.sh [--check]" >&2
  exit 2
  ;;
esac
sources '*.c' '*.h' | xargs --no-run-if-empty clang-format-14 "${action[@]}"
