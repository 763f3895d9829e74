# SPDX-License-Identifier: Apache-2.0
"""Callers that go while their search travels with others: deadlines, cancels, closed connections are their own."""
import grpc
import pytest

from codes import CANCELLED, DEADLINE_EXCEEDED, UPSTREAM, is_own
from fake_search import found, search_of
from merge_held import are_answered, is_answered, reply_to
from mvb1 import RequestError
from waiting import eventually

pytestmark = pytest.mark.each_transport


def test_the_first_who_waits_leaves(hold):
    held = hold()
    asked = held.ask_all([search_of(number) for number in range(4)])
    held.client.cancel(asked[0][1])
    assert reply_to(asked[0]).code == CANCELLED
    held.let(2)
    assert are_answered([held.first, *asked[1:]])
    assert held.carried() == [[1, 2, 3]]


def test_all_who_wait_leave(hold):
    held = hold()
    for _, ident, _ in held.ask_all([search_of(number) for number in range(4)]):
        held.client.cancel(ident)
        assert held.client.reply(ident).code == CANCELLED
    asked = held.ask(search_of(9))
    held.let(2)
    assert are_answered([held.first, asked])
    assert held.carried() == [[9]]


@pytest.mark.parametrize("leaver", range(4))
def test_one_of_a_call_leaves(under_way, leaver):
    under_way.client.cancel(under_way.asked[leaver][1])
    assert reply_to(under_way.asked[leaver]).code == CANCELLED
    under_way.let()
    assert are_answered(under_way.asked[:leaver] + under_way.asked[leaver + 1 :])
    assert not under_way.call.was_cancelled()


def test_call_ends_when_nobody_waits_for_it(under_way):
    """And what comes next does not wait for it."""
    for _, ident, _ in under_way.asked[:-1]:
        under_way.client.cancel(ident)
        assert under_way.client.reply(ident).code == CANCELLED
    assert not under_way.call.ended.is_set()
    under_way.client.cancel(under_way.asked[-1][1])
    eventually(under_way.call.was_cancelled, "the call is cancelled upstream")
    under_way.let(2)
    assert is_answered(under_way.ask(search_of(9)))


def test_client_that_closes_its_connection(hold):
    """While its search waits, and while it is under way."""
    held = hold()
    waits, goes = held.bouncer.plain(), held.bouncer.plain()
    held.ask(search_of(0), waits)
    stays = [held.ask(search_of(1))]
    held.ask(search_of(2), goes)
    before = held.bouncer.count_clients()
    waits.close()
    eventually(lambda: held.bouncer.count_clients() == before - 1, "the one that waits is gone")
    held.let()
    held.fake.wait_for("Search", 2)
    goes.close()
    eventually(lambda: held.bouncer.count_clients() == before - 2, "the one under way is gone")
    held.let()
    assert are_answered([held.first, *stays])
    assert held.carried() == [[1, 2]]


def test_deadline_of_one_under_way(hold):
    """It alone is told so."""
    held = hold()
    asked = held.ask_all([search_of(number) for number in range(3)])
    hurried = held.ask(search_of(3), timeout=1)
    asked.append(held.ask(search_of(4)))
    held.let()
    held.fake.wait_for("Search", 2)
    error = RequestError(reply_to(hurried))
    assert is_own(error, DEADLINE_EXCEEDED, UPSTREAM), error
    held.let()
    assert are_answered([held.first, *asked])
    assert held.carried() == [[0, 1, 2, 3, 4]]


def test_grpc_callers_that_go(hold):
    """One has no time left, one cancels; the third is answered."""
    held = hold()
    with held.bouncer.channel() as channel:
        hurried = channel.start("Search", search_of(0), timeout=1)
        fickle = channel.start("Search", search_of(1))
        patient = channel.start("Search", search_of(2))
        held.wait_until_read(channel)
        held.let()
        held.fake.wait_for("Search", 2)
        fickle.cancel()
        assert hurried.exception().code() == grpc.StatusCode.DEADLINE_EXCEEDED
        held.let()
        assert patient.result() == found(search_of(2)).SerializeToString()
    assert is_answered(held.first)
    assert sorted(held.carried()[0]) == [0, 1, 2]


def test_one_millisecond_left(hold):
    held = hold()
    asked = held.ask_all([search_of(number) for number in range(3)])
    hurried = held.ask(search_of(3), timeout=0.001)
    assert reply_to(hurried).code == DEADLINE_EXCEEDED
    held.let(2)
    assert are_answered([held.first, *asked])
