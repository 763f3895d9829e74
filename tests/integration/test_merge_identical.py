# SPDX-License-Identifier: Apache-2.0
"""The same question asked by many at once, where the configuration lets them share the answer."""
from pymilvus.grpc_gen import milvus_pb2

from bouncer import one_pool
from codes import OK
from fake import Gate, answer
from merged import merged

QUERY = milvus_pb2.QueryRequest(collection_name="books", expr="year > 2000")


def held_query(start_bouncer, fake, **merge):
    gate = Gate(answer(milvus_pb2.QueryResults(collection_name="books")))
    fake.on("Query", gate)
    return gate, start_bouncer(one_pool(fake.upstream, merge=merge))


def test_identical(start_bouncer, fake):
    """Those who ask while an answer is on its way share the next."""
    gate, bouncer = held_query(start_bouncer, fake, identical="on")
    with bouncer.plain() as client:
        idents = [client.send("Query", QUERY)]
        fake.wait_for("Query")
        idents += [client.send("Query", QUERY) for _ in range(10)]
        other = client.send("Query", milvus_pb2.QueryRequest(collection_name="books", expr="year > 1999"))
        fake.wait_for("Query", 2)
        gate.open()
        replies = [client.reply(ident) for ident in [*idents, other]]
    assert {reply.code for reply in replies} == {OK}
    assert {milvus_pb2.QueryResults.FromString(reply.payload).collection_name for reply in replies} == {"books"}
    assert fake.count("Query") == 3
    told = merged(bouncer)
    assert (told.reads, told.read_calls) == (10, 1)


def test_identical_is_off_by_default(start_bouncer, fake):
    gate, bouncer = held_query(start_bouncer, fake)
    with bouncer.plain() as client:
        idents = [client.send("Query", QUERY) for _ in range(5)]
        fake.wait_for("Query", 5)
        gate.open()
        assert [client.reply(ident).code for ident in idents] == [OK] * 5


def test_writes_are_never_shared(start_bouncer, fake):
    insert = milvus_pb2.InsertRequest(collection_name="books", num_rows=1)
    fake.on("Insert", gate := Gate(answer(milvus_pb2.MutationResult(insert_cnt=1))))
    with start_bouncer(one_pool(fake.upstream, merge={"identical": "on"})).plain() as client:
        idents = [client.send("Insert", insert) for _ in range(5)]
        fake.wait_for("Insert", 5)
        gate.open()
        assert [client.reply(ident).code for ident in idents] == [OK] * 5
