# SPDX-License-Identifier: Apache-2.0
"""All candidates before the canned upstream, with and without TLS to it."""
import contextlib

import candidates
import canned
from certificates import Authority
from loads import Target, measure


def start_all(stack, directory, chosen, authority=None):
    """Targets by candidate, over one upstream; a proxy serves all candidates that use it."""
    directory.mkdir()
    upstream = stack.enter_context(candidates.running(canned.Upstream(directory / "upstream", authority)))
    names = dict.fromkeys(candidate.proxy for candidate in chosen if candidate.proxy)
    proxies = {
        name: stack.enter_context(candidates.before(upstream, name, directory / name)) for name in names
    }
    targets = {name: (proxy.tcp_address, proxy.pid) for name, proxy in proxies.items()}
    targets[candidates.NOTHING] = (upstream.address, None)
    return {candidate: Target(candidate.client, *targets[candidate.proxy]) for candidate in chosen}


def measure_all(directory, cases, chosen, folder, counts):
    """Measured; folder: the requests."""
    with contextlib.ExitStack() as stack:
        by_tls = {
            tls: start_all(stack, directory / f"tls-{tls}", chosen, Authority(directory / "authority") if tls else None)
            for tls in {case.tls for case in cases}
        }

        def targets(case):
            return {who.name: target for who, target in by_tls[case.tls].items() if case.has(who)}

        asked = [case for case in cases if targets(case)]
        return measure(asked, targets, folder, counts.rounds, counts.requests)
