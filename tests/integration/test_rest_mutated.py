# SPDX-License-Identifier: Apache-2.0
"""10,000 requests that are almost right: each is answered, with a code that fits, and nothing is inserted that was not
acknowledged."""
import contextlib
import json
import re
import socket
from typing import NamedTuple

import pytest
from pymilvus import DataType, MilvusClient

from rest import NOT_JSON, SUCCESS
from rest_mutations import DIM, NAME, generator, mutated_body, mutated_request, request
from waiting import LIMIT

BODIES, REQUESTS, BATCH = 6000, 4000, 50
MAX_MESSAGE = 8 << 10
# Codes that stand in an answer with status 200, and the statuses of others.
OF_MILVUS = {0, 100, 1100, 1801, 1802, 1804, 1805, 1806, 65535}
REFUSALS = {400, 404, 405, 408, 413, 414, 415, 417, 431, 500, 501, 505}
LAST = "Connection: close"


class Reply(NamedTuple):
    status: int
    body: bytes
    closes: bool  # says that the connection ends with it


def read_replies(data):
    """All that a connection has said, to its end; interim ones are left out."""
    replies = []
    while data:
        head, found, data = data.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.1 (\d{3}) [^\r\n]*", head)
        assert match and found, head
        status = int(match[1])
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        assert len(data) >= size, head
        if status >= 200:
            replies.append(Reply(status, data[:size], b"\r\nconnection: close" in head.lower()))
        data = data[size:]
    return replies


def talk(path, data):
    """On a connection of its own, which the other side closes in the end."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LIMIT)
        client.connect(str(path))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have had enough
            client.sendall(data)
        said = []
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(1 << 16):
                said.append(part)
    return read_replies(b"".join(said))


def check(reply):
    """Its status and its code fit together; a body that is there is JSON."""
    told = json.loads(reply.body)
    if reply.status == 200:
        assert told["code"] in OF_MILVUS, reply
    else:
        assert reply.status in REFUSALS, reply
        assert told["code"] != SUCCESS, reply
    assert told["code"] == SUCCESS or told["message"], reply
    return told


def refuse_constant(name):
    raise ValueError(name)


def is_json(body):
    """As Python has it, which knows fewer faults."""
    try:
        return isinstance(json.loads(body.decode(), parse_constant=refuse_constant), dict)
    except (ValueError, RecursionError):
        return False


@pytest.fixture
def place(rest_at):
    place = rest_at("fake", limits={"max_message": f"{MAX_MESSAGE >> 10}KiB"})
    schema = MilvusClient.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    place.client.create_collection(NAME, schema=schema)
    return place


def rows_there(place):
    """Those that the upstream was given, by either way."""
    calls = [*place.server.asked("Insert"), *place.server.asked("Upsert")]
    return sum(call.message().num_rows for call in calls)


def acknowledged(told):
    """Rows; of an answer that is none of an insert, none."""
    data = told.get("data")
    return sum(data.get(key, 0) for key in ("insertCount", "upsertCount")) if isinstance(data, dict) else 0


def test_bodies(place):
    """Over connections that are kept: as many answers as requests, in order."""
    rng, rows, good = generator(8), 0, 0
    for _ in range(BODIES // BATCH):
        asked = [mutated_body(rng) for _ in range(BATCH)]
        ends = [[LAST] if n == BATCH - 1 else [] for n in range(BATCH)]
        replies = talk(place.bouncer.path, b"".join(request(*one, *end) for one, end in zip(asked, ends)))
        assert len(replies) == BATCH
        for (route, body), reply in zip(asked, replies):
            told = check(reply)
            rows += acknowledged(told)
            good += told["code"] == SUCCESS
            assert is_json(body) or told["code"] == NOT_JSON, (route, body, reply)
    assert rows_there(place) == rows > 0
    assert BODIES / 10 < good < BODIES
    place.rest.call("collections/list")


def tail():
    """Sound requests that are longer than any body may be: whatever a request before them claims, it ends."""
    one = f"GET /no/such HTTP/1.1\r\nHost: localhost\r\nPadding: {'x' * 2000}\r\n"
    count = MAX_MESSAGE // len(one) + 2
    return "".join(one + (f"{LAST}\r\n\r\n" if n == count - 1 else "\r\n") for n in range(count)).encode(), count


def is_fault_or_old(reply, data):
    """Why the connection may end before the last request: a fault, or HTTP/1.0."""
    return reply.status >= 400 or b"HTTP/1.0" in data


def test_requests(place):
    """Answered, or told to be wrong and the connection closed; what follows is answered, or was not read."""
    rng, rows, statuses = generator(88), 0, set()
    before, (after, count) = request("collections/list", b"{}"), tail()
    for _ in range(REQUESTS):
        data = mutated_request(rng)
        replies = talk(place.bouncer.path, before + data + after)
        assert replies and json.loads(replies[0].body)["code"] == SUCCESS, data
        for reply in replies:
            told = check(reply)
            rows += acknowledged(told)
        statuses |= {reply.status for reply in replies}
        assert replies[-1].closes and (len(replies) > count or is_fault_or_old(replies[-1], data)), (data, replies)
    assert rows_there(place) == rows > 0
    assert {200, 400, 404} <= statuses
    place.rest.call("collections/list")
