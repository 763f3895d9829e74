#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fresh machine to all tests green; the last line is `N passed, N failed, N skipped`.
#   FUZZ_SECONDS   for each fuzz target (20)
#   PYTEST_ARGS    more arguments for the integration tests
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fuzz_seconds=${FUZZ_SECONDS:-20}
read -r -a pytest_args <<<"${PYTEST_ARGS:-}"
results=$(mktemp -d)
passed=0 failed=0 skipped=0

summary() {
  rm -rf "$results"
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" = 0 ] || exit 1
}

# check NAME COMMAND...: one test, told by its exit code.
check() {
  local name=$1
  shift
  say "$name"
  if "$@"; then
    passed=$((passed + 1))
    return
  fi
  failed=$((failed + 1))
  say "FAILED: $name"
}

# suite NAME COMMAND...: many tests, told by the JUnit file that the command leaves in $results/NAME.xml.
suite() {
  local name=$1 code=0 counts=(0 0 0)
  shift
  say "$name"
  "$@" || code=$?
  if [ -e "$results/$name.xml" ]; then
    read -r -a counts < <("$python" "$root/scripts/tally.py" "$results/$name.xml")
  fi
  if [ "$code" != 0 ] && [ "${counts[1]}" = 0 ]; then
    counts[1]=1 # it broke before it could say what failed
  fi
  passed=$((passed + counts[0]))
  failed=$((failed + counts[1]))
  skipped=$((skipped + counts[2]))
  [ "${counts[1]}" = 0 ] || say "FAILED: $name"
}

all_name_their_licence() {
  local missing
  missing=$(sources '*.[ch]' '*.py' '*.sh' '*.cmake' CMakeLists.txt '*.proto' '*.def' '*.yaml' \
    '*.service' '*.socket' '*.in' requirements.txt '*.go' '*.js' '*.java' pom.xml | grep -v /seeds/ |
    xargs grep -L 'SPDX-License-Identifier: Apache-2.0') || true
  [ -z "$missing" ] || {
    printf 'without an SPDX line: %s\n' "$missing"
    return 1
  }
}

# The last fault of a target and its corpus stay outside the tree; the seeds in it are only read.
fuzz() {
  local target=$1 corpus=$cache/fuzz/$1 log=$cache/fuzz/$1.log
  mkdir -p "$corpus"
  build fuzz "fuzz_$target" || return 1
  "$root/build-fuzz/tests/fuzz/fuzz_$target" -max_total_time="$fuzz_seconds" -print_final_stats=1 \
    -artifact_prefix="$cache/fuzz/$target-" "$corpus" "$root/tests/fuzz/seeds/$target" >"$log" 2>&1 ||
    {
      tail -n 50 "$log"
      return 1
    }
  grep number_of_executed_units "$log"
}

# integration NAME BUILD: the integration and fault tests on the program of that build.
integration() {
  local name=$1 binary=$root/$2/milvus-bouncer
  suite "$name" env MVB_BINARY="$binary" MVB_CACHE="$cache" "$python" -m pytest \
    "$root/tests/integration" -q --junit-xml="$results/$name.xml" ${pytest_args[@]+"${pytest_args[@]}"}
}

trap summary EXIT
failed=1 # should a download or a build end this script; the summary then says so
need_packages "${build_packages[@]}" "${fuzz_packages[@]}" "${format_packages[@]}" \
  "${integration_packages[@]}"
need_python "$root/tests/requirements.txt"
need_python "$root/bench/requirements.txt"
bash "$root/scripts/tools.sh"
build release milvus-bouncer mvb_client mvb_client_shared mvb_example "${bench_targets[@]}"
build asan
failed=0

check "every source file names its licence" all_name_their_licence
check "clang-format" bash "$root/scripts/format.sh" --check
check "RPC table and messages against the official descriptors" \
  "$python" "$root/tests/proto/check_descriptors.py"
suite unit ctest --test-dir "$root/build-asan" --output-on-failure \
  --output-junit "$results/unit.xml"
for source in "$root"/tests/fuzz/fuzz_*.c; do
  target=$(basename "$source" .c)
  check "$target for $fuzz_seconds s" fuzz "${target#fuzz_}"
done
integration integration build
integration integration-asan build-asan
suite sdk env MVB_BINARY="$root/build-asan/milvus-bouncer" bash "$root/scripts/sdk.sh" \
  --junit-xml="$results/sdk.xml"
