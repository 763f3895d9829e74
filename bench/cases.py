# SPDX-License-Identifier: Apache-2.0
"""What is asked of all candidates."""
from typing import NamedTuple

from candidates import NOTHING

MILVUS, LITE = "Milvus 2.3.5", "Milvus Lite"
MIXED, FILTERS = "Search-mixed", 8  # requests with so many different filters
HITS = 10  # of each search where merging is measured


class Case(NamedTuple):
    name: str
    method: str
    clients: int
    each: int  # requests in flight of a client
    share: int = 1  # every so many-th of the requests is made
    tls: bool = False  # to the upstream; there is no direct way then, for the clients have none
    first: bool = False  # each request is the first on its connection, behind a Connect
    cache: bool = False  # about what the daemon answers itself: no peer has that
    asked: str = ""  # where the requests are, if not at the method's name
    hits: int = 0  # that each reply must have; none: it is not looked into
    plain: bool = True  # over the plain protocol as well

    def in_flight(self):
        return self.clients * self.each

    def has(self, candidate):
        if self.cache and not candidate.is_ours():
            return candidate.proxy == NOTHING
        if candidate.client == "plain" and not self.plain:
            return False
        return bool(candidate.proxy) or not self.tls


CASES = (
    Case("1x1", "Search", 1, 1),
    Case("4x16", "Search", 4, 16),
    Case("64x4", "Search", 64, 4),
    Case("1000x1", "Search", 1000, 1),
    Case("512KB-requests", "Insert", 4, 4, share=20),
    Case("1MB-replies", "Query", 4, 4, share=40),
    Case("TLS-4x16", "Search", 4, 16, tls=True),
    # The first question on a connection may be answered from memory, a repeat is forwarded (docs/internals/cache.md).
    # It stands beside one that is always forwarded, as a connection that is used once is slower than another.
    Case("Describe-cached", "DescribeCollection", 1, 1, share=10, first=True, cache=True),
    Case("Has-forwarded", "HasCollection", 1, 1, share=10, first=True, cache=True),
    Case("Connect-cached", "Connect", 1, 1, share=2, cache=True),
    Case("Describe-forwarded", "DescribeCollection", 1, 1, share=2, cache=True),
)
MILVUS_CASES = (
    Case("search-1-client", "Search", 1, 1),
    Case("search-32-clients", "Search", 32, 1),
    Case("Describe-cached", "DescribeCollection", 1, 1, first=True),
    Case("Describe-forwarded", "DescribeCollection", 1, 1),
    Case("Connect-cached", "Connect", 1, 1),
)


def searches(server, clients, share=1, asked="", plain=False):
    """Of one vector each, one in flight of each client."""
    what = f", {FILTERS} filters" if asked == MIXED else ""
    name = f"{server}, {clients} client{'s' if clients > 1 else ''}{what}"
    return Case(name, "Search", clients, 1, share=share, asked=asked, hits=HITS, plain=plain)


MERGING_CASES = {
    MILVUS: (
        searches(MILVUS, 1, share=4),
        searches(MILVUS, 8, share=2),
        searches(MILVUS, 32),
        searches(MILVUS, 64, plain=True),
        searches(MILVUS, 256),
        searches(MILVUS, 64, asked=MIXED),
    ),
    LITE: (
        *(searches(LITE, clients, share=4) for clients in (1, 8)),
        *(searches(LITE, clients, share=2) for clients in (32, 64)),
        searches(LITE, 256),
    ),
}
