#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fresh machine to first result: builds, starts Milvus Lite and the daemon in front of it, runs the
# sample through the daemon, over the plain protocol (scripts/quickstart/sample.py) and with an SDK as
# it is (scripts/quickstart/sample_sdk.py), and stops what it started.
# Exit 0 only if both searches found what was inserted.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

started=()

stop() {
  [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait
  rm -rf "$scratch"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" 2>/dev/null; do
    if [ $SECONDS -ge $limit ]; then
      echo "quickstart: $what did not get ready; its last words:" >&2
      tail -n 20 "$scratch"/*.log >&2
      exit 1
    fi
    sleep 0.1
  done
}

accepts() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1")
}

free_port() {
  "$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

need_packages "${build_packages[@]}"
need_python "$root/scripts/quickstart/requirements.txt"
build release milvus-bouncer

scratch=$(mktemp -d)
trap stop EXIT
port=$(free_port)
address=unix:$scratch/milvus.sock

say "starting Milvus Lite as upstream"
# One worker: Milvus Lite takes one writer at a time.
"$venv/bin/milvus-lite" server --data-dir "$scratch/data" --host 127.0.0.1 --port "$port" \
  --max-workers 1 >"$scratch/milvus-lite.log" 2>&1 &
started+=($!)
wait_for 60 "Milvus Lite" accepts "$port"

serve=(serve --upstream "http://127.0.0.1:$port" --listen "$address")
say "starting milvus-bouncer ${serve[*]}"
"$root/build/milvus-bouncer" "${serve[@]}" 2>"$scratch/milvus-bouncer.log" &
daemon=$!
started+=("$daemon")
wait_for 10 "the daemon" test -S "$scratch/milvus.sock"

for sample in sample.py sample_sdk.py; do
  say "running scripts/quickstart/$sample through it"
  "$python" "$root/scripts/quickstart/$sample" --address "$address" --daemon "$daemon"
done

cat <<END

It works. To go on:
  put it before your own Milvus   build/milvus-bouncer serve --upstream https://milvus.example.com:19530 \\
                                    --token-file app.token --listen unix:/run/milvus-bouncer/milvus.sock \\
                                    --listen 127.0.0.1:19530
  or describe it in a file        build/milvus-bouncer check -c milvus-bouncer.yaml (and serve -c)
  connect an SDK                  its URI is unix:/run/milvus-bouncer/milvus.sock or http://127.0.0.1:19530;
                                    leave user, password and token out: docs/sdks.md
  connect without an SDK          scripts/quickstart/sample.py, clients/c
  ask it from a shell             build/milvus-bouncer call -s unix:/run/milvus-bouncer/milvus.sock GetVersion
  or by curl                      curl --unix-socket /run/milvus-bouncer/milvus.sock \\
                                    http://localhost/v2/vectordb/collections/list -d '{}': docs/rest.md
  run all tests                   scripts/test.sh
END
