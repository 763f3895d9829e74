# SPDX-License-Identifier: Apache-2.0
"""The sample once more, with pymilvus as it comes from PyPI: only the address says that there is a daemon.

    sample_sdk.py [--address unix:/run/milvus-bouncer/milvus.sock] [--daemon PID]
"""
import multiprocessing
import sys

from pymilvus import MilvusClient

import sample
from sample import BATCH_SIZE, BATCHES, DIM, PROCESSES, batch_of

COLLECTION = "quickstart_sdk"

client = None  # each process has its own, made after the fork


def open_client(address, database):
    global client
    client = MilvusClient(address, db_name=database)


def insert_batch(number):
    rows = [{"id": ident, "vector": vector} for ident, vector in zip(*batch_of(number))]
    return client.insert(COLLECTION, rows)["insert_count"]


def make_collection():
    client.drop_collection(COLLECTION)
    client.create_collection(COLLECTION, dimension=DIM, metric_type="L2", consistency_level="Strong")


def search_for(ident):
    """Searches for the vector that was inserted under this id: (id, distance) of the nearest."""
    number, row = divmod(ident, BATCH_SIZE)
    hits = client.search(COLLECTION, [batch_of(number)[1][row]], limit=5)[0]
    return [(hit["id"], hit["distance"]) for hit in hits]


def run(processes, options):
    make_collection()
    print(f"created  {COLLECTION} with MilvusClient({options.address!r})")
    inserted = sum(processes.map(insert_batch, range(BATCHES), chunksize=1))
    print(f"inserted {inserted:,} vectors in batches of {BATCH_SIZE:,} from {PROCESSES} processes at once")
    return sample.report(inserted, search_for, options)


def main():
    options = sample.arguments()
    where = (options.address, options.database)
    with multiprocessing.Pool(PROCESSES, open_client, where) as processes:
        open_client(*where)
        found = run(processes, options)
    sys.exit(0 if found else "sample_sdk: what was inserted was not found")


if __name__ == "__main__":
    main()
