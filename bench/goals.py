# SPDX-License-Identifier: Apache-2.0
"""What the daemon is to reach, as ratios within one run, and whether it does."""
from typing import NamedTuple

from candidates import DIRECT, TRANSPORTS, ours
from cases import LITE, MILVUS, MIXED, searches
from loads import median

PGBOUNCER_IDLE_KIB = 8.4 * 1024  # 1.18 of Debian 12; PgBouncer itself is not part of a run
PGBOUNCER_CLIENT_BYTES = 2048
CPU = "cpu_us"


class Goal(NamedTuple):
    what: str
    limit: float
    ratios: list  # of each round, or one alone; empty: not measured
    is_least: bool = False  # more is better

    def met(self):
        if not self.ratios:
            return False
        return median(self.ratios) >= self.limit if self.is_least else median(self.ratios) <= self.limit

    def wanted(self):
        return f"at {'least' if self.is_least else 'most'} {self.limit:.2f}"

    def row(self):
        return {"goal": self.what, "wanted": self.wanted(), "limit": self.limit, "measured": median(self.ratios),
                "met": self.met(), "ratios": self.ratios}  # fmt: skip

    def cells(self):
        if not self.ratios:
            return [self.what, self.wanted(), "not measured", ""]
        spread = f"{median(self.ratios):.2f} ({min(self.ratios):.2f} to {max(self.ratios):.2f})"
        return [self.what, self.wanted(), spread, "yes" if self.met() else "no"]


def ratios(mine, others):
    """Round by round; without those where there is nothing to compare with."""
    return [a / b for a, b in zip(mine, others) if b > 0]


def cpu(measured, case, client, transport, peers=("haproxy",)):
    """To the peer that takes the least in the round."""
    theirs = [measured.values(case, peer, CPU) for peer in peers]
    return ratios(measured.values(case, ours(client, transport), CPU), [min(row) for row in zip(*theirs)])


def added(measured, key, transport):
    """Of latency, over going direct."""
    mine, its = (measured.added("1x1", who, key, DIRECT) for who in (ours("grpc", transport), "haproxy"))
    return ratios(mine, its)


def cached(measured, case, forwarded, transport):
    return ratios(*(measured.values(one, ours("grpc", transport), CPU) for one in (case, forwarded)))


def one(memory, who, key, limit):
    """To a figure, or to that of another candidate."""
    figures = memory.get(who)
    base = memory.get(limit, {}).get(key) if isinstance(limit, str) else limit
    return ratios([figures[key]], [base]) if figures and base else []


def through(calls, transport):
    who = ours("grpc", transport)
    return ratios(*(calls.values("search-1-client", one, "p50_us") for one in (who, DIRECT)))


def of_merging(merged):
    merging = ours("grpc", "on")

    def to_direct(case, key):
        return ratios(*(merged.values(case.name, who, key) for who in (merging, DIRECT)))

    many, many_on_lite, mixed = searches(MILVUS, 64), searches(LITE, 64), searches(MILVUS, 64, asked=MIXED)
    return [
        *(Goal(f"merging, {case.name}, queries a second, to direct", limit, to_direct(case, "per_second"), True)
          for case, limit in ((many, 5), (many_on_lite, 10), (mixed, 2))),
        *(Goal(f"merging, {case.name}, p50, to direct", limit, to_direct(case, "p50_us"))
          for case, limit in ((many, 0.25), (searches(MILVUS, 1), 1.03), (searches(LITE, 1), 1.03))),
        Goal(f"merging, {many.name}, CPU a search, us", 30, merged.values(many.name, merging, CPU)),
    ]  # fmt: skip


def goals(measured, memory, calls, merged, transport=TRANSPORTS[0]):
    grpc, plain = ours("grpc", transport), ours("plain", transport)
    large = ("haproxy", "nginx")
    return [
        *(Goal(f"CPU a request over gRPC, {case}, to HAProxy's", 0.7, cpu(measured, case, "grpc", transport))
          for case in ("4x16", "64x4", "1000x1")),
        Goal("CPU a request over the plain protocol, 4x16, to HAProxy's", 0.4,
             cpu(measured, "4x16", "plain", transport)),
        Goal("added latency p50, 1x1, to HAProxy's", 0.7, added(measured, "p50_us", transport)),
        Goal("added latency p99, 1x1, to HAProxy's", 0.7, added(measured, "p99_us", transport)),
        *(Goal(f"CPU, {case}, to nginx's or HAProxy's, whichever is less", 1.0,
               cpu(measured, case, "grpc", transport, large))
          for case in ("512KB-requests", "1MB-replies")),
        *(Goal(f"CPU of {case} to that of {forwarded}", 0.5, cached(measured, case, forwarded, transport))
          for case, forwarded in (("Describe-cached", "Has-forwarded"), ("Connect-cached", "Describe-forwarded"))),
        Goal("idle gRPC client, to HAProxy's", 1.0, one(memory, grpc, "per_idle_client_bytes", "haproxy")),
        Goal("idle plain client, to PgBouncer's 2 KiB", 1.0,
             one(memory, plain, "per_idle_client_bytes", PGBOUNCER_CLIENT_BYTES)),
        Goal("idle daemon, to PgBouncer's 8.4 MiB", 1.0, one(memory, grpc, "idle_kib", PGBOUNCER_IDLE_KIB)),
        Goal("search on Milvus through us, p50, to direct", 1.03, through(calls, transport)),
        *of_merging(merged),
    ]  # fmt: skip
