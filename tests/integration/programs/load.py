# SPDX-License-Identifier: Apache-2.0
"""A load of the SDK, without an end: `load.py sync|async URI COLLECTION`, until SIGTERM.

Each worker in turn searches for one of the first rows of COLLECTION, inserts a row with a key of its own into it, and
one for which Milvus makes the key, known by its tag, into COLLECTION_auto. Prints a line in JSON for each that ended.
An insert that fails is not tried again by the SDK (retry_times): who sends it twice would be the daemon.
"""
import asyncio
import itertools
import json
import logging
import signal
import sys
from functools import partial

import grpc
from pymilvus import AsyncMilvusClient, MilvusClient, MilvusException

WORKERS = 4
FIRST_ROWS = 100  # their keys are below
DIM = 4
KEYS_OF_MODE = {"sync": 1_000_000, "async": 2_000_000}
KEYS_OF_WORKER = 100_000
PAUSE = 0.02  # seconds after an error


def vector(key):
    """Those of the first rows are far apart, and all others far from them."""
    return [float(key) if key < FIRST_ROWS else -1000.0] * DIM


class Sync:
    """The synchronous client, in threads."""

    def __init__(self, uri):
        client = MilvusClient(uri)
        self.insert = partial(asyncio.to_thread, client.insert)
        self.search = partial(asyncio.to_thread, client.search)


def error_text(error):
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name}: {error.details()}"
    return f"{error.code}: {error.message}"


def tell(what, key, **outcome):
    print(json.dumps({"what": what, "key": key, **outcome}), flush=True)


async def outcome_of(what, key, asked):
    try:
        reply = await asked
    except (grpc.RpcError, MilvusException) as error:
        tell(what, key, error=error_text(error))
        await asyncio.sleep(PAUSE)
    else:
        tell(what, key, found=reply[0][0]["id"] if what == "search" else reply["insert_count"])


async def work(client, collection, first_key, ending):
    for key in itertools.count(first_key):
        if ending.is_set():
            return
        known, data = key % FIRST_ROWS, vector(key)
        rows = {"keyed": {"id": key, "vector": data}, "auto": {"tag": key, "vector": data}}
        search = client.search(collection, [vector(known)], limit=1, consistency_level="Bounded")
        await outcome_of("search", known, search)
        await outcome_of("keyed", key, client.insert(collection, rows["keyed"], retry_times=0))
        await outcome_of("auto", key, client.insert(f"{collection}_auto", rows["auto"], retry_times=0))


async def main(mode, uri, collection):
    logging.disable()  # the SDK shows each error with a traceback
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    client = Sync(uri) if mode == "sync" else AsyncMilvusClient(uri)
    keys = [KEYS_OF_MODE[mode] + worker * KEYS_OF_WORKER for worker in range(WORKERS)]
    await asyncio.gather(*(work(client, collection, key, ending) for key in keys))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
