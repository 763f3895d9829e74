# SPDX-License-Identifier: Apache-2.0
"""What is asked of all candidates."""
from typing import NamedTuple

from candidates import NOTHING


class Case(NamedTuple):
    name: str
    method: str
    clients: int
    each: int  # requests in flight of a client
    share: int = 1  # every so many-th of the requests is made
    tls: bool = False  # to the upstream; there is no direct way then, for the clients have none
    first: bool = False  # each request is the first on its connection, behind a Connect
    cache: bool = False  # about what the daemon answers itself: no peer has that

    def in_flight(self):
        return self.clients * self.each

    def has(self, candidate):
        if self.cache and not candidate.is_ours():
            return candidate.proxy == NOTHING
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
