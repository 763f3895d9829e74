# SPDX-License-Identifier: Apache-2.0
"""Loads of the SDK (programs/load.py) on two collections, and whether what they were told is what is there."""
import collections
import contextlib
import json
import signal

from pymilvus import DataType

from processes import Process
from programs.load import DIM, FIRST_ROWS, vector
from sdk_client import KEY, VECTOR, count, create_collection, direct_client, program
from waiting import eventually

KINDS = {"search", "keyed", "auto"}
LIMIT = 60  # seconds; Milvus takes its time when it starts again


class Load:
    """mode: sync or async."""

    def __init__(self, mode, uri, collection, directory):
        self.process = Process(program("load", mode, uri, collection), directory / f"load-{mode}.log")

    def outcomes(self):
        """Those so far; a line that is being written is left out."""
        lines = self.process.log_text().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def errors(self):
        return [outcome for outcome in self.outcomes() if "error" in outcome]

    def went_well(self):
        """How often, by kind."""
        return collections.Counter(outcome["what"] for outcome in self.outcomes() if "error" not in outcome)

    def goes_on(self, more=10):
        """Waits until so many more of each kind went well."""
        before = self.went_well()

        def are_more():
            assert self.process.is_alive(), self.process.log_text()
            now = self.went_well()
            return all(now[kind] >= before[kind] + more for kind in KINDS)

        eventually(are_more, "the load goes on", LIMIT)

    def meets(self, text):
        """Waits until something more fails with it."""
        before = len(self.errors())
        eventually(
            lambda: any(text in outcome["error"] for outcome in self.errors()[before:]),
            f"the load meets {text}",
            LIMIT,
        )

    def stop(self):
        """Lets it end what is under way."""
        self.process.signal(signal.SIGTERM)
        code = self.process.wait(LIMIT)
        assert code == 0, self.process.log_text()

    def kill(self):
        self.process.kill()


@contextlib.contextmanager
def loads(uri, collection, directory):
    """One of each kind of client."""
    both = [Load(mode, uri, collection, directory) for mode in ("sync", "async")]
    try:
        yield both
        for load in both:
            load.stop()
    finally:
        for load in both:
            load.kill()


def prepare(server, name):
    """The collections, with the rows that are searched for."""
    with direct_client(server) as client:
        create_collection(client, name, DIM)
        create_collection(client, f"{name}_auto", DIM, auto_id=True, tag=DataType.INT64)
        client.insert(name, [{KEY: key, VECTOR: vector(key)} for key in range(FIRST_ROWS)])


def keys_in(client, name, field):
    """Of the loads' rows, each as often as it is there."""
    rows = client.query(name, filter=f"{field} >= {FIRST_ROWS}", output_fields=[field], consistency_level="Strong")
    return collections.Counter(row[field] for row in rows)


def check_rows(client, name, field, outcomes, others):
    """Each insert that went well is there, none twice, and none that was not sent; others: rows besides them."""
    there = keys_in(client, name, field)
    assert set(there.values()) <= {1}
    assert count(client, name) == others + len(there), "a row is there twice"
    sent = {outcome["key"] for outcome in outcomes}
    done = {outcome["key"] for outcome in outcomes if "error" not in outcome}
    assert done <= set(there) <= sent


def check(server, name, both):
    """That no answer was wrong and nothing was lost or done twice; the loads have ended."""
    outcomes = [outcome for load in both for outcome in load.outcomes()]
    by_kind = {kind: [outcome for outcome in outcomes if outcome["what"] == kind] for kind in KINDS}
    assert [o for o in by_kind["search"] if "error" not in o and o["found"] != o["key"]] == []
    with direct_client(server) as client:
        check_rows(client, name, KEY, by_kind["keyed"], others=FIRST_ROWS)
        check_rows(client, f"{name}_auto", "tag", by_kind["auto"], others=0)


def drop(server, name):
    with direct_client(server) as client:
        client.drop_collection(name)
        client.drop_collection(f"{name}_auto")
