#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of bench/over_rest.py, in a process and a network of its own: inserts or searches, of so many clients at once;
prints how many a second.

What REST and gRPC send is made beforehand; what pymilvus sends is packed by it, as it is for whoever uses it.
"""
import base64
import http.client
import json
import sys
import threading
import time

import grpc
import numpy
from pymilvus import DataType, MilvusClient
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen.milvus_pb2 import MutationResult

INSERT = "/milvus.proto.milvus.MilvusService/Insert"
V1, V2 = "/v1/vector/", "/v2/vectordb/entities/"
SUCCESS = {V1: 200, V2: 0}  # in an answer's code
SEED = 3


def vectors(dim, count):
    return numpy.random.default_rng(SEED).random((count, dim), dtype="float32")


def rows_of(job, number):
    """Of an insert: other keys than those of all before it."""
    first = job["first"] + number * job["batch"]
    made = vectors(job["dim"], job["batch"]).tolist()
    return [{"id": first + n, "vector": vector} for n, vector in enumerate(made)]


class Http:
    """REST of either version."""

    def __init__(self, job, prefix):
        self.job, self.prefix = job, prefix
        self.connection = http.client.HTTPConnection(job["address"], timeout=60)
        token = {"Authorization": f"Bearer {job['token']}"} if job["token"] else {}
        self.headers = {"Content-Type": "application/json", **token}

    def prepare(self, number):
        job, name = self.job, {"collectionName": self.job["collection"]}
        if job["what"] == "insert":
            return json.dumps({**name, "data": rows_of(job, number)}).encode()
        [vector] = vectors(job["dim"], job["vectors"])[number % job["vectors"]][None].tolist()
        data = {"vector": vector} if self.prefix == V1 else {"data": [vector], "annsField": "vector"}
        return json.dumps({**name, **data, "limit": job["limit"]}).encode()

    def ask(self, body):
        self.connection.request("POST", self.prefix + self.job["what"], body, self.headers)
        reply = self.connection.getresponse()
        told = json.loads(reply.read())
        assert told["code"] == SUCCESS[self.prefix], told
        assert self.job["what"] == "insert" or len(told["data"]) == self.job["limit"], told


class Sdk:
    def __init__(self, job):
        self.job = job
        self.client = MilvusClient(f"http://{job['address']}", token=job["token"], dedicated=True)

    def prepare(self, number):
        job = self.job
        if job["what"] == "insert":
            return rows_of(job, number)
        return vectors(job["dim"], job["vectors"])[number % job["vectors"]].tolist()

    def ask(self, data):
        if self.job["what"] == "insert":
            self.client.insert(self.job["collection"], data)
        else:
            [hits] = self.client.search(self.job["collection"], [data], limit=self.job["limit"], anns_field="vector")
            assert len(hits) == self.job["limit"]


FIELDS = [
    {"name": "id", "type": DataType.INT64, "is_primary": True, "params": {}},
    {"name": "vector", "type": DataType.FLOAT_VECTOR, "params": {}},
]


class Packed:
    """Inserts of gRPC that were packed beforehand."""

    def __init__(self, job):
        self.job = job
        channel = grpc.insecure_channel(job["address"], options=[("grpc.max_send_message_length", -1)])
        self.call = channel.unary_unary(INSERT)
        self.metadata = [("authorization", base64.b64encode(job["token"].encode()).decode())]

    def prepare(self, number):
        request = Prepare.row_insert_param(self.job["collection"], rows_of(self.job, number), "", FIELDS)
        return request.SerializeToString()

    def ask(self, message):
        reply = MutationResult.FromString(self.call(message, metadata=self.metadata))
        assert reply.status.code == 0, reply.status


CLIENTS = {
    "pymilvus": Sdk,
    "packed": Packed,
    "v1": lambda job: Http(job, V1),
    "v2": lambda job: Http(job, V2),
}


def run(job):
    """Seconds, with one request of each client before them."""
    clients = [CLIENTS[job["client"]](job) for _ in range(job["clients"])]
    each = job["requests"] // len(clients)
    data = [[one.prepare(n * (each + 1) + i) for i in range(each + 1)] for n, one in enumerate(clients)]
    ready, failures = threading.Barrier(len(clients) + 1), []

    def ask_all(client, asked):
        try:
            client.ask(asked[0])
            ready.wait()
            for one in asked[1:]:
                client.ask(one)
        except Exception as error:
            failures.append(error)
            ready.abort()

    threads = [threading.Thread(target=ask_all, args=pair) for pair in zip(clients, data)]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return (time.perf_counter() - began) / (each * len(clients))


def main():
    job = json.loads(sys.argv[1])
    rows = job["batch"] if job["what"] == "insert" else 1
    print(json.dumps({"per_second": rows / run(job)}))


if __name__ == "__main__":
    main()
