# SPDX-License-Identifier: Apache-2.0
"""The page of a run: goals, tables and their plots."""
from candidates import DIRECT, label
from cases import CASES, MILVUS_CASES
from loads import median
from real_milvus import STORM
from over_rest import PACKED, REST, SDK, V1
from table import Table

MEMORY = {
    "idle_kib": ("idle, KiB", 1),
    "idle_own_kib": ("of which its own, KiB", 1),
    "per_idle_client_bytes": ("an idle client, KiB", 1024),
    "peak_64x4_kib": ("peak, 64x4, KiB", 1),
    "peak_1MB_replies_kib": ("peak, 1MB-replies, KiB", 1),
}
LOADS = {"seconds": "seconds", "requests": "requests to Milvus", "connections": "connections to Milvus"}


def grid(name, title, note, cases, whose, figure, form=None, head="case"):
    """A table whose figures come from figure(row, candidate), without rows that have none."""
    rows = {case: [figure(case, who) for who in whose] for case in cases}
    rows = {case: figures for case, figures in rows.items() if any(one is not None for one in figures)}
    return Table(name, title, note, head, [label(who) for who in whose], rows, form)


def of_rounds(measured, key):
    return lambda case, who: median(measured.values(case, who, key))


def ratios_to(measured, key, base):
    def figures(case, who):
        pairs = zip(measured.values(case, who, key), measured.values(case, base, key))
        return [mine / its for mine, its in pairs if its]

    return figures


def ratio_to(measured, key, base):
    return lambda case, who: median(ratios_to(measured, key, base)(case, who))


def of_proxies(measured):
    cases, whose = [case.name for case in CASES], measured.candidates()
    proxies = [who for who in whose if who != DIRECT]
    for_all = "Medians of the rounds."
    return [
        grid("cpu-ratio", "CPU a request, HAProxy's is 1", "Medians of the ratios in each round.", cases, proxies,
             ratio_to(measured, "cpu_us", "haproxy"), "{:.2f}"),
        grid("cpu", "CPU a request, us", f"All threads of the proxy, as the kernel accounts them. {for_all}", cases,
             proxies, of_rounds(measured, "cpu_us")),
        grid("rate", "Requests a second", f"Client, proxy and upstream share the cores. {for_all}", cases, whose,
             of_rounds(measured, "per_second")),
        *(grid(f"added-{key}", f"Added latency {key}, us", f"Over going direct in the same round. {for_all}", cases,
               proxies, lambda case, who, key=key: median(measured.added(case, who, f"{key}_us", DIRECT)))
          for key in ("p50", "p99")),
    ]  # fmt: skip


def of_memory(memory):
    def figure(row, who):
        key = next(key for key, (name, _) in MEMORY.items() if name == row)
        return memory[who][key] / MEMORY[key][1]

    names = [name for name, _ in MEMORY.values()]
    note = "Resident, with pages that processes share. Each idle client has made a call."
    return [grid("memory", "Memory", note, names, list(memory), figure, head="")]


def of_milvus(calls, storms):
    cases, whose = [case.name for case in MILVUS_CASES], calls.candidates()
    keys = {name: key for key, name in LOADS.items()}
    storm = "Processes that start at once: each connects, describes a collection and searches it, by pymilvus."
    return [
        *(grid(f"milvus-{key}", f"Latency on Milvus 2.3.5, {key}, us", "Medians of the rounds.", cases, whose,
               of_rounds(calls, f"{key}_us"))
          for key in ("p50", "p99")),
        grid("storm", "A storm of processes on Milvus 2.3.5", storm, list(keys), storms.candidates(),
             lambda row, who: median(storms.values(STORM, who, keys[row])), head=""),
    ]  # fmt: skip


def of_merging(merged):
    cases, whose = merged.cases(), merged.candidates()
    daemons = [who for who in whose if who != DIRECT]
    what = "Searches of one vector, one in flight of each client; merge is the setting of that name."
    return [
        grid("merging-ratio", "Merging: queries a second, direct is 1", f"Medians of the ratios in each round. {what}",
             cases, whose, ratio_to(merged, "per_second", DIRECT), "{:.2f}"),
        *(grid(f"merging-{name}", f"Merging: {title}", f"Medians of the rounds. {what}", cases, those,
               of_rounds(merged, key))
          for name, title, those, key in (
              ("rate", "queries a second", whose, "per_second"),
              ("p50", "latency p50, us", whose, "p50_us"),
              ("p99", "latency p99, us", whose, "p99_us"),
              ("cpu", "the daemon's CPU a search, us", daemons, "cpu_us"))),
    ]  # fmt: skip


def of_rest(measured):
    """Rows inserted, or searches, a second."""
    cases, whose = measured.cases(), [who for who in (REST, SDK, PACKED, V1) if who in measured.candidates()]
    if not cases:
        return []
    rates = {case: [of_rounds(measured, "per_second")(case, who) for who in whose] for case in cases}
    spread = {
        f"{case}, to {base}": [pick(ratios) for pick in (min, median, max)]
        for case in cases
        for base in whose[1:]
        if (ratios := ratios_to(measured, "per_second", base)(case, REST))
    }
    return [
        Table("rest-ratio", "REST v2 through the daemon, to going direct", "Of rows or searches a second, in each round.",
              "case", ["least", "median", "most"], spread, "{:.2f}"),
        Table("rest", "REST: rows or searches a second", "Medians of the rounds.", "case", whose, rates),
    ]  # fmt: skip


def page(run, goals, tables):
    """Ratios first. run: what was run, and where."""
    machine = ", ".join(f"{key} {value}" for key, value in run["machine"].items())
    lines = [" | ".join(["", *goal.cells(), ""]).strip() for goal in goals]
    return "\n".join([
        "# Measured\n",
        f"By `{run['command']}` on {run['date']}; {run['rounds']} rounds. The machine: {machine}.\n",
        "### Goals\nMedians of the rounds' ratios, with the least and the most.\n",
        "| what | goal | measured | met |\n| --- | --- | --- | --- |",
        *lines,
        "",
        *(table.markdown(f"{table.name}.svg") for table in tables),
        *others(run),
    ])  # fmt: skip


def others(run):
    figures = run.get("milvus", {}).get("others")
    if not figures:
        return []
    return [
        f"An idle client that goes direct costs Milvus {figures['idle_client_at_milvus_bytes'] / 1024:,.1f} KiB. A C "
        f"program over libmvb has its first search result {figures['first_result_ms']:.1f} ms after it was started.\n"
    ]
