# SPDX-License-Identifier: Apache-2.0
"""Which searches travel together, when, and in what order; a fake holds calls until it is told."""
import math

import grpc
import numpy
import pytest
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from bouncer import one_pool
from codes import DEADLINE_EXCEEDED, OK, QUEUE, RESOURCE_EXHAUSTED, is_own
from fake import Gate
from fake_search import asked_for, carried, found, hits, placeholders, search_of, vector
from merge_held import are_answered, is_answered, reply_to
from merged import merged
from messages import pairs
from mvb1 import GOAWAY, REQUEST, Frame, RequestError

BINARY = common_pb2.PlaceholderType.BinaryVector
UNKNOWN_FIELD = b"\xfa\xff\x7f\x05hello"


# ---- when ----


def test_one_at_a_time_is_never_merged(start_bouncer, fake):
    """And travels as the bytes it is: nq need not be the last field."""
    fake.on("Search", hits)
    bouncer = start_bouncer(one_pool(fake.upstream))
    with bouncer.plain() as client:
        for number in range(5):
            request = search_of(number)
            assert client.call("Search", request) == found(request)
            assert fake.asked("Search")[-1].request == request.SerializeToString()
    assert fake.count("Search") == 5
    assert merged(bouncer).calls == 0


def test_those_that_wait_travel_together(hold):
    held = hold()
    asked = held.ask_all([search_of(number) for number in range(10)])
    held.let(2)
    assert are_answered([held.first, *asked])
    assert held.carried() == [list(range(10))]
    told = merged(held.bouncer)
    assert (told.searches, told.calls, told.failed, told.lost, told.not_understood) == (10, 1, 0, 0, 0)


def test_those_of_many_clients_and_of_more_vectors(hold):
    held = hold()
    clients = [held.bouncer.plain() for _ in range(4)]
    asked = [held.ask(search_of(*range(10 * n, 11 * n + 1)), client) for n, client in enumerate(clients)]
    held.let(2)
    assert are_answered([held.first, *asked])
    assert held.carried() == [[number for *_, request in asked for number in asked_for(request)]]
    for client in clients:
        client.close()


def test_off(start_bouncer, fake):
    gate = Gate(hits)
    fake.on("Search", gate)
    bouncer = start_bouncer(one_pool(fake.upstream, merge="off"))
    with bouncer.plain() as client:
        idents = [client.send("Search", search_of(number)) for number in range(20)]
        fake.wait_for("Search", 20)
        gate.open()
        assert all(client.reply(ident).code == OK for ident in idents)
    assert sorted(carried(fake)) == [[number] for number in range(20)]


def test_more_calls_at_once(hold):
    held = hold({"calls": 3})
    asked = held.ask_all([search_of(number) for number in range(6)])
    held.fake.wait_for("Search", 3)
    held.let(4)
    assert are_answered([held.first, *asked])
    assert sorted(held.carried()) == [[0], [1], [2, 3, 4, 5]]


def test_first_come_first_served_between_shapes(hold):
    held = hold()
    requests = [search_of(0), search_of(1, limit=2), search_of(2), search_of(3, limit=3), search_of(4, limit=2)]
    asked = held.ask_all(requests)
    held.let(4)
    assert are_answered([held.first, *asked])
    assert held.carried() == [[0, 2], [1, 4], [3]]


# ---- how many ----


def binary(number, size):
    """A search for one vector of that many bytes."""
    values = [numpy.array([number], dtype="<f4").tobytes() + bytes(size - 4)]
    return search_of(number, placeholder_group=placeholders(values, kind=BINARY))


@pytest.mark.parametrize(
    "limits, make",
    [
        ({"max_vectors": 8}, search_of),
        ({"max_results": 40}, lambda number: search_of(number, limit=5)),
        ({"max_results": 40}, lambda number: search_of(number, limit=2, params={"offset": 3})),
        ({"max_bytes": "1KiB"}, lambda number: binary(number, 126)),
    ],
    ids=["max_vectors", "max_results", "offset", "max_bytes"],
)
@pytest.mark.parametrize("count", [8, 9])
def test_bounds(hold, limits, make, count):
    """Eight fit."""
    held = hold(limits)
    asked = held.ask_all([make(number) for number in range(count)])
    held.let(3)
    assert are_answered([held.first, *asked])
    assert held.carried() == [list(range(8)), [8]][: count - 7]


