# SPDX-License-Identifier: Apache-2.0
"""Many processes, each with a client of the SDK, all starting at once: `many.py URI COLLECTION PROCESSES`.

They are forked from one that has imported the SDK and not yet used it, so that they start together. Each connects,
describes the collection and searches for its own vector. Prints in JSON what each found, by its number, and the
seconds that it took all of them; then all stay connected until the input ends.
"""
import json
import multiprocessing
import os
import sys
import time

import numpy
from pymilvus import MilvusClient

DIM = 16


def vectors(count):
    """One for each process, far from all others."""
    return numpy.random.default_rng(0).random((count, DIM), dtype=numpy.float32) * 100


def look(uri, collection, vector):
    """The names of the collection's fields, and the id of the nearest row."""
    client = MilvusClient(uri, token=os.environ.get("SDK_TOKEN", ""))
    fields = [field["name"] for field in client.describe_collection(collection)["fields"]]
    found = client.search(collection, [vector], limit=1)[0]
    return fields, [hit["id"] for hit in found]


def run(number, arguments, barrier, results):
    barrier.wait()
    try:
        results.put((number, look(*arguments)))
    except Exception as error:  # is a result too
        results.put((number, repr(error)))
    barrier.wait()


def main(uri, collection, count):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(count + 1), context.Queue()
    for number, vector in enumerate(vectors(count)):
        arguments = (number, (uri, collection, vector), barrier, results)
        context.Process(target=run, args=arguments, daemon=True).start()
    barrier.wait()
    start = time.monotonic()
    found = dict(results.get() for _ in range(count))
    print(json.dumps({"found": found, "time": time.monotonic() - start}), flush=True)
    sys.stdin.read()
    barrier.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
