# SPDX-License-Identifier: Apache-2.0
"""Requests that are almost right: sound ones of every kind, changed at random in their values, their JSON or their HTTP."""
import copy
import json
import random

from rest import PREFIX

NAME, DIM = "mutated", 4
VECTOR = [0.5, 1, -2.25, 3e-5]
SEEDS = [
    ("entities/insert", {"collectionName": NAME, "data": [{"id": n, "vector": VECTOR, "t": "é 😀"} for n in range(3)]}),
    ("entities/insert", {"collectionName": NAME, "data": {"id": "7", "vector": VECTOR, "extra": {"deep": [1, None]}}}),
    ("entities/upsert", {"collectionName": NAME, "data": [{"id": 2**53 + 1, "vector": VECTOR}]}),
    ("entities/search", {"collectionName": NAME, "data": [VECTOR, VECTOR], "annsField": "vector", "limit": 2,
                         "filter": "id > 0", "searchParams": {"metricType": "L2", "params": {"nprobe": 4}}}),
    ("entities/hybrid_search", {"collectionName": NAME, "search": [{"data": [VECTOR], "annsField": "vector",
                                "limit": 3}], "rerank": {"strategy": "rrf", "params": {"k": 10}}, "limit": 3}),
    ("entities/query", {"collectionName": NAME, "filter": "id > 0", "outputFields": ["*"], "limit": 3}),
    ("entities/get", {"collectionName": NAME, "id": [1, "2", 3], "outputFields": ["id"]}),
    ("entities/delete", {"collectionName": NAME, "filter": "id in [1]"}),
    ("collections/create", {"collectionName": NAME, "dimension": 4, "params": {"consistencyLevel": "Strong"}}),
    ("collections/create", {"collectionName": NAME, "schema": {"fields": [
        {"fieldName": "id", "dataType": "Int64", "isPrimary": True},
        {"fieldName": "vector", "dataType": "FloatVector", "elementTypeParams": {"dim": 4}}]},
        "indexParams": [{"fieldName": "vector", "metricType": "L2", "indexType": "FLAT"}]}),
    ("collections/describe", {"collectionName": NAME, "dbName": "default"}),
    ("partitions/load", {"collectionName": NAME, "partitionNames": ["a", "b"]}),
    ("roles/grant_privilege", {"roleName": "r", "objectType": "Global", "objectName": "*", "privilege": "Search"}),
    ("indexes/create", {"collectionName": NAME, "indexParams": [{"fieldName": "vector", "params": {"M": 8}}]}),
    ("resource_groups/alter", {"resource_groups": {"a": {"requests": {"node_num": 1}, "limits": {"node_num": 1}}}}),
]  # fmt: skip
ODD = [None, True, "", "x", 0, -1, 2**63, -(2**63) - 1, 1e308, 0.1, [], {}, [[]], [None], {"": None}, "7", "é" * 50]
TOKENS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"1e999", b"-", b"null", b"\xff", b"\0",
          b"\r\n", b"\r\n\r\n", b" ", b"\t", b"00", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
          b"Expect: 100-continue\r\n", b"Content-Encoding: gzip\r\n", b"Host: b\r\n", b"HTTP/1.0"]  # fmt: skip


def places(value, path=()):
    """Of all values within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


def with_other_value(rng, fields):
    """One of them is replaced, exchanged with another one, or gone."""
    fields = copy.deepcopy(fields)

    def holder(path):
        at = fields
        for key in path[:-1]:
            at = at[key]
        return at

    if not fields:
        return fields
    first, second = (rng.choice(list(places(fields))) for _ in range(2))
    how = rng.randrange(3)
    if how == 0:
        holder(first)[first[-1]] = copy.deepcopy(rng.choice(ODD))
    elif how == 1:
        holder(first)[first[-1]] = copy.deepcopy(holder(second)[second[-1]])
    else:
        del holder(first)[first[-1]]
    return fields


def with_other_bytes(rng, data):
    """A bit flipped, a part cut out or doubled, a token put in, the end cut off."""
    if not data:
        return data
    at = rng.randrange(len(data))
    to = min(len(data), at + 1 + rng.randrange(20))
    how = rng.randrange(5)
    if how == 0:
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if how == 1:
        return data[:at] + data[to:]
    if how == 2:
        return data[:to] + data[at:]
    if how == 3:
        return data[:at] + rng.choice(TOKENS) + data[at:]
    return data[:at]


def request(route, body, *lines):
    """As curl would send it."""
    head = [f"POST {PREFIX}{route} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
            f"Content-Length: {len(body)}", *lines]  # fmt: skip
    return "\r\n".join([*head, "", ""]).encode() + body


def chunked(rng, route, body):
    """The same in chunks."""
    cut = sorted(rng.randrange(len(body) + 1) for _ in range(2))
    parts = [part for part in (body[: cut[0]], body[cut[0] : cut[1]], body[cut[1] :]) if part]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = f"POST {PREFIX}{route} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + chunks + b"0\r\n\r\n"


def mutated_body(rng):
    """(route, body): one that is JSON, or has been."""
    route, fields = rng.choice(SEEDS)
    for _ in range(rng.randrange(3)):
        fields = with_other_value(rng, fields)
    body = json.dumps(fields, ensure_ascii=rng.random() < 0.5).encode()
    return route, with_other_bytes(rng, body) if rng.random() < 0.6 else body


def mutated_request(rng):
    """All of it, from the first byte."""
    route, fields = rng.choice(SEEDS)
    body = json.dumps(fields).encode()
    data = chunked(rng, route, body) if rng.random() < 0.4 else request(route, body)
    for _ in range(1 + rng.randrange(2)):
        data = with_other_bytes(rng, data)
    return data


def generator(seed):
    return random.Random(seed)
