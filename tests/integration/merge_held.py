# SPDX-License-Identifier: Apache-2.0
"""A daemon that has one search under way at a fake, which is held, so that others wait behind it and go together."""
from pymilvus.grpc_gen import milvus_pb2

from bouncer import configuration
from codes import OK
from fake_search import Turnstile, carried, found, hits, search_of

FIRST = 1000  # the number of the vector that is held


class Held:
    """merge: added to one call at a time; settings: others of the database."""

    def __init__(self, start_bouncer, fake, merge=None, behaviour=hits, **settings):
        self.fake = fake
        self.turnstile = Turnstile(behaviour)
        fake.on("Search", self.turnstile)
        database = {"upstream": "main", "merge": {"calls": 1, **(merge or {})}, **settings}
        databases = {"default": database, "other": database}
        self.bouncer = start_bouncer(configuration(fake.upstream, databases=databases))
        self.client = self.bouncer.plain()
        self.first = self.ask(search_of(FIRST))
        fake.wait_for("Search")

    def ask(self, request, client=None, **options):
        """Sends it, and returns what is needed to check its answer; the daemon has read it by then."""
        client = client or self.client
        ident = client.send("Search", request, **options)
        client.ping()
        return client, ident, request

    def ask_all(self, requests):
        return [self.ask(request) for request in requests]

    def wait_until_read(self, channel):
        """What was sent over a channel before."""
        channel.call("GetVersion", milvus_pb2.GetVersionRequest())

    def let(self, calls=1):
        self.turnstile.let(calls)

    def carried(self):
        """Of the calls behind the first."""
        return carried(self.fake)[1:]

    def close(self):
        self.client.close()


def reply_to(asked):
    client, ident, _ = asked
    return client.reply(ident)


def is_answered(asked):
    """As if it had been alone."""
    frame = reply_to(asked)
    assert frame.code == OK, frame
    assert milvus_pb2.SearchResults.FromString(frame.payload) == found(asked[2])
    return True


def are_answered(all_asked):
    return all([is_answered(asked) for asked in all_asked])