def test_one_that_is_too_large_for_company(hold):
    """It is limited by nothing but the pool."""
    held = hold({"max_vectors": 8})
    request = search_of(*range(9))
    asked = held.ask(request)
    held.fake.wait_for("Search", 2)
    assert held.fake.asked("Search")[1].request == request.SerializeToString()
    held.let(2)
    assert are_answered([held.first, asked])


# ---- which ----


@pytest.mark.parametrize(
    "other",
    [
        {"collection_name": "films"},
        {"partition_names": ["new"]},
        {"dsl": "year > 2000"},
        {"output_fields": ["author"]},
        {"limit": 2},
        {"params": {"metric_type": "IP"}},
        {"params": {"params": '{"ef": 64}'}},
        {"params": {"offset": 1}},
        {"params": {"round_decimal": 3}},
        {"consistency_level": common_pb2.Bounded},
        {"guarantee_timestamp": 2},
        {"travel_timestamp": 2},
        {"use_default_consistency": True},
        {"not_return_all_meta": True},
        {"expr_template_values": {"year": schema_pb2.TemplateValue(int64_val=3)}},
        {"db_name": "other"},
    ],
    ids=str,
)
def test_what_differs_travels_apart(hold, other):
    held = hold()
    asked = held.ask_all([search_of(number, **({} if number < 4 else other)) for number in range(8)])
    held.let(20)
    assert are_answered([held.first, *asked])
    assert [0, 1, 2, 3] in held.carried()
    assert all(len({number < 4 for number in call}) == 1 for call in held.carried())


@pytest.mark.parametrize(
    "group",
    [
        placeholders([vector(5) + bytes(4)]),
        placeholders([vector(5)], tag="$1"),
        placeholders([vector(5)], kind=BINARY),
    ],
    ids=["size", "tag", "kind"],
)
def test_vectors_that_differ_in_kind_travel_apart(hold, group):
    held = hold()
    same = held.ask_all([search_of(0), search_of(1)])
    other = held.ask(search_of(5, placeholder_group=group))
    held.let(3)
    assert are_answered([held.first, *same, other])
    assert held.carried() == [[0, 1], [5]]


def number_that_is_none(value):
    return placeholders([numpy.array([7, value, 0, 0], dtype="<f4").tobytes()])


