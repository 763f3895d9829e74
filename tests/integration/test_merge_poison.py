# SPDX-License-Identifier: Apache-2.0
"""Bad neighbours: whatever becomes of one search, the others that travel with it get what they would have got alone."""
import contextlib
import math
import os
import signal
import threading

import grpc
import numpy
import pytest
from pymilvus.grpc_gen import common_pb2, milvus_pb2

import merge_compare
import messages
from bouncer import one_pool
from channel import Channel
from codes import OK, UNAVAILABLE
from fake import Fake, fail
from fake_search import Turnstile, asked_for, carried, found, hits, placeholders, search_of
from merge_compare import differences
from merge_held import are_answered, reply_to
from merged import merged
from messages import checked
from servers import Lite
from waiting import eventually

pytestmark = pytest.mark.each_transport

DIM, ROWS = 8, 300
GOOD = 8  # searches that nothing is wrong with, beside the bad ones


# ---- real servers ----


def vectors():
    return numpy.random.default_rng(7).integers(-100, 100, (ROWS, DIM)).astype("<f4")


def fill(direct, name):
    checked(direct.call("CreateCollection", messages.create_collection(name, DIM)))
    checked(direct.call("CreateIndex", messages.create_index(name)))
    checked(direct.call("LoadCollection", milvus_pb2.LoadCollectionRequest(collection_name=name)))
    checked(direct.call("Insert", messages.insert(name, range(ROWS), vectors())))
    checked(direct.call("Search", search(name, 0)))  # is Strong: what comes later sees the rows


def search(name, number, values=None, **fields):
    request = messages.search(name, vectors()[number], 5)
    request.consistency_level, request.guarantee_timestamp = common_pb2.Eventually, 1
    if values is not None:
        request.placeholder_group = placeholders([numpy.asarray(values, dtype="<f4").tobytes()])
    request.MergeFrom(milvus_pb2.SearchRequest(**fields))
    return request


def outcome(frame):
    """What a caller sees: the reply, or code and text."""
    return frame.payload if frame.code == OK else (frame.code, frame.text)


def outcome_alone(direct, request):
    try:
        return direct.call_bytes("Search", request.SerializeToString())
    except grpc.RpcError as error:
        return error.code().value[0], error.details().encode()


