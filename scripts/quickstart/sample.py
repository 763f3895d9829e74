# SPDX-License-Identifier: Apache-2.0
"""The sample: a collection, 10,000 vectors inserted by several processes at once, a search. No credential in sight.

    sample.py [--address unix:/run/milvus-bouncer/milvus.sock] [--daemon PID]
"""
import argparse
import multiprocessing
import sys
import time

import numpy
from pymilvus.grpc_gen import common_pb2, milvus_pb2

import connections
import messages
from messages import checked
from mvb1 import Client

COLLECTION = "quickstart"
DIM = 128
BATCHES, BATCH_SIZE = 10, 1000
PROCESSES = 5
LOAD_LIMIT = 60  # seconds

client = None  # each process has its own


def open_client(address, database):
    global client
    client = Client(address, database)


def batch_of(number):
    """The ids and vectors of a batch, the same wherever they are made."""
    ids = range(number * BATCH_SIZE, (number + 1) * BATCH_SIZE)
    vectors = numpy.random.default_rng(number).random((BATCH_SIZE, DIM), dtype=numpy.float32)
    return ids, vectors


def insert_batch(number):
    reply = checked(client.call("Insert", messages.insert(COLLECTION, *batch_of(number))))
    return reply.insert_cnt


def make_collection():
    name = {"collection_name": COLLECTION}
    checked(client.call("DropCollection", milvus_pb2.DropCollectionRequest(**name)))
    checked(client.call("CreateCollection", messages.create_collection(COLLECTION, DIM)))
    checked(client.call("CreateIndex", messages.create_index(COLLECTION)))
    checked(client.call("LoadCollection", milvus_pb2.LoadCollectionRequest(**name)))
    limit = time.monotonic() + LOAD_LIMIT
    while time.monotonic() < limit:
        reply = checked(client.call("GetLoadState", milvus_pb2.GetLoadStateRequest(**name)))
        if reply.state == common_pb2.LoadStateLoaded:
            return
        time.sleep(0.1)
    raise TimeoutError(f"the collection was not loaded within {LOAD_LIMIT} s")


def search_for(ident):
    """Searches for the vector that was inserted under this id: (id, distance) of the nearest."""
    number, row = divmod(ident, BATCH_SIZE)
    vector = batch_of(number)[1][row]
    found = checked(client.call("Search", messages.search(COLLECTION, vector, 5))).results
    return list(zip(found.ids.int_id.data, found.scores))


def count_connections(options):
    try:
        clients = connections.count_clients(options.daemon, options.address.removeprefix("unix:"))
        upstream = connections.count_upstream(options.daemon)
    except PermissionError:
        return "no connections: the daemon lets root alone look at what it holds"
    return f"{clients} client connections, served by {upstream} upstream"


def report(inserted, search, options):
    """Prints what a search finds, and the daemon's connections if its process is known. Whether it was found."""
    wanted = 4711
    hits = search(wanted)
    print(f"searched for the vector inserted under id {wanted}; nearest:")
    for ident, distance in hits:
        print(f"         id {ident:5}  distance {distance:.4f}")
    if options.daemon:
        print(f"counted  {count_connections(options)}")
    return inserted == BATCHES * BATCH_SIZE and hits[0][0] == wanted


def run(processes, options):
    make_collection()
    print(f"created  {COLLECTION}: id INT64, embedding FLOAT_VECTOR({DIM}), AUTOINDEX, L2")
    inserted = sum(processes.map(insert_batch, range(BATCHES), chunksize=1))
    print(f"inserted {inserted:,} vectors in batches of {BATCH_SIZE:,} from {PROCESSES} processes at once")
    return report(inserted, search_for, options)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", default="unix:/run/milvus-bouncer/milvus.sock")
    parser.add_argument("--database", default="")
    parser.add_argument("--daemon", type=int, help="its process, to count its connections")
    return parser.parse_args()


def main():
    options = arguments()
    where = (options.address, options.database)
    open_client(*where)
    with multiprocessing.Pool(PROCESSES, open_client, where) as processes:
        found = run(processes, options)
    sys.exit(0 if found else "sample: what was inserted was not found")


if __name__ == "__main__":
    main()
