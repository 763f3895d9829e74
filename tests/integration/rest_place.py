# SPDX-License-Identifier: Apache-2.0
"""A server, pymilvus at it directly, and REST at a daemon before it."""
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException

from rest import SUCCESS, Rest

DIM = 4
VECTORS = [[float(n), 1.0, 0.0, 0.0] for n in range(3)]


def index_of(**params):
    """On `vector`."""
    index = MilvusClient.prepare_index_params()
    index.add_index("vector", **{"index_type": "FLAT", "metric_type": "L2", **params})
    return index


def same_outcome(answer, call):
    """What pymilvus is told, success or failure."""
    try:
        call()
        code, message = SUCCESS, ""
    except MilvusException as error:
        code, message = error.code, error.message
    assert (answer.code, answer.body.get("message", "")) == (code, message)


class Place:
    def __init__(self, server, client, bouncer, name):
        self.server, self.client, self.bouncer, self.name = server, client, bouncer, name
        self.rest = Rest(bouncer.address)

    def call(self, route, headers=None, **fields):
        """About the collection of this test, unless another one is named."""
        return self.rest.call(route, headers, **{"collectionName": self.name, **fields})

    def ask(self, route, headers=None, **fields):
        return self.rest.ask(route, {"collectionName": self.name, **fields}, headers)

    def create(self, *, rows=3, index=True, vectors=1, **options):
        """The collection, by pymilvus, with rows whose keys are 0, 1 and so on; of more than one vector field they are
        vector, vector1, …"""
        schema = MilvusClient.create_schema(enable_dynamic_field=True, **options)
        schema.add_field("id", DataType.INT64, is_primary=True)
        names = ["vector", *(f"vector{n}" for n in range(1, vectors))]
        indexes = index_of()
        for name in names:
            schema.add_field(name, DataType.FLOAT_VECTOR, dim=DIM)
        for name in names[1:]:
            indexes.add_index(name, index_type="FLAT", metric_type="L2")
        self.client.create_collection(
            self.name, schema=schema, index_params=indexes if index else None, consistency_level="Strong"
        )
        data = [{"id": n, **dict.fromkeys(names, VECTORS[n % 3]), "title": f"title {n}"} for n in range(rows)]
        if data:
            self.client.insert(self.name, data)
        return self

    def keys(self):
        """By pymilvus."""
        rows = self.client.query(self.name, "id >= 0", output_fields=["id"], consistency_level="Strong")
        return sorted(row["id"] for row in rows)