@contextlib.contextmanager
def paused(server):
    """It answers nothing meanwhile, so that what is asked piles up before it."""
    os.killpg(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(server.process.pid, signal.SIGCONT)


def same(expected, got):
    if isinstance(expected, tuple) or isinstance(got, tuple):
        return expected == got
    return not differences(expected, got, merge_compare.OF_MILVUS) - {merge_compare.ORDER}


NAN = [math.nan] + [1.0] * (DIM - 1)
BAD = {
    "wrong dimension": lambda name: [search(name, n, values=[1.0] * (DIM - 1)) for n in range(3)],
    "NaN": lambda name: [search(name, n, values=NAN) for n in range(3)],
    "bad filter": lambda name: [search(name, n, dsl="no_such_field > 3") for n in range(3)],
    "no filter": lambda name: [search(name, n, dsl=")(") for n in range(3)],
    "missing collection": lambda name: [search("no_such_collection", n) for n in range(3)],
    "missing field": lambda name: [search(name, n, output_fields=["no_such_field"]) for n in range(3)],
    "missing partition": lambda name: [search(name, n, partition_names=["no_such_partition"]) for n in range(3)],
    "limit": lambda name: [search(name, n, search_params=messages.pairs(topk=100_000)) for n in range(3)],
}


@pytest.fixture(scope="module", params=["lite", "milvus"])
def filled(request):
    server = request.getfixturevalue(request.param)
    direct = server.direct()
    fill(direct, "merge_poison")
    yield server, direct
    direct.call("DropCollection", milvus_pb2.DropCollectionRequest(collection_name="merge_poison"))
    direct.close()


def test_bad_ones_among_good_ones(filled, start_bouncer):
    """All at once, each kind thrice, on a server that has piled them up."""
    server, direct = filled
    requests = [search("merge_poison", number) for number in range(GOOD)]
    for make in BAD.values():
        requests += make("merge_poison")
    order = numpy.random.default_rng(1).permutation(len(requests))
    expected = [outcome_alone(direct, request) for request in requests]
    bouncer = start_bouncer(one_pool(server.upstream, merge={"calls": 1}), server.network)
    with bouncer.plain() as client:
        with paused(server):
            idents = {number: client.send("Search", requests[number]) for number in order}
            client.ping()
        got = [outcome(client.reply(idents[number])) for number in range(len(requests))]
    wrong = [(request, a, b) for request, a, b in zip(requests, expected, got) if not same(a, b)]
    assert not wrong
    told = merged(bouncer)
    assert told.searches > 2 * len(BAD) and told.failed >= 3, told


@pytest.mark.parametrize("change", ["DropCollection", "ReleaseCollection"])
def test_collection_goes_while_searches_are_under_way(each_milvus, start_bouncer, name, change):
    """Each is answered with its hits or as the server answers when it is gone."""
    direct = each_milvus.direct()
    fill(direct, name)
    requests = [search(name, number) for number in range(GOOD)]
    here = [outcome_alone(direct, request) for request in requests]
    bouncer = start_bouncer(one_pool(each_milvus.upstream, merge={"calls": 1}), each_milvus.network)
    answers, is_over = [], threading.Event()

    def ask(number):
        with bouncer.plain() as client:
            while not is_over.is_set():
                answers.append((number, outcome(client.reply(client.send("Search", requests[number])))))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(GOOD)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(answers) > 20 * GOOD, "it goes well")
    message = {
        "DropCollection": milvus_pb2.DropCollectionRequest,
        "ReleaseCollection": milvus_pb2.ReleaseCollectionRequest,
    }[change](collection_name=name)
    checked(direct.call(change, message))
    gone_at = len(answers)
    eventually(lambda: len(answers) > gone_at + 20 * GOOD, "it goes on")
    is_over.set()
    for thread in threads:
        thread.join()
    failed = [got for number, got in answers if not isinstance(got, bytes) or not same_or_gone(here[number], got)]
    assert not failed
    last = milvus_pb2.SearchResults.FromString(answers[-1][1]).status
    alone = milvus_pb2.SearchResults.FromString(outcome_alone(direct, requests[0])).status
    assert (last.code, last.error_code) == (alone.code, alone.error_code) != (0, 0)
    direct.close()


def same_or_gone(expected, got):
    """While it releases a collection 2.3.5 finds nothing in it and says success, also to a search that comes alone."""
    reply = milvus_pb2.SearchResults.FromString(got)
    is_gone = reply.status.code != 0 or reply.status.error_code != 0 or reply.status.reason == "search result is empty"
    return is_gone or same(expected, got)


def test_lite_that_dies_and_comes_back(start_bouncer, tmp_path, name):
    """Those under way are told so, or answered once it is back; whoever comes later is answered."""
    lite = Lite(tmp_path / "lite")
    try:
        direct = lite.direct()
        fill(direct, name)
        bouncer = start_bouncer(one_pool(lite.upstream, merge={"calls": 1}))
        requests = [search(name, number) for number in range(GOOD)]
        expected = [outcome_alone(direct, request) for request in requests]
        with bouncer.plain() as client:
            client.call("Search", requests[0])
            lite.pause()
            idents = [client.send("Search", request) for request in requests]
            client.ping()
            lite.stop()
            lite.start()
            load = milvus_pb2.LoadCollectionRequest(collection_name=name)
            with Channel(f"127.0.0.1:{lite.port}") as channel:
                checked(channel.call("LoadCollection", load))
            replies = [client.reply(ident) for ident in idents]
            assert {reply.code for reply in replies} <= {OK, UNAVAILABLE}, replies

            def is_back():
                return client.reply(client.send("Search", requests[0])).code == OK

            eventually(is_back, "service is back")
            again = [client.send("Search", request) for request in requests]
            assert [outcome(client.reply(ident)) for ident in again] == expected
        direct.close()
    finally:
        lite.stop()


# ---- upstreams that fail ----


class Bad:
    """A behaviour: calls with more than one vector, or with the one that is bad, do as told; others get their hits."""

    def __init__(self, many, bad=None, vector=13):
        self.many, self.bad, self.vector = many, bad or many, vector

    def __call__(self, call, context):
        numbers = asked_for(call.message())
        if len(numbers) > 1:
            return self.many(call, context)
        return (self.bad if numbers == [self.vector] else hits)(call, context)


