# SPDX-License-Identifier: Apache-2.0
"""What each program does, step by step, and what comes out of it.

A program is told everything in its environment: SDK_URI; SDK_USER and SDK_PASSWORD where it goes to Milvus directly;
SDK_PREFIX, with which each of its names begins; SDK_DATABASE, which it makes and drops. It takes these steps in this
order, each caught by itself, and prints a line of JSON for each: step, ok, result (null unless ok), error (null if
ok). In the database `default` it makes the collection books: id, title, vector of four, FLAT and L2; row `id` has
title `t<id>` and vector [id, 1, 0, 0].
"""
from dataclasses import dataclass
from typing import Any

PREFIX = "PREFIX"  # stands for the names of a run
DEADLINE = "deadline exceeded"  # stands for the words of whoever noticed first


@dataclass(frozen=True)
class Step:
    title: str
    result: Any = None
    error: str = ""  # a pattern; the step is one that must fail


STEPS = {
    "connect": Step("connect by URI", []),
    "connect_with_timeout": Step("connect with a timeout", []),
    "server_version": Step("server version"),
    "create_database": Step("create a database", [f"{PREFIX}_db"]),
    "connect_with_database": Step("connect with a database", []),
    "create_with_schema": Step("create a collection with schema and index in one call", ["vector"]),
    "create_by_dimension": Step("create a collection by its dimension alone", ["vector"]),
    "insert": Step("insert", 10),
    "upsert": Step("upsert", 2),
    "search": Step("search", [[[2, 0.04], [3, 0.64], [1, 1.44]], ["t2", "t3", "t1"]]),
    "query": Step("query, and count(*)", [[[9, "t9"], [10, "new"], [11, "new"]], 11]),
    "get": Step("get", [[1, "t1"], [11, "new"]]),
    "delete": Step("delete by key and by filter", [4, 5]),
    "hybrid_search": Step("hybrid search", [[6, 0.033], [5, 0.032], [7, 0.016], [4, 0.016]]),
    "describe": Step("describe collection and index", [["id", "title", "vector"], "L2"]),
    "alias": Step("make and use an alias", [7]),
    "describe_alias": Step("describe an alias", f"{PREFIX}_books"),
    "drop_alias": Step("drop an alias", False),
    "partition": Step("make, fill and query a partition", [["_default", "p1"], [101, 102]]),
    "drop_partition": Step("release, drop a partition, load", ["_default"]),
    "two_clients": Step("two clients of a process on two databases at once", [[1, 2, 3], [4, 5, 6]]),
    "switch_database": Step("switch the database and back", [[f"{PREFIX}_twin"], [4, 5, 6], [1, 2, 3]]),
    "deadline_kept": Step("a deadline that is kept", 8),
    "deadline_over": Step("a deadline that passes", error=f"^{DEADLINE}$"),
    "missing_collection": Step("the error of a missing collection", error=rf"\b100: .*{PREFIX}_books_missing"),
    "bad_filter": Step("the error of a wrong filter", error="no_such_field"),
    "drop": Step("drop collections", [[], False]),
    "drop_database": Step("drop a database", []),
}

VERSIONS = {"lite": "milvus_lite-3.2.2", "milvus": "v2.3.5-lite"}


@dataclass(frozen=True)
class Failure:
    """What an SDK cannot do at a server, with the daemon or without."""

    error: str  # a pattern
    why: str


_HYBRID = Failure(r"(?i)unimplemented.*unknown method HybridSearch", "Milvus 2.3.5 has no HybridSearch")
_OLD_FOR_PYMILVUS = {
    "hybrid_search": _HYBRID,
    "switch_database": Failure(
        "UNIMPLEMENTED: unknown method DescribeDatabase",
        "pymilvus asks for the database first, with DescribeDatabase, which Milvus 2.3.5 has not",
    ),
}
_TIMESTAMP = Failure(
    "^UNIMPLEMENTED: Method not implemented!$",
    "once the index is made, this client asks for AllocTimestamp, which Milvus Lite has not",
)
_INDEX_TYPE = Failure("missing required 'index_type' parameter", "Milvus Lite wants an index_type, and they send none")
FAILURES = {
    ("milvus", "pymilvus"): _OLD_FOR_PYMILVUS,
    ("milvus", "pymilvus_async"): _OLD_FOR_PYMILVUS,
    # It takes UNIMPLEMENTED for a success without a reply.
    ("milvus", "node"): {"hybrid_search": Failure("^TypeError", _HYBRID.why)},
    ("milvus", "go"): {"hybrid_search": _HYBRID},
    ("milvus", "java"): {"hybrid_search": _HYBRID},
    ("lite", "pymilvus_async"): {"create_with_schema": _TIMESTAMP, "create_by_dimension": _TIMESTAMP},
    ("lite", "node"): {"create_by_dimension": _INDEX_TYPE},
    ("lite", "go"): {"create_by_dimension": _INDEX_TYPE},
    # It must fail, and does so in Java's own words.
    ("lite", "java"): {"bad_filter": Failure("unknown enum value", "Lite's error code is none that Java knows")},
}


def failure(server, sdk, step):
    return FAILURES.get((server, sdk), {}).get(step)


def expected_error(server, sdk, step):
    """The pattern that the error of a step matches; empty when it succeeds."""
    known = failure(server, sdk, step)
    return known.error if known else STEPS[step].error


def expected_result(server, step):
    return VERSIONS[server] if step == "server_version" else STEPS[step].result