@pytest.mark.parametrize(
    "fields",
    [
        {"search_by_primary_keys": True},
        {"sub_reqs": [milvus_pb2.SubSearchRequest()]},
        {"function_score": schema_pb2.FunctionScore()},
        {"namespace": "tenant"},
        {"highlighter": common_pb2.Highlighter()},
        {"search_aggregation": common_pb2.SearchAggregationSpec()},
        {"function_chains": [schema_pb2.FunctionChain()]},
        {"search_params": pairs(group_by_field="year")},
        {"search_params": pairs(iterator="True")},
        {"search_params": pairs(of_a_later_milvus="1")},
        {"placeholder_group": number_that_is_none(math.nan)},
        {"placeholder_group": number_that_is_none(-math.inf)},
        {"placeholder_group": placeholders([vector(7), vector(8)])},
        {"placeholder_group": placeholders([])},
        {"placeholder_group": placeholders([b"a text"], kind=common_pb2.PlaceholderType.VarChar)},
        {"nq": 2},
        {"nq": 0},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_what_is_not_independent_or_wrong_travels_alone(hold, fields):
    check_alone(hold, (search_of(7, **fields) if fields != {"nq": 0} else without_nq()).SerializeToString())


def without_nq():
    request = search_of(7)
    request.nq = 0
    return request


def test_search_by_keys_travels_alone(hold):
    request = search_of(7)
    request.ids.int_id.data.append(7)
    check_alone(hold, request.SerializeToString())


def test_field_of_a_later_milvus_travels_alone(hold):
    check_alone(hold, search_of(7).SerializeToString() + UNKNOWN_FIELD)


def check_alone(hold, data):
    """Two of them are sent on as they are while another search is held, although there is only one call at a time."""
    held = hold(behaviour=lambda call, context: b"")
    for ident in (501, 502):
        held.client.raw(Frame(REQUEST, ident, b"Search", data).pack())
    held.fake.wait_for("Search", 3)
    assert [call.request for call in held.fake.asked("Search")[1:]] == [data, data]
    held.let(3)
    assert [held.client.reply(ident).code for ident in (501, 502)] == [OK, OK]


def test_compressed_travels_alone(hold):
    held = hold()
    with held.bouncer.channel(compression=grpc.Compression.Gzip) as channel:
        futures = [channel.start("Search", search_of(7, dsl="x" * 4000)) for _ in range(2)]
        held.fake.wait_for("Search", 3)
        held.let(3)
        assert [len(future.result()) > 0 for future in futures] == [True, True]
    assert held.carried() == [[7], [7]]


# ---- what else they bring ----


def test_metadata(hold):
    """That which only traces the call may differ, and the first one's travels; other metadata must agree."""
    held = hold()
    with held.bouncer.channel() as channel:
        futures = []
        for number in range(6):
            own = [("client-request-id", f"{number:032}"), ("tenant", "a" if number < 3 else "b")]
            futures.append(channel.start("Search", search_of(number), metadata=own))
        held.wait_until_read(channel)
        held.let(3)
        replies = [milvus_pb2.SearchResults.FromString(future.result()) for future in futures]
    assert replies == [found(search_of(number)) for number in range(6)]
    assert sorted(map(sorted, held.carried())) == [[0, 1, 2], [3, 4, 5]]
    for call in held.fake.asked("Search")[1:]:
        [number] = {int(value) for value in call.values("client-request-id")}
        assert number == asked_for(call.message())[0]
        assert call.values("tenant") == ["a" if number < 3 else "b"]


# ---- limits of the queue ----


def test_queue_size(hold):
    held = hold(queue_size=2)
    asked = held.ask_all([search_of(0), search_of(1)])
    error = held.client.fails("Search", search_of(2))
    assert is_own(error, RESOURCE_EXHAUSTED, QUEUE), error
    held.let(2)
    assert are_answered([held.first, *asked])
    assert held.carried() == [[0, 1]]


def test_queue_timeout(hold):
    held = hold(queue_timeout="200ms")
    errors = [RequestError(reply_to(asked)) for asked in held.ask_all([search_of(0), search_of(1)])]
    assert all(is_own(error, RESOURCE_EXHAUSTED, QUEUE) for error in errors), errors
    held.let()
    assert is_answered(held.first)
    assert held.carried() == []


def test_deadline_of_one_that_waits(hold):
    """It is its own, whoever came first."""
    held = hold()
    hurried = held.ask(search_of(0), timeout=0.3)
    patient = held.ask_all([search_of(1), search_of(2)])
    error = RequestError(reply_to(hurried))
    assert is_own(error, DEADLINE_EXCEEDED, QUEUE), error
    held.let(2)
    assert are_answered([held.first, *patient])
    assert held.carried() == [[1, 2]]


def test_call_has_the_time_of_its_last_caller(hold):
    held = hold()
    asked = [held.ask(search_of(number), timeout=seconds) for number, seconds in enumerate([10, 25, 15])]
    held.let(2)
    assert are_answered([held.first, *asked])
    assert 15 < held.fake.asked("Search")[1].time_remaining <= 25.1


def test_drain(hold):
    held = hold()
    asked = held.ask_all([search_of(number) for number in range(5)])
    held.bouncer.drain()
    assert held.client.frame().kind == GOAWAY
    held.let(2)
    assert are_answered([held.first, *asked])
    assert held.carried() == [list(range(5))]
