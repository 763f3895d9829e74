# SPDX-License-Identifier: Apache-2.0
"""Many client processes at once: `crowd.py ADDRESS COLLECTION`, apart from the tests as gRPC does not survive a fork.

Each process searches for its own vector. Prints, in JSON, the ids that each found, by its number; then all stay
connected until its input ends.
"""
import json
import multiprocessing
import sys

import numpy

import messages
from messages import checked
from mvb1 import Client

PROCESSES, ROUNDS, DIM = 200, 5, 16


def vectors():
    """One for each process, far from all others."""
    return numpy.random.default_rng(0).random((PROCESSES, DIM), dtype=numpy.float32) * 100


def search(client, collection, vector):
    """The id of the nearest."""
    reply = checked(client.call("Search", messages.search(collection, vector, 1)))
    return reply.results.ids.int_id.data[0]


def run(address, collection, ident, vector, barrier, results):
    with Client(address) as client:
        barrier.wait()
        results.put((ident, [search(client, collection, vector) for _ in range(ROUNDS)]))
        barrier.wait()


def main(address, collection):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(PROCESSES + 1), context.Queue()
    for ident, vector in enumerate(vectors()):
        context.Process(target=run, args=(address, collection, ident, vector, barrier, results), daemon=True).start()
    barrier.wait()
    print(json.dumps(dict(results.get() for _ in range(PROCESSES))), flush=True)
    sys.stdin.read()
    barrier.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