def refusal(call, context):
    status = common_pb2.Status(code=1100, error_code=common_pb2.IllegalArgument, reason="no such vector")
    return milvus_pb2.SearchResults(status=status).SerializeToString()


def run_bad(hold, many, bad=None):
    """Five searches, of which one is bad: what held them, and its frame."""
    held = hold(behaviour=Bad(many, bad))
    asked = held.ask_all([search_of(number) for number in (10, 11, 12, 13, 14)])
    held.let(7)
    assert are_answered([held.first, *asked[:3], asked[4]])
    frame = reply_to(asked[3])
    assert held.carried()[0] == [10, 11, 12, 13, 14]
    assert sorted(held.carried()[1:]) == [[10], [11], [12], [13], [14]]
    return held, frame


def test_merged_call_that_is_refused(hold):
    held, frame = run_bad(hold, refusal)
    assert milvus_pb2.SearchResults.FromString(frame.payload).status.reason == "no such vector"
    assert merged(held.bouncer).failed == 1


def test_merged_call_that_ends_with_a_code_of_grpc(hold):
    held, frame = run_bad(hold, fail(grpc.StatusCode.INTERNAL, "out of order"))
    assert (frame.code, frame.text) == (grpc.StatusCode.INTERNAL.value[0], b"out of order")
    assert merged(held.bouncer).failed == 1


def changed(change):
    """The hits of all, with something that is not understood."""

    def behave(call, context):
        reply = found(call.message())
        change(reply)
        return reply.SerializeToString()

    return behave


def append(data):
    return lambda call, context: hits(call, context) + data


NOT_UNDERSTOOD = {
    "field of a later Milvus": append(b"\xfa\xff\x7f\x05hello"),
    "no protobuf": append(b"\x0a\xff"),
    "empty": lambda call, context: b"",
    "count of vectors": changed(lambda reply: reply.results.topks.pop()),
    "count of hits": changed(lambda reply: reply.results.scores.pop()),
    "count of keys": changed(lambda reply: reply.results.ids.int_id.data.append(5)),
    "count of values": changed(lambda reply: reply.results.fields_data[0].scalars.string_data.data.pop()),
    "grouping": changed(lambda reply: reply.results.group_by_field_value.SetInParent()),
    "highlighter": changed(lambda reply: reply.results.highlight_results.add(field_name="title")),
    "cost": changed(lambda reply: reply.status.extra_info.update({"report_value": "17"})),
}


@pytest.mark.parametrize("what", NOT_UNDERSTOOD)
def test_reply_that_is_not_understood(hold, what):
    """Falls back; and the shape is not merged after it, while another one is."""
    held, frame = run_bad(hold, NOT_UNDERSTOOD[what], hits)
    assert milvus_pb2.SearchResults.FromString(frame.payload) == found(search_of(13))
    held.fake.on("Search", after := Turnstile())
    count = held.fake.count("Search")
    shy = held.ask_all([search_of(number) for number in (20, 21)])
    held.fake.wait_for("Search", count + 2)
    other = held.ask_all([search_of(number, limit=2) for number in (30, 31, 32)])
    after.let(5)
    assert are_answered([*shy, *other])
    assert sorted(carried(held.fake)[count:]) == [[20], [21], [30], [31, 32]]
    assert merged(held.bouncer).not_understood == 1


def test_error_is_forgotten_after_a_second(hold):
    held, _ = run_bad(hold, refusal)
    held.fake.on("Search", after := Turnstile())

    def are_merged():
        count = held.fake.count("Search")
        asked = held.ask_all([search_of(number) for number in range(5)])
        after.let(5)
        assert are_answered(asked)
        return [1, 2, 3, 4] in carried(held.fake)[count:]

    eventually(are_merged, "they travel together again")


def test_upstream_that_dies_in_the_middle(under_way):
    """Its searches are sent once more, each alone, to the one that takes its place."""
    fake = under_way.fake
    fake.stop()
    second = Fake(fake.port)
    try:
        second.on("Search", hits)
        assert are_answered(under_way.asked)
        assert sorted(carried(second)) == [[0], [1], [2], [3]]
    finally:
        second.stop()
    told = merged(under_way.bouncer)
    assert told.failed + told.lost == 1, told  # the fake's library may say good-bye
